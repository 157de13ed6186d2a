// SPDX-License-Identifier: Apache-2.0
// Whether one value satisfies a check. Pure: what a value is, is somebody else's matter.
#pragma once

#include "filters/vm/program.h"

namespace scry::filter {

/// Numbers, texts: left against right. `op` is one of = != < <= > >= in intersects.
template <class T>
inline bool compare(Op op, T left, T right) {
  switch (op) {
    case Op::kEqual: case Op::kIn: case Op::kIntersects: return left == right;
    case Op::kNotEqual: return left != right;
    case Op::kLess: return left < right;
    case Op::kLessEqual: return left <= right;
    case Op::kGreater: return left > right;
    case Op::kGreaterEqual: return left >= right;
    default: return false;
  }
}

/// `value` against the constants of `check`; false when it is absent.
bool holds(const Check& check, const fields::Value& value);
/// `value` against another one, of the same type.
bool holds(const Check& check, const fields::Value& value, const fields::Value& right);

bool contains_ignoring_case(std::string_view text, std::string_view part);
/// As fnmatch(3) has it, with no flags: * goes across slashes too.
bool matches_glob(const std::string& glob, std::string_view text, bool ignore_case);
/// The whole of `text` against the pattern; bytes that are no UTF-8 count as U+FFFD.
bool matches_pattern(const re2::RE2& pattern, std::string_view text);
bool is_in_net(const NetConstant& net, std::string_view address);

}  // namespace scry::filter
