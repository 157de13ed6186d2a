// SPDX-License-Identifier: Apache-2.0
// The oracle's reading of a filter: which combinations are legal, and what constants mean.
#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "tests/oracle/values.h"

namespace scry::oracle {

using fields::Type;
using lang::Op;

namespace {

struct Refused {
  std::string why;
};
[[noreturn]] void refuse(std::string why) { throw Refused{std::move(why)}; }

bool is_text(Type type) { return kind_of(type) == Datum::Kind::kText; }

/// Operators by what is on their left.
bool is_allowed(Op op, const Shape& left) {
  static const std::set<Op> kAll = {Op::kExists, Op::kIn, Op::kIntersects}, kSame = {Op::kEqual, Op::kNotEqual},
                            kOrder = {Op::kLess, Op::kLessEqual, Op::kGreater, Op::kGreaterEqual},
                            kParts = {Op::kContains, Op::kStartswith, Op::kEndswith},
                            kText = {Op::kIcontains, Op::kGlob, Op::kIglob, Op::kRegex, Op::kPmatch},
                            kBytes = {Op::kBcontains, Op::kBstartswith};
  if (kAll.contains(op)) return true;
  if (left.list) return false;
  if (kSame.contains(op)) return true;
  switch (*kind_of(left.type)) {
    case Datum::Kind::kText: return kOrder.contains(op) || kParts.contains(op) || kText.contains(op);
    case Datum::Kind::kBytes: return kParts.contains(op) || kBytes.contains(op);
    case Datum::Kind::kInteger: case Datum::Kind::kReal: return kOrder.contains(op);
    default: return false;
  }
}

std::optional<__int128> read_integer(std::string text, bool natural) {
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.erase(0, 1);
  }
  if (text.empty() || text.size() > 30 || text.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  __int128 number = 0;
  for (const char c : text) number = number * 10 + (c - '0');
  const __int128 one = 1;
  if (negative ? number > one << 63 : number >= one << 64) return std::nullopt;
  if (negative) number = -number;
  if (negative && natural) number += one << 64;  // as the register would hold it
  return number;
}

int bits_of(Type type) {
  switch (type) {
    case Type::kUint8: return 8;
    case Type::kUint16: case Type::kPort: return 16;
    case Type::kUint32: return 32;
    default: return 64;
  }
}

bool is_natural(Type type) {
  switch (type) {
    case Type::kUint8: case Type::kUint16: case Type::kUint32: case Type::kUint64: case Type::kPort: case Type::kReltime: case Type::kAbstime:
      return true;
    case Type::kInt8: case Type::kInt16: case Type::kInt32: case Type::kInt64: return false;
    default: refuse("a type that no field had when this was written");
  }
}

Datum integer_constant(Type type, const std::string& text) {
  Datum out;
  out.kind = Datum::Kind::kInteger;
  const bool natural = is_natural(type);
  if (const auto number = read_integer(text, natural)) {
    out.integer = *number;
    // What is negative wraps within the type; what is too large equals nothing.
    if (natural && text[0] == '-') out.integer &= (static_cast<__int128>(1) << bits_of(type)) - 1;
    return out;
  }
  if (type != Type::kPort) refuse("no number: " + text);
  const servent* service = getservbyname(text.c_str(), "tcp");
  if (!service) service = getservbyname(text.c_str(), "udp");
  if (!service) refuse("no port: " + text);
  out.integer = ntohs(static_cast<uint16_t>(service->s_port));
  return out;
}

Datum address_constant(const std::string& text) {
  Datum out;
  out.kind = Datum::Kind::kAddress;
  const bool v6 = text.find(':') != std::string::npos;
  out.text.resize(v6 ? 16 : 4);
  if (inet_pton(v6 ? AF_INET6 : AF_INET, text.c_str(), out.text.data()) != 1) refuse("no address: " + text);
  return out;
}

Datum network_constant(const std::string& text) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos) refuse("no network: " + text);
  Datum out = address_constant(text.substr(0, slash));
  out.kind = Datum::Kind::kNetwork;
  const auto prefix = read_integer(text.substr(slash + 1), false);
  if (!prefix || *prefix < 0 || *prefix > static_cast<__int128>(out.text.size() * 8)) refuse("no length of a network: " + text);
  out.prefix = static_cast<int>(*prefix);
  return out;
}

std::string bytes_of_hex(const std::string& text) {
  if (text.empty() || text.size() % 2 || text.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) refuse("no hex digits: " + text);
  std::string out;
  for (size_t i = 0; i < text.size(); i += 2) out += static_cast<char>(std::strtol(text.substr(i, 2).c_str(), nullptr, 16));
  return out;
}

Datum constant_of(Type type, Op op, const std::string& text) {
  if (type == Type::kIpnet) return network_constant(text);
  Datum out;
  out.kind = *kind_of(type);
  out.text = text;
  switch (out.kind) {
    case Datum::Kind::kText:
      if (text.find('\0') != std::string::npos) refuse("a text with NUL");
      break;
    case Datum::Kind::kBytes:
      if (op == Op::kBcontains || op == Op::kBstartswith) out.text = bytes_of_hex(text);
      break;
    case Datum::Kind::kInteger: return integer_constant(type, text);
    case Datum::Kind::kReal: {
      char* end = nullptr;
      if (text.empty() || text.find_first_not_of("0123456789.e-") != std::string::npos) refuse("no number: " + text);
      out.real = std::strtod(text.c_str(), &end);
      if (*end) refuse("no number: " + text);
      break;
    }
    case Datum::Kind::kTruth:
      if (text != "true" && text != "false") refuse("neither true nor false: " + text);
      out.integer = text == "true";
      break;
    default: return address_constant(text);
  }
  return out;
}

bool is_event_type(const std::string& name) {
  if (name == "<unknown>" || name == "NA") return false;  // what stands in for a name
  if (name.empty()) return false;  // codes that were never given out have no name
  for (unsigned code = 0; code < event::kCodeCount; ++code)
    if (event::info_of(code).name() == name || event::classic_event_names[code] == name) return true;
  for (unsigned call = 0; call < event::syscall_count; ++call)
    if (event::syscall_names[call] == name || event::classic_syscall_names[call] == name) return true;
  return false;
}

Operand read_operand(const lang::Operand& source, bool transformed, bool& judged);

void read_transformer(Operand& out, bool& judged) {
  const lang::Operand& source = *out.source;
  const std::string& name = source.text;
  for (const auto& argument : source.arguments) out.arguments.push_back(read_operand(argument, true, judged));
  const auto shape = [&](size_t i) { return out.arguments[i].shape; };
  const bool one_text = out.arguments.size() == 1 && is_text(shape(0).type);
  if (source.argument && name != "getopt") refuse("brackets behind " + name);
  if (name == "concat") {
    if (out.arguments.size() < 2) refuse("concat of one");
    for (const Operand& argument : out.arguments)
      if (argument.shape.list || argument.shape.type != Type::kCharbuf) refuse("concat of what is no text");
    return;
  }
  if (name == "join") {
    if (out.arguments.size() != 2 || shape(0).list || shape(0).type != Type::kCharbuf) refuse("join without a separator");
    if (!shape(1).list || shape(1).type != Type::kCharbuf) refuse("join of no list of texts");
    return;
  }
  if (name == "getopt") {
    if (out.arguments.size() != 2 || !shape(0).list || shape(0).type != Type::kCharbuf) refuse("getopt of no list of texts");
    if (out.arguments[1].source->kind != lang::Operand::Kind::kText) refuse("getopt without letters");
    if (source.argument && source.argument->size() != 1) refuse("getopt of more than a letter");
    out.shape.list = !source.argument;
    return;
  }
  if (out.arguments.size() != 1) refuse("more than one argument");
  const Shape in = shape(0);
  const bool buffer = in.type == Type::kBytebuf;
  if (name == "len") {
    if (!one_text && !buffer && !in.list) refuse("len of what has none");
    out.shape.type = Type::kUint64;
    return;
  }
  if (name == "b64" ? in.type != Type::kCharbuf && !buffer : !one_text) refuse(name + " of what is no text");
  out.shape = in;
}

Operand read_operand(const lang::Operand& source, bool transformed, bool& judged) {
  using Kind = lang::Operand::Kind;
  Operand out;
  out.source = &source;
  switch (source.kind) {
    case Kind::kText: break;
    case Kind::kNumber: {
      const auto number = read_integer(source.text, true);
      if (!number) refuse("no whole number: " + source.text);
      out.ref.number = static_cast<uint64_t>(*number);
      out.shape.type = Type::kUint64;
      break;
    }
    case Kind::kList:
      out.shape.list = true;
      for (const auto& element : source.arguments) {
        out.arguments.push_back(read_operand(element, true, judged));
        if (out.arguments.back().shape.list) refuse("a list in a list");
        if (out.arguments.back().shape.type != out.arguments.front().shape.type) refuse("a list of several types");
        out.shape.type = out.arguments.front().shape.type;
      }
      break;
    case Kind::kTransformer: read_transformer(out, judged); break;
    case Kind::kField: {
      auto ref = fields::bind_field(source.text, source.argument);
      if (!ref) refuse(ref.error().text);
      const fields::Field& field = *ref->field;
      if (field.has(fields::kPrintOnly)) refuse("can only be printed");
      if (transformed && field.has(fields::kNoTransformer)) refuse("can't be transformed");
      judged = judged && kind_of(field.type).has_value();
      out.shape = {field.type, field.has(fields::kList), field.traits.many && !ref->has_argument && !field.has(fields::kList)};
      if (transformed && out.shape.several) refuse("a set can't be transformed");
      out.ref = std::move(*ref);
    }
  }
  return out;
}

bool is_field(const Operand& operand, uint16_t flag) {
  return operand.source->kind == lang::Operand::Kind::kField && operand.ref.field->has(flag);
}

}  // namespace

Check Filter::read_check(const lang::Check& source) {
  Check out;
  out.source = &source;
  out.left = read_operand(source.left, false, judged_);
  if (!judged_) return out;
  const Shape& left = out.left.shape;
  const Op op = source.op;
  if (!is_allowed(op, left)) refuse("no such operator for this type");
  if (source.right) {
    out.right = read_operand(*source.right, false, judged_);
    const Shape& right = out.right->shape;
    if (op == Op::kRegex || op == Op::kPmatch || left.type == Type::kIpnet) refuse("takes constants");
    if (is_field(out.left, fields::kNoRightSide) || is_field(*out.right, fields::kNoRightSide)) refuse("stands on no right side");
    if (left.several || right.several) refuse("a set beside a field");
    if (left.type != right.type || left.list != right.list) refuse("two types");
    return out;
  }
  const auto name = source.left.kind == lang::Operand::Kind::kField ? out.left.ref.field->name : std::string_view();
  if (name == "evt.around" && op != Op::kExists) judged_ = false;
  for (const lang::Constant& constant : source.constants) {
    if (name == "evt.type" && !is_event_type(constant.text)) refuse("no such event");
    out.constants.push_back(constant_of(left.type, op, constant.text));
    if (op != Op::kRegex) continue;
    out.patterns.push_back(std::make_shared<re2::RE2>(constant.text, [] {
      re2::RE2::Options options(re2::RE2::POSIX);
      options.set_log_errors(false);
      return options;
    }()));
    if (!out.patterns.back()->ok()) refuse("no pattern");
  }
  return out;
}

Filter::Node Filter::read_node(const lang::Expr& expr) {
  Node out;
  out.kind = expr.kind;
  if (expr.kind == lang::Expr::Kind::kIdentifier) refuse("a name");
  for (const lang::Expr& part : expr.parts) out.parts.push_back(read_node(part));
  if (expr.kind == lang::Expr::Kind::kCheck) out.check = read_check(*expr.check);
  return out;
}

tl::expected<Filter, std::string> Filter::read(const lang::Expr& expr, const Options& options) {
  Filter filter;
  filter.options_ = options;
  try {
    filter.tree_ = filter.read_node(expr);
  } catch (Refused& refused) {
    return tl::unexpected(std::move(refused.why));
  }
  return filter;
}

}  // namespace scry::oracle
