// SPDX-License-Identifier: Apache-2.0
#include "capture/scap/lists.h"

#include <fmt/format.h>

#include <algorithm>

#include "capture/base/bytes.h"

namespace scry::scap {
namespace {

constexpr size_t kSmallestEntry = 4;  // fewer bytes than this at the end are padding

ByteReader reader_of(const Block& block) { return {block.body(), block.body_size()}; }

void note_bad_entry(Losses& losses, const Block& block, const uint8_t* at, const char* list) {
  const uint64_t offset = block.offset + static_cast<uint64_t>(at - block.start);
  losses.add(LossKind::kDamagedEntry, offset, 0, fmt::format("an entry of the {} list can't be read", list));
}

/// Walks the entries of a block. With lengths each entry gets a reader of its own and a bad one is stepped over;
/// without, a bad one ends the block. `decode(ByteReader&) -> bool`.
enum class Lengths : uint8_t { kNone, kOfWhole, kOfRest };

template <class Decode>
void for_each_entry(const Block& block, ByteReader all, Lengths lengths, Losses& losses, const char* list,
                    Decode decode) {
  while (all.left() >= kSmallestEntry) {
    const uint8_t* at = all.position();
    if (lengths == Lengths::kNone) {
      if (!decode(all) || !all.ok()) return note_bad_entry(losses, block, at, list);
      continue;
    }
    uint32_t length = all.get<uint32_t>();
    if (lengths == Lengths::kOfWhole) length = length >= 4 ? length - 4 : 0xffffffff;
    if (length > all.left() || length == 0) return note_bad_entry(losses, block, at, list);
    ByteReader one(all.position(), length);
    all.skip(length);
    if (!decode(one) || !one.ok()) note_bad_entry(losses, block, at, list);
  }
}

}  // namespace

std::vector<PcapngOption> read_options(std::string_view data) {
  std::vector<PcapngOption> out;
  ByteReader r(reinterpret_cast<const uint8_t*>(data.data()), data.size());
  while (r.left() >= 4) {
    const auto code = r.get<uint16_t>();
    const auto length = r.get<uint16_t>();
    if (code == 0 || length > r.left()) break;
    out.push_back({code, r.bytes(length)});
    r.skip(std::min<size_t>((4 - length % 4) % 4, r.left()));
  }
  return out;
}

const char* read_section(const Block& block, SectionEntry& out) {
  ByteReader r = reader_of(block);
  const auto magic = r.get<uint32_t>();
  out.major = r.get<uint16_t>();
  out.minor = r.get<uint16_t>();
  r.get<uint64_t>();  // section length, always "unknown"
  if (!r.ok()) return "the section header is too short";
  if (magic == kSwappedMagic) return kBigEndian;
  if (magic != kSectionMagic) return "not a scap capture (its section header has another magic number)";
  if (out.major != kMajorVersion) return "a capture of a newer format version than this program knows";
  out.options = read_options(r.bytes(r.left()));
  return nullptr;
}

bool read_machine(const Block& block, MachineEntry& out) {
  ByteReader r = reader_of(block);
  out.cpus = r.get<uint32_t>();
  out.memory_bytes = r.get<uint64_t>();
  out.max_pid = r.get<uint64_t>();
  const auto name = r.bytes(128);
  out.hostname = name.substr(0, name.find('\0'));
  out.boot_ts = r.get<uint64_t>();
  return r.ok();
}

void read_interfaces(const Block& block, Losses& losses, const std::function<void(const InterfaceEntry&)>& visit) {
  const auto lengths = block.id == kInterfaces2 ? Lengths::kOfRest : Lengths::kNone;
  for_each_entry(block, reader_of(block), lengths, losses, "interface", [&](ByteReader& r) {
    InterfaceEntry e;
    const auto type = r.get<uint16_t>();
    const auto name_length = r.get<uint16_t>();
    if (type < 1 || type > 4) return false;
    e.v6 = type == 2 || type == 4;
    const size_t width = e.v6 ? 16 : 4;
    for (const uint8_t** address : {&e.address, &e.netmask, &e.broadcast})
      *address = reinterpret_cast<const uint8_t*>(r.bytes(width).data());
    if (type <= 2) e.link_speed = r.get<uint64_t>();
    e.name = r.bytes(name_length);
    if (r.ok()) visit(e);
    return r.ok();
  });
}

void read_users(const Block& block, Losses& losses, const std::function<void(const UserEntry&)>& visit) {
  const auto lengths = block.id == kUsers2 ? Lengths::kOfWhole : Lengths::kNone;
  for_each_entry(block, reader_of(block), lengths, losses, "user", [&](ByteReader& r) {
    UserEntry e;
    e.is_group = r.get<uint8_t>() != 0;
    if (!e.is_group) e.uid = r.get<uint32_t>();
    e.gid = r.get<uint32_t>();
    e.name = r.str16();
    if (!e.is_group) {
      e.home = r.str16();
      e.shell = r.str16();
    }
    if (r.ok()) visit(e);
    return r.ok();
  });
}

namespace {

/// 1 to 9.
int process_version(uint32_t id) {
  switch (id) {
    case kProcesses1: return 1;
    case kProcesses2: return 2;
    case kProcesses3: return 3;
    default: return static_cast<int>(id - kProcesses4) + 4;
  }
}

bool read_process(ByteReader& r, int version, ProcessEntry& e) {
  e.tid = static_cast<Tid>(r.get<uint64_t>());
  e.pid = static_cast<Pid>(r.get<uint64_t>());
  e.ptid = static_cast<Tid>(r.get<uint64_t>());
  if (version >= 6) e.sid = static_cast<int64_t>(r.get<uint64_t>());
  if (version >= 8) e.vpgid = static_cast<int64_t>(r.get<uint64_t>());
  e.comm = r.str16();
  e.exe = r.str16();
  if (version >= 7) e.exepath = r.str16();
  e.args = r.str16();
  e.cwd = r.str16();
  e.fdlimit = r.get<int64_t>();
  e.flags = r.get<uint32_t>();
  e.uid = r.get<uint32_t>();
  e.gid = r.get<uint32_t>();
  if (version >= 2) {
    e.vm_size_kb = r.get<uint32_t>();
    e.vm_rss_kb = r.get<uint32_t>();
    e.vm_swap_kb = r.get<uint32_t>();
    e.pf_major = r.get<uint64_t>();
    e.pf_minor = r.get<uint64_t>();
  }
  if (version >= 3) e.env = r.str16();
  if (version >= 4) {
    e.vtid = r.get<int64_t>();
    e.vpid = r.get<int64_t>();
    e.cgroups = r.str16();
  }
  if (version >= 5) e.root = r.str16();
  if (!r.ok() || version < 9) return r.ok();
  // The tail grew over time; pidns and tty came in before loginuid, so only its length tells which one it is.
  constexpr size_t kLongestOldTail = 29;
  auto has = [&](size_t size) { return r.left() >= size; };
  if (r.left() > kLongestOldTail) {
    e.pidns_start_ts = r.get<uint64_t>();
    e.tty = r.get<uint32_t>();
  }
  if (has(4)) e.loginuid = r.get<uint32_t>();
  if (has(1)) {
    e.has_exe_flags = true;
    e.exe_writable = r.get<uint8_t>() != 0;
  }
  if (has(24)) {
    e.has_caps = true;
    e.cap_inheritable = r.get<uint64_t>();
    e.cap_permitted = r.get<uint64_t>();
    e.cap_effective = r.get<uint64_t>();
  }
  if (has(1)) e.exe_upper = r.get<uint8_t>() != 0;
  if (has(24)) {
    e.exe_ino = r.get<uint64_t>();
    e.exe_ino_ctime = r.get<uint64_t>();
    e.exe_ino_mtime = r.get<uint64_t>();
  }
  if (has(1)) e.exe_memfd = r.get<uint8_t>() != 0;
  if (has(1)) e.exe_lower = r.get<uint8_t>() != 0;
  if (has(8)) e.pgid = r.get<int64_t>();
  return true;
}

}  // namespace

void read_processes(const Block& block, Losses& losses, const std::function<void(const ProcessEntry&)>& visit) {
  const int version = process_version(block.id);
  const auto lengths = version >= 9 ? Lengths::kOfWhole : Lengths::kNone;
  for_each_entry(block, reader_of(block), lengths, losses, "process", [&](ByteReader& r) {
    ProcessEntry e;
    if (!read_process(r, version, e)) return false;
    visit(e);
    return true;
  });
}

void read_fds(const Block& block, Losses& losses, const std::function<void(const FdEntry&)>& visit) {
  const bool v2 = block.id == kFds2;
  ByteReader all = reader_of(block);
  const Tid tid = static_cast<Tid>(all.get<uint64_t>());
  if (!all.ok()) return note_bad_entry(losses, block, block.start, "fd");
  for_each_entry(block, all, v2 ? Lengths::kOfWhole : Lengths::kNone, losses, "fd", [&](ByteReader& r) {
    FdEntry e;
    e.tid = tid;
    e.fd = r.get<int64_t>();
    e.ino = r.get<uint64_t>();
    e.type = r.get<uint8_t>();
    auto ip = [&](size_t width) { return reinterpret_cast<const uint8_t*>(r.bytes(width).data()); };
    switch (e.type) {
      case 0: break;
      case 3: case 4: {
        const size_t width = e.type == 3 ? 4 : 16;
        e.source = ip(width);
        e.dest = ip(width);
        e.sport = r.get<uint16_t>();
        e.dport = r.get<uint16_t>();
        e.l4 = r.get<uint8_t>();
        break;
      }
      case 5: case 6:
        e.dest = ip(e.type == 5 ? 4 : 16);
        e.dport = r.get<uint16_t>();
        e.l4 = r.get<uint8_t>();
        break;
      case 8:
        e.unix_source = r.get<uint64_t>();
        e.unix_dest = r.get<uint64_t>();
        e.path = r.str16();
        break;
      case 16:
        e.open_flags = r.get<uint32_t>();
        e.path = r.str16();
        if (v2 && r.left() >= 4) e.dev = r.get<uint32_t>();
        break;
      default:
        if (e.type > 21) {
          if (!v2) return false;  // how long it is, nobody knows
          break;
        }
        e.path = r.str16();
    }
    if (!r.ok()) return false;
    e.path = e.path.substr(0, e.path.find('\0'));
    visit(e);
    return true;
  });
}

}  // namespace scry::scap
