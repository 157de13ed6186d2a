// SPDX-License-Identifier: Apache-2.0
// evt.*: reading and writing, opening, failing.
#include "filters/fields/parts.h"

namespace scry::fields {

using event::Category;
using state::FdKind;

namespace {

Value yes_if(bool condition) { return Value::boolean(condition); }
Value one_if(bool condition) { return condition ? Value::number(1) : Value::absent(); }

bool reads(const Ask& a) { return has_flag(a, event::kReadsFromFd); }
bool writes(const Ask& a) { return has_flag(a, event::kWritesToFd); }

Value is_io(const Ask& a) { return yes_if(reads(a) || writes(a)); }
Value is_io_read(const Ask& a) { return yes_if(reads(a)); }
Value is_io_write(const Ask& a) { return yes_if(writes(a)); }
Value is_wait(const Ask& a) { return yes_if(has_flag(a, event::kWaits)); }
Value io_dir(const Ask& a) {
  return writes(a) ? Value::text("write") : reads(a) ? Value::text("read") : Value::absent();
}

Value is_syslog(const Ask& a) {
  if (!writes(a)) return yes_if(false);
  const EventFd f = fd_of(a);
  return yes_if(f.fd && f.fd->name.view().find("/dev/log") != std::string_view::npos);
}

/// Bytes that an I/O call moved, of an fd that is known. Calls that only belong to I/O (close, ioctl…) count as sysdig
/// counts them.
bool moved(const Ask& a, int64_t& bytes) {
  const Category c = info_of(a).category;
  if (c != Category::kIoRead && c != Category::kIoWrite && c != Category::kIoOther) return false;
  if (!fd_of(a).fd) return false;
  return result_of(a, bytes) && bytes >= 0;
}

enum class Way : uint8_t { kAny, kIn, kOut };
enum class What : uint8_t { kAny, kFile, kNet };

template <Way way, What what>
Value buflen(const Ask& a) {
  const Category c = info_of(a).category;
  if (way == Way::kIn && c != Category::kIoRead) return Value::absent();
  if (way == Way::kOut && c != Category::kIoWrite) return Value::absent();
  int64_t bytes;
  if (!moved(a, bytes)) return Value::absent();
  if (what != What::kAny) {
    const EventFd f = fd_of(a);
    if (!f.fd || !(what == What::kFile ? state::is_regular(f.fd->kind) : state::is_ip(f.fd->kind))) return Value::absent();
  }
  return Value::number(static_cast<uint64_t>(bytes));
}

bool failed(const Ask& a) {
  int64_t value;
  return result_of(a, value) && value < 0;
}

/// What kind of thing a call failed on.
enum class Trouble : uint8_t { kFile, kNet, kMemory, kOther };

Trouble trouble_of(const Ask& a) {
  switch (code_of(a)) {
    case event::kOpenX: case event::kCreatX: case event::kOpenatX: case event::kOpenat_2X: case event::kOpenat2X:
    case event::kOpenByHandleAtX:
      return Trouble::kFile;
    case event::kAcceptX: case event::kAccept4X: case event::kAccept_5X: case event::kAccept4_5X: case event::kAccept4_6X:
    case event::kConnectX:
      return Trouble::kNet;
    default: break;
  }
  const EventFd f = fd_of(a);
  if (f.fd && (state::is_regular(f.fd->kind) || f.fd->kind == FdKind::kDirectory)) return Trouble::kFile;
  if (f.fd && (state::is_ip(f.fd->kind) || f.fd->kind == FdKind::kUnix)) return Trouble::kNet;
  return info_of(a).category == Category::kMemory ? Trouble::kMemory : Trouble::kOther;
}

Value count(const Ask& /*unused*/) { return Value::number(1); }
Value count_error(const Ask& a) { return one_if(failed(a)); }
Value count_exit(const Ask& a) { return one_if(!a.moment.event.is_enter()); }
template <Trouble trouble>
Value count_error_of(const Ask& a) {
  return one_if(failed(a) && trouble_of(a) == trouble);
}

bool is_procinfo(const Ask& a) { return a.moment.event.raw().code == event::kProcinfoE; }
Value count_procinfo(const Ask& a) { return one_if(is_procinfo(a) && a.moment.thread && a.moment.thread->is_leader()); }
Value count_threadinfo(const Ask& a) { return one_if(is_procinfo(a)); }

/// Flags and mode of a call that opens a file. The first openat said them when it began.
struct Opening {
  uint32_t flags = 0, mode = 0;
};

Opening opening(const Ask& a) {
  namespace p = event::p;
  auto at = [&](unsigned flags, unsigned mode) {
    return Opening{param_of(a, flags).as<uint32_t>(), param_of(a, mode).as<uint32_t>()};
  };
  switch (code_of(a)) {
    case event::kOpenX: return at(p::open_x::flags, p::open_x::mode);
    case event::kOpenatE: return at(p::openat_e::flags, p::openat_e::mode);
    case event::kOpenat_2X: return at(p::openat_2_x::flags, p::openat_2_x::mode);
    case event::kOpenat2X: return at(p::openat2_x::flags, p::openat2_x::mode);
    case event::kOpenByHandleAtX: return {param_of(a, p::open_by_handle_at_x::flags).as<uint32_t>(), 0};
    case event::kCreatX:
      return {param_of(a, p::creat_x::creat_flags).as<uint32_t>(), param_of(a, p::creat_x::mode).as<uint32_t>()};
    default: return {};
  }
}

template <uint32_t flag>
Value opened_for(const Ask& a) {
  return yes_if((opening(a).flags & flag) != 0);
}

/// Whether opening made a file. Current libraries take O_TMPFILE for that; recorders also set it for directories.
Value is_open_create(const Ask& a) {
  constexpr uint32_t kMade = event::v::file_flags__O_F_CREATED | event::v::file_flags__O_TMPFILE;
  return yes_if((opening(a).flags & kMade) != 0 && !failed(a));
}

/// Whether the file may be executed by anyone, if the call made it.
Value is_open_exec(const Ask& a) {
  namespace v = event::v;
  constexpr uint32_t kMakes = v::file_flags__O_CREAT | v::file_flags__O_TMPFILE, kAnyExecute = 0111;
  const Opening o = opening(a);
  return yes_if((code_of(a) == event::kCreatX || (o.flags & kMakes)) && (o.mode & kAnyExecute));
}

constexpr Traits kHeader{.cost = Cost::kHeader};
constexpr Traits kPlain{.format = Format::kNa, .cost = Cost::kHeader};
constexpr Traits kOfFd{.cost = Cost::kFd};
constexpr Traits kView{.flags = kTableOnly, .cost = Cost::kHeader};
constexpr Traits kViewOfFd{.flags = kTableOnly, .cost = Cost::kFd};

namespace v = event::v;

constexpr Field kFields[] = {
    {"evt.is_io", Type::kBool, is_io, "whether it reads or writes an fd", kPlain},
    {"evt.is_io_read", Type::kBool, is_io_read, "whether it reads from an fd", kPlain},
    {"evt.is_io_write", Type::kBool, is_io_write, "whether it writes to an fd", kPlain},
    {"evt.io_dir", Type::kCharbuf, io_dir, "read or write, for calls that do", kPlain},
    {"evt.is_wait", Type::kBool, is_wait, "whether the call waits: select, poll, nanosleep…", kPlain},
    {"evt.is_syslog", Type::kBool, is_syslog, "whether it writes to /dev/log", {.format = Format::kNa, .cost = Cost::kFd}},
    {"evt.is_open_read", Type::kBool, opened_for<v::file_flags__O_RDONLY>, "whether a file was opened for reading", kPlain},
    {"evt.is_open_write", Type::kBool, opened_for<v::file_flags__O_WRONLY>, "whether a file was opened for writing", kPlain},
    {"evt.is_open_exec", Type::kBool, is_open_exec, "whether a file was made that may be executed", kPlain},
    {"evt.is_open_create", Type::kBool, is_open_create, "whether a file was made by opening it", kPlain},
    {"evt.buflen", Type::kUint64, buflen<Way::kAny, What::kAny>, "bytes that the call read or wrote", kOfFd},
    {"evt.buflen.in", Type::kUint64, buflen<Way::kIn, What::kAny>, "bytes that it read", kView},
    {"evt.buflen.out", Type::kUint64, buflen<Way::kOut, What::kAny>, "bytes that it wrote", kView},
    {"evt.buflen.file", Type::kUint64, buflen<Way::kAny, What::kFile>, "bytes read or written, of files", kViewOfFd},
    {"evt.buflen.file.in", Type::kUint64, buflen<Way::kIn, What::kFile>, "bytes read from a file", kViewOfFd},
    {"evt.buflen.file.out", Type::kUint64, buflen<Way::kOut, What::kFile>, "bytes written to a file", kViewOfFd},
    {"evt.buflen.net", Type::kUint64, buflen<Way::kAny, What::kNet>, "bytes read or written, of connections", kViewOfFd},
    {"evt.buflen.net.in", Type::kUint64, buflen<Way::kIn, What::kNet>, "bytes received", kViewOfFd},
    {"evt.buflen.net.out", Type::kUint64, buflen<Way::kOut, What::kNet>, "bytes sent", kViewOfFd},
    {"evt.count", Type::kUint32, count, "1 for each event: to be added up", kHeader},
    {"evt.count.error", Type::kUint32, count_error, "1 for each call that failed", kHeader},
    {"evt.count.error.file", Type::kUint32, count_error_of<Trouble::kFile>, "1 for each that failed on a file", kOfFd},
    {"evt.count.error.net", Type::kUint32, count_error_of<Trouble::kNet>, "1 for each that failed on a socket", kOfFd},
    {"evt.count.error.memory", Type::kUint32, count_error_of<Trouble::kMemory>, "1 for each that failed on memory", kOfFd},
    {"evt.count.error.other", Type::kUint32, count_error_of<Trouble::kOther>, "1 for each that failed on something else", kOfFd},
    {"evt.count.exit", Type::kUint32, count_exit, "1 for each return of a call", kHeader},
    {"evt.count.procinfo", Type::kUint32, count_procinfo, "1 for each record about a process's use of the processors", kView},
    {"evt.count.threadinfo", Type::kUint32, count_threadinfo, "1 for each such record about a thread", kView},
};

}  // namespace

std::span<const Field> evt_io_fields() { return kFields; }

}  // namespace scry::fields
