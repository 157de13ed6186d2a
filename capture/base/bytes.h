// SPDX-License-Identifier: Apache-2.0
// Little-endian loads and a bounds-checked reader. Captures are little-endian (scap-format.md §1) and so is every
// machine that scry is built for.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace scry {

static_assert(std::endian::native == std::endian::little);

/// Unaligned load; the caller has checked the bounds.
template <class T>
inline T load(const uint8_t* at) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

/// Reads fields one after the other. Past the end every read gives zero or empty and `ok()` turns false for good,
/// so that a decoder may check once at the end of an entry.
class ByteReader {
 public:
  ByteReader(const uint8_t* data, size_t size) : at_(data), end_(data + size) {}

  template <class T>
  T get() {
    if (left() < sizeof(T)) {
      at_ = end_;
      ok_ = false;
      return T{};
    }
    T value = load<T>(at_);
    at_ += sizeof(T);
    return value;
  }

  std::string_view bytes(size_t count) {
    if (left() < count) {
      at_ = end_;
      ok_ = false;
      return {};
    }
    std::string_view view(reinterpret_cast<const char*>(at_), count);
    at_ += count;
    return view;
  }

  /// `u16 length` and that many bytes.
  std::string_view str16() { return bytes(get<uint16_t>()); }

  void skip(size_t count) { bytes(count); }
  size_t left() const { return static_cast<size_t>(end_ - at_); }
  const uint8_t* position() const { return at_; }
  bool ok() const { return ok_; }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
  bool ok_ = true;
};

}  // namespace scry
