// SPDX-License-Identifier: Apache-2.0
// proc.*: how long it runs, how many threads, fds and how much memory it has, what its standard fds are, and whether a
// container's health check started it.
#include "filters/fields/process.h"

namespace scry::fields {
namespace {

Value since(const Ask& a, const Thread* t) {
  const Nanos now = a.moment.event.raw().ts;
  return t && t->clone_ts && now >= t->clone_ts ? Value::number(now - t->clone_ts) : Value::absent();
}
Value start_of(const Thread* t) { return t ? number_unless_zero(t->clone_ts) : Value::absent(); }

Value duration(const Ask& a) { return since(a, a.moment.thread); }
Value parent_duration(const Ask& a) { return since(a, ancestor(a, 1)); }
Value start(const Ask& a) { return start_of(a.moment.thread); }
Value parent_start(const Ask& a) { return start_of(ancestor(a, 1)); }

// --- threads ---

const state::ThreadSlot* leader_slot(const Ask& a) {
  const Thread* t = leader(a);
  return t ? a.machine.find(t->tid) : nullptr;
}
/// Living threads of the group beside its leader. Sysdig still counts the one that just says that it ends.
uint64_t members(const Ask& a, const state::ThreadSlot& slot) {
  const uint64_t others = slot.group_alive - (slot.group_alive && !slot.thread->has(Thread::kDead) ? 1 : 0);
  const Thread& t = *a.moment.thread;
  return others + (a.classic() && !t.is_leader() && t.has(Thread::kDead) ? 1 : 0);
}
/// In sysdig the leader counts as long as its process has an entry.
Value nthreads(const Ask& a) {
  const auto* slot = leader_slot(a);
  if (!slot) return Value::absent();
  return Value::number(a.classic() ? members(a, *slot) + 1 : slot->group_alive);
}
/// In sysdig only the leader has them.
Value nchilds(const Ask& a) {
  if (!a.moment.thread) return Value::absent();
  if (a.classic() && !a.moment.thread->is_leader()) return Value::number(0);
  const auto* slot = leader_slot(a);
  return slot ? Value::number(members(a, *slot)) : Value::absent();
}

// --- fds ---

uint64_t fd_count(const Thread& t) { return t.fds ? t.fds->map.size() : 0; }

Value fdopencount(const Ask& a) {
  const Thread* t = leader(a);
  return t && !unknown_in_current(a) ? Value::number(fd_count(*t)) : Value::absent();
}
Value fdlimit(const Ask& a) {
  const Thread* t = leader(a);
  return t && !t->is_unknown() ? Value::integer(t->fdlimit) : Value::absent();
}
Value fdusage(const Ask& a) {
  const Thread* t = leader(a);
  if (!t || t->fdlimit <= 0) return Value::absent();
  return Value::real(static_cast<double>(fd_count(*t)) * 100 / static_cast<double>(t->fdlimit));
}

template <int kNumber>
Value stream_type(const Ask& a) {
  const state::Fd* fd = a.moment.thread ? a.machine.fd(*a.moment.thread, kNumber) : nullptr;
  return fd ? Value::text(state::type_name(fd->kind)) : Value::absent();
}
template <int kNumber>
Value stream_name(const Ask& a) {
  const state::Fd* fd = a.moment.thread ? a.machine.fd(*a.moment.thread, kNumber) : nullptr;
  return fd ? Value::text(fd->name) : Value::absent();
}

template <uint32_t Thread::*kMember>
Value memory(const Ask& a) { return a.moment.thread ? Value::number(a.moment.thread->*kMember) : Value::absent(); }

// --- health checks ---

using Probe = state::ContainerDetails::Probe;

bool is_started_as(const Thread& t, const Probe& probe) {
  if (!probe.any || t.exe.view() != probe.exe) return false;
  size_t n = 0;
  bool same = true;
  each_piece(t.args.view(), [&](std::string_view one) { return same = n < probe.args.size() && probe.args[n++] == one; });
  return same && n == probe.args.size();
}

/// Whether the process, or one above it in the same container, was started with the command of the probe.
template <Probe state::ContainerDetails::*kProbe>
Value is_probe(const Ask& a) {
  const Thread* process = leader(a);
  if (!process) return Value::absent();
  bool found = false;
  const auto* container = process->container_id.empty() ? nullptr : a.machine.containers().find(process->container_id);
  if (container && container->details && (container->details.get()->*kProbe).any) {
    const Probe& probe = container->details.get()->*kProbe;
    climb(a, [&](const Thread& t) {
      // What the container began with is its purpose, not a check.
      if (t.container_id.view() != process->container_id.view() || t.vpid == 1) return false;
      return !(found = is_started_as(t, probe));
    });
  }
  return Value::boolean(found);
}

constexpr Traits kText = {.format = Format::kNa};
constexpr Traits kStream = {.format = Format::kNa, .cost = Cost::kFd};
constexpr Traits kProbe = {.flags = kNotCurrent, .format = Format::kNa, .cost = Cost::kWalk};

constexpr Field kFields[] = {
    {"proc.duration", Type::kReltime, duration, "nanoseconds since the process began"},
    {"proc.ppid.duration", Type::kReltime, parent_duration, "nanoseconds since the parent began"},
    {"proc.pid.ts", Type::kReltime, start, "when the process began"},
    {"proc.ppid.ts", Type::kReltime, parent_start, "when the parent began"},
    {"proc.nthreads", Type::kUint64, nthreads, "living threads of the process"},
    {"proc.nchilds", Type::kUint64, nchilds, "living threads of the process beside the first"},
    {"proc.fdopencount", Type::kUint64, fdopencount, "how many fds are open"},
    {"proc.fdlimit", Type::kInt64, fdlimit, "how many fds may be open"},
    {"proc.fdusage", Type::kDouble, fdusage, "open fds in percent of the limit", kText},
    {"proc.stdin.type", Type::kCharbuf, stream_type<0>, "what standard input is: file, ipv4…", kStream},
    {"proc.stdin.name", Type::kCharbuf, stream_name<0>, "name of standard input", kStream},
    {"proc.stdout.type", Type::kCharbuf, stream_type<1>, "what standard output is: file, ipv4…", kStream},
    {"proc.stdout.name", Type::kCharbuf, stream_name<1>, "name of standard output", kStream},
    {"proc.stderr.type", Type::kCharbuf, stream_type<2>, "what standard error is: file, ipv4…", kStream},
    {"proc.stderr.name", Type::kCharbuf, stream_name<2>, "name of standard error", kStream},
    {"proc.vmsize", Type::kUint64, memory<&Thread::vm_size_kb>, "virtual memory in kB"},
    {"proc.vmrss", Type::kUint64, memory<&Thread::vm_rss_kb>, "memory in RAM, in kB"},
    {"proc.vmswap", Type::kUint64, memory<&Thread::vm_swap_kb>, "memory swapped out, in kB"},
    {"proc.is_container_healthcheck", Type::kBool, is_probe<&state::ContainerDetails::healthcheck>,
     "whether the container's health check started it", kProbe},
    {"proc.is_container_liveness_probe", Type::kBool, is_probe<&state::ContainerDetails::liveness>,
     "whether the container's liveness probe started it", kProbe},
    {"proc.is_container_readiness_probe", Type::kBool, is_probe<&state::ContainerDetails::readiness>,
     "whether the container's readiness probe started it", kProbe},
};

}  // namespace

std::span<const Field> proc_resource_fields() { return kFields; }

}  // namespace scry::fields
