// SPDX-License-Identifier: Apache-2.0
// What the rows about threads, processes and containers share.
#pragma once

#include <algorithm>
#include <vector>

#include "filters/fields/field.h"

namespace scry::fields {

using state::Thread;

/// Longest way up that a question goes: hostile captures make chains as long as the table, or closed ones.
constexpr uint64_t kHighest = 1024;

inline Value text_of(const Thread* t, const Text Thread::*member) { return t ? Value::text(t->*member) : Value::absent(); }
inline Value int_of(const Thread* t, int64_t Thread::*member) { return t ? Value::integer(t->*member) : Value::absent(); }
/// Zero stands for "was not recorded".
inline Value number_unless_zero(uint64_t v) { return v ? Value::number(v) : Value::absent(); }

/// The process of the event's thread; null when it isn't known.
inline const Thread* leader(const Ask& a) { return a.moment.thread ? a.machine.leader_of(*a.moment.thread) : nullptr; }

/// Current libraries know next to nothing of a thread that no list and no clone told about.
inline bool unknown_in_current(const Ask& a) { return a.moment.thread && a.moment.thread->is_unknown() && !a.classic(); }

/// vtid or vpid. sysdig doesn't take them for tid and pid where they were not recorded.
inline Value inner_id(const Ask& a, const Thread* t, int64_t Thread::*member) {
  if (!t || t->*member < 0 || (a.classic() && t->ids_are_guessed)) return Value::absent();
  return Value::integer(t->*member);
}

/// The process that `process` is a child of; null when that is not known.
inline const Thread* parent_of(const state::Machine& machine, const Thread& process) {
  const Thread* parent = machine.thread(process.ptid);
  return parent && !parent->is_unknown() ? machine.leader_of(*parent) : nullptr;
}

/// The n-th ancestor of the event's process, 0 is the process itself; null when unknown or too far.
const Thread* ancestor(const Ask& a, uint64_t n);

/// Calls visit(process) for the event's process, its parent and so on, until it says false, the parent is not known or
/// the way closes on itself.
template <class Visit>
void climb(const Ask& a, Visit visit) {
  const Thread* t = leader(a);
  const Thread* mark = nullptr;  // a place passed before; moved ahead in ever longer strides
  for (uint64_t n = 0, next_mark = 1; t && n < kHighest; ++n) {
    if (!visit(*t)) return;
    if (n + 1 == next_mark) {
      mark = t;
      next_mark *= 2;
    }
    t = parent_of(a.machine, *t);
    if (t == mark) return;
  }
}

/// Calls visit(one) for each piece of a NUL-separated list, until it says false.
template <class Visit>
void each_piece(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const auto one = list.substr(0, list.find('\0'));
    if (!visit(one)) return;
    list.remove_prefix(std::min(list.size(), one.size() + 1));
  }
}

/// The pieces of a NUL-separated list, with a space between.
void put_joined(Out& out, std::string_view list);
/// The environment; the zeros at its end are only room.
void put_env(Out& out, const Thread& t);
/// Command name and arguments. Current libraries leave a lone empty argument out.
void put_cmdline(Out& out, const Thread& t, bool classic);

/// The value of a variable in the environment of a process, without spaces around; absent when it has none of that
/// name.
Value variable(const Thread& process, std::string_view name);

/// A text that `write` puts into the scratch.
template <class Write>
Value made_by(const Ask& a, Write write) {
  const size_t at = a.scratch.size();
  write(a.scratch);
  return Value::text(a.scratch.view().substr(at));
}

/// One text in the scratch for each process that `write` is called with.
template <class Write>
void many_made_by(const Ask& a, const std::vector<const Thread*>& processes, Values& out, Write write) {
  absl::InlinedVector<size_t, 16> ends;
  const size_t begin = a.scratch.size();
  for (const Thread* t : processes) {
    write(a.scratch, *t);
    ends.push_back(a.scratch.size());
  }
  size_t at = begin;
  for (const size_t end : ends) {
    out.push_back(Value::text(a.scratch.view().substr(at, end - at)));
    at = end;
  }
}

// The rows of class "process", a file each.
std::span<const Field> proc_identity_fields();
std::span<const Field> proc_lineage_fields();
std::span<const Field> proc_resource_fields();
std::span<const Field> thread_fields();

}  // namespace scry::fields
