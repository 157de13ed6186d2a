// SPDX-License-Identifier: Apache-2.0
// Output formats: `-p '%evt.num %proc.name'`, as text lines or as JSON objects.
#pragma once

#include <string>
#include <vector>

#include "filters/fields/field.h"
#include "filters/fields/transform.h"

namespace scry::fields {

class Formatter {
 public:
  enum class Style : uint8_t {
    kText,
    kJson,
    kWholeJson,  ///< as current Falco: no line is dropped, and fields that only filters can ask for are null
  };
  /// A leading '*' keeps lines in which a field is absent. JSON has a key for each field, in the order of the alphabet.
  static Result<Formatter> parse(std::string_view format, Style style);

  /// Appends one line. False, and nothing appended, when a field is absent and that drops the line.
  bool print(Out& out, const Moment& moment, const state::Machine& machine, Renderer& renderer);
  /// Whether the format itself writes escape sequences (colours).
  bool has_escapes() const;
  /// An event that is not to be printed, but from which the time to the next one counts.
  void pass_over(const Moment& moment) {
    previous_ts_ = moment.event.raw().ts;
    ++count_;
  }

 private:
  struct Part {
    std::string literal;  ///< text that comes before the field; in JSON its key with what stands around it
    FieldRef field;       ///< without one, the part is only text
    std::vector<Transformer> transformers;  ///< the innermost first
    uint32_t width = 0;   ///< 0: as long as it is; else padded or cut
    Type type = Type::kNone;
    Format format = Format::kDec;
    bool is_raw_time = false;  ///< a time as text, which is a number in JSON
  };
  struct Source;
  class Parser;
  Value value_of(const Part& part, const Source& source);
  Value members_of(const Part& part, const Ask& ask);
  void put_text(Out& out, const Part& part, const Value& value, Renderer& renderer);
  void put_json(Out& out, const Part& part, const Value& value, Renderer& renderer);

  std::vector<Part> parts_;
  Style style_ = Style::kText;
  bool keep_absent_ = false;
  Nanos previous_ts_ = 0;  ///< of the line before
  uint64_t count_ = 0;     ///< events asked about
  std::shared_ptr<Out> scratch_ = std::make_shared<Out>();
};

/// A value as text, numbers as `format` says.
void put_value(Out& out, Type type, Format format, const Value& value);
/// `text` as a JSON string with its quotes; bytes that are not UTF-8 and control characters become visible.
void put_json_string(Out& out, std::string_view text);

}  // namespace scry::fields
