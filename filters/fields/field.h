// SPDX-License-Identifier: Apache-2.0
// The field catalogue: what can be asked of an event. One row for each field: name, type, a short function, a sentence
// of ours. The rows stand in one file for each class (evt.cpp, proc.cpp, fd.cpp…); adding a field is adding a row there.
// Filters, output formats, listings, the man page and completion all come from these rows.
#pragma once

#include <absl/container/inlined_vector.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "capture/base/out.h"
#include "capture/base/result.h"
#include "capture/pipeline.h"
#include "filters/fields/render.h"

namespace scry::fields {

using event::Format;
using event::Type;

/// What a field is for one event. Absent is not zero: the capture can't answer.
class Value {
 public:
  enum class Kind : uint8_t {
    kAbsent,
    kText,
    kBytes,   ///< as_text() is the bytes
    kInt,
    kUint,
    kDouble,
    kBool,
    kIp,      ///< as_text() is 4 or 16 bytes in network order
  };
  static Value absent() { return {}; }
  static Value text(std::string_view v) { return Value(Kind::kText, 0, v); }
  /// A text of the state: checks on it can be remembered by its identity.
  static Value text(const Text& v) {
    Value value(Kind::kText, 0, v.view());
    value.shared_ = &v;
    return value;
  }
  /// Text that was put together here and is safe to print as it is, line ends and all.
  static Value made(std::string_view v) {
    Value value(Kind::kText, 0, v);
    value.safe_ = true;
    return value;
  }
  static Value bytes(std::string_view v) { return Value(Kind::kBytes, 0, v); }
  static Value ip(const uint8_t* address, bool v6) {
    return Value(Kind::kIp, 0, {reinterpret_cast<const char*>(address), v6 ? 16u : 4u});
  }
  static Value integer(int64_t v) { return Value(Kind::kInt, static_cast<uint64_t>(v), {}); }
  static Value number(uint64_t v) { return Value(Kind::kUint, v, {}); }
  static Value real(double v) { return Value(Kind::kDouble, __builtin_bit_cast(uint64_t, v), {}); }
  static Value boolean(bool v) { return Value(Kind::kBool, v, {}); }

  Value() = default;
  Kind kind() const { return kind_; }
  bool present() const { return kind_ != Kind::kAbsent; }
  std::string_view as_text() const { return text_; }
  bool is_safe() const { return safe_; }
  int64_t as_int() const { return static_cast<int64_t>(number_); }
  uint64_t as_uint() const { return number_; }
  double as_double() const { return __builtin_bit_cast(double, number_); }
  /// Null unless the value is a text of the state.
  const Text* shared() const { return shared_; }

 private:
  Value(Kind kind, uint64_t number, std::string_view text) : kind_(kind), number_(number), text_(text) {}
  Kind kind_ = Kind::kAbsent;
  bool safe_ = false;
  uint64_t number_ = 0;
  std::string_view text_;  ///< into the event, the machine, or Ask::scratch
  const Text* shared_ = nullptr;
};

/// Several at once, of fields that stand for a set: both ends of a connection, all ancestors, lists.
using Values = absl::InlinedVector<Value, 4>;

struct FieldRef;

/// The fd that the event works on (evt.fd): its number, and what it is if that is known.
struct EventFd {
  bool any = false;
  FdNumber number = -1;
  const state::Fd* fd = nullptr;
};

/// One question. Values stay valid until the event or the machine moves on, or `scratch` is written to again.
struct Ask {
  const Moment& moment;
  const state::Machine& machine;
  Renderer& renderer;
  const FieldRef& ref;       ///< the field with its argument
  Out& scratch;              ///< takes texts that have to be made
  Nanos previous_ts = 0;     ///< of the event before: in a filter of the one delivered, in a format of the one printed; 0: none
  uint64_t count = 1;        ///< how many events were asked about so far, with this one

  std::optional<EventFd>* fd = nullptr;  ///< where fd_of() keeps its answer for the event; null: nowhere

  bool classic() const { return renderer.options().dialect == Dialect::kClassic; }
};

using Extract = Value (*)(const Ask&);
/// Appends the values of a field that stands for a set. Texts made in the scratch move when it grows: put them all
/// there before taking views.
using ExtractMany = void (*)(const Ask&, Values&);
/// Checks the argument of a field and prepares it. The error's text says what is wrong with it.
using Bind = Result<void> (*)(FieldRef&);

enum class Argument : uint8_t {
  kNone,
  kNumber,          ///< needed: name[3] or name.3
  kOptionalNumber,
  kText,            ///< needed: name[text], or name.text
  kOptionalText,
};

/// Bits of Traits::flags, from spec/fields.tsv.
enum : uint16_t {
  kFilterOnly = 1,      ///< stands for a set or a test: can't be printed
  kPrintOnly = 2,
  kTableOnly = 4,       ///< for views; not in the plain list
  kNoRightSide = 8,     ///< can't stand on the right of a comparison
  kNoTransformer = 16,
  kList = 32,           ///< the value is a list
  kDeprecated = 64,
  kDead = 128,          ///< of a system that is gone: always absent
  kNotEqualAll = 256,   ///< != holds when all of `many` differ; without it, when any does
  kNotCurrent = 512,    ///< sysdig had it and current Falco has not
};

/// What it takes to answer; filters ask for cheap ones first.
enum class Cost : uint8_t { kHeader, kThread, kFd, kWalk, kText };

struct Traits {
  Argument argument = Argument::kNone;
  uint16_t flags = 0;
  Format format = Format::kDec;
  ExtractMany many = nullptr;  ///< what filters compare with, where that is not one value
  Bind bind = nullptr;
  Cost cost = Cost::kThread;
};

struct Field {
  std::string_view name;
  Type type;  ///< that of current libraries; of fields that only sysdig had, sysdig's
  Extract extract;
  std::string_view doc;
  Traits traits = {};

  bool has(uint16_t flag) const { return (traits.flags & flag) != 0; }
};

std::span<const Field> evt_fields();
std::span<const Field> proc_fields();
std::span<const Field> fd_fields();
std::span<const Field> user_fields();
std::span<const Field> group_fields();
std::span<const Field> container_fields();
std::span<const Field> k8s_fields();
std::span<const Field> mesos_fields();
std::span<const Field> span_fields();
std::span<const Field> evtin_fields();

/// The fields of one listing class, in the order in which they are listed.
struct FieldClass {
  std::string_view name, doc;
  std::span<const Field> rows;
};
std::span<const FieldClass> field_classes();

/// What a field's Bind prepared.
struct Bound {
  virtual ~Bound() = default;
};

/// A field with its argument, as it stands in a format or a filter.
struct FieldRef {
  const Field* field = nullptr;
  std::string text;      ///< as written, the key in JSON
  bool has_argument = false;
  std::string argument;  ///< what stands in brackets or after the last dot of the name
  uint64_t number = 0;   ///< the argument as a number, where it is one
  std::shared_ptr<const Bound> bound;
};

/// "CHARBUF", "INT64"…, as Falco's messages name types.
std::string_view type_name(Type type);

/// The row of exactly that name; null when there is none.
const Field* find_row(std::string_view name);
/// The row whose name comes closest to `name`; null when none is near.
const Field* nearest_row(std::string_view name);
/// `name` as a filter writes it ("evt.arg.fd", "proc.aname"), with what stood in brackets behind it.
Result<FieldRef> bind_field(std::string_view name, const std::optional<std::string>& bracket);
/// The longest field name that `text` begins with, and how much of `text` it takes (with its argument): for formats.
Result<FieldRef> find_field(std::string_view text, size_t& used);

/// Found out once, where the asker keeps it (Ask::fd).
EventFd fd_of(const Ask& ask);

/// The value as text, as `-p` prints it.
void put_value(Out& out, const Field& field, const Value& value);

}  // namespace scry::fields
