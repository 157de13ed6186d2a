// SPDX-License-Identifier: Apache-2.0
#include "filters/vm/operands.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace scry::filter {

using event::Type;

Class class_of(Type type) {
  switch (type) {
    case Type::kInt8: case Type::kInt16: case Type::kInt32: case Type::kInt64: case Type::kErrno: case Type::kFd: case Type::kPid:
    case Type::kFd32: case Type::kPid32: return Class::kInt;
    case Type::kUint8: case Type::kUint16: case Type::kUint32: case Type::kUint64: case Type::kReltime: case Type::kAbstime:
    case Type::kPort: case Type::kSyscallid: case Type::kSigtype: case Type::kL4proto: case Type::kSockfamily: case Type::kFlags8:
    case Type::kFlags16: case Type::kFlags32: case Type::kEnumflags8: case Type::kEnumflags16: case Type::kEnumflags32:
    case Type::kMode: case Type::kUid: case Type::kGid: case Type::kSigset: return Class::kUint;
    case Type::kBytebuf: return Class::kBytes;
    case Type::kBool: return Class::kBool;
    case Type::kDouble: return Class::kDouble;
    case Type::kIpaddr: case Type::kIpv4addr: case Type::kIpv6addr: return Class::kIp;
    case Type::kIpnet: case Type::kIpv4net: case Type::kIpv6net: return Class::kNet;
    case Type::kDyn: return Class::kAny;
    default: return Class::kText;
  }
}

std::string_view describe(Class cls) {
  switch (cls) {
    case Class::kText: return "text";
    case Class::kBytes: return "bytes";
    case Class::kInt: case Class::kUint: case Class::kDouble: return "numbers";
    case Class::kBool: return "true or false";
    case Class::kIp: return "IP addresses";
    case Class::kNet: return "IP networks";
    case Class::kAny: return "parameters of several types";
  }
  return "";
}

bool allows(Class cls, Op op) {
  switch (op) {
    case Op::kExists: case Op::kEqual: case Op::kNotEqual: case Op::kIn: case Op::kIntersects: return true;
    case Op::kLess: case Op::kLessEqual: case Op::kGreater: case Op::kGreaterEqual:
      return cls == Class::kText || cls == Class::kInt || cls == Class::kUint || cls == Class::kDouble || cls == Class::kAny;
    case Op::kContains: case Op::kStartswith: case Op::kEndswith: return cls == Class::kText || cls == Class::kBytes || cls == Class::kAny;
    case Op::kBcontains: case Op::kBstartswith: return cls == Class::kBytes || cls == Class::kAny;
    case Op::kIcontains: case Op::kGlob: case Op::kIglob: case Op::kRegex: return cls == Class::kText || cls == Class::kAny;
    case Op::kPmatch: return cls == Class::kText;
  }
  return false;
}

std::string operators_of(Class cls) {
  std::string out;
  for (int i = 0; i <= static_cast<int>(Op::kPmatch); ++i)
    if (const auto op = static_cast<Op>(i); allows(cls, op)) out += fmt::format("{}{}", out.empty() ? "" : " ", lang::name_of(op));
  return out;
}

namespace {

/// Bits of an unsigned type; negative constants wrap within them.
uint64_t mask_of(Type type) {
  switch (type) {
    case Type::kUint8: case Type::kFlags8: case Type::kEnumflags8: case Type::kSigtype: case Type::kL4proto: case Type::kSockfamily: return 0xff;
    case Type::kUint16: case Type::kPort: case Type::kFlags16: case Type::kEnumflags16: case Type::kSyscallid: return 0xffff;
    case Type::kUint32: case Type::kFlags32: case Type::kEnumflags32: case Type::kMode: case Type::kUid: case Type::kGid: case Type::kSigset:
      return 0xffffffff;
    default: return ~uint64_t{0};
  }
}

bool read_number(std::string_view text, Constant& out) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  const char* end = text.data() + text.size();
  if (text.starts_with('-')) {
    const auto [at, error] = std::from_chars(text.data(), end, out.integer);
    out.number = static_cast<uint64_t>(out.integer);
    out.real = static_cast<double>(out.integer);
    return error == std::errc() && at == end;
  }
  const auto [at, error] = std::from_chars(text.data(), end, out.number);
  out.integer = out.number > INT64_MAX ? INT64_MAX : static_cast<int64_t>(out.number);
  out.real = static_cast<double>(out.number);
  return error == std::errc() && at == end;
}

bool read_real(const std::string& text, double& out) {
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && at == text.data() + text.size();
}

/// A dot decides which family is meant.
bool read_ip(const std::string& text, IpConstant& out) {
  out.v6 = text.find(':') != std::string::npos || text.find('.') == std::string::npos;
  return inet_pton(out.v6 ? AF_INET6 : AF_INET, text.c_str(), out.bytes) == 1;
}

tl::expected<void, std::string> read_net(const std::string& text, NetConstant& out) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos)
    return tl::unexpected(fmt::format("'{}' is no network: expected address/length, such as 10.0.0.0/8", text));
  if (!read_ip(text.substr(0, slash), out.address))
    return tl::unexpected(fmt::format("'{}' is no network: '{}' is no address", text, text.substr(0, slash)));
  Constant length;
  const int longest = out.address.v6 ? 128 : 32;
  if (!read_number(text.substr(slash + 1), length) || length.integer < 0 || length.integer > longest)
    return tl::unexpected(fmt::format("'{}' is no network: the length after the slash is a number from 0 to {}", text, longest));
  out.length = static_cast<uint8_t>(length.integer);
  return {};
}

bool read_service(const std::string& name, uint64_t& port) {
  for (const char* protocol : {"tcp", "udp"})
    if (const servent* found = getservbyname(name.c_str(), protocol)) {
      port = ntohs(static_cast<uint16_t>(found->s_port));
      return true;
    }
  return false;
}

tl::expected<std::string, std::string> read_hex(const std::string& text) {
  std::string bytes;
  if (text.empty() || text.size() % 2 != 0) return tl::unexpected(fmt::format("'{}' is not an even number of hex digits", text));
  for (size_t i = 0; i < text.size(); i += 2) {
    uint8_t byte = 0;
    const auto [at, error] = std::from_chars(text.data() + i, text.data() + i + 2, byte, 16);
    if (error != std::errc() || at != text.data() + i + 2) return tl::unexpected(fmt::format("'{}' is not made of hex digits", text));
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

}  // namespace

tl::expected<Constant, std::string> read_constant(Class cls, Type type, Op op, const std::string& text) {
  Constant out;
  out.text = text;
  const bool by_hex = op == Op::kBcontains || op == Op::kBstartswith;
  if (by_hex) {
    auto bytes = read_hex(text);
    if (!bytes) return tl::unexpected(bytes.error() + fmt::format("; {} takes hex digits, two for each byte", lang::name_of(op)));
    out.text = *bytes;
    return out;
  }
  switch (cls) {
    case Class::kText:
      if (text.find('\0') != std::string::npos) return tl::unexpected(std::string("a text can't hold a NUL byte"));
      return out;
    case Class::kBytes: return out;
    case Class::kInt:
    case Class::kUint:
      if (!read_number(text, out)) {
        if (!text.empty() && text.find_first_not_of("0123456789") == std::string::npos)
          return tl::unexpected(fmt::format("'{}' is larger than any number of 64 bits", text));
        if (type != Type::kPort) return tl::unexpected(fmt::format("'{}' is not a whole number in decimal digits", text));
        if (!read_service(text, out.number)) return tl::unexpected(fmt::format("'{}' is neither a port's number nor the name of a service", text));
        return out;
      }
      // A negative number wraps within the type, as -1 for "unset"; one that is too large equals nothing.
      if (cls == Class::kUint && text.starts_with('-')) out.number &= mask_of(type);
      return out;
    case Class::kDouble:
      if (!read_real(text, out.real)) return tl::unexpected(fmt::format("'{}' is not a number", text));
      return out;
    case Class::kBool:
      if (text != "true" && text != "false") return tl::unexpected(fmt::format("'{}' is neither true nor false", text));
      out.number = text == "true";
      return out;
    case Class::kIp:
      if (!read_ip(text, out.ip)) return tl::unexpected(fmt::format("'{}' is no IP address", text));
      return out;
    case Class::kNet:
      if (auto read = read_net(text, out.net); !read) return tl::unexpected(read.error());
      return out;
    case Class::kAny:
      out.is_number = read_number(text, out);
      return out;
  }
  return out;
}

Class class_of_parameters(std::string_view name) {
  bool any = false;
  Class cls = Class::kAny;
  for (unsigned code = 0; code < event::kCodeCount; ++code) {
    const auto& info = event::info_of(code);
    for (unsigned i = 0; i < info.nparams; ++i) {
      if (info.params[i].current.name() != name) continue;
      const Class one = class_of(info.params[i].current.type());
      if (any && one != cls) return Class::kAny;
      any = true;
      cls = one;
    }
  }
  return cls;
}

}  // namespace scry::filter
