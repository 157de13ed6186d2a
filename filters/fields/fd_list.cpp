// SPDX-License-Identifier: Apache-2.0
// fdlist.*: the fds that poll and its kin wait for.
#include "filters/fields/parts.h"

namespace scry::fields {

using event::Param;
using state::Fd;

namespace {

Param fds_of(const Ask& a) {
  namespace p = event::p;
  switch (code_of(a)) {
    case event::kPollE: return param_of(a, p::poll_e::fds);
    case event::kPollX: return param_of(a, p::poll_x::fds);
    case event::kPpollE: return param_of(a, p::ppoll_e::fds);
    case event::kPpollX: return param_of(a, p::ppoll_x::fds);
    default: return {};
  }
}

/// What `write` says of each fd, with commas between. `write(number, fd or null)` is false where there is nothing to
/// say. Absent when nothing was said.
template <class Write>
Value joined(const Ask& a, Write write) {
  constexpr size_t kHead = 2, kItem = 10;  // u16 count; i64 number, i16 flags
  const Param fds = fds_of(a);
  if (fds.size < kHead || !a.moment.thread) return Value::absent();
  const size_t count = std::min<size_t>(load<uint16_t>(fds.data), (fds.size - kHead) / kItem);
  const size_t at = a.scratch.size();
  bool any = false;
  for (size_t i = 0; i < count; ++i) {
    const auto number = load<int64_t>(fds.data + kHead + kItem * i);
    const size_t before = a.scratch.size();
    if (any) a.scratch.put(',');
    if (write(number, a.machine.fd(*a.moment.thread, number))) any = true;
    else a.scratch.shrink(before);
  }
  return any && a.scratch.size() > at ? Value::text(a.scratch.view().substr(at)) : Value::absent();
}

Value numbers(const Ask& a) {
  return joined(a, [&](int64_t number, const Fd*) {
    a.scratch.put_i64(number);
    return true;
  });
}

Value names(const Ask& a) {
  return joined(a, [&](int64_t, const Fd* fd) {
    a.scratch.put(fd && !fd->name.empty() ? fd->name.view() : std::string_view("<NA>"));
    return true;
  });
}

/// An address of each connection.
template <bool client>
Value ips(const Ask& a) {
  return joined(a, [&](int64_t, const Fd* fd) {
    if (!fd || !(client ? state::is_ip_socket(fd->kind) : state::is_ip(fd->kind))) return false;
    std::string text;
    state::append_ip(text, (client ? fd->tuple.source : fd->tuple.dest).bytes, state::is_v6(fd->kind));
    a.scratch.put(text);
    return true;
  });
}

template <bool client>
Value ports(const Ask& a) {
  return joined(a, [&](int64_t, const Fd* fd) {
    if (!fd || !(client ? state::is_ip_socket(fd->kind) : state::is_ip(fd->kind))) return false;
    a.scratch.put_u64(client ? fd->tuple.sport : fd->tuple.dport);
    return true;
  });
}

constexpr Traits kText{.format = Format::kNa, .cost = Cost::kText};
constexpr Traits kNumbers{.cost = Cost::kText};

constexpr Field kFields[] = {
    {"fdlist.nums", Type::kCharbuf, numbers, "numbers of the fds", {.format = Format::kId, .cost = Cost::kText}},
    {"fdlist.names", Type::kCharbuf, names, "names of the fds", kText},
    {"fdlist.cips", Type::kCharbuf, ips<true>, "clients' addresses of those that are connections", kText},
    {"fdlist.sips", Type::kCharbuf, ips<false>, "servers' addresses of those that are sockets", kText},
    {"fdlist.cports", Type::kCharbuf, ports<true>, "clients' ports of those that are connections", kNumbers},
    {"fdlist.sports", Type::kCharbuf, ports<false>, "servers' ports of those that are sockets", kNumbers},
};

}  // namespace

std::span<const Field> fdlist_fields() { return kFields; }

}  // namespace scry::fields
