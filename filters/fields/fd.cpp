// SPDX-License-Identifier: Apache-2.0
// fd.*: what the event works on.
#include "capture/event/socket_value.h"
#include "filters/fields/field.h"

namespace scry::fields {

using state::Fd;
using state::FdKind;
using state::Role;

EventFd fd_of(const Ask& a) {
  const auto& e = a.moment.event;
  EventFd out;
  if (!a.moment.thread) return out;
  const auto& info = e.is_enter() ? e.info() : e.current_info();
  if (info.has(event::kUsesFd) && info.fd_param >= 0) {
    const auto index = static_cast<unsigned>(info.fd_param);
    const event::Param p = e.is_enter() ? e.param(index) : e.current(index);
    if (!p.present()) return out;
    out.number = p.integer(-1);
    out.any = true;
  } else if (!e.is_enter() && info.has(event::kCreatesFd) && e.raw().nparams > 0) {
    out.any = true;
  }
  if (a.moment.made_fd >= 0) {
    out.number = a.moment.made_fd;
    out.any = true;
  }
  if (out.any) out.fd = a.machine.fd(*a.moment.thread, out.number);
  return out;
}

namespace {

bool is_ip(const Fd* fd) { return fd && state::is_ip(fd->kind); }

Value number(const Ask& a) {
  const EventFd f = fd_of(a);
  return f.any ? Value::integer(f.number) : Value::absent();
}

Value type(const Ask& a) {
  const EventFd f = fd_of(a);
  if (!f.fd) return Value::absent();
  const auto name = state::type_name(f.fd->kind);
  return name.empty() ? Value::absent() : Value::text(name);
}

/// The file that a call tried to open and that became no fd: the path as the call named it, made whole.
bool opened_path(const Ask& a, const EventFd& f, std::string& path) {
  namespace p = event::p;
  const auto& e = a.moment.event;
  if (f.fd || e.is_enter() || !a.moment.thread) return false;
  int64_t dirfd = -100;
  std::string_view name;
  switch (e.current_code()) {
    case event::kOpenX: name = e.current(p::open_x::name).text(); break;
    case event::kCreatX: name = e.current(p::creat_x::name).text(); break;
    case event::kOpenat_2X:
      name = e.current(p::openat_2_x::name).text();
      dirfd = e.current(p::openat_2_x::dirfd).integer(-100);
      break;
    case event::kOpenat2X:
      name = e.current(p::openat2_x::name).text();
      dirfd = e.current(p::openat2_x::dirfd).integer(-100);
      break;
    default: return false;
  }
  if (name == "<NA>") return false;
  std::string base;
  if (dirfd == -100) base = a.machine.cwd(*a.moment.thread);
  else if (const Fd* directory = a.machine.fd(*a.moment.thread, dirfd)) base = std::string(directory->name.view()) + "/";
  path = state::concat_path(base, name);
  return true;
}

Value keep(const Ask& a, std::string_view text) {
  const size_t at = a.scratch.size();
  a.scratch.put(text);
  return Value::text(a.scratch.view().substr(at));
}

Value typechar(const Ask& a) {
  const EventFd f = fd_of(a);
  if (!f.any) return Value::absent();
  if (std::string path; opened_path(a, f, path)) return Value::text("f");
  a.scratch.put(f.fd ? state::type_char(f.fd->kind) : 'o');
  return Value::text(a.scratch.view().substr(a.scratch.size() - 1));
}

Value name_of(const Ask& a, const EventFd& f) {
  if (!f.any) return Value::absent();
  if (std::string path; opened_path(a, f, path)) return keep(a, path);
  return f.fd ? Value::text(f.fd->name) : Value::text(std::string_view());
}
Value name(const Ask& a) { return name_of(a, fd_of(a)); }

bool has_path(const EventFd& f) {
  return f.fd && (state::is_regular(f.fd->kind) || f.fd->kind == FdKind::kDirectory);
}

Value directory(const Ask& a) {
  const EventFd f = fd_of(a);
  if (!f.any) return Value::absent();
  if (f.fd && !has_path(f)) return Value::absent();
  if (f.fd && f.fd->kind == FdKind::kDirectory) return Value::text(f.fd->name.view());
  std::string attempted;
  opened_path(a, f, attempted);
  const auto path = f.fd ? f.fd->name.view() : std::string_view(attempted);
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || slash == 0) return Value::text("/");
  return keep(a, path.substr(0, slash));
}

Value filename(const Ask& a) {
  const EventFd f = fd_of(a);
  if (!f.fd || !state::is_regular(f.fd->kind)) return Value::absent();
  const auto path = f.fd->name.view();
  const size_t slash = path.rfind('/');
  return Value::text(slash == std::string_view::npos ? std::string_view("/") : path.substr(slash + 1));
}


/// Both ends are known only when the roles are.
const Fd* connection(const Ask& a) {
  const EventFd f = fd_of(a);
  return is_ip(f.fd) && f.fd->role != Role::kNone ? f.fd : nullptr;
}

Value cip(const Ask& a) {
  const Fd* fd = connection(a);
  return fd && state::is_ip_socket(fd->kind) ? Value::ip(fd->tuple.source.bytes, state::is_v6(fd->kind)) : Value::absent();
}
Value sip(const Ask& a) {
  const Fd* fd = connection(a);
  return fd ? Value::ip(fd->tuple.dest.bytes, state::is_v6(fd->kind)) : Value::absent();
}
Value cport(const Ask& a) {
  const Fd* fd = connection(a);
  return fd && state::is_ip_socket(fd->kind) ? Value::number(fd->tuple.sport) : Value::absent();
}
Value sport(const Ask& a) {
  const Fd* fd = connection(a);
  return fd ? Value::number(fd->tuple.dport) : Value::absent();
}

enum class End : uint8_t { kLocal, kRemote };
Value end_ip(const Ask& a, End end) {
  const EventFd f = fd_of(a);
  if (!f.fd || !state::is_ip_socket(f.fd->kind) || f.fd->role == Role::kNone) return Value::absent();
  const bool v6 = state::is_v6(f.fd->kind);
  const bool source_is_local = a.machine.is_local_address(f.fd->tuple.source.bytes, v6);
  return Value::ip(((end == End::kLocal) == source_is_local ? f.fd->tuple.source : f.fd->tuple.dest).bytes, v6);
}
Value lip(const Ask& a) { return end_ip(a, End::kLocal); }
Value rip(const Ask& a) { return end_ip(a, End::kRemote); }

Value l4proto(const Ask& a) {
  const EventFd f = fd_of(a);
  if (!f.fd) return Value::absent();
  if (!is_ip(f.fd) || (f.fd->role == Role::kNone && f.fd->l4 != state::L4::kRaw)) return Value::text("<NA>");
  switch (f.fd->l4) {
    case state::L4::kTcp: return Value::text("tcp");
    case state::L4::kUdp: return Value::text("udp");
    case state::L4::kIcmp: return Value::text("icmp");
    case state::L4::kRaw: return Value::text("raw");
    default: return Value::text("<NA>");
  }
}

Value either(const Ask& /*unused*/) { return Value::absent(); }  // a filter's field: it stands for both ends, never for one text

/// The addresses at both ends; a server socket has one.
void both_ips(const Ask& a, Values& out) {
  const EventFd f = fd_of(a);
  if (!is_ip(f.fd)) return;
  const bool v6 = state::is_v6(f.fd->kind);
  if (state::is_ip_socket(f.fd->kind)) out.push_back(Value::ip(f.fd->tuple.source.bytes, v6));
  out.push_back(Value::ip(f.fd->tuple.dest.bytes, v6));
}

constexpr Field kFields[] = {
    {"fd.num", Type::kInt64, number, "number of the fd"},
    {"fd.type", Type::kCharbuf, type, "what the fd is: file, directory, ipv4, unix, pipe…"},
    {"fd.typechar", Type::kCharbuf, typechar, "the same as one letter"},
    {"fd.name", Type::kCharbuf, name, "path, or the two ends of a connection"},
    {"fd.directory", Type::kCharbuf, directory, "directory that holds the file"},
    {"fd.filename", Type::kCharbuf, filename, "file name without directory"},
    {"fd.ip", Type::kIpaddr, either, "either address of a connection",
     {.flags = kFilterOnly | kNotEqualAll | kNoRightSide | kNoTransformer, .many = both_ips, .cost = Cost::kFd}},
    {"fd.cip", Type::kIpaddr, cip, "address of the client"},
    {"fd.sip", Type::kIpaddr, sip, "address of the server"},
    {"fd.lip", Type::kIpaddr, lip, "address on this machine"},
    {"fd.rip", Type::kIpaddr, rip, "address on the other machine"},
    {"fd.cport", Type::kPort, cport, "port of the client"},
    {"fd.sport", Type::kPort, sport, "port of the server"},
    {"fd.l4proto", Type::kCharbuf, l4proto, "tcp, udp, icmp or raw"},
};

}  // namespace

std::span<const Field> fd_fields() { return kFields; }

}  // namespace scry::fields
