// SPDX-License-Identifier: Apache-2.0
// One number for the whole state, over its contents: two machines that would answer every question alike hash alike,
// whatever the order in which their tables were filled.
#include "capture/state/machine.h"

namespace scry::state {
namespace {

class Hasher {
 public:
  Hasher& add(uint64_t value) {
    state_ = (state_ ^ value) * 0x9e3779b97f4a7c15u;
    state_ ^= state_ >> 29;
    return *this;
  }
  Hasher& add(std::string_view text) {
    add(text.size());
    for (; text.size() >= 8; text.remove_prefix(8)) add(load<uint64_t>(reinterpret_cast<const uint8_t*>(text.data())));
    uint64_t tail = 0;
    if (!text.empty()) std::memcpy(&tail, text.data(), text.size());
    return add(tail);
  }
  uint64_t value() const {
    uint64_t v = state_;
    v ^= v >> 32;
    v *= 0xd6e8feb86659fd93u;
    return v ^ v >> 32;
  }

 private:
  uint64_t state_ = 0x243f6a8885a308d3u;
};

uint64_t hash_of(FdNumber number, const Fd& fd) {
  Hasher h;
  h.add(static_cast<uint64_t>(number)).add(static_cast<uint64_t>(fd.kind)).add(static_cast<uint64_t>(fd.l4));
  h.add(static_cast<uint64_t>(fd.role)).add(fd.bits).add(fd.open_flags).add(fd.dev).add(fd.ino).add(fd.source).add(fd.dest);
  auto ip = [&](const IpAddress& a) { h.add(std::string_view(reinterpret_cast<const char*>(a.bytes), sizeof a.bytes)); };
  ip(fd.tuple.source);
  ip(fd.tuple.dest);
  h.add(fd.tuple.sport).add(fd.tuple.dport).add(fd.name.view()).add(fd.raw_name.view());
  return h.value();
}

uint64_t hash_of(const ThreadSlot& slot, bool waits) {
  const Thread& t = *slot.thread;
  Hasher h;
  for (int64_t v : {t.tid, t.pid, t.ptid, t.sid, t.vpgid, t.pgid, t.vtid, t.vpid, t.fdlimit}) h.add(static_cast<uint64_t>(v));
  for (uint64_t v : {t.clone_ts, t.pidns_start_ts, t.pf_major, t.pf_minor, t.cap_inheritable, t.cap_permitted,
                     t.cap_effective, t.exe_ino, t.exe_ino_ctime, t.exe_ino_mtime, t.exec_ns,
                     t.cpu_user, t.cpu_system})
    h.add(v);
  for (uint32_t v : {t.vm_size_kb, t.vm_rss_kb, t.vm_swap_kb, t.flags, t.uid, t.gid, t.loginuid, t.tty,
                     t.cpu_user_step, t.cpu_system_step, uint32_t{t.cpu_reports}, uint32_t{t.ids_are_guessed},
                     uint32_t{t.exe_flags}, uint32_t{t.bits}})
    h.add(v);
  for (const Text* text : {&t.comm, &t.exe, &t.exepath, &t.args, &t.env, &t.cwd, &t.root, &t.cgroups, &t.container_id})
    h.add(text->view());
  if (waits) {
    h.add(slot.enter.code).add(slot.enter.ts).add(slot.enter.num);
    for (unsigned i = 0; i < slot.enter.nparams; ++i) h.add(slot.enter.param(i).bytes());
  }
  uint64_t fds = 0;
  if (t.fds)
    for (const auto& [number, fd] : t.fds->map) fds += hash_of(number, *fd);
  return h.add(fds).value();
}

}  // namespace

uint64_t Machine::hash() const {
  uint64_t threads = 0, users = 0, groups = 0;
  for (const auto& [tid, slot] : threads_) threads += hash_of(*slot, waits(*slot));
  for (const auto& [key, user] : registry_->users) {
    Hasher h;
    users += h.add(key.first).add(user.uid).add(user.gid).add(user.name).add(user.home).add(user.shell).value();
  }
  for (const auto& [key, group] : registry_->groups) {
    Hasher h;
    groups += h.add(key.first).add(group.gid).add(group.name).value();
  }
  Hasher h;
  h.add(threads).add(users).add(groups);
  for (const CpuClock& clock : cpus_) h.add(clock.last_switch);
  for (const auto& [id, c] : registry_->containers.all())
    h.add(id).add(c.name).add(c.image).add(static_cast<uint64_t>(c.type)).add(c.json);
  for (const Interface& i : registry_->interfaces) h.add(i.name).add(i.v6).add(std::string_view(reinterpret_cast<const char*>(i.address.bytes), 16));
  h.add(registry_->info.cpus).add(registry_->info.memory_bytes).add(registry_->info.hostname).add(registry_->info.boot_ts);
  return h.value();
}

}  // namespace scry::state
