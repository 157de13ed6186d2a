// SPDX-License-Identifier: Apache-2.0
// Shared immutable strings of the machine's state. A path dies with its last owner; names that recur (commands,
// executables, users) come out of a TextPool and are then equal exactly when their addresses are.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

namespace scry {

class Text {
 public:
  Text() = default;
  explicit Text(std::string_view text) : body_(text.empty() ? nullptr : make(text)) {}
  Text(const Text& other) : body_(other.body_) {
    if (body_) ++body_->refs;
  }
  Text(Text&& other) noexcept : body_(std::exchange(other.body_, nullptr)) {}
  Text& operator=(Text other) noexcept {
    std::swap(body_, other.body_);
    return *this;
  }
  ~Text() {
    if (body_ && --body_->refs == 0) ::operator delete(body_);
  }

  std::string_view view() const { return body_ ? std::string_view(body_->bytes(), body_->size) : std::string_view(); }
  operator std::string_view() const { return view(); }
  size_t size() const { return body_ ? body_->size : 0; }
  bool empty() const { return body_ == nullptr; }
  bool operator==(std::string_view other) const { return view() == other; }

  /// True if printing needs no care: nothing but printable ASCII. Found out once.
  bool plain() const {
    if (!body_) return true;
    if (body_->plain == kUnknown) body_->plain = is_plain(view()) ? kPlain : kOdd;
    return body_->plain == kPlain;
  }
  /// Held by nobody but the caller.
  bool unique() const { return !body_ || body_->refs == 1; }
  /// Identity: equal for texts of one pool exactly when the contents are.
  const void* id() const { return body_; }

  static bool is_plain(std::string_view text);

 private:
  enum : uint8_t { kUnknown, kPlain, kOdd };
  struct Body {
    uint32_t refs;
    uint32_t size;
    uint8_t plain;
    char* bytes() { return reinterpret_cast<char*>(this + 1); }
  };
  static Body* make(std::string_view text) {
    auto* body = static_cast<Body*>(::operator new(sizeof(Body) + text.size()));
    body->refs = 1;
    body->size = static_cast<uint32_t>(text.size());
    body->plain = kUnknown;
    std::memcpy(body->bytes(), text.data(), text.size());
    return body;
  }
  Body* body_ = nullptr;
};

/// Gives equal strings one Text. Strings that nobody else holds are let go when the pool would have to grow, so the
/// pool stays within twice what is alive.
class TextPool {
 public:
  Text intern(std::string_view text);
  size_t size() const { return texts_.size(); }

 private:
  void sweep();
  absl::flat_hash_map<std::string_view, Text> texts_;
  size_t limit_ = 1024;
};

}  // namespace scry
