// SPDX-License-Identifier: Apache-2.0
// A growing piece of text, with the writers that the hot path of printing needs. Flushing is somebody else's matter:
// see cli/output.h.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "capture/base/text.h"
#include "capture/base/visible.h"

namespace scry {

class Out {
 public:
  explicit Out(size_t capacity = 1024)
      : begin_(static_cast<char*>(::operator new(capacity))), at_(begin_), end_(begin_ + capacity) {}
  ~Out() { ::operator delete(begin_); }
  Out(const Out&) = delete;
  Out& operator=(const Out&) = delete;

  /// Where to write, with room for `size` more bytes; tell done() how far it went.
  char* room(size_t size) {
    if (static_cast<size_t>(end_ - at_) < size) [[unlikely]] grow(size);
    return at_;
  }
  void done(char* at) { at_ = at; }

  void put(char c) {
    *room(1) = c;
    ++at_;
  }
  void put(std::string_view text) {
    if (text.empty()) return;  // may have no address at all
    char* to = room(text.size());
    std::memcpy(to, text.data(), text.size());
    at_ = to + text.size();
  }
  /// Text from a capture, made safe (visible.h).
  void put_visible(std::string_view text) {
    at_ = write_visible(room(text.size() * kMaxVisiblePerByte + 8), text);
  }
  void put_visible(const Text& text) {
    if (text.plain()) put(text.view());
    else put_visible(text.view());
  }
  void put_u64(uint64_t value) { at_ = write_u64(room(20), value); }
  void put_i64(int64_t value) {
    at_ = write_i64(room(21), value);
  }
  /// Upper-case unless `digits` says otherwise, no prefix, no padding.
  void put_hex(uint64_t value, const char* digits = "0123456789ABCDEF");
  void put_octal(uint64_t value);
  /// Exactly `width` digits.
  void put_padded(uint64_t value, int width) { at_ = write_padded(room(24), value, width); }

  std::string_view view() const { return {begin_, static_cast<size_t>(at_ - begin_)}; }
  size_t size() const { return static_cast<size_t>(at_ - begin_); }
  bool empty() const { return at_ == begin_; }
  void clear() { at_ = begin_; }
  /// Takes back what was written after `size`.
  void shrink(size_t size) { at_ = begin_ + size; }
  std::string str() const { return std::string(view()); }

  /// Needs room for 20 bytes.
  static char* write_u64(char* to, uint64_t value) {
    if (value < 100) {
      if (value < 10) {
        *to = static_cast<char>('0' + value);
        return to + 1;
      }
      std::memcpy(to, &digit_pairs[2 * value], 2);
      return to + 2;
    }
    return write_large(to, value);
  }
  static char* write_i64(char* to, int64_t value) {
    if (value >= 0) [[likely]] return write_u64(to, static_cast<uint64_t>(value));
    *to++ = '-';
    return write_u64(to, 0 - static_cast<uint64_t>(value));
  }
  static char* write_padded(char* to, uint64_t value, int width);
  /// Nine digits, for the part of a time after its dot.
  static char* write_nanos(char* to, uint32_t value) {
    const uint32_t high = value / 10000, low = value % 10000, top = high / 10000, middle = high % 10000;
    *to = static_cast<char>('0' + top);
    std::memcpy(to + 1, &digit_pairs[2 * (middle / 100)], 2);
    std::memcpy(to + 3, &digit_pairs[2 * (middle % 100)], 2);
    std::memcpy(to + 5, &digit_pairs[2 * (low / 100)], 2);
    std::memcpy(to + 7, &digit_pairs[2 * (low % 100)], 2);
    return to + 9;
  }
  /// Up to kShort bytes at once, whatever `size` is; both sides have room for kShort.
  static constexpr size_t kShort = 24;
  static char* write_short(char* to, const char* from, size_t size) {
    std::memcpy(to, from, kShort);
    return to + size;
  }
  static const char digit_pairs[200];  ///< "00" to "99"

 private:
  static char* write_large(char* to, uint64_t value);
  void grow(size_t size);
  char* begin_;
  char* at_;
  char* end_;
};

}  // namespace scry
