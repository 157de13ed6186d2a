// SPDX-License-Identifier: Apache-2.0
#include "capture/state/load.h"

#include <cstring>

#include "capture/scap/lists.h"

namespace scry::state {
namespace {

Thread thread_of(const scap::ProcessEntry& e, Machine& m) {
  TextPool& pool = m.pool();
  Thread t;
  t.tid = e.tid;
  t.pid = e.pid;
  t.ptid = e.ptid;
  t.sid = e.sid;
  t.vpgid = e.vpgid;
  t.pgid = e.pgid;
  t.vtid = e.vtid;
  t.vpid = e.vpid;
  t.comm = pool.intern(e.comm);
  t.exe = pool.intern(e.exe);
  constexpr std::string_view kDeleted = " (deleted)";
  t.exepath = pool.intern(e.exepath.ends_with(kDeleted) ? e.exepath.substr(0, e.exepath.size() - kDeleted.size()) : e.exepath);
  t.args = Text(e.args);
  t.fdlimit = e.fdlimit;
  t.flags = e.flags;
  t.uid = e.uid;
  t.gid = e.gid;
  t.vm_size_kb = e.vm_size_kb;
  t.vm_rss_kb = e.vm_rss_kb;
  t.vm_swap_kb = e.vm_swap_kb;
  t.pf_major = e.pf_major;
  t.pf_minor = e.pf_minor;
  if (t.is_leader()) {
    t.env = Text(e.env);
    std::string cwd(e.cwd);
    if (cwd.empty() || cwd.back() != '/') cwd += '/';
    t.cwd = Text(cwd);
  }
  t.cgroups = pool.intern(e.cgroups);
  t.container_id = m.container_of(t.cgroups);
  t.root = pool.intern(e.root);
  t.pidns_start_ts = e.pidns_start_ts;
  t.tty = e.tty;
  t.loginuid = e.loginuid;
  t.exe_flags = static_cast<uint8_t>((e.exe_writable ? Thread::kExeWritable : 0) | (e.exe_upper ? Thread::kExeUpper : 0) |
                                     (e.exe_memfd ? Thread::kExeMemfd : 0) | (e.exe_lower ? Thread::kExeLower : 0));
  t.bits = static_cast<uint8_t>((e.has_caps ? Thread::kCapsKnown : 0) | (e.has_exe_flags ? Thread::kExeKnown : 0));
  t.cap_inheritable = e.cap_inheritable;
  t.cap_permitted = e.cap_permitted;
  t.cap_effective = e.cap_effective;
  t.exe_ino = e.exe_ino;
  t.exe_ino_ctime = e.exe_ino_ctime;
  t.exe_ino_mtime = e.exe_ino_mtime;
  return t;
}

Fd fd_of(const scap::FdEntry& e) {
  Fd fd;
  fd.kind = e.type < static_cast<uint8_t>(FdKind::kCount) ? static_cast<FdKind>(e.type) : FdKind::kUnsupported;
  fd.ino = e.ino;
  fd.bits = Fd::kFromList;
  fd.open_flags = e.open_flags;
  fd.set(Fd::kCloseOnExec, (e.open_flags & event::v::file_flags__O_CLOEXEC) != 0);
  fd.dev = e.dev;
  fd.l4 = e.l4 <= 5 ? static_cast<L4>(e.l4) : L4::kUnknown;
  switch (fd.kind) {
    case FdKind::kIpv4: case FdKind::kIpv6: {
      bool v6 = fd.kind == FdKind::kIpv6;
      const uint8_t *source = e.source, *dest = e.dest;
      if (v6 && may_be_v4(source) && may_be_v4(dest)) {
        fd.kind = FdKind::kIpv4;
        v6 = false;
        source += 12;
        dest += 12;
      }
      fd.tuple.source.set(source, v6);
      fd.tuple.dest.set(dest, v6);
      fd.tuple.sport = e.sport;
      fd.tuple.dport = e.dport;
      fd.set(Fd::kConnected, fd.l4 == L4::kTcp);
      fd.name = Text(tuple_text(fd.kind, fd.l4, fd.tuple, Ports::kAlways));
      break;
    }
    case FdKind::kIpv4Server: case FdKind::kIpv6Server:
      fd.tuple.dest.set(e.dest, is_v6(fd.kind));
      fd.tuple.dport = e.dport;
      fd.role = Role::kServer;
      fd.name = Text(tuple_text(fd.kind, fd.l4, fd.tuple, Ports::kAlways));
      break;
    case FdKind::kUnix: {
      std::string_view path = e.path;
      fd.source = e.unix_source;
      fd.dest = e.unix_dest;
      // Recorders copy the line end of /proc/net/unix along.
      if (e.path.ends_with('\n')) path.remove_suffix(1);
      fd.name = Text(path);
      fd.role = path.empty() ? Role::kClient : Role::kServer;
      break;
    }
    case FdKind::kUnsupported:
      fd.name = e.type < static_cast<uint8_t>(FdKind::kCount) ? Text(e.path)
                                                              : Text("unknown-type:[" + std::to_string(e.type) + "]");
      break;
    default: fd.name = Text(e.path);
  }
  return fd;
}

}  // namespace

void load_list(const scap::Block& block, Machine& m, Losses& losses) {
  using namespace scap;
  switch (block.id) {
    case kMachineInfo: {
      MachineEntry e;
      if (!read_machine(block, e)) return losses.add(LossKind::kDamagedEntry, block.offset, block.size, "the machine info can't be read");
      m.info_for_change() = {e.cpus, e.memory_bytes, e.max_pid, std::string(e.hostname), e.boot_ts};
      return;
    }
    case kInterfaces1: case kInterfaces2:
      m.interfaces_for_change().clear();
      return read_interfaces(block, losses, [&](const InterfaceEntry& e) {
        Interface i;
        i.v6 = e.v6;
        i.address.set(e.address, e.v6);
        i.netmask.set(e.netmask, e.v6);
        i.broadcast.set(e.broadcast, e.v6);
        i.link_speed = e.link_speed;
        i.name = e.name;
        m.interfaces_for_change().push_back(std::move(i));
      });
    case kUsers1: case kUsers2:
      return read_users(block, losses, [&](const UserEntry& e) {
        if (e.is_group) m.add_group({}, {e.gid, std::string(e.name)});
        else m.add_user({}, {e.uid, e.gid, std::string(e.name), std::string(e.home), std::string(e.shell)});
      });
    case kFds1: case kFds2:
      return read_fds(block, losses, [&](const FdEntry& e) { m.add_listed_fd(e.tid, e.fd, fd_of(e)); });
    default:  // processes, versions 1 to 9
      return read_processes(block, losses, [&](const ProcessEntry& e) { m.add_listed_thread(thread_of(e, m)); });
  }
}

}  // namespace scry::state
