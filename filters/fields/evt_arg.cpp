// SPDX-License-Identifier: Apache-2.0
// evt.*: its parameters.
#include <absl/container/flat_hash_set.h>
#include <fmt/format.h>

#include <array>

#include "capture/event/socket_value.h"
#include "capture/base/nearest.h"
#include "filters/fields/arguments.h"
#include "filters/fields/parts.h"

namespace scry::fields {

using event::EventInfo;
using event::kCodeCount;
using event::Param;
using event::ParamInfo;
using event::ParamStyle;

namespace {

const ParamStyle& style_of(const ParamInfo& p, bool classic) {
  return classic && p.classic.type() != Type::kNone ? p.classic : p.current;
}

/// For each event code, which parameter has the name; -1: none.
struct ByName : Bound {
  std::array<int8_t, kCodeCount> classic, current;
  Type type = Type::kNone;  ///< of the first event that has it
  bool any = false;

  explicit ByName(std::string_view name) {
    classic.fill(-1);
    current.fill(-1);
    for (unsigned code = 0; code < kCodeCount; ++code) {
      const EventInfo& info = event::info_of(code);
      for (int8_t i = 0; i < static_cast<int8_t>(info.nparams); ++i) {
        const ParamInfo& p = info.params[i];
        if (p.current.name() == name && current[code] < 0) take(current[code], i, p.current.type());
        if (style_of(p, true).name() == name && classic[code] < 0) take(classic[code], i, style_of(p, true).type());
      }
    }
  }

 private:
  void take(int8_t& at, int8_t index, Type its) {
    at = index;
    if (!any) type = its;
    any = true;
  }
};

/// A parameter of the event at hand, and how it is written.
struct Found {
  Param param;
  const ParamStyle* style = nullptr;
};

Found by_index(const Ask& a, int index) {
  const EventInfo& info = info_of(a);
  const unsigned count = a.classic() ? a.moment.event.raw().nparams : a.moment.event.current_count();
  if (index < 0 || index >= info.nparams || static_cast<unsigned>(index) >= count) return {};
  return {param_of(a, static_cast<unsigned>(index)), &style_of(info.params[index], a.classic())};
}

Found by_name(const Ask& a, const ByName& table) {
  return by_index(a, (a.classic() ? table.classic : table.current)[code_of(a)]);
}

bool is_fixed(const ParamStyle& style) { return event::type_sizes[style.type_id] != 0; }

Found asked_for(const Ask& a) {
  const auto* table = static_cast<const ByName*>(a.ref.bound.get());
  Found f = table ? by_name(a, *table) : by_index(a, static_cast<int>(std::min<uint64_t>(a.ref.number, INT8_MAX)));
  // Of a number that wasn't recorded there is nothing to say.
  if (f.style && !f.param.present() && is_fixed(*f.style)) f.style = nullptr;
  return f;
}

Result<void> bind_name(FieldRef& ref) {
  auto table = std::make_shared<ByName>(ref.argument);
  if (!table->any) return fail("", fmt::format("unknown event argument {}", ref.argument));
  ref.bound = std::move(table);
  return {};
}

/// evt.arg.NAME or evt.arg[NUMBER].
Result<void> bind_arg(FieldRef& ref) {
  if (!ref.text.ends_with(']')) return bind_name(ref);
  const bool is_number = !ref.argument.empty() && ref.argument.find_first_not_of("0123456789") == std::string::npos;
  if (!is_number) return fail("", fmt::format("{} is not a valid number: parameters go by name as evt.arg.NAME, by number as evt.arg[0]", ref.argument));
  return {};
}

Result<void> bind_rawarg(FieldRef& ref) {
  if (ref.text.ends_with(']')) return fail("", "parameters go by name: evt.rawarg.NAME");
  return bind_name(ref);
}

Value arg(const Ask& a) {
  const Found f = asked_for(a);
  if (!f.style) return Value::absent();
  if (f.style->type() == Type::kCharbuf && f.param.present()) {
    const auto text = f.param.text();
    if (a.classic() || f.param.bytes() != std::string_view("(NULL)\0", 7)) return Value::text(text);
  }
  const size_t at = a.scratch.size();
  a.renderer.meaning(a.scratch, *f.style, f.param, a.moment, a.machine, a.classic());
  return Value::made(a.scratch.view().substr(at));
}

Value raw(const ParamStyle& style, Param p) {
  if (const auto want = event::type_sizes[style.type_id]; want && p.size != want) return Value::absent();
  switch (style.type()) {
    case Type::kInt8: case Type::kInt16: case Type::kInt32: case Type::kInt64: case Type::kErrno: case Type::kFd:
    case Type::kPid: case Type::kFd32: case Type::kPid32:
      return Value::integer(p.integer());
    case Type::kUint8: case Type::kFlags8: case Type::kEnumflags8: case Type::kSigtype: case Type::kL4proto:
    case Type::kSockfamily:
      return Value::number(p.as<uint8_t>());
    case Type::kUint16: case Type::kFlags16: case Type::kEnumflags16: case Type::kSyscallid: case Type::kPort:
      return Value::number(p.as<uint16_t>());
    case Type::kUint32: case Type::kFlags32: case Type::kEnumflags32: case Type::kMode: case Type::kUid: case Type::kGid:
    case Type::kSigset:
      return Value::number(p.as<uint32_t>());
    case Type::kUint64: case Type::kReltime: case Type::kAbstime: return Value::number(p.as<uint64_t>());
    case Type::kBool: return Value::boolean(p.as<uint32_t>() != 0);
    case Type::kDouble: return Value::real(p.as<double>());
    case Type::kCharbuf: case Type::kFspath: case Type::kFsrelpath: return Value::text(p.text());
    case Type::kIpv4addr: return Value::ip(p.data, false);
    case Type::kIpv6addr: return Value::ip(p.data, true);
    case Type::kDyn: {
      if (style.dyn < 0 || !p.present() || p.data[0] >= event::dyn_tables[style.dyn].count) return Value::absent();
      return raw(event::dyn_tables[style.dyn].choices[p.data[0]], {p.data + 1, p.size - 1});
    }
    default: return Value::bytes(p.bytes());
  }
}

Value rawarg(const Ask& a) {
  const Found f = asked_for(a);
  return f.style ? raw(*f.style, f.param) : Value::absent();
}

Value buffer(const Ask& a) {
  static const ByName data("data");
  const Found f = by_name(a, data);
  return f.style && f.style->type() == Type::kBytebuf ? Value::bytes(f.param.bytes()) : Value::absent();
}

/// Which names of events there are, those of system calls without an event of their own among them.
const absl::flat_hash_set<std::string_view>& event_names() {
  static const auto* names = [] {
    auto* set = new absl::flat_hash_set<std::string_view>;
    for (unsigned code = 0; code < kCodeCount; ++code) {
      set->insert(event::info_of(code).name());
      set->insert(event::classic_event_names[code]);
    }
    for (unsigned call = 0; call < event::syscall_count; ++call) {
      set->insert(event::syscall_names[call]);
      set->insert(event::classic_syscall_names[call]);
    }
    for (std::string_view none : {"", "NA", "<unknown>"}) set->erase(none);
    return set;
  }();
  return *names;
}

Result<void> bind_type(FieldRef& ref) {
  if (is_event_name(ref.argument)) return {};
  return fail("", fmt::format("unknown event type {}", ref.argument));
}

Value type_is(const Ask& a) { return Value::number(event_type(a) == a.ref.argument); }

Result<void> bind_abspath(FieldRef& ref) {
  if (!ref.has_argument || ref.argument == "src" || ref.argument == "dst") return {};
  return fail("", fmt::format("evt.abspath goes alone or as evt.abspath.src and evt.abspath.dst, not with '{}'", ref.argument));
}

/// Where the directory and the path stand in calls that take them in pairs.
struct Pair {
  int dirfd = -1, path = -1;
};

Pair abspath_params(const Ask& a) {
  namespace p = event::p;
  const bool second = a.ref.argument == "dst";
  switch (code_of(a)) {
    case event::kOpenatE: return {p::openat_e::dirfd, p::openat_e::name};
    case event::kOpenat_2X: return {p::openat_2_x::dirfd, p::openat_2_x::name};
    case event::kOpenat2X: return {p::openat2_x::dirfd, p::openat2_x::name};
    case event::kUnlinkatE: return {p::unlinkat_e::dirfd, p::unlinkat_e::name};
    case event::kUnlinkat_2X: return {p::unlinkat_2_x::dirfd, p::unlinkat_2_x::name};
    case event::kMkdiratX: return {p::mkdirat_x::dirfd, p::mkdirat_x::path};
    case event::kFchmodatX: return {p::fchmodat_x::dirfd, p::fchmodat_x::filename};
    case event::kFchownatX: return {p::fchownat_x::dirfd, p::fchownat_x::pathname};
    case event::kMknodatX: return {p::mknodat_x::dirfd, p::mknodat_x::path};
    case event::kSymlinkatX: return {p::symlinkat_x::linkdirfd, p::symlinkat_x::linkpath};
    case event::kRenameatX:
      return second ? Pair{p::renameat_x::newdirfd, p::renameat_x::newpath} : Pair{p::renameat_x::olddirfd, p::renameat_x::oldpath};
    case event::kRenameat2X:
      return second ? Pair{p::renameat2_x::newdirfd, p::renameat2_x::newpath} : Pair{p::renameat2_x::olddirfd, p::renameat2_x::oldpath};
    case event::kLinkatE:
      return second ? Pair{p::linkat_e::newdir, p::linkat_e::newpath} : Pair{p::linkat_e::olddir, p::linkat_e::oldpath};
    case event::kLinkat_2X:
      return second ? Pair{p::linkat_2_x::newdir, p::linkat_2_x::newpath} : Pair{p::linkat_2_x::olddir, p::linkat_2_x::oldpath};
    default: return {};
  }
}

Value abspath(const Ask& a) {
  const Pair at = abspath_params(a);
  if (at.dirfd < 0) return Value::absent();
  const Param dirfd = param_of(a, static_cast<unsigned>(at.dirfd)), path = param_of(a, static_cast<unsigned>(at.path));
  if (!dirfd.present() || !path.present()) return Value::absent();
  return keep(a, resolve_path(a, dirfd.integer(), path.text()));
}

constexpr Field kFields[] = {
    {"evt.arg", Type::kCharbuf, arg, "one parameter as text: evt.arg.fd, or by its number as evt.arg[0]",
     {.argument = Argument::kText, .format = Format::kNa, .bind = bind_arg, .cost = Cost::kText}},
    {"evt.rawarg", Type::kDyn, rawarg, "one parameter with its own type: evt.rawarg.size is a number",
     {.argument = Argument::kText, .flags = kNoRightSide | kNoTransformer, .format = Format::kNa, .bind = bind_rawarg, .cost = Cost::kHeader}},
    {"evt.buffer", Type::kBytebuf, buffer, "what was read or written, as far as it was recorded",
     {.format = Format::kNa, .cost = Cost::kHeader}},
    {"evt.type.is", Type::kUint32, type_is, "evt.type.is.NAME: 1 for events of that type, 0 for others",
     {.argument = Argument::kText, .bind = bind_type, .cost = Cost::kHeader}},
    {"evt.abspath", Type::kCharbuf, abspath, "full path of calls that take a directory and a path; .src and .dst where there are two",
     {.argument = Argument::kOptionalText, .format = Format::kNa, .bind = bind_abspath, .cost = Cost::kText}},
};

}  // namespace

bool is_event_name(std::string_view name) { return event_names().contains(name); }

std::string_view nearest_event_name(std::string_view name) {
  Nearest nearest(name);
  for (const auto known : event_names()) nearest.offer(known);
  return nearest.best();
}

Type argument_type(const FieldRef& ref) {
  const auto* table = dynamic_cast<const ByName*>(ref.bound.get());
  return table ? table->type : Type::kNone;
}

std::span<const Field> evt_arg_fields() { return kFields; }

}  // namespace scry::fields
