// SPDX-License-Identifier: Apache-2.0
// proc.*: parents, ancestors, and those who lead its session and its process groups.
#include "filters/fields/process.h"

namespace scry::fields {

const Thread* ancestor(const Ask& a, uint64_t n) {
  if (n > kHighest) return nullptr;
  const Thread* t = leader(a);
  for (uint64_t i = 0; t && i < n; ++i) t = parent_of(a.machine, *t);
  return t;
}

namespace {

/// Without an argument the parent stands for all ancestors, where only one value can.
const Thread* asked_ancestor(const Ask& a) { return ancestor(a, a.ref.has_argument ? a.ref.number : 1); }

/// The process of that level, or all above the event's own.
std::vector<const Thread*> asked_ancestors(const Ask& a) {
  std::vector<const Thread*> out;
  if (a.ref.has_argument) {
    if (const Thread* t = asked_ancestor(a)) out.push_back(t);
    return out;
  }
  bool itself = true;
  climb(a, [&](const Thread& t) {
    if (!itself) out.push_back(&t);
    itself = false;
    return true;
  });
  return out;
}

template <Text Thread::*kMember>
Value parents(const Ask& a) { return text_of(ancestor(a, 1), kMember); }
template <Text Thread::*kMember>
Value ancestors(const Ask& a) { return text_of(asked_ancestor(a), kMember); }
template <Text Thread::*kMember>
void all_ancestors(const Ask& a, Values& out) {
  for (const Thread* t : asked_ancestors(a)) out.push_back(Value::text(t->*kMember));
}

Value ppid(const Ask& a) {
  if (const Thread* parent = ancestor(a, 1)) return Value::integer(parent->pid);
  // sysdig says what was recorded, though there is no entry for that parent. The kernel's own two have none: 0.
  const Thread* t = a.classic() ? leader(a) : nullptr;
  return t && !t->is_unknown() && (t->ptid > 0 || t->pid == 1 || t->pid == 2) ? Value::integer(std::max<Tid>(t->ptid, 0)) : Value::absent();
}
Value pvpid(const Ask& a) { return inner_id(a, ancestor(a, 1), &Thread::vpid); }
Value pcmdline(const Ask& a) {
  const Thread* parent = ancestor(a, 1);
  return parent ? made_by(a, [&](Out& out) { put_cmdline(out, *parent, a.classic()); }) : Value::absent();
}

Value apid(const Ask& a) { return int_of(asked_ancestor(a), &Thread::pid); }
void all_apid(const Ask& a, Values& out) {
  for (const Thread* t : asked_ancestors(a)) out.push_back(Value::integer(t->pid));
}

Value acmdline(const Ask& a) {
  const Thread* t = asked_ancestor(a);
  return t ? made_by(a, [&](Out& out) { put_cmdline(out, *t, a.classic()); }) : Value::absent();
}
void all_acmdline(const Ask& a, Values& out) {
  many_made_by(a, asked_ancestors(a), out, [&](Out& to, const Thread& t) { put_cmdline(to, t, a.classic()); });
}

Value aargs(const Ask& a) {
  const Thread* t = asked_ancestor(a);
  return t ? made_by(a, [&](Out& out) { put_joined(out, t->args); }) : Value::absent();
}
void all_aargs(const Ask& a, Values& out) {
  many_made_by(a, asked_ancestors(a), out, [](Out& to, const Thread& t) { put_joined(to, t.args); });
}

/// Whether the argument is a level; else it names a variable.
bool is_level(const FieldRef& ref) {
  return !ref.argument.empty() && std::all_of(ref.argument.begin(), ref.argument.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Of the nearest ancestor that has it; the process itself counts. Empty when none has.
Value nearest_variable(const Ask& a) {
  Value found = Value::text(std::string_view());
  climb(a, [&](const Thread& t) {
    const Value one = variable(t, a.ref.argument);
    if (one.present()) found = one;
    return !one.present();
  });
  return found;
}

Value aenv(const Ask& a) {
  if (a.ref.has_argument && !is_level(a.ref)) return nearest_variable(a);
  const Thread* t = asked_ancestor(a);
  return t ? made_by(a, [&](Out& out) { put_env(out, *t); }) : Value::absent();
}
void all_aenv(const Ask& a, Values& out) {
  if (a.ref.has_argument && !is_level(a.ref)) {
    out.push_back(nearest_variable(a));
    return;
  }
  many_made_by(a, asked_ancestors(a), out, put_env);
}

/// The outermost shell: the last one above whose name ends so.
Value loginshellid(const Ask& a) {
  Value found;
  climb(a, [&](const Thread& t) {
    if (t.comm.view().ends_with("sh")) found = Value::integer(t.pid);
    return true;
  });
  return found;
}

// --- sessions and groups ---

Value sid(const Ask& a) { return int_of(a.moment.thread, &Thread::sid); }
Value vpgid(const Ask& a) { return int_of(a.moment.thread, &Thread::vpgid); }
Value pgid(const Ask& a) {
  return a.moment.thread && a.moment.thread->pgid >= 0 ? Value::integer(a.moment.thread->pgid) : Value::absent();
}

/// The process that leads a session or group: the one of that number, unless numbers mean something else in its pid
/// namespace; then, or when that one is gone, the furthest ancestor that belongs to it. To sysdig
/// that may be the process itself.
const Thread* head_of(const Ask& a, const int64_t Thread::*member, bool as_seen_inside) {
  const Thread* t = leader(a);
  if (!t) return nullptr;
  const int64_t id = t->*member;
  if (!as_seen_inside || t->vtid < 0 || t->vtid == t->tid)
    if (const Thread* head = a.machine.thread(id)) return head;
  const Thread* head = a.classic() ? t : nullptr;
  climb(a, [&](const Thread& up) {
    if (up.*member != id) return false;
    if (&up != t) head = &up;
    return true;
  });
  return head;
}

template <Text Thread::*kMember>
Value of_session(const Ask& a) { return text_of(head_of(a, &Thread::sid, true), kMember); }
/// Empty where current libraries know the process and not who leads its session.
Value sname(const Ask& a) {
  const Value name = of_session<&Thread::comm>(a);
  return name.present() || !leader(a) ? name : Value::text(std::string_view());
}
template <Text Thread::*kMember>
Value of_vpgid(const Ask& a) { return text_of(head_of(a, &Thread::vpgid, true), kMember); }
template <Text Thread::*kMember>
Value of_pgid(const Ask& a) {
  const Thread* t = leader(a);
  return t && t->pgid >= 0 ? text_of(head_of(a, &Thread::pgid, false), kMember) : Value::absent();
}

/// Whether the process's own number is that of the session or group; absent when either is not known.
template <int64_t Thread::*kGroup, int64_t Thread::*kOwn>
Value leads(const Ask& a) {
  const Thread* t = a.moment.thread;
  return t && t->*kGroup >= 0 && t->*kOwn >= 0 ? Value::boolean(t->*kGroup == t->*kOwn) : Value::absent();
}

constexpr uint16_t kAncestorFlags = kNoRightSide | kNoTransformer;
constexpr Traits lineage(ExtractMany many, Argument argument = Argument::kOptionalNumber, uint16_t flags = kAncestorFlags,
                         Format format = Format::kNa) {
  return {.argument = argument, .flags = flags, .format = format, .many = many, .cost = Cost::kWalk};
}
constexpr Traits kPlain = {.format = Format::kNa};
constexpr Traits kId = {.format = Format::kId};
constexpr Traits kWalk = {.format = Format::kNa, .cost = Cost::kWalk};

constexpr Field kFields[] = {
    {"proc.ppid", Type::kInt64, ppid, "process id of the parent", kId},
    {"proc.pvpid", Type::kInt64, pvpid, "process id of the parent as seen inside its pid namespace", kId},
    {"proc.pname", Type::kCharbuf, parents<&Thread::comm>, "command name of the parent", kPlain},
    {"proc.pexe", Type::kCharbuf, parents<&Thread::exe>, "first argument of the parent's command line", kPlain},
    {"proc.pexepath", Type::kCharbuf, parents<&Thread::exepath>, "full path of the parent's program", kPlain},
    {"proc.pcmdline", Type::kCharbuf, pcmdline, "command name and arguments of the parent",
     {.format = Format::kNa, .cost = Cost::kText}},
    {"proc.apid", Type::kInt64, apid, "process id of the n-th ancestor; without [n], of any",
     lineage(all_apid, Argument::kOptionalNumber, kAncestorFlags, Format::kId)},
    {"proc.aname", Type::kCharbuf, ancestors<&Thread::comm>, "command name of the n-th ancestor; without [n], of any",
     lineage(all_ancestors<&Thread::comm>)},
    {"proc.aexe", Type::kCharbuf, ancestors<&Thread::exe>, "first argument of the n-th ancestor's command line; without [n], of any's",
     lineage(all_ancestors<&Thread::exe>)},
    {"proc.aexepath", Type::kCharbuf, ancestors<&Thread::exepath>, "full path of the n-th ancestor's program; without [n], of any's",
     lineage(all_ancestors<&Thread::exepath>)},
    {"proc.acmdline", Type::kCharbuf, acmdline, "command name and arguments of the n-th ancestor; without [n], of any",
     lineage(all_acmdline)},
    {"proc.aargs", Type::kCharbuf, aargs, "arguments of the n-th ancestor; without [n], of any",
     lineage(all_aargs, Argument::kOptionalNumber, 0)},
    {"proc.aenv", Type::kCharbuf, aenv, "environment of the n-th ancestor, without [n] of any; with [NAME] the nearest one's variable",
     lineage(all_aenv, Argument::kOptionalText)},
    {"proc.loginshellid", Type::kInt64, loginshellid, "process id of the outermost shell above",
     {.format = Format::kId, .cost = Cost::kWalk}},
    {"proc.sid", Type::kInt64, sid, "session id", kId},
    {"proc.sname", Type::kCharbuf, sname, "command name of the session's leader", kWalk},
    {"proc.sid.exe", Type::kCharbuf, of_session<&Thread::exe>, "first argument of the session leader's command line", kWalk},
    {"proc.sid.exepath", Type::kCharbuf, of_session<&Thread::exepath>, "full path of the session leader's program", kWalk},
    {"proc.vpgid", Type::kInt64, vpgid, "process group id as seen inside its pid namespace", kId},
    {"proc.vpgid.name", Type::kCharbuf, of_vpgid<&Thread::comm>, "command name of that group's leader", kWalk},
    {"proc.vpgid.exe", Type::kCharbuf, of_vpgid<&Thread::exe>, "first argument of that group leader's command line", kWalk},
    {"proc.vpgid.exepath", Type::kCharbuf, of_vpgid<&Thread::exepath>, "full path of that group leader's program", kWalk},
    {"proc.pgid", Type::kInt64, pgid, "process group id as the host sees it", kId},
    {"proc.pgid.name", Type::kCharbuf, of_pgid<&Thread::comm>, "command name of the group's leader", kWalk},
    {"proc.pgid.exe", Type::kCharbuf, of_pgid<&Thread::exe>, "first argument of the group leader's command line", kWalk},
    {"proc.pgid.exepath", Type::kCharbuf, of_pgid<&Thread::exepath>, "full path of the group leader's program", kWalk},
    {"proc.is_sid_leader", Type::kBool, leads<&Thread::sid, &Thread::pid>, "whether it leads its session", kPlain},
    {"proc.is_vpgid_leader", Type::kBool, leads<&Thread::vpgid, &Thread::vpid>, "whether it leads its process group", kPlain},
    {"proc.is_pgid_leader", Type::kBool, leads<&Thread::pgid, &Thread::pid>,
     "whether it leads its process group, by the host's numbers", kPlain},
};

}  // namespace

std::span<const Field> proc_lineage_fields() { return kFields; }

}  // namespace scry::fields
