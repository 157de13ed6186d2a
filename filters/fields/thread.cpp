// SPDX-License-Identifier: Apache-2.0
// thread.*: the thread that did it, its time on processors, its rights.
#include "filters/fields/process.h"

namespace scry::fields {
namespace {

Value tid(const Ask& a) { return Value::integer(a.moment.event.raw().tid); }
Value ismain(const Ask& a) {
  return a.moment.thread ? Value::boolean(a.moment.thread->is_leader() && !unknown_in_current(a)) : Value::absent();
}
Value vtid(const Ask& a) { return inner_id(a, a.moment.thread, &Thread::vtid); }
Value nametid(const Ask& a) {
  const Thread* t = a.moment.thread;
  if (!t) return Value::absent();
  return made_by(a, [&](Out& out) {
    out.put(t->comm.view());
    out.put_i64(a.moment.event.raw().tid);
  });
}

// --- processor time ---

bool is_switch(const Ask& a) { return a.moment.event.current_code() == event::kSchedswitch_6E; }

Value exectime(const Ask& a) {
  return Value::number(is_switch(a) ? a.machine.ran_before_switch(a.moment.event.raw().cpu) : 0);
}
Value totexectime(const Ask& a) { return a.moment.thread ? Value::number(a.moment.thread->exec_ns) : Value::absent(); }

/// A procinfo event comes once a second and counts hundredths: what came since the last one is percent.
template <bool kUser, bool kSystem>
Value cpu(const Ask& a) {
  const Thread* t = a.moment.thread;
  if (!t || a.moment.event.raw().code != event::kProcinfoE || t->cpu_reports < 2) return Value::absent();
  const uint64_t percent = (kUser ? uint64_t{t->cpu_user_step} : 0) + (kSystem ? uint64_t{t->cpu_system_step} : 0);
  return Value::real(static_cast<double>(std::min<uint64_t>(percent, 100)));
}

// --- memory ---

/// Memory is the process's; so that sums come out right, its other threads have none.
template <uint32_t Thread::*kMember, uint64_t kUnit>
Value memory(const Ask& a) {
  const Thread* t = a.moment.thread;
  return t ? Value::number(t->is_leader() ? uint64_t{t->*kMember} * kUnit : 0) : Value::absent();
}
template <uint64_t Thread::*kMember>
Value number(const Ask& a) { return a.moment.thread ? Value::number(a.moment.thread->*kMember) : Value::absent(); }

// --- cgroups and capabilities ---

/// The names that a kernel gives to subsystems, as one kernel does.
std::string_view subsystem(std::string_view name) {
  constexpr std::string_view kSuffix = "_cgroup";
  if (name.ends_with(kSuffix)) name.remove_suffix(kSuffix.size());
  return name == "perf" ? "perf_event" : name == "mem" ? "memory" : name == "io" ? "blkio" : name;
}

Value cgroups(const Ask& a) {
  const Thread* t = a.moment.thread;
  if (!t || t->cgroups.empty()) return Value::absent();
  return made_by(a, [&](Out& out) {
    bool first = true;
    each_piece(t->cgroups.view(), [&](std::string_view one) {
      if (!first) out.put(' ');
      first = false;
      const size_t equals = std::min(one.find('='), one.size());
      out.put(subsystem(one.substr(0, equals)));
      out.put(one.substr(equals));
      return true;
    });
  });
}
Value cgroup(const Ask& a) {
  const Thread* t = a.moment.thread;
  if (!t) return Value::absent();
  Value found;
  each_piece(t->cgroups.view(), [&](std::string_view one) {
    const size_t equals = one.find('=');
    if (equals == std::string_view::npos || subsystem(one.substr(0, equals)) != a.ref.argument) return true;
    found = Value::text(one.substr(equals + 1));
    return false;
  });
  return found;
}

/// By bit, from 0 on.
constexpr std::string_view kCapabilities[] = {
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
    "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW",
    "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD",
    "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG",
    "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
};

template <uint64_t Thread::*kMember>
Value capabilities(const Ask& a) {
  const Thread* t = a.moment.thread;
  if (!t || !t->has(Thread::kCapsKnown)) return Value::absent();
  return made_by(a, [&](Out& out) {
    bool first = true;
    for (size_t bit = 0; bit < std::size(kCapabilities); ++bit) {
      if (!(t->*kMember >> bit & 1)) continue;
      if (!first) out.put(' ');
      first = false;
      out.put(kCapabilities[bit]);
    }
  });
}

constexpr Traits kText = {.format = Format::kNa};
constexpr Traits kId = {.format = Format::kId};
constexpr Traits kTable = {.flags = kTableOnly};
constexpr Traits kMade = {.format = Format::kNa, .cost = Cost::kText};

constexpr Field kFields[] = {
    {"thread.tid", Type::kInt64, tid, "thread id", {.format = Format::kId, .cost = Cost::kHeader}},
    {"thread.ismain", Type::kBool, ismain, "whether it is the first thread of its process", kText},
    {"thread.vtid", Type::kInt64, vtid, "thread id as seen inside its pid namespace", kId},
    {"thread.nametid", Type::kCharbuf, nametid, "command name and thread id in one",
     {.flags = kTableOnly, .format = Format::kNa, .cost = Cost::kText}},
    {"thread.exectime", Type::kReltime, exectime, "of a switch: nanoseconds that the thread ran before it"},
    {"thread.totexectime", Type::kReltime, totexectime, "nanoseconds that the thread ran, by all switches so far"},
    {"thread.cpu", Type::kDouble, cpu<true, true>, "of a procinfo event: percent of a processor used since the last", kText},
    {"thread.cpu.user", Type::kDouble, cpu<true, false>, "the part of thread.cpu that the program itself used", kText},
    {"thread.cpu.system", Type::kDouble, cpu<false, true>, "the part of thread.cpu that the kernel used for it", kText},
    {"thread.pfmajor", Type::kUint64, number<&Thread::pf_major>, "page faults that waited for the disk"},
    {"thread.pfminor", Type::kUint64, number<&Thread::pf_minor>, "page faults that did not"},
    {"thread.vmsize", Type::kUint64, memory<&Thread::vm_size_kb, 1>, "virtual memory in kB; 0 but for the first thread"},
    {"thread.vmrss", Type::kUint64, memory<&Thread::vm_rss_kb, 1>, "memory in RAM, in kB; 0 but for the first thread"},
    {"thread.vmsize.b", Type::kUint64, memory<&Thread::vm_size_kb, 1024>, "virtual memory in bytes; 0 but for the first thread", kTable},
    {"thread.vmrss.b", Type::kUint64, memory<&Thread::vm_rss_kb, 1024>, "memory in RAM, in bytes; 0 but for the first thread", kTable},
    {"thread.cgroups", Type::kCharbuf, cgroups, "all cgroups as subsystem=path", kMade},
    {"thread.cgroup", Type::kCharbuf, cgroup, "path of the cgroup of one subsystem",
     {.argument = Argument::kText, .format = Format::kNa, .cost = Cost::kText}},
    {"thread.cap_permitted", Type::kCharbuf, capabilities<&Thread::cap_permitted>, "capabilities that it may take up", kMade},
    {"thread.cap_inheritable", Type::kCharbuf, capabilities<&Thread::cap_inheritable>, "capabilities that an exec hands on", kMade},
    {"thread.cap_effective", Type::kCharbuf, capabilities<&Thread::cap_effective>, "capabilities in force", kMade},
};

}  // namespace

std::span<const Field> thread_fields() { return kFields; }

}  // namespace scry::fields
