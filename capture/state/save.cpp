// SPDX-License-Identifier: Apache-2.0
#include "capture/state/save.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <vector>

#include "capture/event/table.h"
#include "capture/scap/format.h"

namespace scry::state {
namespace {

using namespace scap;

// Readers refuse longer ones.
constexpr size_t kMaxUserText = 255, kMaxPath = 1023, kMaxName = 1023, kMaxList = 4095;
constexpr size_t kBlockLimit = 16u << 20;  ///< a longer list goes on in another block

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  template <class T>
  void put(T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void bytes(const void* data, size_t size) { out_.append(static_cast<const char*>(data), size); }
  void zeros(size_t count) { out_.append(count, '\0'); }
  void str16(std::string_view text, size_t limit) {
    text = text.substr(0, limit);
    put(static_cast<uint16_t>(text.size()));
    out_ += text;
  }
  void begin(uint32_t id) {
    block_ = out_.size();
    put(id);
    put(uint32_t{0});
  }
  void end() {
    zeros((4 - out_.size() % 4 + block_) % 4);
    const auto size = static_cast<uint32_t>(out_.size() - block_ + kBlockTrailer);
    std::memcpy(out_.data() + block_ + 4, &size, sizeof size);
    put(size);
  }
  size_t block_size() const { return out_.size() - block_; }
  /// An entry with its length before it, itself counted or not.
  enum class Counts : uint8_t { kAll, kRest };
  template <class Fill>
  void entry(Counts counts, Fill fill) {
    const size_t at = out_.size();
    put(uint32_t{0});
    fill();
    const auto length = static_cast<uint32_t>(out_.size() - at - (counts == Counts::kRest ? 4 : 0));
    std::memcpy(out_.data() + at, &length, sizeof length);
  }

 private:
  std::string& out_;
  size_t block_ = 0;
};

void put_interfaces(Writer& w, const Machine& m) {
  if (m.interfaces().empty()) return;
  w.begin(kInterfaces2);
  for (const bool v6 : {false, true})
    for (const Interface& i : m.interfaces()) {
      if (i.v6 != v6) continue;
      w.entry(Writer::Counts::kRest, [&] {
        const size_t width = v6 ? 16 : 4;
        const std::string_view name = std::string_view(i.name).substr(0, kMaxUserText);
        w.put(static_cast<uint16_t>(v6 ? 2 : 1));
        w.put(static_cast<uint16_t>(name.size()));
        for (const IpAddress* address : {&i.address, &i.netmask, &i.broadcast}) w.bytes(address->bytes, width);
        w.put(i.link_speed);
        w.bytes(name.data(), name.size());
      });
    }
  w.end();
}

template <class T, class ForEach>
std::vector<const T*> on_host(ForEach for_each) {
  std::vector<const T*> all;
  for_each([&](const Registry::Key& key, const T& one) {
    if (key.first.empty()) all.push_back(&one);
  });
  return all;
}

void put_users(Writer& w, const Machine& m) {
  auto users = on_host<User>([&](auto visit) { m.for_each_user(visit); });
  auto groups = on_host<Group>([&](auto visit) { m.for_each_group(visit); });
  if (users.empty() && groups.empty()) return;
  std::sort(users.begin(), users.end(), [](const User* a, const User* b) { return a->uid < b->uid; });
  std::sort(groups.begin(), groups.end(), [](const Group* a, const Group* b) { return a->gid < b->gid; });
  w.begin(kUsers2);
  for (const User* u : users)
    w.entry(Writer::Counts::kAll, [&] {
      w.put(uint8_t{0});
      w.put(u->uid);
      w.put(u->gid);
      for (const std::string* text : {&u->name, &u->home, &u->shell}) w.str16(*text, kMaxUserText);
    });
  for (const Group* g : groups)
    w.entry(Writer::Counts::kAll, [&] {
      w.put(uint8_t{1});
      w.put(g->gid);
      w.str16(g->name, kMaxUserText);
    });
  w.end();
}

void put_process(Writer& w, const Machine& m, const Thread& t, ProcessTail tail) {
  const Thread* leader = m.leader_of(t);
  std::string_view cwd = leader ? leader->cwd.view() : t.cwd.view();
  if (cwd.size() > 1) cwd.remove_suffix(cwd.ends_with('/') ? 1 : 0);
  for (const int64_t id : {t.tid, t.pid, t.ptid, t.sid, t.vpgid}) w.put(id);
  w.str16(t.comm.view(), kMaxName);
  w.str16(t.exe.view(), kMaxName);
  w.str16(t.exepath.view(), kMaxPath);
  w.str16(t.args.view(), kMaxList);
  w.str16(cwd.empty() ? std::string_view("/") : cwd, kMaxPath);
  w.put(t.fdlimit);
  for (const uint32_t v : {t.flags, t.uid, t.gid, t.vm_size_kb, t.vm_rss_kb, t.vm_swap_kb}) w.put(v);
  w.put(t.pf_major);
  w.put(t.pf_minor);
  w.str16(leader ? leader->env.view() : t.env.view(), kMaxList);
  w.put(t.vtid);
  w.put(t.vpid);
  w.str16(t.cgroups.view(), kMaxList);
  w.str16(t.root.view(), kMaxPath);
  auto flag = [&](uint8_t bit) { w.put(static_cast<uint8_t>((t.exe_flags & bit) != 0)); };
  if (tail == ProcessTail::kFull) {
    w.put(t.pidns_start_ts);
    w.put(t.tty);
  }
  w.put(t.loginuid);
  flag(Thread::kExeWritable);
  if (tail == ProcessTail::kClassic) return;
  for (const uint64_t caps : {t.cap_inheritable, t.cap_permitted, t.cap_effective}) w.put(caps);
  if (tail == ProcessTail::kCaps) return;
  flag(Thread::kExeUpper);
  for (const uint64_t v : {t.exe_ino, t.exe_ino_ctime, t.exe_ino_mtime}) w.put(v);
  flag(Thread::kExeMemfd);
  flag(Thread::kExeLower);
  w.put(t.pgid);
}

void put_fd(Writer& w, FdNumber number, const Fd& fd, bool classic, bool line_ends) {
  FdKind kind = fd.kind;
  // sysdig 0.29.3 refuses a whole file for a kind of fd that came after it.
  if (classic && kind > FdKind::kFileV2) kind = FdKind::kUnsupported;
  w.entry(Writer::Counts::kAll, [&] {
    w.put(number);
    w.put(fd.ino);
    w.put(static_cast<uint8_t>(kind));
    const size_t width = is_v6(kind) ? 16 : 4;
    const auto l4 = static_cast<uint8_t>(fd.l4);
    switch (kind) {
      case FdKind::kIpv4: case FdKind::kIpv6:
        w.bytes(fd.tuple.source.bytes, width);
        w.bytes(fd.tuple.dest.bytes, width);
        w.put(fd.tuple.sport);
        w.put(fd.tuple.dport);
        w.put(l4);
        break;
      case FdKind::kIpv4Server: case FdKind::kIpv6Server:
        w.bytes(fd.tuple.dest.bytes, width);
        w.put(fd.tuple.dport);
        w.put(l4);
        break;
      case FdKind::kUnix:
        w.put(fd.source);
        w.put(fd.dest);
        if (line_ends && fd.has(Fd::kFromList) && !fd.name.view().empty()) w.str16(std::string(fd.name.view()) + '\n', kMaxPath);
        else w.str16(fd.name.view(), kMaxPath);
        break;
      case FdKind::kFileV2:
        w.put(fd.open_flags);
        w.str16(fd.name.view(), kMaxPath);
        w.put(fd.dev);
        break;
      default: w.str16(fd.name.view(), kMaxPath);
    }
  });
}

void put_fds(Writer& w, const Thread& t, bool classic, bool line_ends) {
  std::vector<std::pair<FdNumber, const Fd*>> fds;
  if (t.is_leader() && t.fds)
    for (const auto& [number, fd] : t.fds->map)
      if (fd->kind != FdKind::kUnknown) fds.emplace_back(number, fd.get());
  std::sort(fds.begin(), fds.end());
  w.begin(kFds2);
  w.put(t.tid);
  for (const auto& [number, fd] : fds) {
    put_fd(w, number, *fd, classic, line_ends);
    if (w.block_size() < kBlockLimit) continue;
    w.end();
    w.begin(kFds2);
    w.put(t.tid);
  }
  w.end();
}

void put_event(Writer& w, uint16_t code, Nanos ts, const std::vector<std::string>& params) {
  const bool wide = event::info_of(code).has(event::kLargePayload);
  w.begin(wide ? kEventLarge : kEvent2);
  uint32_t length = 26;
  for (const std::string& p : params) length += static_cast<uint32_t>(p.size()) + (wide ? 4 : 2);
  w.put(uint16_t{0});  // cpu
  w.put(ts);
  w.put(int64_t{-1});
  w.put(length);
  w.put(code);
  w.put(static_cast<uint32_t>(params.size()));
  for (const std::string& p : params) {
    if (wide) w.put(static_cast<uint32_t>(p.size()));
    else w.put(static_cast<uint16_t>(p.size()));
  }
  for (const std::string& p : params) w.bytes(p.data(), p.size());
  w.end();
}

std::string number(uint32_t value) { return {reinterpret_cast<const char*>(&value), sizeof value}; }
std::string text(std::string_view value) { return std::string(value.substr(0, kMaxList)) + '\0'; }

}  // namespace

void append_section(std::string& out) {
  Writer w(out);
  w.begin(kSection);
  w.put(kSectionMagic);
  w.put(kMajorVersion);
  w.put(uint16_t{2});
  w.put(UINT64_MAX);
  w.end();
}

void append_lists(std::string& out, const Machine& m, const SaveOptions& options) {
  append_section(out);
  Writer w(out);
  w.begin(kMachineInfo);
  w.put(m.info().cpus);
  w.put(m.info().memory_bytes);
  w.put(m.info().max_pid);
  std::string hostname = m.info().hostname.substr(0, 127);
  hostname.resize(128);
  w.bytes(hostname.data(), hostname.size());
  w.put(m.info().boot_ts);
  w.zeros(24);
  w.end();
  put_interfaces(w, m);
  if (options.users) put_users(w, m);

  std::vector<const Thread*> threads;
  m.for_each_thread([&](const Thread& t) {
    if (!t.is_unknown() && (!options.keep || options.keep(t, m))) threads.push_back(&t);
  });
  std::sort(threads.begin(), threads.end(), [](const Thread* a, const Thread* b) { return a->tid < b->tid; });
  if (options.keep) {
    // The fds of a thread are those of its leader, so that goes with it.
    std::vector<const Thread*> leaders;
    for (const Thread* t : threads)
      if (const Thread* leader = m.leader_of(*t); leader && leader != t) leaders.push_back(leader);
    threads.insert(threads.end(), leaders.begin(), leaders.end());
    std::sort(threads.begin(), threads.end(), [](const Thread* a, const Thread* b) { return a->tid < b->tid; });
    threads.erase(std::unique(threads.begin(), threads.end()), threads.end());
  }
  for (size_t i = 0; i < threads.size();) {
    w.begin(kProcesses9);
    while (i < threads.size() && w.block_size() < kBlockLimit)
      w.entry(Writer::Counts::kAll, [&] { put_process(w, m, *threads[i++], options.tail); });
    w.end();
  }
  for (const Thread* t : threads) put_fds(w, *t, options.tail != ProcessTail::kFull, options.line_ends);
}

void append_containers(std::string& out, const Machine& m, Nanos ts) {
  Writer w(out);
  for (const auto& [id, container] : m.containers().all())
    put_event(w, event::kContainerJson_2E, ts, {(container.json.empty() ? to_json(container) : container.json) + '\0'});
}

void append_container_users(std::string& out, const Machine& m, Nanos ts) {
  Writer w(out);
  m.for_each_user([&](const Registry::Key& key, const User& u) {
    if (key.first.empty()) return;
    put_event(w, event::kUserAddedE, ts, {number(u.uid), number(u.gid), text(u.name), text(u.home), text(u.shell), text(key.first)});
  });
  m.for_each_group([&](const Registry::Key& key, const Group& g) {
    if (!key.first.empty()) put_event(w, event::kGroupAddedE, ts, {number(g.gid), text(g.name), text(key.first)});
  });
}

}  // namespace scry::state
