// SPDX-License-Identifier: Apache-2.0
#include "capture/base/visible.h"

#include <cstdint>
#include <cstring>

namespace scry {

size_t plain_prefix(std::string_view text) {
  // Eight bytes at a time: a byte is plain if it is in 0x20..0x7e.
  constexpr uint64_t kOnes = 0x0101010101010101u, kHigh = 0x8080808080808080u;
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    uint64_t low = (word - kOnes * 0x20) & ~word;        // high bit set where byte < 0x20
    uint64_t del = (word ^ (kOnes * 0x7f)) - kOnes;      // high bit set where byte == 0x7f (given byte < 0x80)
    if ((word | low | del) & kHigh) break;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) - 0x20u < 0x5fu) ++at;
  return at;
}

int utf8_sequence(std::string_view text, uint32_t& code_point) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (text.empty()) return 0;
  unsigned lead = byte(0);
  if (lead < 0x80) {
    code_point = lead;
    return 1;
  }
  int length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < static_cast<size_t>(length)) return 0;
  uint32_t value = lead & (0xff >> (length + 1));
  for (int i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    value = value << 6 | (byte(i) & 0x3f);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kLeast[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return 0;
  code_point = value;
  return length;
}

bool is_unsafe(uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c <= 0x9f)          // C0, DEL, C1
         || (c >= 0x202a && c <= 0x202e)               // embeddings and overrides of text direction
         || (c >= 0x2066 && c <= 0x2069)               // isolates
         || c == 0x2028 || c == 0x2029 || c == 0x200e || c == 0x200f || c == 0x061c || c == 0xfeff;
}

namespace {
constexpr char kHex[] = "0123456789abcdef";

char* write_byte(char* out, unsigned char byte) {
  *out++ = '\\';
  switch (byte) {
    case '\n': *out++ = 'n'; return out;
    case '\t': *out++ = 't'; return out;
    case '\r': *out++ = 'r'; return out;
    default:
      *out++ = 'x';
      *out++ = kHex[byte >> 4];
      *out++ = kHex[byte & 15];
      return out;
  }
}
}  // namespace

char* write_visible(char* out, std::string_view text) {
  while (!text.empty()) {
    size_t plain = plain_prefix(text);
    std::memcpy(out, text.data(), plain);
    out += plain;
    text.remove_prefix(plain);
    if (text.empty()) break;
    uint32_t c = 0;
    int length = utf8_sequence(text, c);
    if (length > 0 && !is_unsafe(c)) {
      std::memcpy(out, text.data(), static_cast<size_t>(length));
      out += length;
    } else if (length <= 1) {
      out = write_byte(out, static_cast<unsigned char>(text[0]));
      length = 1;
    } else {  // an unsafe character beyond ASCII, whole: \u{202e} is 8 bytes for 3, \u{9b} 6 for 2
      *out++ = '\\';
      *out++ = 'u';
      *out++ = '{';
      for (int shift = c > 0xfff ? 12 : c > 0xff ? 8 : 4; shift >= 0; shift -= 4) *out++ = kHex[c >> shift & 15];
      *out++ = '}';
    }
    text.remove_prefix(static_cast<size_t>(length));
  }
  return out;
}

std::string visible(std::string_view text) {
  std::string out(text.size() * kMaxVisiblePerByte, '\0');
  out.resize(static_cast<size_t>(write_visible(out.data(), text) - out.data()));
  return out;
}

}  // namespace scry
