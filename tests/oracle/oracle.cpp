// SPDX-License-Identifier: Apache-2.0
#include "tests/oracle/oracle.h"

#include <fnmatch.h>
#include <strings.h>

#include <algorithm>

#include "tests/oracle/values.h"

namespace scry::oracle {

using lang::Modifier;
using lang::Op;

namespace {

/// The parts of a path between slashes.
std::vector<std::string> components(const std::string& path) {
  std::vector<std::string> out;
  std::string part;
  for (const char c : path + '/') {
    if (c != '/') {
      part += c;
    } else if (!part.empty()) {
      out.push_back(part);
      part.clear();
    }
  }
  return out;
}

bool lies_at_or_below(const std::string& value, const std::string& listed) {
  const auto have = components(value), want = components(listed);
  if (want.size() > have.size()) return false;
  for (size_t i = 0; i < want.size(); ++i)
    if (want[i] != have[i] && fnmatch(want[i].c_str(), have[i].c_str(), 0) != 0) return false;
  return true;
}

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

bool begins(const std::string& text, const std::string& part) { return text.compare(0, part.size(), part) == 0; }
bool ends(const std::string& text, const std::string& part) {
  return text.size() >= part.size() && text.compare(text.size() - part.size(), part.size(), part) == 0;
}
bool holds_part(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

bool in_network(const Datum& address, const Datum& network) {
  if (address.text.size() != network.text.size()) return false;
  for (int bit = 0; bit < network.prefix; ++bit) {
    const auto byte = static_cast<size_t>(bit / 8);
    const int mask = 0x80 >> bit % 8;
    if ((address.text[byte] & mask) != (network.text[byte] & mask)) return false;
  }
  return true;
}

bool equal(const Datum& a, const Datum& b) {
  switch (a.kind) {
    case Datum::Kind::kInteger:
    case Datum::Kind::kTruth: return a.integer == b.integer;
    case Datum::Kind::kReal: return a.real == b.real;
    case Datum::Kind::kAddress: return b.kind == Datum::Kind::kNetwork ? in_network(a, b) : a.text == b.text;
    default: return a.text == b.text;
  }
}

bool less(const Datum& a, const Datum& b) {
  if (a.kind == Datum::Kind::kInteger) return a.integer < b.integer;
  if (a.kind == Datum::Kind::kReal) return a.real < b.real;
  return a.text < b.text;
}

bool matches_glob(const std::string& text, const std::string& glob, int flags) { return fnmatch(glob.c_str(), text.c_str(), flags) == 0; }

}  // namespace

std::string_view name_of(Wrong wrong) {
  constexpr std::string_view kOthers[] = {"oneof", "anyof", "allof", "not", "and", "or", "right", "missing", "len", "concat", "join", "getopt"};
  const auto number = static_cast<size_t>(wrong), ops = static_cast<size_t>(Wrong::kOneof);
  return number < ops ? lang::name_of(static_cast<Op>(number)) : wrong == Wrong::kNothing ? "nothing" : kOthers[number - ops];
}

bool Filter::holds(const Node& node, const Asked& asked) const {
  switch (node.kind) {
    case lang::Expr::Kind::kNot: return holds(node.parts[0], asked) == (options_.wrong == Wrong::kNot);
    case lang::Expr::Kind::kAnd:
      for (size_t i = 0; i < node.parts.size() - (options_.wrong == Wrong::kAnd); ++i)
        if (!holds(node.parts[i], asked)) return false;
      return true;
    case lang::Expr::Kind::kOr:
      for (size_t i = options_.wrong == Wrong::kOr; i < node.parts.size(); ++i)
        if (holds(node.parts[i], asked)) return true;
      return false;
    default: return holds(node.check, asked);
  }
}

bool Filter::holds(const Check& check, const Asked& asked) const {
  const Op op = check.source->op;
  const auto left = values_of(check.left, asked, options_);
  if (op == Op::kExists) return left.has_value() != (options_.wrong == Wrong::kExists);
  std::optional<Data> right;
  if (check.right) {
    right = values_of(*check.right, asked, options_);
    if (!right) return options_.wrong == Wrong::kRight;
  }
  if (!left) return options_.wrong == Wrong::kMissing;
  // `in` wants every element of a list; != of some fields that stand for a set wants every one to differ.
  bool all = check.left.shape.list && op == Op::kIn;
  if (check.left.shape.several && op == Op::kNotEqual) all = check.left.ref.field->has(fields::kNotEqualAll);
  auto one = [&](const Datum& datum) { return holds_for(check, datum, right); };
  return all ? std::all_of(left->begin(), left->end(), one) : std::any_of(left->begin(), left->end(), one);
}

bool Filter::holds_for(const Check& check, const Datum& left, const std::optional<Data>& right) const {
  const Op op = check.source->op;
  const bool off = options_.wrong == static_cast<Wrong>(op);
  auto one = [&](const Datum& with, size_t which) {
    switch (op) {
      case Op::kEqual: return equal(left, with) || (off && less(left, with));
      case Op::kNotEqual: return !equal(left, with) && !(off && less(left, with));
      case Op::kLess: return less(left, with) || (off && equal(left, with));
      case Op::kLessEqual: return less(left, with) || (!off && equal(left, with));
      case Op::kGreater: return !less(left, with) && (off || !equal(left, with));
      case Op::kGreaterEqual: return !less(left, with) && !(off && equal(left, with));
      case Op::kContains: return off ? begins(left.text, with.text) : holds_part(left.text, with.text);
      case Op::kBcontains: return off ? begins(left.text, with.text) : holds_part(left.text, with.text);
      case Op::kIcontains: return off ? holds_part(left.text, with.text) : holds_part(lower(left.text), lower(with.text));
      case Op::kStartswith: case Op::kBstartswith: return off ? holds_part(left.text, with.text) : begins(left.text, with.text);
      case Op::kEndswith: return off ? holds_part(left.text, with.text) : ends(left.text, with.text);
      case Op::kGlob: return matches_glob(left.text, with.text, off ? FNM_PATHNAME : 0);
      case Op::kIglob: return matches_glob(left.text, with.text, off ? 0 : FNM_CASEFOLD);
      case Op::kRegex: {
        const std::string text = mended(left.text);
        return off ? re2::RE2::PartialMatch(text, *check.patterns[which]) : re2::RE2::FullMatch(text, *check.patterns[which]);
      }
      case Op::kIn: case Op::kIntersects: return equal(left, with) && !(off && which > 0);
      case Op::kPmatch: return off ? begins(left.text, with.text) : lies_at_or_below(left.text, with.text);
      case Op::kExists: break;
    }
    return false;
  };
  const Data& with = right ? *right : check.constants;
  size_t count = 0;
  for (size_t i = 0; i < with.size(); ++i) count += one(with[i], i);
  switch (check.source->modifier) {
    case Modifier::kOneof: return options_.wrong == Wrong::kOneof ? count > 0 : count == 1;
    case Modifier::kAllof: return options_.wrong == Wrong::kAllof ? count > 0 : count == with.size() && count > 0;
    case Modifier::kAnyof: return options_.wrong == Wrong::kAnyof ? count == 1 : count > 0;
    case Modifier::kNone: break;
  }
  return count > 0;
}

}  // namespace scry::oracle
