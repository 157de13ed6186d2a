// SPDX-License-Identifier: Apache-2.0
// fd.*: connections, their two ends and their services.
#include "filters/fields/parts.h"

namespace scry::fields {

using state::Fd;
using state::FdKind;
using state::L4;
using state::Role;

namespace {

const Fd* ip_fd(const Ask& a) {
  const EventFd f = fd_of(a);
  return f.fd && state::is_ip(f.fd->kind) ? f.fd : nullptr;
}

/// Which end is whose is known only when the roles are.
const Fd* connection(const Ask& a) {
  const Fd* fd = ip_fd(a);
  return fd && fd->role != Role::kNone ? fd : nullptr;
}

/// One end of a connection.
struct End {
  const Fd* fd = nullptr;
  bool source = false;
  explicit operator bool() const { return fd != nullptr; }
  Value ip() const { return Value::ip((source ? fd->tuple.source : fd->tuple.dest).bytes, state::is_v6(fd->kind)); }
  uint16_t port() const { return source ? fd->tuple.sport : fd->tuple.dport; }
};
using Side = End (*)(const Ask&);

/// A server socket has one end only.
End client(const Ask& a) {
  const Fd* fd = connection(a);
  return fd && state::is_ip_socket(fd->kind) ? End{fd, true} : End{};
}
End server(const Ask& a) { return {connection(a), false}; }

bool source_is_local(const Ask& a, const Fd& fd) {
  return a.machine.is_local_address(fd.tuple.source.bytes, state::is_v6(fd.kind));
}
End local(const Ask& a) {
  const End end = client(a);
  return end ? End{end.fd, source_is_local(a, *end.fd)} : End{};
}
End remote(const Ask& a) {
  const End end = client(a);
  return end ? End{end.fd, !source_is_local(a, *end.fd)} : End{};
}

template <Side side>
Value ip(const Ask& a) {
  const End end = side(a);
  return end ? end.ip() : Value::absent();
}
template <Side side>
Value port(const Ask& a) {
  const End end = side(a);
  return end ? Value::number(end.port()) : Value::absent();
}
template <Side side>
Value proto(const Ask& a) {
  const End end = side(a);
  return end ? port_text(a, end.port(), end.fd->l4) : Value::absent();
}

/// Nobody asks a name server while reading a capture: the name is not known. Current libraries say "" of every fd.
Value domain(const Ask& a) {
  return !a.classic() && fd_of(a).fd ? Value::text(std::string_view()) : Value::absent();
}

/// A filter's field: it stands for both ends, never for one text.
Value either(const Ask& /*unused*/) { return Value::absent(); }

void both_ips(const Ask& a, Values& out) {
  const Fd* fd = ip_fd(a);
  if (!fd) return;
  if (state::is_ip_socket(fd->kind)) out.push_back(End{fd, true}.ip());
  out.push_back(End{fd, false}.ip());
}

void both_ports(const Ask& a, Values& out) {
  const Fd* fd = ip_fd(a);
  if (!fd) return;
  if (state::is_ip_socket(fd->kind)) out.push_back(Value::number(fd->tuple.sport));
  out.push_back(Value::number(fd->tuple.dport));
}

Value l4proto(const Ask& a) {
  const EventFd f = fd_of(a);
  if (!f.fd) return Value::absent();
  if (!state::is_ip(f.fd->kind) || (f.fd->role == Role::kNone && f.fd->l4 != L4::kRaw)) return Value::text("<NA>");
  switch (f.fd->l4) {
    case L4::kTcp: return Value::text("tcp");
    case L4::kUdp: return Value::text("udp");
    case L4::kIcmp: return Value::text("icmp");
    case L4::kRaw: return Value::text("raw");
    default: return Value::text("<NA>");
  }
}

Value sockfamily(const Ask& a) {
  const EventFd f = fd_of(a);
  if (!f.fd) return Value::absent();
  if (state::is_ip(f.fd->kind)) return Value::text("ip");
  return f.fd->kind == FdKind::kUnix ? Value::text("unix") : Value::absent();
}

Value is_server(const Ask& a) {
  const EventFd f = fd_of(a);
  if (!f.fd) return Value::absent();
  if (state::is_ip_server(f.fd->kind)) return Value::boolean(true);
  return Value::boolean(state::is_ip_socket(f.fd->kind) &&
                        a.machine.is_local_address(f.fd->tuple.dest.bytes, state::is_v6(f.fd->kind)));
}

Value connected(const Ask& a) {
  const EventFd f = fd_of(a);
  return f.fd ? Value::boolean(f.fd->has(Fd::kConnected)) : Value::absent();
}

constexpr uint16_t kSet = kFilterOnly | kNoRightSide | kNoTransformer;
constexpr Traits kOne{.format = Format::kNa, .cost = Cost::kFd};
constexpr Traits kPort{.cost = Cost::kFd};
constexpr Traits kNet{.flags = kSet, .format = Format::kNa, .cost = Cost::kFd};
constexpr Traits kService{.format = Format::kNa, .cost = Cost::kText};
constexpr Traits kDomain{.flags = kNoRightSide | kNoTransformer, .format = Format::kNa, .cost = Cost::kFd};

constexpr Field kFields[] = {
    {"fd.ip", Type::kIpaddr, either, "either address of a connection",
     {.flags = kSet | kNotEqualAll, .format = Format::kNa, .many = both_ips, .cost = Cost::kFd}},
    {"fd.cip", Type::kIpaddr, ip<client>, "address of the client", kOne},
    {"fd.sip", Type::kIpaddr, ip<server>, "address of the server", kOne},
    {"fd.lip", Type::kIpaddr, ip<local>, "address on this machine", kOne},
    {"fd.rip", Type::kIpaddr, ip<remote>, "address on the other machine", kOne},
    {"fd.net", Type::kIpnet, either, "network that either address is in",
     {.flags = kSet | kNotEqualAll, .format = Format::kNa, .many = both_ips, .cost = Cost::kFd}},
    {"fd.cnet", Type::kIpnet, ip<client>, "network that the client is in", kNet},
    {"fd.snet", Type::kIpnet, ip<server>, "network that the server is in", kNet},
    {"fd.lnet", Type::kIpnet, ip<local>, "network that the address on this machine is in", kNet},
    {"fd.rnet", Type::kIpnet, ip<remote>, "network that the address on the other machine is in", kNet},
    {"fd.port", Type::kPort, either, "either port of a connection",
     {.flags = kSet | kNotEqualAll, .many = both_ports, .cost = Cost::kFd}},
    {"fd.cport", Type::kPort, port<client>, "port of the client", kPort},
    {"fd.sport", Type::kPort, port<server>, "port of the server", kPort},
    {"fd.lport", Type::kPort, port<local>, "port on this machine", kPort},
    {"fd.rport", Type::kPort, port<remote>, "port on the other machine", kPort},
    {"fd.proto", Type::kPort, either, "either port of a connection, by number or by the name of its service",
     {.flags = kSet | kNotEqualAll, .format = Format::kNa, .many = both_ports, .cost = Cost::kFd}},
    {"fd.cproto", Type::kCharbuf, proto<client>, "service of the client's port", kService},
    {"fd.sproto", Type::kCharbuf, proto<server>, "service of the server's port", kService},
    {"fd.lproto", Type::kCharbuf, proto<local>, "service of the port on this machine", kService},
    {"fd.rproto", Type::kCharbuf, proto<remote>, "service of the port on the other machine", kService},
    {"fd.cip.name", Type::kCharbuf, domain, "domain name of the client", kDomain},
    {"fd.sip.name", Type::kCharbuf, domain, "domain name of the server", kDomain},
    {"fd.lip.name", Type::kCharbuf, domain, "domain name of this machine's address", kDomain},
    {"fd.rip.name", Type::kCharbuf, domain, "domain name of the other machine's address", kDomain},
    {"fd.l4proto", Type::kCharbuf, l4proto, "tcp, udp, icmp or raw", kOne},
    {"fd.sockfamily", Type::kCharbuf, sockfamily, "ip or unix, of sockets", kOne},
    {"fd.is_server", Type::kBool, is_server, "whether this machine is the server", kOne},
    {"fd.connected", Type::kBool, connected, "whether the socket is connected", kOne},
};

}  // namespace

Value port_text(const Ask& a, uint16_t port, L4 l4) {
  if (a.renderer.options().service_names)
    if (const std::string& name = a.renderer.service(port, l4 == L4::kUdp); !name.empty()) return keep(a, name);
  const size_t at = a.scratch.size();
  a.scratch.put_u64(port);
  return Value::made(a.scratch.view().substr(at));
}

std::span<const Field> fd_net_fields() { return kFields; }

}  // namespace scry::fields
