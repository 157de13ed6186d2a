// SPDX-License-Identifier: Apache-2.0
#include "capture/base/out.h"

#include <algorithm>

namespace scry {

namespace {
/// Two digits at `to`.
void pair_at(char* to, uint32_t value) { std::memcpy(to, &Out::digit_pairs[2 * value], 2); }
/// Four digits at `to`, for values below 10000.
void four_at(char* to, uint32_t value) {
  pair_at(to, value / 100);
  pair_at(to + 2, value % 100);
}
}  // namespace

constexpr char Out::digit_pairs[200] = {
#define ROW(t) t, '0', t, '1', t, '2', t, '3', t, '4', t, '5', t, '6', t, '7', t, '8', t, '9'
    ROW('0'), ROW('1'), ROW('2'), ROW('3'), ROW('4'), ROW('5'), ROW('6'), ROW('7'), ROW('8'), ROW('9')
#undef ROW
};

char* Out::write_padded(char* to, uint64_t value, int width) {
  for (int at = width; at >= 2; at -= 2) {
    pair_at(to + at - 2, static_cast<uint32_t>(value % 100));
    value /= 100;
  }
  if (width & 1) *to = static_cast<char>('0' + value % 10);
  return to + width;
}

char* Out::write_large(char* to, uint64_t value) {
  constexpr uint32_t kFour = 10000;
  constexpr uint64_t kEight = 100000000;
  if (value >= kEight) {
    to = write_u64(to, value / kEight);
    const auto low = static_cast<uint32_t>(value % kEight);
    four_at(to, low / kFour);
    four_at(to + 4, low % kFour);
    return to + 8;
  }
  const auto small = static_cast<uint32_t>(value);
  if (small >= kFour) {
    to = write_u64(to, small / kFour);
    four_at(to, small % kFour);
    return to + 4;
  }
  to = write_u64(to, small / 100);
  pair_at(to, small % 100);
  return to + 2;
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
