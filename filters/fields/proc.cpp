// SPDX-License-Identifier: Apache-2.0
// proc.* and thread.*: who did it.
#include "filters/fields/field.h"

namespace scry::fields {

using state::Thread;

namespace {

const Thread* leader(const Ask& a) { return a.moment.thread ? a.machine.leader_of(*a.moment.thread) : nullptr; }

Value text_of(const Thread* t, const Text Thread::*member) {
  return t ? Value::text(t->*member) : Value::absent();
}
Value int_of(const Thread* t, int64_t Thread::*member) { return t ? Value::integer(t->*member) : Value::absent(); }

/// The n-th ancestor of the thread's process; stops at what is unknown and after too many.
const Thread* ancestor(const Ask& a, uint64_t n) {
  constexpr uint64_t kDeepest = 1024;
  const Thread* t = leader(a);
  for (uint64_t i = 0; t && i < n; ++i) {
    if (i == kDeepest) return nullptr;
    const Thread* parent = a.machine.thread(t->ptid);
    t = parent && !parent->is_unknown() ? a.machine.leader_of(*parent) : nullptr;
  }
  return t;
}

Value name(const Ask& a) { return text_of(a.moment.thread, &Thread::comm); }
Value exe(const Ask& a) { return text_of(a.moment.thread, &Thread::exe); }
Value exepath(const Ask& a) { return text_of(a.moment.thread, &Thread::exepath); }
Value pid(const Ask& a) {
  // Of a thread of which nothing is known, current libraries say -1.
  if (a.moment.thread && a.moment.thread->is_unknown() && a.renderer.options().dialect == Dialect::kCurrent)
    return Value::integer(-1);
  return int_of(a.moment.thread, &Thread::pid);
}
Value vpid(const Ask& a) {
  return a.moment.thread && a.moment.thread->vpid >= 0 ? Value::integer(a.moment.thread->vpid) : Value::absent();
}
Value sid(const Ask& a) { return int_of(a.moment.thread, &Thread::sid); }
Value tid(const Ask& a) { return Value::integer(a.moment.event.raw().tid); }
Value tty(const Ask& a) { return a.moment.thread ? Value::number(a.moment.thread->tty) : Value::absent(); }
Value cwd(const Ask& a) {
  if (a.moment.thread && a.moment.thread->is_unknown() && a.renderer.options().dialect == Dialect::kCurrent)
    return Value::text("./");
  return text_of(leader(a), &Thread::cwd);
}

Value ppid(const Ask& a) {
  const Thread* parent = ancestor(a, 1);
  return parent ? Value::integer(parent->pid) : Value::absent();
}
Value pname(const Ask& a) { return text_of(ancestor(a, 1), &Thread::comm); }
Value aname(const Ask& a) { return text_of(ancestor(a, a.ref.has_argument ? a.ref.number : 1), &Thread::comm); }

/// comm and arguments, joined by spaces.
Value cmdline(const Ask& a) {
  const Thread* t = a.moment.thread;
  if (!t) return Value::absent();
  const size_t at = a.scratch.size();
  a.scratch.put(t->comm.view());
  std::string_view args = t->args;
  if (args == std::string_view("\0", 1)) args = {};  // one empty argument: a process that renamed itself
  while (!args.empty()) {
    const auto one = args.substr(0, args.find('\0'));
    a.scratch.put(' ');
    a.scratch.put(one);
    args.remove_prefix(std::min(args.size(), one.size() + 1));
  }
  return Value::text(a.scratch.view().substr(at));
}

/// The process that leads the session: the one of that number, unless numbers mean something else in its pid
/// namespace; then the furthest ancestor in the session. Empty when there is neither.
Value sname(const Ask& a) {
  const Thread* t = leader(a);
  if (!t) return Value::absent();
  const int64_t session = t->sid;
  const bool in_pidns = t->vtid >= 0 && t->vtid != t->tid;
  if (!in_pidns)
    if (const Thread* first = a.machine.thread(session)) return Value::text(first->comm.view());
  constexpr uint64_t kDeepest = 64;
  std::string_view found;
  for (uint64_t n = 1; n < kDeepest; ++n) {
    const Thread* up = ancestor(a, n);
    if (!up || up->sid != session) break;
    found = up->comm.view();
  }
  return Value::text(found);
}

constexpr Field kFields[] = {
    {"proc.name", Type::kCharbuf, name, "command name of the thread"},
    {"proc.exe", Type::kCharbuf, exe, "first argument of its command line"},
    {"proc.exepath", Type::kCharbuf, exepath, "full path of the program"},
    {"proc.cmdline", Type::kCharbuf, cmdline, "command name and arguments"},
    {"proc.cwd", Type::kCharbuf, cwd, "current working directory"},
    {"proc.pid", Type::kInt64, pid, "process id"},
    {"proc.vpid", Type::kInt64, vpid, "process id as seen inside its pid namespace"},
    {"proc.ppid", Type::kInt64, ppid, "process id of the parent"},
    {"proc.pname", Type::kCharbuf, pname, "command name of the parent"},
    {"proc.aname", Type::kCharbuf, aname, "command name of the n-th ancestor", {.argument = Argument::kOptionalNumber}},
    {"proc.sid", Type::kInt64, sid, "session id"},
    {"proc.sname", Type::kCharbuf, sname, "command name of the session's leader"},
    {"proc.tty", Type::kUint32, tty, "device number of the controlling terminal"},
    {"thread.tid", Type::kInt64, tid, "thread id"},
};

}  // namespace

std::span<const Field> proc_fields() { return kFields; }

}  // namespace scry::fields
