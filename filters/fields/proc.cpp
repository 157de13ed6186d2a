// SPDX-License-Identifier: Apache-2.0
// proc.*: which process it is and what it was started with. Its relatives are in proc_lineage.cpp, what it uses in
// proc_resources.cpp.
#include "filters/fields/process.h"

namespace scry::fields {

void put_joined(Out& out, std::string_view list) {
  bool first = true;
  each_piece(list, [&](std::string_view one) {
    if (!first) out.put(' ');
    first = false;
    out.put(one);
    return true;
  });
}

void put_env(Out& out, const Thread& t) {
  const std::string_view all = t.env;
  put_joined(out, all.substr(0, all.find_last_not_of('\0') + 1));
}

void put_cmdline(Out& out, const Thread& t, bool classic) {
  out.put(t.comm.view());
  if (!classic && t.args == std::string_view("\0", 1)) return;
  each_piece(t.args.view(), [&](std::string_view one) {
    out.put(' ');
    out.put(one);
    return true;
  });
}

Value variable(const Thread& process, std::string_view name) {
  Value found;
  each_piece(process.env.view(), [&](std::string_view one) {
    if (one.size() <= name.size() || one[name.size()] != '=' || !one.starts_with(name)) return true;
    one.remove_prefix(name.size() + 1);
    const size_t first = std::min(one.find_first_not_of(' '), one.size());
    one.remove_prefix(first);
    one = one.substr(0, one.find_last_not_of(' ') + 1);
    found = Value::text(one);
    return false;
  });
  return found;
}

namespace {

Value name(const Ask& a) { return text_of(a.moment.thread, &Thread::comm); }
Value exe(const Ask& a) { return text_of(a.moment.thread, &Thread::exe); }
Value exepath(const Ask& a) { return text_of(a.moment.thread, &Thread::exepath); }

/// All arguments, or the one of that number.
Value args(const Ask& a) {
  const Thread* t = a.moment.thread;
  if (!t) return Value::absent();
  if (!a.ref.has_argument) return made_by(a, [&](Out& out) { put_joined(out, t->args); });
  Value found;
  uint64_t n = 0;
  each_piece(t->args.view(), [&](std::string_view one) {
    if (n++ != a.ref.number) return true;
    found = Value::text(one);
    return false;
  });
  return found;
}

Value cmdline(const Ask& a) {
  const Thread* t = a.moment.thread;
  return t ? made_by(a, [&](Out& out) { put_cmdline(out, *t, a.classic()); }) : Value::absent();
}

Value exeline(const Ask& a) {
  const Thread* t = a.moment.thread;
  if (!t) return Value::absent();
  return made_by(a, [&](Out& out) {
    out.put(t->exe.view());
    out.put(' ');  // without arguments as well
    put_joined(out, t->args);
  });
}

Value cmdnargs(const Ask& a) {
  const Thread* t = a.moment.thread;
  if (!t) return Value::absent();
  uint64_t count = 0;
  each_piece(t->args.view(), [&](std::string_view) { return ++count != 0; });
  return Value::number(count);
}

Value cmdlenargs(const Ask& a) {
  const Thread* t = a.moment.thread;
  if (!t) return Value::absent();
  uint64_t length = 0;
  each_piece(t->args.view(), [&](std::string_view one) {
    length += one.size();
    return true;
  });
  return Value::number(length);
}

Value env(const Ask& a) {
  const Thread* t = leader(a);
  if (!t) return Value::absent();
  if (!a.ref.has_argument) return made_by(a, [&](Out& out) { put_env(out, *t); });
  const Value found = variable(*t, a.ref.argument);
  return found.present() ? found : Value::text(std::string_view());
}

Value pid(const Ask& a) {
  // Of a thread of which nothing is known, current libraries say -1.
  if (unknown_in_current(a)) return Value::integer(-1);
  return int_of(a.moment.thread, &Thread::pid);
}
Value vpid(const Ask& a) { return inner_id(a, a.moment.thread, &Thread::vpid); }
Value tty(const Ask& a) { return a.moment.thread ? Value::number(a.moment.thread->tty) : Value::absent(); }
Value cwd(const Ask& a) {
  if (unknown_in_current(a)) return Value::text("./");
  return text_of(leader(a), &Thread::cwd);
}

// --- the file that it runs ---

template <uint8_t kBit>
Value exe_flag(const Ask& a) {
  const Thread* t = a.moment.thread;
  return t && t->has(Thread::kExeKnown) ? Value::boolean((t->exe_flags & kBit) != 0) : Value::absent();
}

Value exe_ino(const Ask& a) {
  const Thread* t = a.moment.thread;
  return t && t->exe_ino ? Value::integer(static_cast<int64_t>(t->exe_ino)) : Value::absent();
}
template <uint64_t Thread::*kMember>
Value exe_time(const Ask& a) {
  return a.moment.thread ? number_unless_zero(a.moment.thread->*kMember) : Value::absent();
}

/// From the file's change to the start of the process; 0 for a file that changed later, between clone and exec.
Value changed_before_start(const Ask& a) {
  const Thread* t = a.moment.thread;
  if (!t || !t->exe_ino_ctime || !t->clone_ts) return Value::absent();
  return Value::number(t->clone_ts > t->exe_ino_ctime ? t->clone_ts - t->exe_ino_ctime : 0);
}
/// From the start of the pid namespace to the file's change; absent for a file that is older than the namespace.
Value changed_after_pidns(const Ask& a) {
  const Thread* t = a.moment.thread;
  if (!t || !t->pidns_start_ts || t->exe_ino_ctime <= t->pidns_start_ts) return Value::absent();
  return Value::number(t->exe_ino_ctime - t->pidns_start_ts);
}
Value pidns_start(const Ask& a) {
  return a.moment.thread ? number_unless_zero(a.moment.thread->pidns_start_ts) : Value::absent();
}

constexpr Field kFields[] = {
    {"proc.pid", Type::kInt64, pid, "process id", {.format = Format::kId}},
    {"proc.exe", Type::kCharbuf, exe, "first argument of its command line", {.format = Format::kNa}},
    {"proc.name", Type::kCharbuf, name, "command name of the thread", {.format = Format::kNa}},
    {"proc.args", Type::kCharbuf, args, "arguments without the first, or with [n] the one of that number, from 0",
     {.argument = Argument::kOptionalNumber, .format = Format::kNa, .cost = Cost::kText}},
    {"proc.env", Type::kCharbuf, env, "environment, or with [NAME] the value of one variable",
     {.argument = Argument::kOptionalText, .format = Format::kNa, .cost = Cost::kText}},
    {"proc.cmdline", Type::kCharbuf, cmdline, "command name and arguments", {.format = Format::kNa, .cost = Cost::kText}},
    {"proc.exeline", Type::kCharbuf, exeline, "the whole command line", {.format = Format::kNa, .cost = Cost::kText}},
    {"proc.exepath", Type::kCharbuf, exepath, "full path of the program", {.format = Format::kNa}},
    {"proc.cwd", Type::kCharbuf, cwd, "current working directory", {.format = Format::kNa}},
    {"proc.cmdnargs", Type::kUint64, cmdnargs, "how many arguments it has", {.cost = Cost::kText}},
    {"proc.cmdlenargs", Type::kUint64, cmdlenargs, "length of all arguments together", {.cost = Cost::kText}},
    {"proc.vpid", Type::kInt64, vpid, "process id as seen inside its pid namespace", {.format = Format::kId}},
    {"proc.tty", Type::kUint32, tty, "device number of the controlling terminal", {.format = Format::kId}},
    {"proc.is_exe_writable", Type::kBool, exe_flag<Thread::kExeWritable>, "whether its user may write to the program's file",
     {.format = Format::kNa}},
    {"proc.is_exe_upper_layer", Type::kBool, exe_flag<Thread::kExeUpper>,
     "whether the program lies in the layer of an overlay that the container writes to", {.format = Format::kNa}},
    {"proc.is_exe_lower_layer", Type::kBool, exe_flag<Thread::kExeLower>,
     "whether the program lies in a layer of an overlay that came with the image", {.format = Format::kNa}},
    {"proc.is_exe_from_memfd", Type::kBool, exe_flag<Thread::kExeMemfd>, "whether the program lies in memory only",
     {.format = Format::kNa}},
    {"proc.exe_ino", Type::kInt64, exe_ino, "inode of the program"},
    {"proc.exe_ino.ctime", Type::kAbstime, exe_time<&Thread::exe_ino_ctime>, "when the program's inode last changed"},
    {"proc.exe_ino.mtime", Type::kAbstime, exe_time<&Thread::exe_ino_mtime>, "when the program's contents last changed"},
    {"proc.exe_ino.ctime_duration_proc_start", Type::kAbstime, changed_before_start,
     "nanoseconds from the program's last change to the start of the process"},
    {"proc.exe_ino.ctime_duration_pidns_start", Type::kAbstime, changed_after_pidns,
     "nanoseconds from the start of the pid namespace to the program's last change"},
    {"proc.pidns_init_start_ts", Type::kUint64, pidns_start, "when the pid namespace began"},
};

}  // namespace

std::span<const Field> proc_identity_fields() { return kFields; }

std::span<const Field> proc_fields() {
  static const auto* all = [] {
    auto* rows = new std::vector<Field>;
    for (const auto part : {proc_identity_fields(), proc_lineage_fields(), proc_resource_fields(), thread_fields()})
      rows->insert(rows->end(), part.begin(), part.end());
    return rows;
  }();
  return *all;
}

}  // namespace scry::fields
