// SPDX-License-Identifier: Apache-2.0
// One thread (task) as the events described it. A process is its group leader, the thread with tid == pid, which owns
// the fds, the working directory and the environment.
#pragma once

#include <cstdint>

#include "capture/base/ids.h"
#include "capture/base/rc.h"
#include "capture/base/text.h"
#include "capture/state/fd.h"

namespace scry::state {

constexpr uint32_t kNoId = 0xffffffff;  ///< uid, gid or loginuid that is not known

struct Thread : RefCounted {
  Tid tid = -1;
  Pid pid = -1;
  Tid ptid = -1;
  int64_t sid = -1, vpgid = -1, pgid = -1;
  int64_t vtid = -1, vpid = -1;
  Nanos clone_ts = 0;           ///< when its clone was seen; 0 for those in the process list
  Nanos pidns_start_ts = 0;
  int64_t fdlimit = 0;
  uint64_t pf_major = 0, pf_minor = 0;
  uint32_t vm_size_kb = 0, vm_rss_kb = 0, vm_swap_kb = 0;
  uint32_t flags = 0;           ///< PPM_CL_* of clone_flags
  uint32_t uid = kNoId, gid = kNoId, loginuid = kNoId;
  uint32_t tty = 0;
  uint64_t cap_inheritable = 0, cap_permitted = 0, cap_effective = 0;
  uint64_t exe_ino = 0, exe_ino_ctime = 0, exe_ino_mtime = 0;
  uint64_t exec_ns = 0;         ///< on a processor, by the switches away from it so far
  uint64_t cpu_user = 0, cpu_system = 0;  ///< ticks so far, by its last procinfo event
  uint32_t cpu_user_step = 0, cpu_system_step = 0;  ///< ticks between its last two procinfo events
  bool ids_are_guessed = false; ///< vtid and vpid were never recorded, and taken for tid and pid
  uint8_t cpu_reports = 0;      ///< procinfo events that came, up to 2
  uint8_t exe_flags = 0;        ///< kExe* below
  uint8_t bits = 0;             ///< kDead… below
  Text comm, exe, exepath;      ///< out of the machine's name pool
  Text args;                    ///< NUL-separated argv[1..]
  Text env;                     ///< NUL-separated; of the leader
  Text cwd;                     ///< of the leader; ends in '/'
  Text root;
  Text cgroups;                 ///< "subsystem=path" NUL-separated; out of the name pool
  Text container_id;            ///< empty on the host
  Rc<FdTable> fds;              ///< of the leader

  enum : uint8_t { kExeWritable = 1, kExeUpper = 2, kExeMemfd = 4, kExeLower = 8 };
  enum : uint8_t { kDead = 1, kReaper = 2, kPipeSource = 4, kPipeDest = 8, kFromClone = 16, kPlaceholder = 32,
                   kCapsKnown = 64,   ///< without it the capabilities were never recorded
                   kExeKnown = 128 }; ///< likewise exe_flags

  bool is_leader() const { return tid == pid; }
  /// A placeholder for a tid of which nothing is known but what it did since; taken for a process of its own.
  bool is_unknown() const { return has(kPlaceholder); }
  bool has(uint8_t bit) const { return (bits & bit) != 0; }
  ThreadKey key() const { return {tid, clone_ts}; }
};

}  // namespace scry::state
