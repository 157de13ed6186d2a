// SPDX-License-Identifier: Apache-2.0
#include "tests/support/builder.h"

#include <numeric>

#include "capture/event/event.h"

namespace scry::test {

using namespace event;

Bytes str16(std::string_view v) { return u16(static_cast<uint16_t>(v.size())) + Bytes(v); }

Bytes event_bytes(unsigned code, int64_t tid, uint64_t ts, const std::vector<Bytes>& params, Layout layout) {
  const bool wide = is_known(code) && info_of(code).has(kLargePayload);
  Bytes lengths, data;
  for (const Bytes& p : params) {
    lengths += wide ? u32(static_cast<uint32_t>(p.size())) : u16(static_cast<uint16_t>(p.size()));
    data += p;
  }
  const bool v2 = layout == Layout::kV2;
  const auto len = static_cast<uint32_t>((v2 ? 26 : 22) + lengths.size() + data.size());
  Bytes out = u64(ts) + i64(tid) + u32(len) + u16(static_cast<uint16_t>(code));
  if (v2) out += u32(static_cast<uint32_t>(params.size()));
  return out + lengths + data;
}

Capture& Capture::block(uint32_t id, Bytes body) {
  body.resize((body.size() + 3) / 4 * 4);
  const auto size = static_cast<uint32_t>(body.size() + scap::kSmallestBlock);
  blocks_.push_back(u32(id) + u32(size) + body + u32(size));
  return *this;
}

Capture& Capture::section(uint16_t major, uint16_t minor, uint32_t magic, Bytes options) {
  return block(scap::kSection, u32(magic) + u16(major) + u16(minor) + u64(UINT64_MAX) + options);
}

Capture& Capture::machine(uint32_t cpus, std::string_view hostname) {
  Bytes name(hostname);
  name.resize(128);
  return block(scap::kMachineInfo, u32(cpus) + u64(1u << 30) + u64(0) + name + u64(0) + u64(0) + u64(0) + u64(0));
}

Capture& Capture::interface(std::string_view name) {
  const Bytes entry = u16(1) + u16(static_cast<uint16_t>(name.size())) + Bytes("\x0a\0\0\x02", 4) +
                      Bytes("\xff\xff\xff\0", 4) + Bytes("\x0a\0\0\xff", 4) + u64(0) + Bytes(name);
  return block(scap::kInterfaces2, u32(static_cast<uint32_t>(entry.size())) + entry);
}

Capture& Capture::user(uint32_t uid, std::string_view name) {
  const Bytes entry = u8(0) + u32(uid) + u32(uid) + str16(name) + str16("/home") + str16("/bin/sh");
  return block(scap::kUsers2, u32(static_cast<uint32_t>(entry.size() + 4)) + entry);
}

Capture& Capture::process(int64_t tid, int64_t pid, int64_t ptid, std::string_view comm) {
  const Bytes entry = i64(tid) + i64(pid) + i64(ptid) + i64(1) + i64(1) + str16(comm) + str16(comm) + str16("/bin/x") +
                      str16("") + str16("/root/") + i64(1024) + u32(0) + u32(0) + u32(0) + u32(1) + u32(2) + u32(3) +
                      u64(4) + u64(5) + str16("") + i64(tid) + i64(pid) + str16("cpu=/a") + str16("/");
  return block(scap::kProcesses9, u32(static_cast<uint32_t>(entry.size() + 4)) + entry);
}

Capture& Capture::file_fd(int64_t tid, int64_t fd, std::string_view path) {
  const Bytes entry = i64(fd) + u64(77) + u8(16) + u32(1) + str16(path) + u32(5);
  return block(scap::kFds2, i64(tid) + u32(static_cast<uint32_t>(entry.size() + 4)) + entry);
}

Capture& Capture::event(unsigned code, int64_t tid, uint64_t ts, const std::vector<Bytes>& params, Layout layout) {
  const bool wide = is_known(code) && info_of(code).has(kLargePayload);
  const uint32_t id = layout == Layout::kV1 ? scap::kEvent1 : wide ? scap::kEventLarge : scap::kEvent2;
  return block(id, u16(1) + event_bytes(code, tid, ts, params, layout));
}

Capture& Capture::flagged_event(uint32_t flags, unsigned code, int64_t tid, uint64_t ts,
                                const std::vector<Bytes>& params, Layout layout) {
  const bool wide = is_known(code) && info_of(code).has(kLargePayload);
  const uint32_t id = layout == Layout::kV1 ? scap::kFlagged1 : wide ? scap::kFlaggedLarge : scap::kFlagged2;
  return block(id, u16(1) + u32(flags) + event_bytes(code, tid, ts, params, layout));
}

Capture& Capture::append(const Capture& other) {
  blocks_.insert(blocks_.end(), other.blocks_.begin(), other.blocks_.end());
  return *this;
}

Capture& Capture::flip(size_t at, size_t offset, uint8_t mask) {
  char& byte = blocks_.at(at).at(offset);
  byte = static_cast<char>(static_cast<uint8_t>(byte) ^ mask);
  return *this;
}

Capture& Capture::write(size_t at, size_t offset, const Bytes& bytes) {
  blocks_.at(at).replace(offset, bytes.size(), bytes);
  return *this;
}

Capture& Capture::fix_length(size_t at) {
  const auto size = static_cast<uint32_t>(blocks_.at(at).size());
  return set_length(at, size).set_trailer(at, size);
}

Capture& Capture::garbage(size_t at, const Bytes& bytes) {
  blocks_.insert(blocks_.begin() + static_cast<ptrdiff_t>(at), bytes);
  return *this;
}

Capture& Capture::remove_bytes(size_t at, size_t offset, size_t count) {
  blocks_.at(at).erase(offset, count);
  return *this;
}

Capture& Capture::remove_block(size_t at) {
  blocks_.erase(blocks_.begin() + static_cast<ptrdiff_t>(at));
  return *this;
}

Bytes Capture::bytes() const { return std::accumulate(blocks_.begin(), blocks_.end(), Bytes()); }

size_t Capture::offset_of(size_t number) const {
  size_t offset = 0;
  for (size_t i = 0; i < number; ++i) offset += blocks_[i].size();
  return offset;
}

Capture small_machine() {
  return Capture().section().machine().interface().user(0, "root").process(1, 1, 0, "init").process(100, 100, 1, "sh")
      .process(101, 100, 1, "sh").file_fd(100, 0, "/dev/null").file_fd(100, 5, "/etc/passwd");
}

Capture varied_capture() {
  Capture c = small_machine();
  uint64_t ts = 1'600'000'000'000'000'000;
  auto next = [&] { return ts += 1000; };
  const Bytes v4 = u8(2) + Bytes("\x0a\0\0\x02", 4) + u16(40000) + Bytes("\x08\x08\x08\x08", 4) + u16(53);
  for (const Layout layout : {Layout::kV1, Layout::kV2}) {
    c.event(kOpenE, 100, next(), {}, layout);
    c.event(kOpenX, 100, next(), {i64(3), text("dir/../file"), u32(1), u32(0644)}, layout);
    c.event(kReadE, 101, next(), {i64(3), u32(100)}, layout);
    c.event(kReadX, 101, next(), {i64(5), "a\x1b[1m"}, layout);
    c.event(kSocketE, 100, next(), {u32(2), u32(2), u32(0)}, layout);
    c.event(kSocketX, 100, next(), {i64(4)}, layout);
    c.event(kConnectE, 100, next(), {i64(4)}, layout);
    c.event(kConnectX, 100, next(), {i64(0), v4}, layout);
    c.event(kSendtoE, 100, next(), {i64(4), u32(9), v4}, layout);
    c.event(kSendtoX, 100, next(), {i64(9), "question?"}, layout);
    c.event(kCloseE, 100, next(), {i64(4)}, layout);
    c.event(kCloseX, 100, next(), {i64(0)}, layout);
  }
  c.flagged_event(kFlagStateOnly, kCloseE, 100, next(), {i64(5)});
  c.event(kContainerJson_2E, -1, next(), {text(R"({"container":{"id":"abc","name":"n","image":"i","type":0}})")});
  c.event(kAsynceventE, -1, next(), {u32(0), text("scry.drop"), "payload"});
  c.event(kExecve_19E, 100, next(), {text("/bin/ls")});
  c.event(kProcexit_1E, 101, next(), {i64(0), i64(0), u8(0), u8(0), i64(100)});
  c.event(kCloseE, 100, next(), {i64(0)});
  c.event(kCloseX, 100, next(), {i64(0)});
  return c;
}

Capture every_code() {
  // What stands in parameters of any length: text, a path, addresses and tuples, some too short.
  const Bytes kVariable[] = {{}, text("a/../\xe2\x82\xac/b"), Bytes(200, '/'), u8(2) + Bytes(6, 'x'), u8(2) + Bytes(12, 'x'),
                             u8(10) + Bytes(18, 'x'), u8(10) + Bytes(36, '\0'), u8(1) + Bytes(16, 'x') + text("/s"), u8(1),
                             u8(0) + Bytes(8, 'x'), u8(1) + Bytes(4, 'x')};
  Capture c = small_machine();
  uint64_t ts = 1'600'000'000'000'000'000;
  for (unsigned code = 0; code < kCodeCount; ++code) {
    const EventInfo& info = info_of(code);
    c.event(code, 100, ++ts, {});
    c.event(code, 100, ++ts, std::vector<Bytes>(kMaxParams + 5));
    for (const int64_t number : {INT64_MIN, INT64_MAX, int64_t{-1}, int64_t{0}, int64_t{-100}, int64_t{5}}) {
      for (const Bytes& variable : kVariable) {
        std::vector<Bytes> params;
        for (unsigned i = 0; i < info.nparams; ++i) {
          const unsigned size = type_sizes[info.params[i].current.type_id];
          params.push_back(size ? (i64(number) + i64(number)).substr(0, size) : variable);
        }
        c.event(code, 100, ++ts, params);
        params.push_back("more than the table has");
        if (variable.empty()) c.event(code, 100, ++ts, params);
      }
    }
  }
  return c;
}

}  // namespace scry::test
