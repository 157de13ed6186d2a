// SPDX-License-Identifier: Apache-2.0
#include "capture/base/out.h"

#include <algorithm>
#include <array>

namespace scry {
namespace {

constexpr auto kPairs = [] {
  std::array<char, 200> pairs{};
  for (size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

int digits_of(uint64_t value) {
  int digits = 1;
  for (;;) {
    if (value < 10) return digits;
    if (value < 100) return digits + 1;
    if (value < 1000) return digits + 2;
    if (value < 10000) return digits + 3;
    value /= 10000;
    digits += 4;
  }
}

}  // namespace

char* Out::write_padded(char* to, uint64_t value, int width) {
  for (int at = width; at >= 2; at -= 2) {
    std::memcpy(to + at - 2, &kPairs[2 * (value % 100)], 2);
    value /= 100;
  }
  if (width & 1) *to = static_cast<char>('0' + value % 10);
  return to + width;
}

char* Out::write_u64(char* to, uint64_t value) {
  if (value < 10) {
    *to = static_cast<char>('0' + value);
    return to + 1;
  }
  return write_padded(to, value, digits_of(value));
}

void Out::put_hex(uint64_t value, const char* digits) {
  char* to = room(16);
  int shift = 60;
  while (shift > 0 && (value >> shift) == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) *to++ = digits[value >> shift & 15];
  at_ = to;
}

void Out::put_octal(uint64_t value) {
  char text[24];
  char* at = text + sizeof text;
  do *--at = static_cast<char>('0' + (value & 7));
  while (value >>= 3);
  put(std::string_view(at, static_cast<size_t>(text + sizeof text - at)));
}

void Out::grow(size_t size) {
  const size_t used = this->size(), capacity = std::max(2 * static_cast<size_t>(end_ - begin_), used + size);
  char* bigger = static_cast<char*>(::operator new(capacity));
  std::memcpy(bigger, begin_, used);
  ::operator delete(begin_);
  begin_ = bigger;
  at_ = bigger + used;
  end_ = bigger + capacity;
}

}  // namespace scry
