// SPDX-License-Identifier: Apache-2.0
// Socket addresses and tuples as they stand in parameters (types.tsv: PT_SOCKADDR, PT_SOCKTUPLE).
#pragma once

#include <cstdint>
#include <string_view>

#include "capture/event/event.h"

namespace scry::event {

enum class Family : uint8_t { kNone = 0, kUnix = 1, kInet = 2, kInet6 = 10, kOther = 255 };

struct SocketAddress {
  Family family = Family::kNone;
  uint8_t number = 0;           ///< the family byte as recorded
  const uint8_t* ip = nullptr;  ///< 4 or 16 bytes in network order
  uint16_t port = 0;
  std::string_view path;        ///< unix
  bool valid() const { return family != Family::kNone; }
};

struct SocketTuple {
  Family family = Family::kNone;
  uint8_t number = 0;
  const uint8_t* source = nullptr;
  const uint8_t* dest = nullptr;
  uint16_t sport = 0, dport = 0;
  uint64_t unix_source = 0, unix_dest = 0;
  std::string_view path;
  bool valid() const { return family != Family::kNone; }
};

/// family kNone when the parameter is absent or too short for its family.
SocketAddress socket_address(Param param);
SocketTuple socket_tuple(Param param);

}  // namespace scry::event
