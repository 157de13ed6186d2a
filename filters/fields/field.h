// SPDX-License-Identifier: Apache-2.0
// The field catalogue: what can be asked of an event. One row for each field: name, type, a sentence of ours, and a
// short function. The rows stand in evt.cpp, proc.cpp, fd.cpp and user.cpp; adding a field is adding a row there.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "capture/base/out.h"
#include "capture/base/result.h"
#include "filters/fields/render.h"

namespace scry::fields {

enum class FieldType : uint8_t { kText, kInt, kUint, kBool, kTime };

/// What a field is for one event. Absent is not zero: the capture can't answer.
class Value {
 public:
  enum class Kind : uint8_t { kAbsent, kText, kInt, kUint, kBool };
  static Value absent() { return {}; }
  static Value text(std::string_view v) { return Value(Kind::kText, 0, v); }
  /// Text that was put together here and is safe to print as it is, line ends and all.
  static Value made(std::string_view v) {
    Value value(Kind::kText, 0, v);
    value.safe_ = true;
    return value;
  }
  static Value integer(int64_t v) { return Value(Kind::kInt, static_cast<uint64_t>(v), {}); }
  static Value number(uint64_t v) { return Value(Kind::kUint, v, {}); }
  static Value boolean(bool v) { return Value(Kind::kBool, v, {}); }

  Value() = default;
  Kind kind() const { return kind_; }
  bool present() const { return kind_ != Kind::kAbsent; }
  std::string_view as_text() const { return text_; }
  bool is_safe() const { return safe_; }
  int64_t as_int() const { return static_cast<int64_t>(number_); }
  uint64_t as_uint() const { return number_; }

 private:
  Value(Kind kind, uint64_t number, std::string_view text) : kind_(kind), number_(number), text_(text) {}
  Kind kind_ = Kind::kAbsent;
  bool safe_ = false;
  uint64_t number_ = 0;
  std::string_view text_;  ///< into the event, the machine, or Ask::scratch
};

/// One question. `scratch` holds texts that have to be made; values stay valid until it is cleared.
struct Ask {
  const Moment& moment;
  const state::Machine& machine;
  Renderer& renderer;
  Out& scratch;
  std::string_view argument;  ///< what stands in brackets or after the last dot
  uint64_t number = 0;        ///< the argument as a number, where it is one
};

using Extract = Value (*)(const Ask&);

enum class Argument : uint8_t { kNone, kNumber, kOptionalNumber };

struct Field {
  std::string_view name;
  FieldType type;
  Argument argument;
  Extract extract;
  std::string_view doc;
};

std::span<const Field> evt_fields();
std::span<const Field> proc_fields();
std::span<const Field> fd_fields();
std::span<const Field> user_fields();

/// A field with its argument, as it stands in a format or a filter.
struct FieldRef {
  const Field* field = nullptr;
  std::string text;      ///< as written, the key in JSON
  std::string argument;
  uint64_t number = 0;
};

/// The longest field name that `text` begins with, and how much of `text` it takes (with a bracketed argument).
Result<FieldRef> find_field(std::string_view text, size_t& used);

/// The fd that the event works on (evt.fd): its number, and what it is if that is known.
struct EventFd {
  bool any = false;
  FdNumber number = -1;
  const state::Fd* fd = nullptr;
};
EventFd fd_of(const Ask& ask);

/// The value as text, as `-p` prints it.
void put_value(Out& out, const Field& field, const Value& value);

}  // namespace scry::fields
