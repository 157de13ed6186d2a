// SPDX-License-Identifier: Apache-2.0
// Output formats: `-p '%evt.num %proc.name'`, as text lines or as JSON objects.
#pragma once

#include <string>
#include <vector>

#include "filters/fields/field.h"

namespace scry::fields {

class Formatter {
 public:
  enum class Style : uint8_t { kText, kJson };
  /// A leading '*' keeps lines in which a field is absent.
  static Result<Formatter> parse(std::string_view format, Style style);

  /// Appends one line. False, and nothing appended, when a field is absent and that drops the line.
  bool print(Out& out, const Moment& moment, const state::Machine& machine, Renderer& renderer);

 private:
  struct Part {
    std::string literal;
    FieldRef field;  ///< or, with a field, its value
    int width = 0;   ///< 0: as long as it is; else padded or cut
  };
  void print_json(Out& out, const Moment& moment, const state::Machine& machine, Renderer& renderer);
  std::vector<Part> parts_;
  Style style_ = Style::kText;
  bool keep_absent_ = false;
  Nanos previous_ts_ = 0;  ///< of the line before
  uint64_t count_ = 0;     ///< events asked about
  std::shared_ptr<Out> scratch_ = std::make_shared<Out>();
};

/// `text` as a JSON string with its quotes; bytes that are not UTF-8 and control characters become visible.
void put_json_string(Out& out, std::string_view text);

}  // namespace scry::fields
