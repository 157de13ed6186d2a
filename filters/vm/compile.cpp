// SPDX-License-Identifier: Apache-2.0
#include "filters/vm/compile.h"

#include <absl/container/flat_hash_map.h>
#include <fmt/format.h>

#include <algorithm>

#include "filters/fields/arguments.h"
#include "filters/vm/operands.h"
#include "filters/vm/simplify.h"
#include "filters/vm/test.h"

namespace scry::filter {

using fields::Field;
using fields::Type;
using lang::Diagnostic;
using lang::Expr;
using lang::Operand;

namespace {

/// Thrown inside the compiler only.
struct Failure {
  Diagnostic diagnostic;
};

[[noreturn]] void fail(uint32_t at, std::string what) { throw Failure{{at, std::move(what)}}; }

bool is_word(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.'; });
}

class Compiler {
 public:
  Compiler(std::string_view text, const CompileOptions& options) : options_(options) {
    program_->text = text;
    program_->dialect = options.dialect;
  }

  std::shared_ptr<const Program> compile(const Expr& expr) {
    node(expr);
    simplify(*program_);
    return program_;
  }

 private:
  // --- the tree ---
  uint32_t node(const Expr& expr) {
    Node out;
    switch (expr.kind) {
      case Expr::Kind::kAnd: out.kind = Node::Kind::kAnd; break;
      case Expr::Kind::kOr: out.kind = Node::Kind::kOr; break;
      case Expr::Kind::kNot: out.kind = Node::Kind::kNot; break;
      case Expr::Kind::kCheck:
        out.check = check(*expr.check, expr.at);
        return add(std::move(out));
      case Expr::Kind::kIdentifier: {
        const Expr* meant = options_.macro ? options_.macro(expr.identifier) : nullptr;
        if (!meant) fail(expr.at, fmt::format("'{}' is no check: expected a field and an operator, such as proc.name={}", expr.identifier, expr.identifier));
        return node(*meant);
      }
    }
    for (const Expr& part : expr.parts) out.parts.push_back(node(part));
    return add(std::move(out));
  }
  uint32_t add(Node node) {
    program_->tree.push_back(std::move(node));
    return static_cast<uint32_t>(program_->tree.size() - 1);
  }

  // --- values ---
  uint32_t add(ValueNode node) {
    const auto [it, fresh] = value_numbers_.try_emplace(node.written, program_->values.size());
    if (fresh) program_->values.push_back(std::move(node));
    return it->second;
  }
  const ValueNode& value_at(uint32_t id) const { return program_->values[id]; }

  uint32_t value(const Operand& operand) {
    switch (operand.kind) {
      case Operand::Kind::kField: return field(operand);
      case Operand::Kind::kTransformer: return transformer(operand);
      case Operand::Kind::kText:
      case Operand::Kind::kNumber: {
        ValueNode node;
        node.text = operand.text;
        node.kind = ValueNode::Kind::kText;
        node.written = quote(operand.text);
        if (operand.kind == Operand::Kind::kNumber) {
          auto number = read_constant(Class::kUint, Type::kUint64, Op::kEqual, operand.text);
          if (!number) fail(operand.at, number.error());
          node.kind = ValueNode::Kind::kNumber;
          node.type = Type::kUint64;
          node.number = number->number;
          node.written = operand.text;
        }
        return add(std::move(node));
      }
      case Operand::Kind::kList: {
        ValueNode node;
        node.kind = ValueNode::Kind::kList;
        node.list = true;
        node.written = "(";
        for (const Operand& element : operand.arguments) {
          const uint32_t id = argument(element);
          const ValueNode& part = value_at(id);
          if (part.list) fail(element.at, "a list can't hold a list");
          if (!node.parts.empty() && part.type != node.type)
            fail(element.at, fmt::format("the values of a list have one type: this is {}, the first is {}", fields::type_name(part.type), fields::type_name(node.type)));
          node.type = part.type;
          node.cost = std::max(node.cost, part.cost);
          node.written += fmt::format("{}{}", node.parts.empty() ? "" : ", ", part.written);
          node.parts.push_back(id);
        }
        node.written += ")";
        return add(std::move(node));
      }
    }
    return 0;
  }

  uint32_t field(const Operand& operand) {
    auto ref = fields::bind_field(operand.text, operand.argument);
    if (!ref) fail(operand.at, ref.error().text);
    if (ref->field->has(fields::kPrintOnly)) fail(operand.at, fmt::format("field '{}' can be printed only, not asked for in a filter", ref->field->name));
    ValueNode node;
    node.type = ref->field->type;
    node.list = ref->field->has(fields::kList);
    node.many = ref->field->traits.many && !ref->has_argument && !node.list;
    node.cost = ref->field->traits.cost;
    node.written = operand.argument && !is_word(*operand.argument) ? fmt::format("{}[{}]", operand.text, quote(*operand.argument)) : ref->text;
    node.ref = std::move(*ref);
    return add(std::move(node));
  }

  /// A field that stands for a set only while it has no argument.
  static std::string set_without_argument(const ValueNode& node, std::string_view what) {
    return fmt::format("field '{0}' stands for several values and can't {1}: say which, {0}[1]", node.ref.field->name, what);
  }

  /// What stands in the brackets of a transformer.
  uint32_t argument(const Operand& operand) {
    const uint32_t id = value(operand);
    const ValueNode& inner = value_at(id);
    if (inner.kind == ValueNode::Kind::kField && inner.ref.field->has(fields::kNoTransformer))
      fail(operand.at, fmt::format("field '{}' can't be transformed", inner.ref.field->name));
    if (inner.many) fail(operand.at, set_without_argument(inner, "be transformed"));
    return id;
  }

  uint32_t transformer(const Operand& operand) {
    if (operand.text == "concat") return concat(operand);
    if (operand.text == "join") return join(operand);
    if (operand.text == "getopt") return getopt(operand);
    if (operand.arguments.size() != 1) fail(operand.at, fmt::format("{}() takes one argument", operand.text));
    if (operand.argument) fail(operand.at, fmt::format("{}() takes no argument in brackets", operand.text));
    const uint32_t id = argument(operand.arguments[0]);
    const ValueNode& inner = value_at(id);
    const auto which = fields::find_transformer(operand.text);
    const auto type = which ? fields::result_type(*which, inner.type, inner.list) : std::nullopt;
    if (!type)
      fail(operand.arguments[0].at, fmt::format("{}() can't be applied to '{}': its type is {}{}", operand.text, inner.written,
                                                inner.list ? "a list of " : "", fields::type_name(inner.type)));
    ValueNode node;
    node.kind = ValueNode::Kind::kTransform;
    node.transformer = *which;
    node.type = *type;
    node.list = inner.list && *which != fields::Transformer::kLen;
    node.cost = std::max(inner.cost, fields::Cost::kText);
    node.written = fmt::format("{}({})", operand.text, inner.written);
    node.parts = {id};
    return add(std::move(node));
  }

  uint32_t concat(const Operand& operand) {
    if (operand.arguments.size() < 2) fail(operand.at, "concat() takes two texts or more");
    if (operand.argument) fail(operand.at, "concat() takes no argument in brackets");
    ValueNode node;
    node.kind = ValueNode::Kind::kConcat;
    node.cost = fields::Cost::kText;
    node.written = "concat(";
    for (const Operand& one : operand.arguments) {
      const uint32_t id = argument(one);
      if (value_at(id).type != Type::kCharbuf || value_at(id).list) fail(one.at, "the arguments of concat() are texts");
      node.written += fmt::format("{}{}", node.parts.empty() ? "" : ", ", value_at(id).written);
      node.parts.push_back(id);
    }
    node.written += ")";
    return add(std::move(node));
  }

  uint32_t join(const Operand& operand) {
    if (operand.arguments.size() != 2) fail(operand.at, "join() takes two arguments: a separator and a list");
    if (operand.argument) fail(operand.at, "join() takes no argument in brackets");
    const uint32_t separator = argument(operand.arguments[0]), list = argument(operand.arguments[1]);
    if (value_at(separator).type != Type::kCharbuf || value_at(separator).list) fail(operand.arguments[0].at, "the first argument of join() is a text");
    if (!value_at(list).list) fail(operand.arguments[1].at, "the second argument of join() is a list, such as (proc.name, proc.pname)");
    if (value_at(list).type != Type::kCharbuf) fail(operand.arguments[1].at, "join() takes a list of texts");
    ValueNode node;
    node.kind = ValueNode::Kind::kJoin;
    node.cost = fields::Cost::kText;
    node.parts = {separator, list};
    node.written = fmt::format("join({}, {})", value_at(separator).written, value_at(list).written);
    return add(std::move(node));
  }

  uint32_t getopt(const Operand& operand) {
    if (operand.arguments.size() != 2) fail(operand.at, "getopt() takes two arguments: a list of words and the options, such as \"ab:c\"");
    const uint32_t words = argument(operand.arguments[0]);
    if (!value_at(words).list) fail(operand.arguments[0].at, "the first argument of getopt() is a list");
    if (value_at(words).type != Type::kCharbuf) fail(operand.arguments[0].at, "getopt() takes a list of texts");
    const Operand& letters = operand.arguments[1];
    if (letters.kind != Operand::Kind::kText) fail(letters.at, "the second argument of getopt() is a quoted text, such as \"ab:c\"");
    ValueNode node;
    node.kind = ValueNode::Kind::kGetopt;
    node.cost = fields::Cost::kText;
    node.text = letters.text;
    node.parts = {words};
    node.written = fmt::format("getopt({}, {})", value_at(words).written, quote(letters.text));
    if (operand.argument) {
      if (operand.argument->size() != 1) fail(operand.at, "the argument of getopt() in brackets is one letter");
      node.option = (*operand.argument)[0];
      node.written += fmt::format("[{}]", node.option);
    } else {
      node.list = true;
    }
    return add(std::move(node));
  }

  // --- checks ---
  uint32_t check(const lang::Check& source, uint32_t at) {
    Check out;
    out.at = at;
    out.op = source.op;
    out.modifier = source.modifier;
    out.value = value(source.left);
    const ValueNode& left = value_at(out.value);
    const Field* row = left.kind == ValueNode::Kind::kField ? left.ref.field : nullptr;
    out.cls = row && row->type == Type::kDyn ? class_of_parameters(left.ref.argument) : class_of(left.type);
    out.any_differs = !(row && row->has(fields::kNotEqualAll));
    out.may_true = out.may_false = TypeSet::all();
    // Of a parameter that has different types in different events, the first is what the check must make sense for.
    const Class meant = out.cls == Class::kAny ? class_of(fields::argument_type(left.ref)) : out.cls;
    check_operator(source, left, meant);
    out.written = fmt::format("{} {}", left.written, lang::name_of(out.op));
    if (out.modifier != Modifier::kNone) out.written += fmt::format(" {}", lang::name_of(out.modifier));
    if (source.right) {
      check_right(source, out, row);
    } else if (out.op != Op::kExists) {
      constants(source, out, row, meant);
    }
    if (const auto it = check_numbers_.find(out.written); it != check_numbers_.end()) return it->second;
    finish(out);
    check_numbers_.emplace(out.written, program_->checks.size());
    program_->checks.push_back(std::move(out));
    return static_cast<uint32_t>(program_->checks.size() - 1);
  }

  static void check_operator(const lang::Check& source, const ValueNode& left, Class cls) {
    if (left.list) {
      if (source.op != Op::kExists && source.op != Op::kIn && source.op != Op::kIntersects)
        fail(source.op_at, fmt::format("operator '{}' can't be used with the list {}; lists take: exists in intersects", lang::name_of(source.op), left.written));
    } else if (!allows(cls, source.op)) {
      fail(source.op_at, fmt::format("operator '{}' can't be used with {} ({} is {}), which take: {}", lang::name_of(source.op), describe(cls), left.written,
                                     fields::type_name(left.type), operators_of(cls)));
    }
  }

  void check_right(const lang::Check& source, Check& out, const Field* row) {
    if (source.modifier != Modifier::kNone) fail(source.op_at, "oneof, anyof and allof take a list of constants");
    const uint32_t right_id = value(*source.right);
    const ValueNode& left = value_at(out.value);
    const ValueNode& right = value_at(right_id);
    const Field* right_row = right.kind == ValueNode::Kind::kField ? right.ref.field : nullptr;
    if (source.op == Op::kPmatch || source.op == Op::kRegex)
      fail(source.right->at, fmt::format("the right side of {} is constant", lang::name_of(source.op)));
    if (row && row->has(fields::kNoRightSide)) fail(source.left.at, fmt::format("field '{}' can be compared with constants only", row->name));
    if (right_row && right_row->has(fields::kNoRightSide)) fail(source.right->at, fmt::format("field '{}' can't stand on the right", right_row->name));
    if (left.many) fail(source.left.at, set_without_argument(left, "be compared with a field"));
    if (right.many) fail(source.right->at, set_without_argument(right, "stand on the right"));
    if (out.cls == Class::kNet || out.cls == Class::kAny) fail(source.right->at, fmt::format("'{}' can be compared with constants only", left.written));
    if (left.type != right.type)
      fail(source.right->at, fmt::format("'{}' is {} and '{}' is {}: only equal types can be compared", left.written, fields::type_name(left.type),
                                         right.written, fields::type_name(right.type)));
    if (left.list != right.list)
      fail(source.right->at, fmt::format("'{}' is {}a list and '{}' is {}", left.written, left.list ? "" : "not ", right.written, right.list ? "one" : "not"));
    out.right = static_cast<int32_t>(right_id);
    out.written += right_row ? fmt::format(" val({})", right.written) : fmt::format(" {}", right.written);
  }

  void constants(const lang::Check& source, Check& out, const Field* row, Class meant) {
    const ValueNode& left = value_at(out.value);
    const bool names_events = row && row->name == "evt.type";
    for (const lang::Constant& c : source.constants) {
      if (names_events && !fields::is_event_name(c.text)) {
        const auto near = fields::nearest_event_name(c.text);
        fail(c.at, near.empty() ? fmt::format("unknown event type '{}'; scry -L lists them", c.text)
                                : fmt::format("unknown event type '{}', did you mean {}?", c.text, near));
      }
      auto constant = read_constant(out.cls, left.type, out.op, c.text);
      if (constant && meant != out.cls)
        if (auto sensible = read_constant(meant, left.ref.field ? fields::argument_type(left.ref) : left.type, out.op, c.text); !sensible)
          fail(c.at, sensible.error());
      if (!constant) fail(c.at, constant.error());
      if (out.op == Op::kRegex) {
        re2::RE2::Options posix(re2::RE2::POSIX);
        posix.set_log_errors(false);
        auto pattern = std::make_unique<re2::RE2>(c.text, posix);
        if (!pattern->ok()) fail(c.at, fmt::format("'{}' is no regular expression: {}", c.text, pattern->error()));
        out.patterns.push_back(std::move(pattern));
        if (c.text.find_first_of("\\.+*?()|[]{}^$") == std::string::npos)
          warn(c.at, fmt::format("the pattern '{}' holds nothing special, and has to match the whole value: = does the same", c.text));
      }
      if (out.op == Op::kPmatch && !out.paths.add(c.text)) fail(c.at, "the path has more components than a path can have");
      if (!c.quoted && out.cls == Class::kText && fields::find_row(c.text))
        warn(c.at, fmt::format("'{}' is taken as a text; to compare with the field write val({})", c.text, c.text));
      out.constants.push_back(std::move(*constant));
    }
    if (row && row->name == "evt.around") {
      if (out.op != Op::kEqual || out.modifier != Modifier::kNone) fail(source.op_at, "evt.around takes = and a number of milliseconds");
      constexpr uint64_t kNanosPerMilli = 1'000'000;
      uint64_t& span = out.constants[0].number;
      span = span > UINT64_MAX / kNanosPerMilli ? UINT64_MAX : span * kNanosPerMilli;
      out.around = true;
    }
    out.written += ' ';
    if (source.is_list) out.written += '(';
    const bool is_text = out.cls == Class::kText || out.cls == Class::kBytes || out.cls == Class::kAny;
    for (const auto& c : source.constants)
      out.written += fmt::format("{}{}", &c == source.constants.data() ? "" : ", ", is_text ? quote(c.text) : c.text);
    if (source.is_list) out.written += ')';
  }

  void warn(uint32_t at, std::string what) { program_->warnings.push_back({at, std::move(what)}); }

  /// What follows from the rest.
  void finish(Check& out) const {
    const ValueNode& left = value_at(out.value);
    finish_check(out, left, options_.dialect);
  }

  const CompileOptions& options_;
  std::shared_ptr<Program> program_ = std::make_shared<Program>();
  absl::flat_hash_map<std::string, uint32_t> value_numbers_, check_numbers_;
};

}  // namespace

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

tl::expected<std::shared_ptr<const Program>, Diagnostic> compile(const Expr& expr, std::string_view text, const CompileOptions& options) {
  try {
    return Compiler(text, options).compile(expr);
  } catch (Failure& failure) {
    return tl::unexpected(std::move(failure.diagnostic));
  }
}

tl::expected<std::shared_ptr<const Program>, Diagnostic> compile(std::string_view text, const CompileOptions& options) {
  auto expr = lang::parse(text);
  if (!expr) return tl::unexpected(std::move(expr.error()));
  return compile(*expr, text, options);
}

}  // namespace scry::filter
