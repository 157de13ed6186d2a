// SPDX-License-Identifier: Apache-2.0
// A filter as it was written (spec/filter-lang.md §1): what the parser makes and the compiler reads. Nothing here knows
// whether a field exists.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace scry::lang {

enum class Op : uint8_t {
  kExists, kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kContains, kIcontains, kBcontains, kStartswith,
  kBstartswith, kEndswith, kGlob, kIglob, kRegex, kIn, kIntersects, kPmatch
};
std::string_view name_of(Op op);

/// How a check on several right-hand values counts: `proc.name contains anyof (a, b)`.
enum class Modifier : uint8_t { kNone, kOneof, kAnyof, kAllof };
std::string_view name_of(Modifier modifier);

/// A field, a transformed field, or, among the arguments of a transformer, a text, a number or a list.
struct Operand {
  enum class Kind : uint8_t { kField, kTransformer, kText, kNumber, kList };
  Kind kind = Kind::kField;
  uint32_t at = 0;                      ///< byte offset in the filter
  std::string text;                     ///< name of the field or transformer; the text or number
  std::optional<std::string> argument;  ///< what stands in brackets
  std::vector<Operand> arguments;       ///< of a transformer or list
};

/// A constant on the right of a check.
struct Constant {
  std::string text;
  uint32_t at = 0;
  bool quoted = false;
};

struct Check {
  Operand left;
  Op op = Op::kExists;
  uint32_t op_at = 0;
  Modifier modifier = Modifier::kNone;
  std::vector<Constant> constants;  ///< one, or the list
  bool is_list = false;             ///< the constants stood in brackets
  std::optional<Operand> right;     ///< instead of constants: val(field) or a transformer
};

struct Expr {
  enum class Kind : uint8_t { kAnd, kOr, kNot, kCheck, kIdentifier };
  Kind kind = Kind::kCheck;
  uint32_t at = 0;
  std::vector<Expr> parts;      ///< of and, or (two or more) and not (one)
  std::unique_ptr<Check> check;
  std::string identifier;       ///< the name of a macro
};

}  // namespace scry::lang
