// SPDX-License-Identifier: Apache-2.0
#include "filters/fields/render.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <charconv>
#include <cstdio>
#include <ctime>

#include "capture/event/socket_value.h"

namespace scry::fields {

using event::Event;
using event::Format;
using event::Param;
using event::ParamStyle;
using event::Type;
using state::Fd;
using state::Machine;

struct Renderer::Context {
  const Moment& moment;
  const Machine& machine;
  bool classic;
};

namespace {

constexpr size_t kShownBytes = 80;  ///< of a buffer, unless -v
constexpr int64_t kAtFdcwd = -100;

void put_number(Out& out, Param p, Format format, bool is_signed) {
  const uint64_t bits = [&]() -> uint64_t {
    switch (p.size) {
      case 1: return p.data[0];
      case 2: return load<uint16_t>(p.data);
      case 4: return load<uint32_t>(p.data);
      default: return load<uint64_t>(p.data);
    }
  }();
  switch (format) {
    case Format::kHex: out.put_hex(bits); break;
    case Format::kOct:
      out.put('0');
      if (bits) out.put_octal(bits);
      break;
    case Format::kPaddedDec: out.put_padded(bits, 9); break;
    default:
      // 32 and 64 bits are written signed whatever the type says; 8 and 16 bits by their type.
      if (p.size == 8 || p.size == 4) out.put_i64(p.integer());
      else if (is_signed) out.put_i64(p.integer());
      else out.put_u64(bits);
  }
}

void put_errno(Out& out, int64_t value) {
  out.put_i64(value);
  if (value >= 0) return;
  if (auto name = event::errno_name(value == INT64_MIN ? 0 : -value); !name.empty()) {
    out.put('(');
    out.put(name);
    out.put(')');
  }
}

void put_ip(Out& out, const uint8_t* ip, bool v6) {
  if (!v6) {
    for (int i = 0; i < 4; ++i) {
      if (i) out.put('.');
      out.put_u64(ip[i]);
    }
    return;
  }
  std::string text;
  state::append_ip(text, ip, true);
  out.put(text);
}

void put_port(Out& out, uint16_t port) {
  out.put(':');
  out.put_u64(port);
}

char protocol_char(const Fd& fd) {
  if (!state::is_ip(fd.kind)) return 0;
  if (fd.role == state::Role::kNone && fd.l4 != state::L4::kRaw) return 0;
  switch (fd.l4) {
    case state::L4::kTcp: return 't';
    case state::L4::kUdp: return 'u';
    case state::L4::kIcmp: return 'i';
    case state::L4::kRaw: return 'r';
    default: return 0;
  }
}

void put_bracketed(Out& out, std::string_view text) {
  out.put('(');
  out.put(text);
  out.put(')');
}

template <class Entry>
void put_id(Out& out, uint32_t id, const Entry* entry) {
  if (id == state::kNoId) return out.put("-1(<NONE>)");
  out.put_i64(static_cast<int32_t>(id));
  out.put('(');
  if (entry) out.put_visible(std::string_view(entry->name));
  else out.put("<NA>");
  out.put(')');
}

void put_time(Out& out, uint64_t nanos) {
  constexpr uint64_t kSecond = 1'000'000'000;
  const auto seconds = static_cast<time_t>(nanos / kSecond);
  struct tm parts = {};
  localtime_r(&seconds, &parts);
  char text[64];
  out.put(std::string_view(text, strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S.", &parts)));
  out.put_padded(nanos % kSecond, 9);
}

void put_fdlist(Out& out, Param p, const Moment& moment, const Machine& machine) {
  if (p.size < 2) return;
  const unsigned count = load<uint16_t>(p.data);
  for (unsigned i = 0; i < count && 2 + 10 * (i + 1) <= p.size; ++i) {
    const uint8_t* item = p.data + 2 + 10 * i;
    const auto number = load<int64_t>(item);
    if (i) out.put(' ');
    out.put_u64(static_cast<uint64_t>(number));
    out.put(':');
    const Fd* fd = moment.thread ? machine.fd(*moment.thread, number) : nullptr;
    out.put(fd ? state::type_char(fd->kind) : '?');
    out.put_hex(static_cast<uint32_t>(static_cast<int32_t>(load<int16_t>(item + 8))), "0123456789abcdef");
  }
}

void put_sigset(Out& out, uint32_t set) {
  bool first = true;
  for (unsigned bit = 0; bit < 32; ++bit) {
    if (!(set >> bit & 1)) continue;
    const auto name = event::signal_name(bit + 1);
    if (name.empty()) continue;
    if (!first) out.put(' ');
    first = false;
    out.put(name);
  }
}

void put_dots(Out& out, std::string_view bytes) {
  char* to = out.room(bytes.size());
  for (const char c : bytes) *to++ = static_cast<unsigned char>(c) - 0x20u < 0x5fu ? c : '.';
  out.done(to);
}

/// Rows of 16 bytes: offset, groups of two bytes in hex, and with `ascii` the printable characters.
void put_hex_rows(Out& out, std::string_view bytes, bool ascii) {
  constexpr size_t kRow = 16;
  constexpr char kDigits[] = "0123456789abcdef";
  for (size_t at = 0; at < bytes.size(); at += kRow) {
    const auto row = bytes.substr(at, kRow);
    out.put("\n\t0x");
    for (int shift = at > 0xffff ? 28 : 12; shift >= 0; shift -= 4) out.put(kDigits[at >> shift & 15]);
    out.put(": ");
    const size_t start = out.size();
    for (size_t i = 0; i < row.size(); ++i) {
      const auto byte = static_cast<unsigned char>(row[i]);
      if (i > 0 && i % 2 == 0) out.put(' ');
      out.put(kDigits[byte >> 4]);
      out.put(kDigits[byte & 15]);
    }
    if (!ascii) continue;
    const size_t width = row.size() % 2 == 0 ? 41 : 39;
    while (out.size() - start < width) out.put(' ');
    put_dots(out, row);
  }
  if (!bytes.empty()) out.put('\n');
}

/// Printable bytes and line ends, nothing else.
void put_ascii(Out& out, std::string_view bytes) {
  if (bytes.empty()) return;
  out.put('\n');
  for (size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (c == '\r') out.put('\n');
    else if (c == '\n') {
      if (i > 0 && bytes[i - 1] != '\r') out.put('\n');
    } else if (static_cast<unsigned char>(c) - 0x20u < 0x5fu) {
      out.put(c);
    }
  }
}

void put_base64(Out& out, std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t at = 0; at < bytes.size(); at += 3) {
    uint32_t word = 0;
    const size_t count = std::min<size_t>(3, bytes.size() - at);
    for (size_t i = 0; i < 3; ++i) word = word << 8 | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0u);
    for (size_t i = 0; i < 4; ++i) out.put(i <= count ? kDigits[word >> (18 - 6 * i) & 63] : '=');
  }
}

}  // namespace

void put_seconds(Out& out, uint64_t nanos) {
  if (nanos == 0) return out.put('0');
  char text[32];
  const int size = std::snprintf(text, sizeof text, "%lg", static_cast<double>(nanos) / 1e9);
  out.put(std::string_view(text, static_cast<size_t>(size)));
}

void put_fd_name(Out& out, const Fd& fd, bool classic) {
  char* to = out.room(8);
  *to++ = '<';
  *to++ = state::type_char(fd.kind);
  if (const char protocol = protocol_char(fd)) *to++ = protocol;
  *to++ = '>';
  out.done(to);
  out.put_visible(classic ? fd.classic_name() : fd.name);
}

void put_fd(Out& out, int64_t number, const state::Thread* thread, const Machine& machine, bool classic) {
  if (number < 0) {
    if (number == kAtFdcwd) return out.put("-100(AT_FDCWD)");
    return put_errno(out, number);
  }
  char* to = Out::write_u64(out.room(32), static_cast<uint64_t>(number));
  const Fd* fd = thread ? machine.fd(*thread, number) : nullptr;
  if (!fd) return out.done(to);
  *to++ = '(';
  out.done(to);
  put_fd_name(out, *fd, classic);
  out.put(')');
}

void put_socket_address(Out& out, Param p, bool classic) {
  if (!p.present()) return out.put(classic ? "NULL" : "<NA>");
  const auto address = event::socket_address(p);
  switch (p.data[0]) {
    case 2:
      if (p.size != 7) return out.put("INVALID IPv4");
      put_ip(out, address.ip, false);
      return put_port(out, address.port);
    case 10:
      if (p.size != 19) return out.put("INVALID IPv6");
      put_ip(out, address.ip, true);
      return put_port(out, address.port);
    case 1: return out.put_visible(address.path);
    default:
      out.put("family ");
      out.put_i64(static_cast<int8_t>(p.data[0]));
  }
}

void put_socket_tuple(Out& out, Param p) {
  if (!p.present()) return out.put("NULL");
  const auto tuple = event::socket_tuple(p);
  switch (p.data[0]) {
    case 2: case 10: {
      bool v6 = p.data[0] == 10;
      if (p.size != (v6 ? 37u : 13u)) return out.put(v6 ? "INVALID IPv6" : "INVALID IPv4");
      const uint8_t *source = tuple.source, *dest = tuple.dest;
      if (v6 && state::may_be_v4(source) && state::may_be_v4(dest)) {
        v6 = false;
        source += 12;
        dest += 12;
      }
      put_ip(out, source, v6);
      put_port(out, tuple.sport);
      out.put("->");
      put_ip(out, dest, v6);
      return put_port(out, tuple.dport);
    }
    case 1:
      if (!tuple.valid()) return out.put("INVALID UNIX");
      out.put_hex(tuple.unix_source, "0123456789abcdef");
      out.put("->");
      out.put_hex(tuple.unix_dest, "0123456789abcdef");
      out.put(' ');
      return out.put_visible(tuple.path);
    default:
      out.put("family ");
      out.put_i64(static_cast<int8_t>(p.data[0]));
  }
}

Renderer::Renderer(RenderOptions options) : options_(options), flag_texts_(new FlagText[kFlagTexts]) {}
Renderer::~Renderer() = default;

const std::string& Renderer::service(uint16_t port, bool udp) {
  // The system's list is a file that is read anew for each question.
  auto& name = services_[port | (udp ? 1u << 16 : 0u)];
  if (!name) {
    const servent* entry = getservbyport(htons(port), udp ? "udp" : "tcp");
    name = std::make_unique<std::string>(entry ? entry->s_name : "");
  }
  return *name;
}

/// Flags: rows in table order; one equal to the whole value ends the walk, others take their bits out of what is left.
/// Enums (`exact`): every row of just that value.
const std::string& Renderer::flag_names(const ParamStyle& style, uint32_t value, bool classic, bool exact) {
  const uint8_t kind = static_cast<uint8_t>((classic ? 1 : 0) | (exact ? 2 : 0));
  FlagText& slot = flag_texts_[(value * 2654435761u >> 16 ^ static_cast<uint32_t>(style.values) * 31u ^ kind) % kFlagTexts];
  if (slot.table != style.values || slot.value != value || slot.kind != kind) {
    slot.table = style.values;
    slot.value = value;
    slot.kind = kind;
    slot.text.clear();
    uint32_t left = value;
    auto add = [&](const event::ValueName& row) {
      slot.text += slot.text.empty() ? '(' : '|';
      slot.text += row.text();
    };
    for (const auto& row : event::value_tables[style.values].rows()) {
      if (classic && !row.classic) continue;
      if (row.value == value) {
        add(row);
        if (!exact) break;
      } else if (!exact && row.value != 0 && (row.value & left) == row.value) {
        add(row);
        left &= ~row.value;
      }
    }
    if (!slot.text.empty()) slot.text += ')';
  }
  return slot.text;
}

void Renderer::flags(Out& out, const ParamStyle& style, uint32_t value, bool classic, bool exact) {
  if (style.format() == Format::kOct) {
    out.put('0');
    if (value) out.put_octal(value);
  } else {
    out.put_u64(value);
  }
  if (style.values >= 0) out.put(flag_names(style, value, classic, exact));
}

void Renderer::bytes(Out& out, std::string_view bytes) {
  switch (options_.buffers) {
    case Buffers::kHex: return put_hex_rows(out, bytes, false);
    case Buffers::kHexAscii: return put_hex_rows(out, bytes, true);
    case Buffers::kAscii: return put_ascii(out, bytes);
    case Buffers::kBase64: return put_base64(out, bytes);
    case Buffers::kDots: break;
  }
  if (options_.whole_values || bytes.size() <= kShownBytes) return put_dots(out, bytes);
  put_dots(out, bytes.substr(0, kShownBytes - 3));
  out.put("...");
}

/// Where a relative path leads; empty for an absolute one, and when nobody knows.
std::string Renderer::whole_path(const ParamStyle& style, std::string_view text, const Context& c) {
  if (text == "<NA>" || (!text.empty() && text[0] == '/')) return {};
  if (text.empty() && !c.classic) return {};
  std::string base;
  const state::Thread* thread = c.moment.thread;
  if (style.dirfd >= 0) {
    const Event& e = c.moment.event;
    const auto dirfd = (c.classic ? e.param(static_cast<unsigned>(style.dirfd)) : e.current(static_cast<unsigned>(style.dirfd))).integer(-1);
    if (dirfd == kAtFdcwd) {
      if (thread) base = c.machine.cwd(*thread);
    } else if (const Fd* directory = thread ? c.machine.fd(*thread, dirfd) : nullptr) {
      base = directory->name.view();
      if (!base.empty()) base += '/';
    }
  } else if (thread) {
    base = c.machine.cwd(*thread);
  }
  return state::concat_path(base, text);
}

void Renderer::path(Out& out, const ParamStyle& style, Param p, const Context& c) {
  if (!p.present()) return out.put("<NA>");
  const auto text = p.text();
  out.put_visible(text);
  // A relative path is followed by where it leads.
  const std::string whole = whole_path(style, text, c);
  if (whole.empty()) return;
  out.put('(');
  out.put_visible(std::string_view(whole));
  out.put(')');
}

namespace {

/// Of the fd that the event works on.
state::L4 socket_protocol(const Moment& moment, const Machine& machine) {
  const Event& e = moment.event;
  int64_t number = moment.made_fd;
  if (number < 0) {
    const auto& info = e.current_info();
    number = info.has(event::kUsesFd) && info.fd_param >= 0 ? e.current(static_cast<unsigned>(info.fd_param)).integer(-1) : -1;
  }
  const Fd* fd = moment.thread && number >= 0 ? machine.fd(*moment.thread, number) : nullptr;
  return fd ? fd->l4 : state::L4::kUnknown;
}

}  // namespace

void Renderer::name_ports(Out& out, size_t start, state::L4 protocol) {
  const bool udp = protocol == state::L4::kUdp;
  if (!udp && protocol != state::L4::kTcp) return;
  const std::string text(out.view().substr(start));
  out.shrink(start);
  for (size_t at = 0; at < text.size();) {
    // A port is digits behind a colon, at the end of an address.
    size_t end = at + 1;
    while (text[at] == ':' && end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    const bool closed = end == text.size() || text[end] == ')' || text[end] == '-';
    unsigned port = 0;
    const auto [stop, error] = std::from_chars(text.data() + at + 1, text.data() + end, port);
    const bool is_port = text[at] == ':' && end > at + 1 && closed && error == std::errc() && stop == text.data() + end && port < 65536;
    if (const std::string* name = is_port ? &service(static_cast<uint16_t>(port), udp) : nullptr; name && !name->empty()) {
      out.put(':');
      out.put_visible(std::string_view(*name));
    } else {
      out.put(std::string_view(text).substr(at, end - at));
    }
    at = end;
  }
}

void Renderer::value(Out& out, const ParamStyle& style, Param p, const Moment& moment, const Machine& machine,
                     bool classic) {
  const Type type = style.type();
  const size_t start = out.size();
  // An absent number or flag can't be shown as one.
  if (!p.present() && event::type_sizes[static_cast<size_t>(type)] != 0) {
    if (!classic) out.put("<NA>");
    return;
  }
  switch (type) {
    case Type::kInt8: case Type::kInt16: case Type::kInt32: case Type::kInt64:
      return put_number(out, p, style.format(), true);
    case Type::kUint8: case Type::kUint16: case Type::kUint32: case Type::kUint64:
      return put_number(out, p, style.format(), false);
    case Type::kErrno:
      return put_errno(out, p.integer());
    case Type::kFd:
      put_fd(out, p.integer(), moment.thread, machine, classic);
      if (options_.service_names && moment.thread)
        if (const Fd* fd = machine.fd(*moment.thread, p.integer()); fd && state::is_ip(fd->kind)) name_ports(out, start, fd->l4);
      return;
    case Type::kPid: {
      const int64_t tid = p.integer();
      out.put_i64(tid);
      if (const auto* thread = machine.thread(tid); thread) {
        out.put('(');
        out.put_visible(thread->comm);
        out.put(')');
      }
      return;
    }
    case Type::kCharbuf:
      if (!classic && (!p.present() || p.bytes() == std::string_view("(NULL)\0", 7))) return out.put("<NA>");
      return out.put_visible(p.text());
    case Type::kBytebuf:
      if (!classic && p.bytes().empty()) return out.put("NULL");
      return bytes(out, p.bytes());
    case Type::kFspath: case Type::kFsrelpath: return path(out, style, p, {moment, machine, classic});
    case Type::kSockaddr: case Type::kSocktuple:
      if (type == Type::kSockaddr) put_socket_address(out, p, classic);
      else put_socket_tuple(out, p);
      if (options_.service_names && p.size > 0 && (p.data[0] == 2 || p.data[0] == 10)) name_ports(out, start, socket_protocol(moment, machine));
      return;
    case Type::kFdlist: return put_fdlist(out, p, moment, machine);
    case Type::kSyscallid: {
      const unsigned number = p.as<uint16_t>();
      out.put_u64(number);
      if (number < event::syscall_count) put_bracketed(out, event::syscall_names[number]);
      return;
    }
    case Type::kSigtype: {
      const unsigned number = p.data[0];
      out.put_u64(number);
      if (auto name = event::signal_name(number); !name.empty()) put_bracketed(out, name);
      return;
    }
    case Type::kReltime: {
      const auto nanos = p.as<uint64_t>();
      if (nanos == UINT64_MAX) return out.put("none");
      out.put_u64(nanos);
      out.put('(');
      put_seconds(out, nanos);
      return out.put("s)");
    }
    case Type::kAbstime: return put_time(out, p.as<uint64_t>());
    case Type::kFlags8: case Type::kEnumflags8: return flags(out, style, p.data[0], classic, type == Type::kEnumflags8);
    case Type::kFlags16: case Type::kEnumflags16:
      return flags(out, style, load<uint16_t>(p.data), classic, type == Type::kEnumflags16);
    case Type::kFlags32: case Type::kMode: case Type::kEnumflags32:
      return flags(out, style, load<uint32_t>(p.data), classic, type == Type::kEnumflags32);
    case Type::kUid: {
      const auto id = p.as<uint32_t>();
      return put_id(out, id, machine.user(moment.thread ? moment.thread->container_id.view() : std::string_view(), id));
    }
    case Type::kGid: {
      const auto id = p.as<uint32_t>();
      return put_id(out, id, machine.group(moment.thread ? moment.thread->container_id.view() : std::string_view(), id));
    }
    case Type::kSigset: return put_sigset(out, p.as<uint32_t>());
    case Type::kDyn: {
      if (style.dyn < 0 || !p.present() || p.data[0] >= event::dyn_tables[style.dyn].count)
        return out.put(p.present() || classic ? "INVALID DYNAMIC PARAMETER" : "NULL");
      const ParamStyle& chosen = event::dyn_tables[style.dyn].choices[p.data[0]];
      const Param inner{p.data + 1, p.size - 1};
      const auto want = event::type_sizes[chosen.type_id];
      if (want && inner.size != want) return out.put("INVALID DYNAMIC PARAMETER");
      return value(out, chosen, inner, moment, machine, classic);
    }
    case Type::kIpv4addr: put_ip(out, p.data, false); return;
    case Type::kIpv6addr: put_ip(out, p.data, true); return;
    case Type::kPort: case Type::kL4proto: case Type::kSockfamily: case Type::kBool: case Type::kFd32: case Type::kPid32:
      return put_number(out, p, Format::kDec, true);
    default:
      // Pointers and filter-only types mean nothing in a file.
      return out.put("(n.a.)");
  }
}

void Renderer::meaning(Out& out, const ParamStyle& style, Param p, const Moment& moment, const Machine& machine,
                       bool classic) {
  const Type type = style.type();
  const auto wire_size = event::type_sizes[static_cast<size_t>(type)];
  if (!p.present() || (wire_size && p.size != wire_size)) return value(out, style, p, moment, machine, classic);
  const auto container = moment.thread ? moment.thread->container_id.view() : std::string_view();
  auto put_owner = [&](uint32_t id, const auto* entry) {
    if (id == state::kNoId) return out.put("<NONE>");
    if (!entry) return out.put("<NA>");
    out.put_visible(std::string_view(entry->name));
  };
  auto put_flags = [&](uint32_t bits, bool exact) {
    const std::string_view names = style.values >= 0 ? std::string_view(flag_names(style, bits, classic, exact)) : "";
    if (names.empty()) return flags(out, style, bits, classic, exact);
    out.put(names.substr(1, names.size() - 2));
  };
  switch (type) {
    case Type::kErrno: {
      const int64_t number = p.integer();
      const auto name = number < 0 ? event::errno_name(number == INT64_MIN ? 0 : -number) : std::string_view();
      return name.empty() ? out.put_i64(number) : out.put(name);
    }
    case Type::kFd: {
      const int64_t number = p.integer();
      const Fd* fd = number >= 0 && moment.thread ? machine.fd(*moment.thread, number) : nullptr;
      if (fd) return put_fd_name(out, *fd, classic);
      const auto name = number == kAtFdcwd ? std::string_view("AT_FDCWD") : number < 0 ? event::errno_name(number == INT64_MIN ? 0 : -number) : std::string_view();
      return name.empty() ? out.put_i64(number) : out.put(name);
    }
    case Type::kPid:
      if (const auto* thread = machine.thread(p.integer()); thread && !thread->comm.empty()) return out.put_visible(thread->comm);
      break;
    case Type::kFspath: case Type::kFsrelpath:
      if (const std::string whole = whole_path(style, p.text(), {moment, machine, classic}); !whole.empty())
        return out.put_visible(std::string_view(whole));
      return out.put_visible(p.text());
    case Type::kSyscallid:
      if (const unsigned number = p.as<uint16_t>(); number < event::syscall_count)
        return out.put((classic ? event::classic_syscall_names : event::syscall_names)[number]);
      break;
    case Type::kSigtype:
      if (const auto name = event::signal_name(p.data[0]); !name.empty()) return out.put(name);
      break;
    case Type::kReltime:
      if (const auto nanos = p.as<uint64_t>(); nanos != UINT64_MAX) {
        put_seconds(out, nanos);
        return out.put('s');
      }
      break;
    case Type::kFlags8: case Type::kEnumflags8: return put_flags(p.data[0], type == Type::kEnumflags8);
    case Type::kFlags16: case Type::kEnumflags16: return put_flags(load<uint16_t>(p.data), type == Type::kEnumflags16);
    case Type::kFlags32: case Type::kMode: case Type::kEnumflags32:
      return put_flags(load<uint32_t>(p.data), type == Type::kEnumflags32);
    case Type::kUid: return put_owner(p.as<uint32_t>(), machine.user(container, p.as<uint32_t>()));
    case Type::kGid: return put_owner(p.as<uint32_t>(), machine.group(container, p.as<uint32_t>()));
    case Type::kDyn:
      if (style.dyn >= 0 && p.data[0] < event::dyn_tables[style.dyn].count) {
        const ParamStyle& chosen = event::dyn_tables[style.dyn].choices[p.data[0]];
        const auto want = event::type_sizes[chosen.type_id];
        if (!want || p.size - 1 == want) return meaning(out, chosen, {p.data + 1, p.size - 1}, moment, machine, classic);
      }
      break;
    default: break;
  }
  value(out, style, p, moment, machine, classic);
}

/// Which parameters sysdig 0.29.3 would have shown, as far as the file has them. Files since libs 0.20 carry in the
/// exit event what the enter event used to tell: there everything is shown, or the line would say nothing.
unsigned classic_count(const Event& e) {
  const auto& info = e.info();
  const unsigned have = e.raw().nparams;
  const unsigned table = have < info.nparams ? have : info.nparams;
  if (!info.in_classic) return table;
  if (table <= info.nparams_classic) return table;
  for (unsigned i = table; i > info.nparams_classic; --i) {
    const uint8_t folded = info.params[i - 1].folded;
    if (folded == 2 || (folded == 1 && !e.enter())) return table;
  }
  return info.nparams_classic;
}

namespace {

/// Decimal integers are most of what is printed: written straight, without going through value(). Null: not one.
char* write_plain_number(char* to, const ParamStyle& style, Param p) {
  if (style.format() == Format::kHex || style.format() == Format::kOct || style.format() == Format::kPaddedDec) return nullptr;
  switch (style.type()) {
    case Type::kUint64: case Type::kInt64:
      return p.size == 8 ? Out::write_i64(to, load<int64_t>(p.data)) : nullptr;
    case Type::kUint32: case Type::kInt32:
      return p.size == 4 ? Out::write_i64(to, load<int32_t>(p.data)) : nullptr;
    case Type::kErrno:
      if (p.size != 8 || load<int64_t>(p.data) < 0) return nullptr;
      return Out::write_u64(to, load<uint64_t>(p.data));
    default: return nullptr;
  }
}

}  // namespace

void Renderer::args(Out& out, const Moment& moment, const Machine& machine) {
  const Event& e = moment.event;
  if (options_.dialect == Dialect::kClassic) {
    const auto& info = e.info();
    if (e.raw().code == event::kGenericE || e.raw().code == event::kGenericX) return;  // the type says it all
    const unsigned count = classic_count(e);
    for (unsigned i = 0; i < count; ++i) {
      const auto& param = info.params[i];
      const bool classic = param.classic.type() != Type::kNone;
      const ParamStyle& style = classic ? param.classic : param.current;
      const Param p = e.param(i);
      char* to = out.room(64);
      to = Out::write_short(to, style.label, style.label_len);
      if (char* end = write_plain_number(to, style, p)) {
        *end = ' ';
        out.done(end + 1);
        continue;
      }
      out.done(to);
      value(out, style, p, moment, machine, classic);
      out.put(' ');
    }
    return;
  }
  const auto& info = e.current_info();
  if (e.current_code() == event::kGenericE || e.current_code() == event::kGenericX) return;
  const unsigned count = std::min<unsigned>(e.current_count(), info.nparams);
  for (unsigned i = 0; i < count; ++i) {
    const ParamStyle& style = info.params[i].current;
    if (i) out.put(' ');
    out.put(style.label_text());
    value(out, style, e.current(i), moment, machine, false);
  }
}

}  // namespace scry::fields
