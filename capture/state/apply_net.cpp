// SPDX-License-Identifier: Apache-2.0
// Rules for sockets: type, the two ends, and which end is ours (state.md §3, §4).
#include <algorithm>
#include <cstring>

#include "capture/event/socket_value.h"
#include "capture/state/handlers.h"

namespace scry::state {

using namespace event;
namespace {

constexpr int64_t kInProgress = -115;
constexpr uint32_t kFamilyUnix = 1, kFamilyInet = 2, kFamilyInet6 = 10, kFamilyNetlink = 16;

void rename(Fd& fd) { fd.name = Text(tuple_text(fd.kind, fd.l4, fd.tuple)); }

L4 l4_of(uint32_t type, uint32_t proto) {
  constexpr uint32_t kStream = 1, kDatagram = 2, kRaw = 3;
  switch (proto) {
    case 6: return (type & 0xff) == kRaw ? L4::kRaw : L4::kTcp;
    case 17: return (type & 0xff) == kRaw ? L4::kRaw : L4::kUdp;
    case 0:
      if ((type & 0xff) == kStream) return L4::kTcp;
      if ((type & 0xff) == kDatagram) return L4::kUdp;
      return L4::kUnknown;
    case 1: return (type & 0xff) == kRaw ? L4::kRaw : L4::kIcmp;
    case 255: return L4::kRaw;
    default: return L4::kUnknown;
  }
}

Fd new_socket(uint32_t domain, uint32_t type, uint32_t proto) {
  Fd fd;
  switch (domain) {
    case kFamilyUnix: fd.kind = FdKind::kUnix; break;
    case kFamilyInet: fd.kind = FdKind::kIpv4; break;
    case kFamilyInet6: fd.kind = FdKind::kIpv6; break;
    case kFamilyNetlink: fd.kind = FdKind::kNetlink; break;
    default: fd.kind = FdKind::kUnknown; break;
  }
  if (is_ip(fd.kind)) fd.l4 = l4_of(type, proto);
  return fd;
}

/// The kind that a tuple's family makes of a socket.
FdKind kind_of(const SocketTuple& t) {
  if (t.family == Family::kInet) return FdKind::kIpv4;
  if (t.family != Family::kInet6) return FdKind::kUnix;
  return may_be_v4(t.source) && may_be_v4(t.dest) ? FdKind::kIpv4 : FdKind::kIpv6;
}

/// Pointer to the bytes that count, for a tuple whose v6 addresses may be mapped ones.
const uint8_t* ip_in(const SocketTuple& t, const uint8_t* address, FdKind kind) {
  return t.family == Family::kInet6 && kind == FdKind::kIpv4 ? address + 12 : address;
}

void take_unix(Fd& fd, const SocketTuple& t) {
  fd.kind = FdKind::kUnix;
  fd.source = t.unix_source;
  fd.dest = t.unix_dest;
  fd.name = Text(unix_text(t.unix_source, t.unix_dest, t.path));
}

/// Fills source and dest from a tuple, as they stand in it.
void take_ip(Fd& fd, const SocketTuple& t) {
  fd.kind = kind_of(t);
  const bool v6 = is_v6(fd.kind);
  fd.tuple.source.set(ip_in(t, t.source, fd.kind), v6);
  fd.tuple.dest.set(ip_in(t, t.dest, fd.kind), v6);
  fd.tuple.sport = t.sport;
  fd.tuple.dport = t.dport;
}

enum class Direction : uint8_t { kIncoming, kOutgoing };

/// Whether another fd of the process has `port` as its own.
bool port_in_use(const Machine& m, const Thread& thread, const Fd& self, uint16_t port) {
  const Thread* leader = m.leader_of(thread);
  if (!leader || !leader->fds) return false;
  return std::any_of(leader->fds->map.begin(), leader->fds->map.end(), [&](const auto& entry) {
    const Fd& fd = *entry.second;
    return &fd != &self && is_ip(fd.kind) && (is_ip_server(fd.kind) ? fd.tuple.dport == port : fd.tuple.sport == port);
  });
}

/// Our address towards `peer`, for a tuple that lacks one end: the peer's own if it is this machine's, else that of an
/// interface in the same subnet, else the first that is no loopback.
const IpAddress* guess_local(const Machine& m, const IpAddress& peer, bool v6) {
  const size_t width = v6 ? 16 : 4;
  const IpAddress* first = nullptr;
  for (const Interface& i : m.interfaces())
    if (i.v6 == v6 && std::memcmp(i.address.bytes, peer.bytes, width) == 0) return &i.address;
  for (const Interface& i : m.interfaces()) {
    if (i.v6 != v6) continue;
    bool same_subnet = true;
    for (size_t k = 0; k < width; ++k)
      same_subnet &= (i.address.bytes[k] & i.netmask.bytes[k]) == (peer.bytes[k] & i.netmask.bytes[k]);
    if (same_subnet) return &i.address;
    const bool loopback = v6 ? false : i.address.bytes[0] == 127;
    if (!v6 && !first && !loopback) first = &i.address;
  }
  return first;
}

void fill_missing_end(const Machine& m, Tuple& t, bool v6) {
  if (t.source.is_zero(v6)) {
    if (const IpAddress* local = guess_local(m, t.dest, v6)) t.source = *local;
  } else if (t.dest.is_zero(v6)) {
    if (const IpAddress* local = guess_local(m, t.source, v6)) t.dest = *local;
  }
}

/// state.md §4: a port that another fd of the process has marks the server's end; else who spoke first decides.
Role role_for(const Machine& m, const Thread& thread, const Fd& fd, uint16_t sport, bool bound_to_dport, Direction direction) {
  if (!bound_to_dport && direction == Direction::kOutgoing) return Role::kClient;
  if (!port_in_use(m, thread, fd, sport)) return Role::kServer;
  return direction == Direction::kIncoming ? Role::kServer : Role::kClient;
}

bool same_end(const IpAddress& a, uint16_t aport, const IpAddress& b, uint16_t bport) { return a == b && aport == bport; }

bool same_ends(const Tuple& a, const Tuple& b) {
  return same_end(a.source, a.sport, b.source, b.sport) && same_end(a.dest, a.dport, b.dest, b.dport);
}

/// In either direction.
bool same_connection(const Tuple& a, const Tuple& b) {
  return same_ends(a, b) || (same_end(a.source, a.sport, b.dest, b.dport) && same_end(a.dest, a.dport, b.source, b.sport));
}

void turn(Tuple& t) {
  std::swap(t.source, t.dest);
  std::swap(t.sport, t.dport);
}

/// Both ends are those of this datagram; what it leaves open stays as it was.
Tuple next_ends(const Machine& m, const Tuple& before, Tuple datagram, bool v6, bool against) {
  if (against) turn(datagram);
  if (datagram.source.is_zero(v6)) datagram.source = before.source;
  if (datagram.dest.is_zero(v6)) datagram.dest = before.dest;
  if (datagram.sport == 0) datagram.sport = before.sport;
  if (datagram.dport == 0) datagram.dport = before.dport;
  fill_missing_end(m, datagram, v6);
  return datagram;
}

/// sysdig's rule (FirstPeer): a destination that is there stays, whichever way the datagram goes.
Tuple next_classic_ends(const Machine& m, Tuple ends, const Tuple& datagram, bool v6, bool against) {
  if (same_connection(ends, datagram)) return ends;
  ends.source = datagram.source;
  ends.sport = datagram.sport;
  if (ends.dest.is_zero(v6)) ends.dest = datagram.dest;
  if (ends.dport == 0) ends.dport = datagram.dport;
  fill_missing_end(m, ends, v6);
  if (against) turn(ends);
  return ends;
}

/// Keeps what sysdig would print, where that differs from what is.
void set_classic_ends(Fd& fd, const Tuple& ends) {
  if (same_ends(ends, fd.tuple)) return fd.first_peer = {}, void();
  Rc<FirstPeer> peer(new FirstPeer);
  peer.mut().tuple = ends;
  peer.mut().name = Text(tuple_text(fd.kind, fd.l4, ends));
  fd.first_peer = std::move(peer);
}

/// The rule of send and receive: a datagram's tuple completes or replaces what is known of the socket.
void update_from_tuple(const Step& s, Fd& fd, const SocketTuple& t, Direction direction) {
  if (t.family == Family::kUnix) return take_unix(fd, t);
  if (t.family != Family::kInet && t.family != Family::kInet6) return;
  const FdKind kind = kind_of(t);
  const bool v6 = is_v6(kind);
  Tuple datagram;
  datagram.source.set(ip_in(t, t.source, kind), v6);
  datagram.dest.set(ip_in(t, t.dest, kind), v6);
  datagram.sport = t.sport;
  datagram.dport = t.dport;
  const bool bound_to_dport = is_ip_server(fd.kind) && fd.tuple.dport == t.dport;
  if (fd.kind != kind) {  // whatever was there was no connection of this family
    fd.kind = kind;
    fd.tuple = {};
    fd.first_peer = {};
  } else if (!fd.first_peer && same_connection(fd.tuple, datagram)) {
    return;
  }
  if (fd.l4 == L4::kUnknown) fd.l4 = L4::kUdp;
  if (fd.role == Role::kNone) fd.role = role_for(s.machine, *s.slot->thread, fd, datagram.sport, bound_to_dport, direction);
  const bool against = (direction == Direction::kIncoming && fd.role == Role::kClient) ||
                       (direction == Direction::kOutgoing && fd.role == Role::kServer);
  const Tuple classic = next_classic_ends(s.machine, fd.first_peer ? fd.first_peer->tuple : fd.tuple, datagram, v6, against);
  if (!same_connection(fd.tuple, datagram)) fd.tuple = next_ends(s.machine, fd.tuple, datagram, v6, against);
  rename(fd);
  set_classic_ends(fd, classic);
}

/// A socket that was open before the recording began, and sends somewhere.
void invent_datagram_socket(const Step& s, FdNumber number, const SocketTuple& tuple) {
  if (number < 0 || s.machine.fd(*s.slot->thread, number)) return;
  if (tuple.family != Family::kInet && tuple.family != Family::kInet6) return;
  Fd fd;
  fd.l4 = L4::kUdp;
  fd.kind = kind_of(tuple);
  s.machine.put_fd(*s.slot, number, std::move(fd));
}

void remember_first_peer(Fd& fd, const Fd& before) {
  const bool v6 = is_v6(fd.kind);
  if (before.kind != fd.kind || before.tuple.dest.is_zero(v6)) return fd.first_peer = {}, void();
  const Tuple& printed = before.first_peer ? before.first_peer->tuple : before.tuple;
  Tuple ends = fd.tuple;
  ends.dest = printed.dest;
  ends.dport = printed.dport;
  set_classic_ends(fd, ends);
}

void on_transfer(const Step& s, unsigned tuple_index, Direction direction) {
  if (!s.slot || s.result() < 0) return;
  const Param raw = s.param(tuple_index);
  if (!raw.present()) return;
  const SocketTuple tuple = socket_tuple(raw);
  if (!tuple.valid()) return;
  const FdNumber number = s.fd();
  if (direction == Direction::kOutgoing) invent_datagram_socket(s, number, tuple);
  const Fd* known = s.machine.fd(*s.slot->thread, number);
  if (!known || (!known->name.empty() && known->l4 == L4::kTcp && is_ip(known->kind))) return;
  if (Fd* fd = s.machine.fd_for_change(*s.slot, number)) update_from_tuple(s, *fd, tuple, direction);
}

}  // namespace

void on_socket(const Step& s) {
  namespace k = p::socket_x;
  if (!s.slot || s.result() < 0) return;
  Fd fd = new_socket(s.param(k::domain).as<uint32_t>(), s.param(k::type).as<uint32_t>(), s.param(k::proto).as<uint32_t>());
  const uint32_t flags = s.param(k::flags).as<uint32_t>();
  constexpr uint32_t kSockCloexec = 02000000;
  fd.set(Fd::kCloseOnExec, (flags & v::file_flags__O_CLOEXEC) || (s.param(k::type).as<uint32_t>() & kSockCloexec));
  s.machine.put_fd(*s.slot, s.result(), std::move(fd));
}

void on_socketpair(const Step& s) {
  namespace k = p::socketpair_x;
  if (!s.slot || s.result() < 0) return;
  const int64_t first = s.param(k::fd1).integer(-1), second = s.param(k::fd2).integer(-1);
  if (first == second) return;
  for (int64_t number : {first, second}) {
    Fd fd;
    fd.kind = FdKind::kUnix;
    fd.source = s.param(k::source).as<uint64_t>();
    fd.dest = s.param(k::peer).as<uint64_t>();
    s.machine.put_fd(*s.slot, number, std::move(fd));
  }
}

void on_bind(const Step& s) {
  if (!s.slot || s.result() < 0) return;
  const Param raw = s.param(p::bind_x::addr);
  const SocketAddress address = socket_address(raw);
  Fd* fd = s.machine.fd_for_change(*s.slot, s.fd());
  if (!fd || !address.valid()) return;
  if (address.family == Family::kUnix) {
    fd->kind = FdKind::kUnix;
    fd->name = Text(address.path);
    return;
  }
  if (address.family != Family::kInet && address.family != Family::kInet6) return;
  bool v6 = address.family == Family::kInet6;
  const uint8_t* ip = address.ip;
  if (v6 && is_v4_mapped(ip)) {
    v6 = false;
    ip += 12;
  }
  if (address.port > 0) {
    fd->kind = v6 ? FdKind::kIpv6Server : FdKind::kIpv4Server;
    fd->tuple = {};
    fd->tuple.dest.set(ip, v6);
    fd->tuple.dport = address.port;
    fd->role = Role::kServer;
  }
  std::string name;
  append_ip(name, ip, v6);
  name += ':' + std::to_string(address.port);
  fd->name = Text(name);
}

void on_connect(const Step& s) {
  namespace c = p::connect_x;
  if (!s.slot) return;
  const int64_t result = s.result();
  if (result < 0 && result != kInProgress) return;
  Fd* fd = s.machine.fd_for_change(*s.slot, s.fd());
  if (!fd) return;
  const SocketTuple tuple = socket_tuple(s.param(c::tuple));
  const SocketAddress address = socket_address(s.param(c::addr));
  if (tuple.family == Family::kUnix) {
    take_unix(*fd, tuple);
    if (fd->role == Role::kNone) fd->role = Role::kClient;
    fd->set(Fd::kConnected, true);
    return;
  }
  if (is_ip_server(fd->kind) && fd->l4 == L4::kUdp) {
    // A bound datagram socket that connects: what it was bound to is its own end.
    fd->tuple.source = fd->tuple.dest;
    fd->tuple.sport = fd->tuple.dport;
    fd->role = Role::kClient;
  }
  const Fd before = *fd;
  if (tuple.valid() && tuple.family != Family::kOther) {
    take_ip(*fd, tuple);
  } else if (address.family == Family::kInet || address.family == Family::kInet6) {
    bool v6 = address.family == Family::kInet6;
    const uint8_t* ip = address.ip;
    if (v6 && is_v4_mapped(ip)) {
      v6 = false;
      ip += 12;
    }
    fd->kind = v6 ? FdKind::kIpv6 : FdKind::kIpv4;
    fd->tuple.dest.set(ip, v6);
    fd->tuple.dport = address.port;
  } else {
    return;
  }
  if (fd->role == Role::kNone) fd->role = Role::kClient;
  fd->set(Fd::kConnected, true);
  rename(*fd);
  // Where the enter event tells the new peer, sysdig takes that.
  const event::EnterEvent* enter = s.event.enter();
  const SocketAddress asked = enter ? socket_address(enter->param(p::connect_e::addr)) : SocketAddress{};
  if (asked.family == Family::kInet || asked.family == Family::kInet6) fd->first_peer = {};
  else remember_first_peer(*fd, before);
}

/// What the enter event alone tells: the peer's address. It names a unix socket at once.
void on_connect_enter(const Step& s) {
  if (!s.slot) return;
  const SocketAddress address = socket_address(s.event.param(p::connect_e::addr));
  if (address.family != Family::kUnix) return;
  const FdNumber number = s.event.param(p::connect_e::fd).integer(-1);
  if (Fd* fd = s.machine.fd_for_change(*s.slot, number)) fd->name = Text(address.path);
}

void on_sendto_enter(const Step& s) {
  if (!s.slot) return;
  const SocketTuple tuple = socket_tuple(s.event.param(p::sendto_e::tuple));
  if (tuple.valid()) invent_datagram_socket(s, s.event.param(p::sendto_e::fd).integer(-1), tuple);
}

void on_accept(const Step& s) {
  namespace a = p::accept_5_x;
  if (!s.slot || s.result() < 0) return;
  const SocketTuple tuple = socket_tuple(s.param(a::tuple));
  if (!tuple.valid() || tuple.family == Family::kOther) return;
  Fd fd;
  fd.role = Role::kServer;
  fd.set(Fd::kConnected, true);
  if (tuple.family == Family::kUnix) {
    take_unix(fd, tuple);
  } else {
    fd.l4 = L4::kTcp;
    take_ip(fd, tuple);
    rename(fd);
  }
  s.machine.put_fd(*s.slot, s.result(), std::move(fd));
}

void on_recvfrom(const Step& s) { on_transfer(s, p::recvfrom_x::tuple, Direction::kIncoming); }
void on_recvmsg(const Step& s) { on_transfer(s, p::recvmsg_x::tuple, Direction::kIncoming); }
void on_recv(const Step& s) { on_transfer(s, p::recv_x::tuple, Direction::kIncoming); }
void on_send(const Step& s) { on_transfer(s, p::send_x::tuple, Direction::kOutgoing); }

}  // namespace scry::state
