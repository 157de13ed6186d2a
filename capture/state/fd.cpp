// SPDX-License-Identifier: Apache-2.0
#include "capture/state/fd.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace scry::state {

namespace {
struct KindRow {
  char letter;
  std::string_view name;
};
constexpr KindRow kKinds[] = {
    {'o', ""},         {'f', "file"},      {'d', "directory"}, {'4', "ipv4"},     {'6', "ipv6"},     {'4', "ipv4"},
    {'6', "ipv6"},     {'p', "pipe"},      {'u', "unix"},      {'e', "event"},    {'X', ""},         {'s', "signalfd"},
    {'l', "eventpoll"}, {'i', "inotify"},  {'t', "timerfd"},   {'n', "netlink"},  {'f', "file"},     {'b', "bpf"},
    {'u', "userfaultfd"}, {'r', "io_uring"}, {'m', "memfd"},   {'P', "pidfd"}};
static_assert(std::size(kKinds) == static_cast<size_t>(FdKind::kCount));

void append_port(std::string& out, uint16_t port) {
  char digits[8];
  auto end = std::to_chars(digits, digits + sizeof digits, port).ptr;
  out += ':';
  out.append(digits, end);
}

void append_hex(std::string& out, uint64_t value) {
  char digits[16];
  auto end = std::to_chars(digits, digits + sizeof digits, value, 16).ptr;
  out.append(digits, end);
}
}  // namespace

char type_char(FdKind kind) { return kKinds[static_cast<size_t>(kind)].letter; }
std::string_view type_name(FdKind kind) { return kKinds[static_cast<size_t>(kind)].name; }

bool IpAddress::is_zero(bool v6) const {
  return std::all_of(bytes, bytes + (v6 ? 16 : 4), [](uint8_t b) { return b == 0; });
}

bool is_v4_mapped(const uint8_t* a) {
  static constexpr uint8_t kPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::memcmp(a, kPrefix, sizeof kPrefix) == 0;
}

bool may_be_v4(const uint8_t* a) {
  return is_v4_mapped(a) || std::all_of(a, a + 16, [](uint8_t b) { return b == 0; });
}

void append_ip(std::string& out, const uint8_t* address, bool v6) {
  char text[INET6_ADDRSTRLEN];
  if (inet_ntop(v6 ? AF_INET6 : AF_INET, address, text, sizeof text)) out += text;
}

std::string tuple_text(FdKind kind, L4 l4, const Tuple& t, Ports ports) {
  const bool v6 = is_v6(kind);
  std::string out;
  if (is_ip_server(kind)) {
    append_ip(out, t.dest.bytes, v6);
    append_port(out, t.dport);
    return out;
  }
  if (ports != Ports::kAlways && (l4 == L4::kUnknown || l4 == L4::kNone)) return "<unknown>";
  // A pair of mapped addresses is IPv4 in disguise.
  bool as_v4 = v6 && may_be_v4(t.source.bytes) && may_be_v4(t.dest.bytes);
  auto end = [&](const IpAddress& address, uint16_t port) {
    append_ip(out, address.bytes + (as_v4 ? 12 : 0), v6 && !as_v4);
    if (ports == Ports::kAlways || l4 == L4::kTcp || l4 == L4::kUdp) append_port(out, port);
  };
  end(t.source, t.sport);
  out += "->";
  end(t.dest, t.dport);
  return out;
}

std::string unix_text(uint64_t source, uint64_t dest, std::string_view path) {
  std::string out;
  append_hex(out, source);
  out += "->";
  append_hex(out, dest);
  out += ' ';
  out += path;
  return out;
}

}  // namespace scry::state
