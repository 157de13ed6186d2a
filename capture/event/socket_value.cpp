// SPDX-License-Identifier: Apache-2.0
#include "capture/event/socket_value.h"

namespace scry::event {

SocketAddress socket_address(Param p) {
  SocketAddress out;
  if (p.size == 0) return out;
  out.number = p.data[0];
  switch (p.data[0]) {
    case static_cast<uint8_t>(Family::kInet):
    case static_cast<uint8_t>(Family::kInet6): {
      const uint32_t width = p.data[0] == 2 ? 4 : 16;
      if (p.size < 1 + width + 2) return out;
      out.family = static_cast<Family>(p.data[0]);
      out.ip = p.data + 1;
      out.port = load<uint16_t>(p.data + 1 + width);
      return out;
    }
    case static_cast<uint8_t>(Family::kUnix):
      if (p.size < 2) return out;
      out.family = Family::kUnix;
      out.path = Param{p.data + 1, p.size - 1}.text();
      return out;
    default: out.family = Family::kOther; return out;
  }
}

SocketTuple socket_tuple(Param p) {
  SocketTuple out;
  if (p.size == 0) return out;
  out.number = p.data[0];
  switch (p.data[0]) {
    case static_cast<uint8_t>(Family::kInet):
    case static_cast<uint8_t>(Family::kInet6): {
      const uint32_t width = p.data[0] == 2 ? 4 : 16;
      if (p.size < 1 + 2 * (width + 2)) return out;
      out.family = static_cast<Family>(p.data[0]);
      out.source = p.data + 1;
      out.sport = load<uint16_t>(p.data + 1 + width);
      out.dest = p.data + 1 + width + 2;
      out.dport = load<uint16_t>(p.data + 1 + 2 * width + 2);
      return out;
    }
    case static_cast<uint8_t>(Family::kUnix):
      if (p.size < 17) return out;
      out.family = Family::kUnix;
      out.unix_source = load<uint64_t>(p.data + 1);
      out.unix_dest = load<uint64_t>(p.data + 9);
      out.path = Param{p.data + 17, p.size - 17}.text();
      return out;
    default: out.family = Family::kOther; return out;
  }
}

}  // namespace scry::event
