// SPDX-License-Identifier: Apache-2.0
// What a filter means, worked out the plain way: the tree is walked for every event, every value is asked for anew,
// nothing is remembered, reordered or merged. It is written from the description of the language and shares with
// filters/vm the parser and the field catalogue only, so that the two can be compared.
#pragma once

#include <re2/re2.h>
#include <tl/expected.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "filters/fields/field.h"
#include "filters/lang/ast.h"

namespace scry::oracle {

/// An event to ask about.
struct Asked {
  const Moment& moment;
  const state::Machine& machine;
  fields::Renderer& renderer;
  Nanos previous_ts = 0;
  uint64_t count = 1;
};

/// Ways of being wrong on purpose, to see that a comparison with the compiled filter would notice. One for each
/// operator, then what is no operator's.
enum class Wrong : uint8_t {
  kExists, kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kContains, kIcontains, kBcontains, kStartswith,
  kBstartswith, kEndswith, kGlob, kIglob, kRegex, kIn, kIntersects, kPmatch,
  kOneof, kAnyof, kAllof, kNot, kAnd, kOr, kRight, kMissing, kLen, kConcat, kJoin, kGetopt,
  kNothing
};
std::string_view name_of(Wrong wrong);

struct Options {
  fields::Dialect dialect = fields::Dialect::kClassic;
  Wrong wrong = Wrong::kNothing;
};

/// Any value as one of few kinds.
struct Datum {
  enum class Kind : uint8_t { kText, kBytes, kInteger, kReal, kTruth, kAddress, kNetwork };
  Kind kind = Kind::kText;
  std::string text;      ///< text, bytes, the bytes of an address
  __int128 integer = 0;  ///< every integer type fits
  double real = 0;
  int prefix = 0;        ///< of a network
};
using Data = std::vector<Datum>;

/// The type of an operand.
struct Shape {
  fields::Type type = fields::Type::kCharbuf;
  bool list = false;
  bool several = false;  ///< a field that stands for a set
};

/// An operand or check that was looked through: what its texts mean is known.
struct Operand {
  const lang::Operand* source = nullptr;
  Shape shape;
  fields::FieldRef ref;
  std::vector<Operand> arguments;
};

struct Check {
  const lang::Check* source = nullptr;
  Operand left;
  std::optional<Operand> right;
  Data constants;
  std::vector<std::shared_ptr<re2::RE2>> patterns;
};

class Filter {
 public:
  /// The error says why a filter can't be: not in the compiler's words. `expr` has to stay.
  static tl::expected<Filter, std::string> read(const lang::Expr& expr, const Options& options);
  /// False for filters that it has no opinion on: parameters whose type is that of the event at hand.
  bool is_judged() const { return judged_; }
  bool holds(const Asked& asked) const { return holds(tree_, asked); }

 private:
  struct Node {
    lang::Expr::Kind kind;
    std::vector<Node> parts;
    Check check;
  };
  Node read_node(const lang::Expr& expr);
  Check read_check(const lang::Check& source);
  bool holds(const Node& node, const Asked& asked) const;
  bool holds(const Check& check, const Asked& asked) const;
  bool holds_for(const Check& check, const Datum& left, const std::optional<Data>& right) const;

  Options options_;
  Node tree_;
  bool judged_ = true;
};

}  // namespace scry::oracle
