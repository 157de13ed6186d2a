// SPDX-License-Identifier: Apache-2.0
// State rules, one function per kind of event, found by the event's current code. To add one: write the function in
// the apply_*.cpp it belongs to and give it a row in handlers.cpp.
#pragma once

#include <array>

#include "capture/event/event.h"
#include "capture/state/machine.h"

namespace scry::state {

struct Step {
  Machine& machine;
  const event::Event& event;
  ThreadSlot* slot;  ///< of the event's thread; null if there is none

  event::Param param(unsigned i) const { return event.current(i); }
  int64_t result() const { return event.current(0).integer(-1); }
  /// The fd that the call works on, from whichever event of the pair has it; -1 if none has.
  FdNumber fd() const;
};

using Handler = void (*)(const Step&);

extern const std::array<Handler, event::kCodeCount> handlers;
/// Null when events of this (current) code change nothing.
inline Handler handler_of(unsigned code) { return handlers[code]; }
/// For tests: every code that has a rule.
bool has_rule(unsigned code);

/// Name of the directory that `dirfd` stands for, ending in '/'; empty when `path` needs none.
std::string_view base_of(const Step& step, int64_t dirfd, std::string_view path, std::string& room);

// apply_process.cpp
void on_clone(const Step&);
void on_exec(const Step&);
void on_procexit(const Step&);
void on_setsid(const Step&);
void on_chdir(const Step&);
void on_fchdir(const Step&);
void on_getcwd(const Step&);
void on_chroot(const Step&);
void on_setuid(const Step&);
void on_setreuid(const Step&);
void on_setgid(const Step&);
void on_setregid(const Step&);
void on_capset(const Step&);
void on_unshare(const Step&);
void on_setns(const Step&);
void on_rlimit(const Step&);
void on_prlimit(const Step&);
void on_prctl(const Step&);
void on_switch(const Step&);
void on_procinfo(const Step&);
void on_memory(const Step&);
void on_user_added(const Step&);
void on_user_deleted(const Step&);
void on_group_added(const Step&);
void on_group_deleted(const Step&);
void on_container(const Step&);
void on_container_json(const Step&);
void on_asyncevent(const Step&);

// apply_files.cpp
void on_open(const Step&);
void on_creat(const Step&);
void on_openat(const Step&);
void on_openat2(const Step&);
void on_open_by_handle_at(const Step&);
void on_close(const Step&);
void on_close_range(const Step&);
void on_dup(const Step&);
void on_dup3(const Step&);
void on_fcntl(const Step&);
void on_pipe(const Step&);
void on_eventfd(const Step&);
void on_eventfd2(const Step&);
void on_signalfd(const Step&);
void on_signalfd4(const Step&);
void on_timerfd(const Step&);
void on_inotify(const Step&);
void on_inotify1(const Step&);
void on_epoll(const Step&);
void on_epoll1(const Step&);
void on_bpf(const Step&);
void on_userfaultfd(const Step&);
void on_io_uring_setup(const Step&);
void on_memfd_create(const Step&);
void on_pidfd_open(const Step&);
void on_pidfd_getfd(const Step&);

// apply_net.cpp
void on_socket(const Step&);
void on_socketpair(const Step&);
void on_bind(const Step&);
void on_connect(const Step&);
void on_connect_enter(const Step&);
void on_sendto_enter(const Step&);
void on_accept(const Step&);
void on_recvfrom(const Step&);
void on_recvmsg(const Step&);
void on_recv(const Step&);
void on_send(const Step&);

}  // namespace scry::state
