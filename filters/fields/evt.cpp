// SPDX-License-Identifier: Apache-2.0
// evt.*: the event itself.
#include "filters/fields/field.h"

namespace scry::fields {

using event::Category;
using event::Param;
using event::Type;

namespace {

bool classic(const Ask& a) { return a.renderer.options().dialect == Dialect::kClassic; }

const event::EventInfo& info(const Ask& a) {
  return classic(a) ? a.moment.event.info() : a.moment.event.current_info();
}

unsigned code(const Ask& a) { return classic(a) ? a.moment.event.raw().code : a.moment.event.current_code(); }

bool is_generic(const Ask& a) { return a.moment.event.raw().code <= event::kGenericX; }

Value num(const Ask& a) { return Value::number(a.moment.event.raw().num); }
Value cpu(const Ask& a) { return Value::integer(a.moment.event.raw().cpu); }
Value rawtime(const Ask& a) { return Value::number(a.moment.event.raw().ts); }
Value dir(const Ask& a) { return Value::text(a.moment.event.is_enter() ? ">" : "<"); }

Value type(const Ask& a) {
  if (!is_generic(a)) return Value::text(classic(a) ? event::classic_event_names[code(a)] : info(a).name());
  const unsigned call = a.moment.event.param(0).as<uint16_t>();
  if (!classic(a) && call == 0) {
    // A call that its recorder had no code for; the kernel's own number tells which.
    const auto native = event::native_call_name(a.moment.event.current(1).as<uint16_t>());
    if (!native.empty()) return Value::text(native);
  }
  const auto* names = classic(a) ? event::classic_syscall_names : event::syscall_names;
  return Value::text(call < event::syscall_count ? names[call] : std::string_view("<unknown>"));
}

/// I/O calls are of the kind of fd they work on.
Value category(const Ask& a) {
  const Category c = info(a).category;
  if (c != Category::kIoRead && c != Category::kIoWrite && c != Category::kIoOther) {
    return Value::text(event::name_of(c));
  }
  const EventFd fd = fd_of(a);
  if (!fd.fd) return Value::text("unknown");
  using state::FdKind;
  switch (fd.fd->kind) {
    case FdKind::kFile: case FdKind::kDirectory: case FdKind::kFileV2: return Value::text("file");
    case FdKind::kIpv4: case FdKind::kIpv6: return Value::text("net");
    case FdKind::kFifo: case FdKind::kUnix: case FdKind::kEvent: case FdKind::kSignal: case FdKind::kInotify:
      return Value::text("ipc");
    case FdKind::kTimer: return Value::text("unknown");
    default: return Value::text("other");
  }
}

/// The return value: parameter 0 of the exit of a call that returns a number.
bool result(const Ask& a, int64_t& value) {
  const auto& e = a.moment.event;
  if (e.is_enter() || e.raw().nparams == 0 || is_generic(a)) return false;
  switch (e.info().params[0].current.type()) {
    case Type::kErrno: case Type::kFd: case Type::kPid: case Type::kInt64: case Type::kUint64: case Type::kUid:
    case Type::kGid: break;
    case Type::kDyn: {
      const Param p = e.param(0);
      if (p.size != 9) return false;
      value = Param{p.data + 1, 8}.integer();
      return true;
    }
    default: return false;
  }
  value = e.param(0).integer();
  return e.param(0).present();
}

Value rawres(const Ask& a) {
  int64_t value;
  return result(a, value) ? Value::integer(value) : Value::absent();
}

Value res(const Ask& a) {
  int64_t value;
  if (!result(a, value)) return Value::absent();
  if (value >= 0) return Value::text("SUCCESS");
  const auto name = event::errno_name(value == INT64_MIN ? 0 : -value);
  if (!name.empty()) return Value::text(name);
  const size_t at = a.scratch.size();
  a.scratch.put_i64(value);
  return Value::text(a.scratch.view().substr(at));
}

Value failed(const Ask& a) {
  int64_t value;
  return result(a, value) ? Value::boolean(value < 0) : Value::absent();
}

Value args(const Ask& a) {
  const size_t at = a.scratch.size();
  a.renderer.args(a.scratch, a.moment, a.machine);
  return Value::made(a.scratch.view().substr(at));
}

/// PPM_O_* flags of the call that opens a file; 0 for other events and for calls that failed.
uint32_t open_flags(const Ask& a) {
  namespace p = event::p;
  const auto& e = a.moment.event;
  if (e.is_enter()) return 0;
  switch (e.current_code()) {
    case event::kOpenX: return e.current(p::open_x::flags).as<uint32_t>();
    case event::kOpenat_2X: return e.current(p::openat_2_x::flags).as<uint32_t>();
    case event::kOpenat2X: return e.current(p::openat2_x::flags).as<uint32_t>();
    case event::kOpenByHandleAtX: return e.current(p::open_by_handle_at_x::flags).as<uint32_t>();
    default: return 0;
  }
}

Value is_open_read(const Ask& a) { return Value::boolean((open_flags(a) & event::v::file_flags__O_RDONLY) != 0); }
Value is_open_write(const Ask& a) { return Value::boolean((open_flags(a) & event::v::file_flags__O_WRONLY) != 0); }

constexpr Field kFields[] = {
    {"evt.num", Type::kUint64, num, "number of the event in the capture, from 1"},
    {"evt.cpu", Type::kInt16, cpu, "processor that recorded it"},
    {"evt.rawtime", Type::kAbstime, rawtime, "nanoseconds since 1970"},
    {"evt.dir", Type::kCharbuf, dir, "> when a call begins, < when it returns"},
    {"evt.type", Type::kCharbuf, type, "name of the call or event"},
    {"evt.category", Type::kCharbuf, category, "what the event is about: file, net, process…"},
    {"evt.rawres", Type::kInt64, rawres, "return value as a number"},
    {"evt.res", Type::kCharbuf, res, "SUCCESS, or the name of the error"},
    {"evt.failed", Type::kBool, failed, "whether the call returned an error"},
    {"evt.args", Type::kCharbuf, args, "all parameters as name=value"},
    {"evt.info", Type::kCharbuf, args, "all parameters as name=value"},
    {"evt.is_open_read", Type::kBool, is_open_read, "whether a file was opened for reading"},
    {"evt.is_open_write", Type::kBool, is_open_write, "whether a file was opened for writing"},
};

}  // namespace

std::span<const Field> evt_fields() { return kFields; }

}  // namespace scry::fields
