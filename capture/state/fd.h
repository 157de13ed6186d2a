// SPDX-License-Identifier: Apache-2.0
// File descriptors of a process, as far as the events told.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "capture/base/ids.h"
#include "capture/base/rc.h"
#include "capture/base/text.h"

namespace scry::state {

/// Numbers are those of the fd lists in scap files (scap-format.md §7).
enum class FdKind : uint8_t {
  kUnknown, kFile, kDirectory, kIpv4, kIpv6, kIpv4Server, kIpv6Server, kFifo, kUnix, kEvent, kUnsupported, kSignal,
  kEpoll, kInotify, kTimer, kNetlink, kFileV2, kBpf, kUserfault, kIouring, kMemfd, kPidfd, kCount
};

/// The letter in `3(<f>/etc/passwd)`.
char type_char(FdKind kind);
/// fd.type: "file", "ipv4"…; empty where there is no name for it.
std::string_view type_name(FdKind kind);

enum class L4 : uint8_t { kUnknown, kNone, kTcp, kUdp, kIcmp, kRaw };
enum class Role : uint8_t { kNone, kClient, kServer };

inline bool is_ip(FdKind k) { return k >= FdKind::kIpv4 && k <= FdKind::kIpv6Server; }
inline bool is_ip_socket(FdKind k) { return k == FdKind::kIpv4 || k == FdKind::kIpv6; }
inline bool is_ip_server(FdKind k) { return k == FdKind::kIpv4Server || k == FdKind::kIpv6Server; }
inline bool is_v6(FdKind k) { return k == FdKind::kIpv6 || k == FdKind::kIpv6Server; }
inline bool is_regular(FdKind k) { return k == FdKind::kFile || k == FdKind::kFileV2; }

/// An address in network order; IPv4 uses the first four bytes.
struct IpAddress {
  uint8_t bytes[16] = {};
  bool operator==(const IpAddress&) const = default;
  bool is_zero(bool v6) const;
  /// From 4 or 16 bytes in network order; null: all zero.
  void set(const uint8_t* from, bool v6) {
    *this = {};
    if (from) std::memcpy(bytes, from, v6 ? 16 : 4);
  }
};

/// Source and destination of a connection: source is the client, destination the server. A server socket uses
/// the destination only.
struct Tuple {
  IpAddress source, dest;
  uint16_t sport = 0, dport = 0;  ///< host order
};

/// What sysdig 0.29.3 takes a datagram socket's two ends for: it keeps a peer that it once had, also when the socket
/// connects again or a datagram goes elsewhere. Plain `scry -r` prints what sysdig prints; everything else goes by
/// Fd::tuple and Fd::name, which are right.
struct FirstPeer : RefCounted {
  Tuple tuple;
  Text name;
};

struct Fd : RefCounted {
  FdKind kind = FdKind::kUnknown;
  L4 l4 = L4::kUnknown;
  Role role = Role::kNone;
  uint8_t bits = 0;
  uint32_t open_flags = 0;  ///< PPM_O_*, for files
  uint32_t dev = 0;
  uint64_t ino = 0;
  uint64_t source = 0, dest = 0;  ///< unix sockets: kernel addresses of both ends
  Tuple tuple;
  Text name;
  Text raw_name;  ///< a file's path as the call that opened it named it; empty where that is `name`
  Rc<FirstPeer> first_peer;  ///< null unless it differs

  enum : uint8_t { kFromList = 1, kCloseOnExec = 2, kConnected = 4, kOverlayUpper = 8, kOverlayLower = 16 };
  bool has(uint8_t bit) const { return (bits & bit) != 0; }
  const Text& classic_name() const { return first_peer ? first_peer->name : name; }
  void set(uint8_t bit, bool on) { bits = static_cast<uint8_t>(on ? bits | bit : bits & ~bit); }
};

struct FdTable : RefCounted {
  static constexpr size_t kMaxFds = 131072;    ///< of one process; further ones are counted as lost
  static constexpr size_t kMaxShared = 1 << 20;  ///< of all tables that were copied from another, together
  absl::flat_hash_map<FdNumber, Rc<Fd>> map;

  FdTable() = default;
  FdTable(const FdTable& other) : RefCounted(other), map(other.map), copied_(other.map.size()) { total_copied += copied_; }
  FdTable& operator=(const FdTable&) = delete;
  ~FdTable() { total_copied -= copied_; }
  /// Entries that came into being by copying, in all machines of this thread: a process with many fds that forks
  /// often could otherwise fill the memory out of a small file.
  static inline thread_local size_t total_copied = 0;

 private:
  size_t copied_ = 0;
};

/// "1.2.3.4:80->5.6.7.8:90" and its kin (state.md §4). ICMP and raw sockets have ports only in fd lists.
enum class Ports : uint8_t { kWhereMeant, kAlways };
std::string tuple_text(FdKind kind, L4 l4, const Tuple& tuple, Ports ports = Ports::kWhereMeant);
/// "source->dest path" of a unix socket, addresses in lowercase hex.
std::string unix_text(uint64_t source, uint64_t dest, std::string_view path);
void append_ip(std::string& out, const uint8_t* address, bool v6);
/// True for ::ffff:a.b.c.d.
bool is_v4_mapped(const uint8_t* address);
/// True for a mapped address and for ::, which goes with either. A pair of such addresses is an IPv4 pair.
bool may_be_v4(const uint8_t* address);

}  // namespace scry::state
