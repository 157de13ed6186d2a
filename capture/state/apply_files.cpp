// SPDX-License-Identifier: Apache-2.0
// Rules for files and every other fd that is no socket (state.md §3).
#include "capture/state/handlers.h"

namespace scry::state {

using namespace event;
namespace {

constexpr uint32_t kExitOnlyFlags = ~(v::file_flags__O_F_CREATED - 1);  ///< known to the kernel's exit alone
constexpr uint32_t kCloexec = v::file_flags__O_CLOEXEC;

struct Opened {
  int64_t dirfd = -100;
  std::string_view name;  ///< null: nobody told
  uint32_t flags = 0;
  uint32_t dev = 0;
  uint64_t ino = 0;
};

/// What the call was asked to open, as its enter event saw it: the memory behind the path may have been changed
/// between the kernel's copy and the recorder's, so the two are compared by later stages, and the earlier one names.
struct AtEntry {
  unsigned code;
  int dirfd, name, flags;  ///< parameter numbers, or -1
};

void prefer_entry(const Step& s, const AtEntry& where, Opened& file) {
  const EnterEvent* enter = s.event.enter();
  if (!enter || enter->code != where.code || enter->nparams == 0) return;
  const Param name = enter->param(static_cast<unsigned>(where.name));
  if (!name.present() || name.text() == "<NA>") return;
  file.name = name.text();
  if (where.flags >= 0)
    file.flags = enter->param(static_cast<unsigned>(where.flags)).as<uint32_t>(file.flags) | (file.flags & kExitOnlyFlags);
  if (where.dirfd >= 0) file.dirfd = enter->param(static_cast<unsigned>(where.dirfd)).integer(file.dirfd);
}

void open_file(const Step& s, const Opened& file) {
  std::string room;
  std::string_view base = base_of(s, file.dirfd, file.name, room);
  Fd fd;
  fd.kind = (file.flags & v::file_flags__O_DIRECTORY) ? FdKind::kDirectory : FdKind::kFileV2;
  if (file.name.data() == nullptr) fd.name = {};
  else fd.name = base == "<UNKNOWN>" ? Text(std::string(base) + std::string(file.name)) : Text(concat_path(base, file.name));
  if (file.name != fd.name.view()) fd.raw_name = Text(file.name);
  fd.open_flags = file.flags;
  fd.dev = file.dev;
  fd.ino = file.ino;
  fd.set(Fd::kCloseOnExec, (file.flags & kCloexec) != 0);
  fd.set(Fd::kOverlayUpper, (file.flags & v::file_flags__FD_UPPER_LAYER) != 0);
  fd.set(Fd::kOverlayLower, (file.flags & v::file_flags__FD_LOWER_LAYER) != 0);
  s.machine.put_fd(*s.slot, s.result(), std::move(fd));
}

/// An fd that is nothing but its kind.
void make(const Step& s, FdKind kind, uint32_t flags = 0, std::string_view name = {}) {
  if (!s.slot || s.result() < 0) return;
  Fd fd;
  fd.kind = kind;
  fd.name = Text(name);
  fd.open_flags = flags;
  fd.set(Fd::kCloseOnExec, (flags & kCloexec) != 0);
  s.machine.put_fd(*s.slot, s.result(), std::move(fd));
}

uint32_t flags_of(const Step& s, unsigned index) {
  const Param flags = s.param(index);
  return flags.size == 1 ? flags.as<uint8_t>() : flags.size == 2 ? flags.as<uint16_t>() : flags.as<uint32_t>();
}

/// `number` becomes another name for what `from` is.
void duplicate(const Step& s, FdNumber from, FdNumber number, bool cloexec) {
  const Fd* old = s.machine.fd(*s.slot->thread, from);
  if (!old || from == number) return;
  Fd copy = *old;
  copy.set(Fd::kCloseOnExec, cloexec);
  copy.open_flags = cloexec ? copy.open_flags | kCloexec : copy.open_flags & ~kCloexec;
  s.machine.put_fd(*s.slot, number, std::move(copy));
}

void mark_shell_pipe(const Step& s) {
  // A pipe put in place of stdin or stdout: this thread is an end of a shell pipeline.
  const int64_t number = s.result();
  if (number == 0) s.slot->thread.mut().bits |= Thread::kPipeDest;
  if (number == 1) s.slot->thread.mut().bits |= Thread::kPipeSource;
}

}  // namespace

void on_open(const Step& s) {
  namespace o = p::open_x;
  if (!s.slot || s.result() < 0) return;
  Opened file{-100, s.param(o::name).text(), s.param(o::flags).as<uint32_t>(), s.param(o::dev).as<uint32_t>(),
              s.param(o::ino).as<uint64_t>()};
  prefer_entry(s, {kOpenE, -1, p::open_e::name, p::open_e::flags}, file);
  open_file(s, file);
}

void on_creat(const Step& s) {
  namespace c = p::creat_x;
  if (!s.slot || s.result() < 0) return;
  Opened file{-100, s.param(c::name).text(), 0, s.param(c::dev).as<uint32_t>(), s.param(c::ino).as<uint64_t>()};
  prefer_entry(s, {kCreatE, -1, p::creat_e::name, -1}, file);
  open_file(s, file);
}

void on_openat(const Step& s) {
  namespace o = p::openat_2_x;
  if (!s.slot || s.result() < 0) return;
  Opened file{s.param(o::dirfd).integer(-100), s.param(o::name).text(), s.param(o::flags).as<uint32_t>(),
              s.param(o::dev).as<uint32_t>(), s.param(o::ino).as<uint64_t>()};
  prefer_entry(s, {kOpenat_2E, p::openat_2_e::dirfd, p::openat_2_e::name, p::openat_2_e::flags}, file);
  open_file(s, file);
}

void on_openat2(const Step& s) {
  namespace o = p::openat2_x;
  if (!s.slot || s.result() < 0) return;
  Opened file{s.param(o::dirfd).integer(-100), s.param(o::name).text(), s.param(o::flags).as<uint32_t>(),
              s.param(o::dev).as<uint32_t>(), s.param(o::ino).as<uint64_t>()};
  prefer_entry(s, {kOpenat2E, p::openat2_e::dirfd, p::openat2_e::name, p::openat2_e::flags}, file);
  open_file(s, file);
}

void on_open_by_handle_at(const Step& s) {
  namespace o = p::open_by_handle_at_x;
  if (!s.slot || s.result() < 0) return;
  open_file(s, {-100, s.param(o::path).text(), s.param(o::flags).as<uint32_t>(), s.param(o::dev).as<uint32_t>(),
                s.param(o::ino).as<uint64_t>()});
}

void on_close(const Step& s) {
  if (!s.slot || s.result() < 0) return;
  if (const Thread* leader = s.machine.leader_of(*s.slot->thread); leader && s.fd() >= 0)
    s.machine.close_at_next_event(leader->tid, s.fd());
}

void on_close_range(const Step& s) {
  namespace c = p::close_range_x;
  if (!s.slot || s.result() < 0) return;
  const Thread* leader = s.machine.leader_of(*s.slot->thread);
  if (!leader || !leader->fds) return;
  const auto first = s.param(c::first).as<uint32_t>(), last = s.param(c::last).as<uint32_t>(0xffffffff);
  const bool only_flag = (flags_of(s, c::flags) & v::close_range_flags__CLOSE_RANGE_CLOEXEC) != 0;
  auto in_range = [&](FdNumber n) { return n >= first && n <= last; };
  auto& map = s.machine.fds_of(*s.slot)->map;
  if (!only_flag) {
    absl::erase_if(map, [&](const auto& entry) { return in_range(entry.first); });
    return;
  }
  for (auto& [number, fd] : map)
    if (in_range(number)) fd.mut().set(Fd::kCloseOnExec, true);
}

void on_dup(const Step& s) {
  if (!s.slot || s.result() < 0) return;
  duplicate(s, s.fd(), s.result(), false);
  mark_shell_pipe(s);
}

void on_dup3(const Step& s) {
  if (!s.slot || s.result() < 0) return;
  duplicate(s, s.fd(), s.result(), (flags_of(s, p::dup3_x::flags) & kCloexec) != 0);
  mark_shell_pipe(s);
}

void on_fcntl(const Step& s) {
  if (!s.slot || s.result() < 0) return;
  switch (s.param(p::fcntl_x::cmd).as<uint8_t>()) {
    case v::fcntl_commands__F_DUPFD: duplicate(s, s.fd(), s.result(), false); break;
    case v::fcntl_commands__F_DUPFD_CLOEXEC: duplicate(s, s.fd(), s.result(), true); break;
    case v::fcntl_commands__F_SETFD:
      if (const Param arg = s.param(p::fcntl_x::arg); arg.present())
        if (Fd* fd = s.machine.fd_for_change(*s.slot, s.fd())) fd->set(Fd::kCloseOnExec, (arg.integer() & 1) != 0);
      break;
    default: break;
  }
}

void on_pipe(const Step& s) {
  namespace q = p::pipe2_x;
  if (!s.slot || s.result() < 0) return;
  for (unsigned end : {q::fd1, q::fd2}) {
    const Param number = s.param(end);
    if (!number.present()) continue;
    Fd fd;
    fd.kind = FdKind::kFifo;
    fd.ino = s.param(q::ino).as<uint64_t>();
    fd.open_flags = s.event.current_code() == kPipe2X ? flags_of(s, q::flags) : 0;
    fd.set(Fd::kCloseOnExec, (fd.open_flags & kCloexec) != 0);
    s.machine.put_fd(*s.slot, number.integer(), std::move(fd));
  }
}

void on_eventfd(const Step& s) { make(s, FdKind::kEvent); }
void on_eventfd2(const Step& s) { make(s, FdKind::kEvent, flags_of(s, p::eventfd2_x::flags)); }
void on_signalfd(const Step& s) { make(s, FdKind::kSignal); }
void on_signalfd4(const Step& s) { make(s, FdKind::kSignal, flags_of(s, p::signalfd4_x::flags)); }
void on_timerfd(const Step& s) { make(s, FdKind::kTimer); }
void on_inotify(const Step& s) { make(s, FdKind::kInotify); }
void on_inotify1(const Step& s) { make(s, FdKind::kInotify, flags_of(s, p::inotify_init1_x::flags)); }
void on_epoll(const Step& s) { make(s, FdKind::kEpoll); }
void on_epoll1(const Step& s) { make(s, FdKind::kEpoll, flags_of(s, p::epoll_create1_x::flags)); }
void on_bpf(const Step& s) {
  // Most bpf commands return no fd: 0 would otherwise become one, in place of standard input. These do (bpf_commands):
  // MAP_CREATE, PROG_LOAD, OBJ_GET, PROG_GET_FD_BY_ID, MAP_GET_FD_BY_ID, RAW_TRACEPOINT_OPEN, BTF_LOAD,
  // BTF_GET_FD_BY_ID, LINK_CREATE, LINK_GET_FD_BY_ID, ENABLE_STATS, ITER_CREATE, TOKEN_CREATE.
  constexpr uint64_t kMakeFds = 1ull << 0 | 1ull << 5 | 1ull << 7 | 1ull << 13 | 1ull << 14 | 1ull << 17 | 1ull << 18 |
                                1ull << 19 | 1ull << 28 | 1ull << 30 | 1ull << 32 | 1ull << 33 | 1ull << 36;
  const Param command = s.param(p::bpf_2_x::cmd);
  if (command.present() && (command.integer() < 0 || command.integer() > 63 || !(kMakeFds >> command.integer() & 1))) return;
  make(s, FdKind::kBpf);
}
void on_userfaultfd(const Step& s) { make(s, FdKind::kUserfault, flags_of(s, p::userfaultfd_x::flags)); }
void on_io_uring_setup(const Step& s) { make(s, FdKind::kIouring); }

void on_memfd_create(const Step& s) {
  make(s, FdKind::kMemfd, flags_of(s, p::memfd_create_x::flags), s.param(p::memfd_create_x::name).text());
}

void on_pidfd_open(const Step& s) {
  make(s, FdKind::kPidfd, flags_of(s, p::pidfd_open_x::flags),
       "/proc/" + std::to_string(s.param(p::pidfd_open_x::pid).integer()));
}

void on_pidfd_getfd(const Step& s) {
  if (!s.slot || s.result() < 0) return;
  constexpr std::string_view kProc = "/proc/";
  const Fd* pidfd = s.machine.fd(*s.slot->thread, s.param(p::pidfd_getfd_x::pid_fd).integer(-1));
  if (!pidfd || pidfd->kind != FdKind::kPidfd || !pidfd->name.view().starts_with(kProc)) return;
  const Thread* owner = s.machine.thread(std::strtoll(std::string(pidfd->name.view().substr(kProc.size())).c_str(), nullptr, 10));
  const Fd* theirs = owner ? s.machine.fd(*owner, s.param(p::pidfd_getfd_x::target_fd).integer(-1)) : nullptr;
  if (!theirs) return;
  Fd copy = *theirs;
  copy.set(Fd::kCloseOnExec, true);
  s.machine.put_fd(*s.slot, s.result(), std::move(copy));
}

}  // namespace scry::state
