// SPDX-License-Identifier: Apache-2.0
// Rules for processes: who they are, where they are, what they may, and when they end (state.md §2, §5, §6).
#include <sys/resource.h>

#include <algorithm>

#include "capture/state/handlers.h"

namespace scry::state {

using namespace event;
namespace {

constexpr Nanos kSameClone = 2'000'000'000;  ///< a thread made this short a time ago is the one now told again
constexpr uint64_t kAllCapabilities = 0x1ffffffffff;

/// The values that both sides of a clone tell, in the layout of clone_20_x (clone3, fork and vfork share it).
void fill_from_clone(const Step& s, Thread& t) {
  namespace c = p::clone_20_x;
  TextPool& pool = s.machine.pool();
  t.exe = pool.intern(s.param(c::exe).text());
  t.args = Text(s.param(c::args).bytes());
  const Param comm = s.param(c::comm);
  t.comm = comm.present() ? pool.intern(comm.text()) : t.exe;
  t.fdlimit = s.param(c::fdlimit).integer(t.fdlimit);
  t.pf_major = s.param(c::pgft_maj).as<uint64_t>();
  t.pf_minor = s.param(c::pgft_min).as<uint64_t>();
  t.vm_size_kb = s.param(c::vm_size).as<uint32_t>();
  t.vm_rss_kb = s.param(c::vm_rss).as<uint32_t>();
  t.vm_swap_kb = s.param(c::vm_swap).as<uint32_t>();
  if (const Param cgroups = s.param(c::cgroups); cgroups.present()) {
    Text text = pool.intern(cgroups.bytes());
    if (text.id() != t.cgroups.id()) {
      t.container_id = s.machine.container_of(text);
      t.cgroups = std::move(text);
    }
  }
  t.uid = s.param(c::uid).as<uint32_t>(kNoId);
  t.gid = s.param(c::gid).as<uint32_t>(kNoId);
  t.pidns_start_ts = s.param(c::pidns_init_start_ts).as<uint64_t>();
  t.clone_ts = s.event.raw().ts;
}

void inherit(Thread& t, const Thread& from) {
  t.exepath = from.exepath;
  t.exe_flags = from.exe_flags;
  t.bits |= from.bits & (Thread::kCapsKnown | Thread::kExeKnown);
  t.root = from.root;
  t.sid = from.sid;
  t.vpgid = from.vpgid;
  t.pgid = from.pgid;
  t.tty = from.tty;
  t.loginuid = from.loginuid;
  t.cap_inheritable = from.cap_inheritable;
  t.cap_permitted = from.cap_permitted;
  t.cap_effective = from.cap_effective;
  t.exe_ino = from.exe_ino;
  t.exe_ino_ctime = from.exe_ino_ctime;
  t.exe_ino_mtime = from.exe_ino_mtime;
  t.cgroups = from.cgroups;
  t.container_id = from.container_id;
}

/// A new process begins with copies of what its parent's leader owns.
void copy_owned(Thread& t, const Thread* owner) {
  if (!owner) return;
  t.cwd = owner->cwd;
  t.env = owner->env;
  t.fds = owner->fds;  // copied when either side changes it
}

void on_clone_in_parent(const Step& s, Tid child_tid) {
  namespace c = p::clone_20_x;
  Machine& m = s.machine;
  if (!s.slot || child_tid == s.event.raw().tid) return;
  const Nanos ts = s.event.raw().ts;
  if (s.slot->thread->is_unknown()) {
    // The parent itself was not known until now.
    Thread parent = *s.slot->thread;
    parent.bits &= static_cast<uint8_t>(~Thread::kPlaceholder);
    parent.pid = s.param(c::pid).integer(parent.pid);
    parent.ptid = s.param(c::ptid).integer(parent.ptid);
    parent.ids_are_guessed = false;
    parent.vtid = s.param(c::vtid).integer(parent.vtid);
    parent.vpid = s.param(c::vpid).integer(parent.vpid);
    const Nanos before = parent.clone_ts;
    fill_from_clone(s, parent);
    parent.clone_ts = before;
    m.insert(std::move(parent));
  }
  const Thread& parent = *s.slot->thread;
  const uint32_t flags = s.param(c::flags).as<uint32_t>();
  constexpr uint32_t kElsewhere = v::clone_flags__CLONE_CHILD_IN_PIDNS | v::clone_flags__CLONE_NEWPID |
                                  v::clone_flags__CLONE_PARENT;
  if ((flags & kElsewhere) || (parent.vtid >= 0 && parent.tid != parent.vtid)) return;
  if (m.exited_just_now(child_tid, ts)) return;
  if (ThreadSlot* old = m.slot(child_tid)) {
    // Made by its own event just now; or long ago, and the end of that process was lost.
    const EnterEvent* enter = s.event.enter();
    const Nanos made = old->thread->clone_ts;
    const bool is_this_one = enter ? made >= enter->ts : made + kSameClone > ts;
    if (!old->thread->is_unknown() && old->thread->has(Thread::kFromClone) && is_this_one) return;
    m.give_children_away(*old, 0);  // a stale thread of that number; insert() below takes its place
  }
  Thread child;
  child.tid = child_tid;
  const Thread* leader = m.leader_of(parent);
  if (flags & v::clone_flags__CLONE_THREAD) {
    child.pid = parent.pid;
    child.ptid = parent.ptid;
    child.flags = flags | v::clone_flags__CLONE_FILES;
  } else {
    child.pid = child_tid;
    child.ptid = parent.tid;
    child.flags = flags;
    copy_owned(child, leader);
  }
  child.vtid = child_tid;
  child.vpid = child.pid;
  inherit(child, parent);
  fill_from_clone(s, child);
  m.insert(std::move(child));
}

void on_clone_in_child(const Step& s) {
  namespace c = p::clone_20_x;
  Machine& m = s.machine;
  const RawEvent& raw = s.event.raw();
  if (s.slot && !s.slot->thread->is_unknown() && s.slot->thread->clone_ts != 0 &&
      s.slot->thread->clone_ts + kSameClone > raw.ts && !s.slot->thread->has(Thread::kDead)) {
    // The parent's side came first; the child now spoke for itself.
    s.slot->thread.mut().bits |= Thread::kFromClone;
    return;
  }
  if (s.slot) m.give_children_away(*s.slot, 0);
  Thread child;
  child.tid = raw.tid;
  child.pid = s.param(c::pid).integer(raw.tid);
  child.ptid = s.param(c::ptid).integer(-1);
  child.vtid = s.param(c::vtid).integer(raw.tid);
  child.vpid = s.param(c::vpid).integer(child.pid);
  child.flags = s.param(c::flags).as<uint32_t>() | v::clone_flags__CLONE_INVERTED;
  child.bits = Thread::kFromClone;
  const bool is_thread = (child.flags & v::clone_flags__CLONE_THREAD) != 0;
  if (child.ptid > 0 && child.ptid != raw.tid && !m.slot(child.ptid)) m.insert_placeholder(child.ptid);
  const Thread* source = m.thread(is_thread ? child.pid : child.ptid);
  if (source) {
    const Thread* leader = m.leader_of(*source);
    inherit(child, *source);
    if (is_thread) {
      child.flags |= v::clone_flags__CLONE_FILES;
      child.ptid = source->ptid;
    } else {
      copy_owned(child, leader);
    }
  }
  fill_from_clone(s, child);
  if (child.cwd.empty() && child.is_leader())
    if (auto cwd = s.param(c::cwd).text(); !cwd.empty()) child.cwd = Text(std::string(cwd) + (cwd.back() == '/' ? "" : "/"));
  m.insert(std::move(child));
}

/// execve_19_x and execveat_x share their layout.
namespace x = p::execve_19_x;

std::string exec_path(const Step& s) {
  std::string_view trusted = s.param(x::trusted_exepath).text();
  std::string path;
  if (!trusted.empty()) {
    path = trusted;
  } else {
    std::string_view name;
    int64_t dirfd = -100;
    bool empty_path = false;
    if (const EnterEvent* enter = s.event.enter()) {
      if (enter->code == kExecveatE) {
        dirfd = enter->param(p::execveat_e::dirfd).integer(-100);
        name = enter->param(p::execveat_e::pathname).text();
        empty_path = name.empty();
      } else if (enter->nparams > 0) {
        name = enter->param(p::execve_19_e::filename).text();
      }
    }
    if (name.empty() && !empty_path) name = s.param(x::filename).text();
    if (name == "<NA>") return "<NA>";
    std::string room;
    if (empty_path) {
      const Fd* file = s.machine.fd(*s.slot->thread, dirfd);
      path = file ? std::string(file->name.view()) : "<NA>";
    } else if (!name.empty()) {
      path = concat_path(base_of(s, dirfd, name, room), name);
    }
  }
  constexpr std::string_view kDeleted = " (deleted)";
  if (path.ends_with(kDeleted)) path.resize(path.size() - kDeleted.size());
  return path;
}

void set_directory(const Step& s, std::string path) {
  ThreadSlot* leader = s.machine.leader_slot(*s.slot);
  if (!leader) return;
  if (path.empty() || path.back() != '/') path += '/';
  leader->thread.mut().cwd = Text(path);
}

void set_fdlimit(const Step& s, Tid tid, Param limit) {
  const int64_t value = limit.integer(-1);
  ThreadSlot* target = s.machine.slot(tid);
  if (value == -1 || !target) return;
  if (ThreadSlot* leader = s.machine.leader_slot(*target)) leader->thread.mut().fdlimit = value;
}

std::string_view container_param(const Step& s, unsigned index) { return s.param(index).text(); }

}  // namespace

void on_clone(const Step& s) {
  const int64_t child = s.result();
  if (child > 0) on_clone_in_parent(s, child);
  else if (child == 0) on_clone_in_child(s);
}

void on_exec(const Step& s) {
  if (s.result() < 0 || !s.slot) return;
  Machine& m = s.machine;
  TextPool& pool = m.pool();
  // What the path is relative to belongs to the image before.
  std::string path = exec_path(s);
  ThreadSlot& slot = *s.slot;
  const RawEvent& raw = s.event.raw();
  if (slot->is_unknown() || !slot->is_leader()) {
    if (const int64_t pid = s.param(x::pid).integer(-1); pid >= 0 && (slot->is_unknown() || pid == slot->tid)) {
      Thread known = *slot.thread;
      known.pid = pid;
      known.bits &= static_cast<uint8_t>(~Thread::kPlaceholder);
      known.ids_are_guessed = known.vtid < 0 || known.vpid < 0;
      if (known.vtid < 0) known.vtid = known.tid;
      if (known.vpid < 0) known.vpid = pid;
      if (known.ptid < 0) known.ptid = s.param(x::ptid).integer(-1);
      m.insert(std::move(known));
    }
  }
  if (slot->is_leader()) m.remove_members(slot);
  m.revive(slot);
  Thread& t = slot.thread.mut();
  if (const Param exe = s.param(x::exe); exe.present()) t.exe = pool.intern(exe.text());
  const Param comm = s.param(x::comm);
  t.comm = comm.present() ? pool.intern(comm.text()) : t.exe;
  t.args = Text(s.param(x::args).bytes());
  t.env = Text(s.param(x::env).bytes());
  t.fdlimit = s.param(x::fdlimit).integer(t.fdlimit);
  t.pf_major = s.param(x::pgft_maj).as<uint64_t>(t.pf_major);
  t.pf_minor = s.param(x::pgft_min).as<uint64_t>(t.pf_minor);
  t.vm_size_kb = s.param(x::vm_size).as<uint32_t>(t.vm_size_kb);
  t.vm_rss_kb = s.param(x::vm_rss).as<uint32_t>(t.vm_rss_kb);
  t.vm_swap_kb = s.param(x::vm_swap).as<uint32_t>(t.vm_swap_kb);
  if (const Param cgroups = s.param(x::cgroups); cgroups.present()) {
    Text text = pool.intern(cgroups.bytes());
    if (text.id() != t.cgroups.id()) {
      t.container_id = m.container_of(text);
      t.cgroups = std::move(text);
    }
  }
  t.tty = s.param(x::tty).as<uint32_t>(t.tty);
  t.vpgid = s.param(x::vpgid).integer(t.vpgid);
  t.loginuid = s.param(x::loginuid).as<uint32_t>(t.loginuid);
  const Param exe_flags = s.param(x::flags);
  t.exe_flags = static_cast<uint8_t>(exe_flags.as<uint32_t>());
  t.bits = static_cast<uint8_t>(exe_flags.present() ? t.bits | Thread::kExeKnown : t.bits & ~Thread::kExeKnown);
  if (s.param(x::cap_permitted).present()) t.bits |= Thread::kCapsKnown;
  t.cap_inheritable = s.param(x::cap_inheritable).as<uint64_t>(t.cap_inheritable);
  t.cap_permitted = s.param(x::cap_permitted).as<uint64_t>(t.cap_permitted);
  t.cap_effective = s.param(x::cap_effective).as<uint64_t>(t.cap_effective);
  t.exe_ino = s.param(x::exe_ino).as<uint64_t>(t.exe_ino);
  t.exe_ino_ctime = s.param(x::exe_ino_ctime).as<uint64_t>(t.exe_ino_ctime);
  t.exe_ino_mtime = s.param(x::exe_ino_mtime).as<uint64_t>(t.exe_ino_mtime);
  t.uid = s.param(x::uid).as<uint32_t>(t.uid);
  t.gid = s.param(x::gid).as<uint32_t>(t.gid);
  t.pgid = s.param(x::pgid).integer(t.pgid);
  t.exepath = pool.intern(path);
  t.flags = 0;
  t.bits &= static_cast<uint8_t>(~(Thread::kPipeSource | Thread::kPipeDest));
  if (t.clone_ts == 0 && t.is_unknown()) t.clone_ts = raw.ts;
  if (t.fds) {
    bool any = false;
    for (const auto& [number, fd] : t.fds->map) any |= fd->has(Fd::kCloseOnExec);
    if (any) absl::erase_if(t.fds.mut().map, [](const auto& entry) { return entry.second->has(Fd::kCloseOnExec); });
  }
}

void on_procexit(const Step& s) {
  if (!s.slot) return;
  s.machine.mark_dead(*s.slot, s.event.raw().ts);
  s.machine.remove_at_next_event(s.event.raw().tid, s.param(p::procexit_1_e::reaper_tid).integer(0));
}

void on_setsid(const Step& s) {
  if (s.slot && s.result() >= 0) s.slot->thread.mut().sid = s.result();
}

void on_chdir(const Step& s) {
  if (!s.slot || s.result() < 0) return;
  const auto path = s.param(p::chdir_x::path).text();
  set_directory(s, concat_path(s.machine.cwd(*s.slot->thread), path));
}

void on_fchdir(const Step& s) {
  if (!s.slot || s.result() < 0) return;
  if (const Fd* fd = s.machine.fd(*s.slot->thread, s.fd())) set_directory(s, std::string(fd->name.view()));
}

void on_getcwd(const Step& s) {
  if (!s.slot || s.result() < 0) return;
  if (const auto path = s.param(p::getcwd_x::path).text(); !path.empty())
    set_directory(s, concat_path(s.machine.cwd(*s.slot->thread), path));
}

void on_chroot(const Step& s) {
  if (!s.slot || s.result() != 0) return;
  const auto path = s.param(p::chroot_x::path).text();
  s.slot->thread.mut().root = Text(concat_path(s.machine.cwd(*s.slot->thread), path));
}

namespace {
void set_id(const Step& s, uint32_t Thread::*field, unsigned index) {
  if (!s.slot || s.result() != 0) return;
  // -1 leaves the id as it is.
  if (const uint32_t id = s.param(index).as<uint32_t>(kNoId); id != kNoId) s.slot->thread.mut().*field = id;
}
}  // namespace

void on_setuid(const Step& s) { set_id(s, &Thread::uid, p::setuid_x::uid); }
void on_setreuid(const Step& s) { set_id(s, &Thread::uid, p::setresuid_x::euid); }
void on_setgid(const Step& s) { set_id(s, &Thread::gid, p::setgid_x::gid); }
void on_setregid(const Step& s) { set_id(s, &Thread::gid, p::setresgid_x::egid); }

void on_capset(const Step& s) {
  if (!s.slot || s.result() < 0) return;
  Thread& t = s.slot->thread.mut();
  t.bits |= Thread::kCapsKnown;
  t.cap_inheritable = s.param(p::capset_x::cap_inheritable).as<uint64_t>();
  t.cap_permitted = s.param(p::capset_x::cap_permitted).as<uint64_t>();
  t.cap_effective = s.param(p::capset_x::cap_effective).as<uint64_t>();
}

namespace {
void all_capabilities_if_new_user_namespace(const Step& s, Param flags) {
  if (!s.slot || s.result() < 0 || !(flags.as<uint32_t>() & v::clone_flags__CLONE_NEWUSER)) return;
  Thread& t = s.slot->thread.mut();
  t.bits |= Thread::kCapsKnown;
  t.cap_inheritable = t.cap_permitted = t.cap_effective = kAllCapabilities;
}
}  // namespace

void on_unshare(const Step& s) { all_capabilities_if_new_user_namespace(s, s.param(p::unshare_x::flags)); }
void on_setns(const Step& s) { all_capabilities_if_new_user_namespace(s, s.param(p::setns_x::nstype)); }

void on_rlimit(const Step& s) {
  if (s.slot && s.result() >= 0 &&
      s.param(p::getrlimit_x::resource).as<uint8_t>() == v::rlimit_resources__RLIMIT_NOFILE)
    set_fdlimit(s, s.event.raw().tid, s.param(p::getrlimit_x::cur));
}

void on_prlimit(const Step& s) {
  if (!s.slot || s.result() < 0 ||
      s.param(p::prlimit_x::resource).as<uint8_t>() != v::rlimit_resources__RLIMIT_NOFILE)
    return;
  const int64_t target = s.param(p::prlimit_x::pid).integer(0);
  set_fdlimit(s, target == 0 ? s.event.raw().tid : target, s.param(p::prlimit_x::newcur));
}

void on_prctl(const Step& s) {
  if (!s.slot || s.result() < 0) return;
  const uint32_t option = s.param(p::prctl_x::option).as<uint32_t>();
  if (option != v::prctl_options__PR_SET_CHILD_SUBREAPER && option != v::prctl_options__PR_GET_CHILD_SUBREAPER) return;
  if (ThreadSlot* leader = s.machine.leader_slot(*s.slot)) {
    Thread& t = leader->thread.mut();
    const bool on = s.param(p::prctl_x::arg2_int).integer(0) != 0;
    t.bits = static_cast<uint8_t>(on ? t.bits | Thread::kReaper : t.bits & ~Thread::kReaper);
  }
}

void on_switch(const Step& s) {
  namespace w = p::schedswitch_6_e;
  const RawEvent& raw = s.event.raw();
  const uint64_t ran = s.machine.switched(raw.cpu, raw.ts);
  if (!s.slot) return;
  Thread& t = s.slot->thread.mut();
  t.exec_ns += ran;
  t.pf_major = s.param(w::pgft_maj).as<uint64_t>(t.pf_major);
  t.pf_minor = s.param(w::pgft_min).as<uint64_t>(t.pf_minor);
  ThreadSlot* leader = s.machine.leader_slot(*s.slot);
  if (!leader) return;
  Thread& l = leader->thread.mut();
  l.vm_size_kb = s.param(w::vm_size).as<uint32_t>(l.vm_size_kb);
  l.vm_rss_kb = s.param(w::vm_rss).as<uint32_t>(l.vm_rss_kb);
  l.vm_swap_kb = s.param(w::vm_swap).as<uint32_t>(l.vm_swap_kb);
}

void on_procinfo(const Step& s) {
  namespace i = p::procinfo_e;
  ThreadSlot* slot = s.machine.slot(s.event.raw().tid);
  if (!slot) return;
  Thread& t = slot->thread.mut();
  const uint64_t user = s.param(i::cpu_usr).as<uint64_t>(), system = s.param(i::cpu_sys).as<uint64_t>();
  // A count that went back belongs to another process of that number: begin anew.
  const bool begins = t.cpu_reports == 0 || user < t.cpu_user || system < t.cpu_system;
  auto step = [](uint64_t now, uint64_t before) { return static_cast<uint32_t>(std::min<uint64_t>(now - before, UINT32_MAX)); };
  t.cpu_user_step = begins ? 0 : step(user, t.cpu_user);
  t.cpu_system_step = begins ? 0 : step(system, t.cpu_system);
  t.cpu_reports = begins ? 1 : 2;
  t.cpu_user = user;
  t.cpu_system = system;
}

void on_memory(const Step& s) {
  namespace b = p::brk_4_x;  // mmap, mmap2 and munmap have these at the same places
  if (!s.slot) return;
  Thread& t = s.slot->thread.mut();
  t.vm_size_kb = s.param(b::vm_size).as<uint32_t>(t.vm_size_kb);
  t.vm_rss_kb = s.param(b::vm_rss).as<uint32_t>(t.vm_rss_kb);
  t.vm_swap_kb = s.param(b::vm_swap).as<uint32_t>(t.vm_swap_kb);
}

void on_user_added(const Step& s) {
  namespace u = p::user_added_e;
  s.machine.add_user(container_param(s, u::container_id),
                     {s.param(u::uid).as<uint32_t>(), s.param(u::gid).as<uint32_t>(), std::string(s.param(u::name).text()),
                      std::string(s.param(u::home).text()), std::string(s.param(u::shell).text())});
}

void on_user_deleted(const Step& s) {
  namespace u = p::user_deleted_e;
  s.machine.remove_user(container_param(s, u::container_id), s.param(u::uid).as<uint32_t>());
}

void on_group_added(const Step& s) {
  namespace g = p::group_added_e;
  s.machine.add_group(container_param(s, g::container_id),
                      {s.param(g::gid).as<uint32_t>(), std::string(s.param(g::name).text())});
}

void on_group_deleted(const Step& s) {
  namespace g = p::group_deleted_e;
  s.machine.remove_group(container_param(s, g::container_id), s.param(g::gid).as<uint32_t>());
}

void on_container(const Step& s) {
  namespace c = p::container_e;
  // The event folds into container_json; what it says is in its own parameters.
  const Event& e = s.event;
  s.machine.containers_for_change().add({std::string(e.param(c::id).text()), std::string(e.param(c::name).text()),
                                         std::string(e.param(c::image).text()),
                                         static_cast<ContainerType>(e.param(c::type).as<uint32_t>(0xffff)), {}, nullptr});
}

void on_container_json(const Step& s) {
  if (s.event.raw().code == kContainerE) return on_container(s);
  s.machine.containers_for_change().add_json(s.event.param(p::container_json_e::json).text());
}

void on_asyncevent(const Step& s) {
  namespace a = p::asyncevent_e;
  if (s.param(a::name).text() == "container") s.machine.containers_for_change().add_json(s.param(a::data).text());
}

}  // namespace scry::state
