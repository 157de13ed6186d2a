// SPDX-License-Identifier: Apache-2.0
// A compiled filter. Made once (compile.h), never changed, shared by as many matchers (matcher.h) as there are askers.
//
// It holds four lists that refer to each other by number:
//   values  what is looked at: fields, transformed fields, texts put together
//   checks  a value against an operand: true or false
//   nodes   the tree of and, or, not over checks, as it was written
//   code    the same, simplified and in order of cost, as jumps: what runs
#pragma once

#include <absl/container/flat_hash_set.h>
#include <re2/re2.h>

#include <algorithm>
#include <bitset>
#include <memory>
#include <string>
#include <vector>

#include "filters/fields/field.h"
#include "filters/fields/transform.h"
#include "filters/lang/ast.h"
#include "filters/lang/parser.h"
#include "filters/vm/path_set.h"

namespace scry::filter {

using lang::Modifier;
using lang::Op;

/// One way of writing a text, so that equal ones are equal.
std::string quote(std::string_view text);

struct ValueNode {
  enum class Kind : uint8_t { kField, kTransform, kConcat, kJoin, kGetopt, kText, kNumber, kList };
  Kind kind = Kind::kField;
  fields::Type type = fields::Type::kCharbuf;
  bool list = false;                ///< has any number of values
  bool many = false;                ///< a field that stands for a set, although it is no list
  fields::Cost cost = fields::Cost::kHeader;
  fields::FieldRef ref;
  fields::Transformer transformer = fields::Transformer::kToLower;
  std::vector<uint32_t> parts;      ///< values that it is made of
  std::string text;                 ///< a constant; getopt's options
  uint64_t number = 0;
  char option = 0;                  ///< getopt()[c]; 0: the list of all options met
  std::string written;              ///< as in the filter, one way for equal values
};

/// What kind of comparison a check makes; follows from the type of its left side.
enum class Class : uint8_t { kText, kBytes, kInt, kUint, kDouble, kBool, kIp, kNet, kAny };

struct IpConstant {
  uint8_t bytes[16] = {};
  bool v6 = false;
};
struct NetConstant {
  IpConstant address;
  uint8_t length = 0;
};

/// One constant, in every form that its check may need.
struct Constant {
  std::string text;
  int64_t integer = 0;
  uint64_t number = 0;
  double real = 0;
  bool is_number = false;
  IpConstant ip;
  NetConstant net;
};

/// The events that may make a check true (or false): by code, and by system call for the generic events.
struct TypeSet {
  static constexpr size_t kMaxCalls = 1024;  ///< the last stands for all numbers that are no call's
  std::bitset<event::kCodeCount> codes;
  std::bitset<kMaxCalls> calls;
  static TypeSet all() {
    TypeSet set;
    set.codes.set();
    set.calls.set();
    return set;
  }
  bool has(const event::Event& e) const {
    const unsigned code = e.raw().code;
    if (!codes[code]) return false;
    return code > event::kGenericX || calls[std::min<size_t>(e.param(0).as<uint16_t>(), kMaxCalls - 1)];
  }
};

struct Check {
  uint32_t value = 0;
  Op op = Op::kExists;
  Modifier modifier = Modifier::kNone;
  Class cls = Class::kText;
  bool any_differs = true;       ///< of != on a field with many values: one that differs is enough
  bool remember = false;         ///< the answer depends on the text only and is dear to find
  bool by_type = false;          ///< decided by the kind of event alone: may_true
  bool around = false;           ///< evt.around: the value is a distance, the constant how far it may be
  int32_t right = -1;            ///< a value instead of constants
  std::vector<Constant> constants;
  absl::flat_hash_set<std::string> set;          ///< the constants of `in`, for text
  std::vector<std::unique_ptr<re2::RE2>> patterns;  ///< of regex
  PathSet paths;                                 ///< of pmatch
  TypeSet may_true, may_false;
  int32_t memo = -1;             ///< where its answer is kept for the event, if it is needed more than once
  std::string written;           ///< as in the filter, one way for equal checks
  uint32_t at = 0;               ///< where it stands first
};

struct Node {
  enum class Kind : uint8_t { kAnd, kOr, kNot, kCheck, kTrue, kFalse };
  Kind kind = Kind::kCheck;
  std::vector<uint32_t> parts;
  uint32_t check = 0;
};

/// Runs `check`, or the sub-program of a shared node, and goes on at one of two places.
struct Instruction {
  enum : uint32_t { kAccept = 0xfffffffe, kReject = 0xffffffff };
  bool shared = false;     ///< `index` is one of Program::shared
  uint32_t index = 0;
  uint32_t if_true = kAccept, if_false = kReject;
};

/// A part of the tree that several places need: worked out once for each event.
struct Shared {
  uint32_t entry = 0;
  uint32_t memo = 0;
  std::string written;
};

struct Program {
  std::string text;
  fields::Dialect dialect = fields::Dialect::kClassic;
  std::vector<ValueNode> values;
  std::vector<Check> checks;
  std::vector<Node> tree;       ///< as written; the root is the last
  std::vector<Instruction> code;
  std::vector<Shared> shared;
  uint32_t entry = Instruction::kReject;
  uint32_t memos = 0;
  TypeSet may_match;            ///< other events can't match; the code is right for these only
  bool any_event = false;       ///< may_match holds all: not worth asking
  std::vector<lang::Diagnostic> warnings;
};

}  // namespace scry::filter
