// SPDX-License-Identifier: Apache-2.0
// Which rule an event falls under. Codes are current ones: older events come here under the code they fold into.
#include "capture/state/handlers.h"

#include <array>
#include <utility>

namespace scry::state {

using namespace event;

namespace {

constexpr std::pair<Code, Handler> kRules[] = {
    // processes
    {kClone_20X, on_clone}, {kFork_20X, on_clone}, {kVfork_20X, on_clone}, {kClone3X, on_clone},
    {kExecve_19X, on_exec}, {kExecveatX, on_exec}, {kProcexit_1E, on_procexit},
    {kSetsidX, on_setsid}, {kChdirX, on_chdir}, {kFchdirX, on_fchdir}, {kGetcwdX, on_getcwd}, {kChrootX, on_chroot},
    {kSetuidX, on_setuid}, {kSetreuidX, on_setreuid}, {kSetresuidX, on_setreuid},
    {kSetgidX, on_setgid}, {kSetregidX, on_setregid}, {kSetresgidX, on_setregid},
    {kCapsetX, on_capset}, {kUnshareX, on_unshare}, {kSetnsX, on_setns},
    {kGetrlimitX, on_rlimit}, {kSetrlimitX, on_rlimit}, {kPrlimitX, on_prlimit}, {kPrctlX, on_prctl},
    {kSchedswitch_6E, on_switch}, {kProcinfoE, on_procinfo},
    {kBrk_4X, on_memory}, {kMmapX, on_memory}, {kMmap2X, on_memory}, {kMunmapX, on_memory},
    {kUserAddedE, on_user_added}, {kUserDeletedE, on_user_deleted},
    {kGroupAddedE, on_group_added}, {kGroupDeletedE, on_group_deleted},
    {kContainerE, on_container}, {kContainerJsonE, on_container_json}, {kContainerJson_2E, on_container_json},
    {kAsynceventE, on_asyncevent},
    // files and other fds
    {kOpenX, on_open}, {kCreatX, on_creat}, {kOpenat_2X, on_openat}, {kOpenat2X, on_openat2},
    {kOpenByHandleAtX, on_open_by_handle_at},
    {kCloseX, on_close}, {kCloseRangeX, on_close_range},
    {kDup_1X, on_dup}, {kDup2X, on_dup}, {kDup3X, on_dup3}, {kFcntlX, on_fcntl},
    {kPipeX, on_pipe}, {kPipe2X, on_pipe},
    {kEventfdX, on_eventfd}, {kEventfd2X, on_eventfd2}, {kSignalfdX, on_signalfd}, {kSignalfd4X, on_signalfd4},
    {kTimerfdCreateX, on_timerfd}, {kInotifyInitX, on_inotify}, {kInotifyInit1X, on_inotify1},
    {kEpollCreateX, on_epoll}, {kEpollCreate1X, on_epoll1}, {kBpf_2X, on_bpf}, {kUserfaultfdX, on_userfaultfd},
    {kIoUringSetupX, on_io_uring_setup}, {kMemfdCreateX, on_memfd_create},
    {kPidfdOpenX, on_pidfd_open}, {kPidfdGetfdX, on_pidfd_getfd},
    // sockets
    {kSocketX, on_socket}, {kSocketpairX, on_socketpair}, {kBindX, on_bind}, {kConnectX, on_connect}, {kConnectE, on_connect_enter}, {kSendtoE, on_sendto_enter},
    {kAccept_5X, on_accept}, {kAccept4_6X, on_accept},
    {kRecvfromX, on_recvfrom}, {kRecvmsgX, on_recvmsg}, {kRecvX, on_recv}, {kRecvmmsgX, on_recv},
    {kSendX, on_send}, {kSendtoX, on_send}, {kSendmsgX, on_send}, {kSendmmsgX, on_send},
};

constexpr auto make_table() {
  std::array<Handler, kCodeCount> table{};
  for (const auto& [code, handler] : kRules) table[code] = handler;
  return table;
}

}  // namespace

constinit const std::array<Handler, kCodeCount> handlers = make_table();
bool has_rule(unsigned code) { return handlers[code] != nullptr; }

FdNumber Step::fd() const {
  const auto& info = event.current_info();
  return info.fd_param < 0 ? -1 : event.current(static_cast<unsigned>(info.fd_param)).integer(-1);
}

std::string_view base_of(const Step& step, int64_t dirfd, std::string_view path, std::string& room) {
  constexpr int64_t kAtFdcwd = -100;
  if (!path.empty() && path[0] == '/') return {};
  if (dirfd == kAtFdcwd) return step.machine.cwd(*step.slot->thread);
  const Fd* directory = step.machine.fd(*step.slot->thread, dirfd);
  if (!directory) return "<UNKNOWN>";
  room = directory->name.view();
  if (room.empty() || room.back() != '/') room += '/';
  return room;
}

}  // namespace scry::state
