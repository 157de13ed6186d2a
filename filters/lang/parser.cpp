// SPDX-License-Identifier: Apache-2.0
#include "filters/lang/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "capture/base/visible.h"

namespace scry::lang {
namespace {

struct OpWord {
  std::string_view word;
  Op op;
};
constexpr OpWord kNumericOps[] = {{"<=", Op::kLessEqual}, {"<", Op::kLess}, {">=", Op::kGreaterEqual}, {">", Op::kGreater}};
constexpr OpWord kTextOps[] = {
    {"==", Op::kEqual}, {"=", Op::kEqual}, {"!=", Op::kNotEqual}, {"glob", Op::kGlob}, {"iglob", Op::kIglob},
    {"contains", Op::kContains}, {"icontains", Op::kIcontains}, {"bcontains", Op::kBcontains},
    {"startswith", Op::kStartswith}, {"bstartswith", Op::kBstartswith}, {"endswith", Op::kEndswith}, {"regex", Op::kRegex}};
constexpr OpWord kListOps[] = {{"intersects", Op::kIntersects}, {"in", Op::kIn}, {"pmatch", Op::kPmatch}};
constexpr std::string_view kTransformers[] = {"tolower", "toupper", "b64", "basename", "len", "join", "concat", "getopt"};
constexpr std::array<std::pair<std::string_view, Modifier>, 3> kModifiers = {
    {{"oneof", Modifier::kOneof}, {"anyof", Modifier::kAnyof}, {"allof", Modifier::kAllof}}};

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\b' || c == '\r' || c == '\n'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '_'; }
bool is_bare(char c) { return !is_blank(c) && std::string_view("()\"'=,").find(c) == std::string_view::npos && c != '\v' && c != '\f'; }
int hex_value(char c) { return is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10; }

/// Thrown inside the parser only.
struct Failure {
  Diagnostic diagnostic;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Expr parse() {
    skip_blanks();
    if (at_end()) fail("the filter is empty");
    Expr expr = parse_or();
    skip_blanks();
    if (!at_end()) {
      if (peek() == ')') fail("')' without a '(' before it");
      fail(fmt::format("unexpected {} after '{}', expected 'and' or 'or'", here(), last_));
    }
    return expr;
  }

 private:
  // --- characters ---
  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  void skip_blanks() {
    while (!at_end() && is_blank(text_[at_])) ++at_;
  }
  bool starts(std::string_view word) const { return text_.substr(at_).starts_with(word); }
  bool take(std::string_view word) {
    if (!starts(word)) return false;
    at_ += word.size();
    last_ = word;
    return true;
  }
  uint32_t here_at() const { return static_cast<uint32_t>(at_); }
  /// What stands at the cursor, for messages.
  std::string here() const {
    if (at_end()) return "end of the filter";
    size_t size = 1;
    if (is_word(text_[at_]))
      while (at_ + size < text_.size() && size < 20 && (is_word(text_[at_ + size]) || text_[at_ + size] == '.')) ++size;
    return fmt::format("'{}'", text_.substr(at_, size));
  }
  [[noreturn]] void fail(std::string what) const { throw Failure{{here_at(), std::move(what)}}; }
  [[noreturn]] void fail_at(size_t at, std::string what) const { throw Failure{{static_cast<uint32_t>(at), std::move(what)}}; }

  /// One level deeper for as long as it lives.
  struct Level {
    explicit Level(Parser& p) : parser(p) {
      if (++parser.depth_ > kMaxDepth) parser.fail(fmt::format("nested too deep: at most {} levels, of which a pair of brackets takes five", kMaxDepth));
    }
    ~Level() { --parser.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    Parser& parser;
  };

  // --- expressions ---
  Expr parse_or() {
    Level level(*this);
    return joined(Expr::Kind::kOr, "or", [this] { return parse_and(); });
  }
  Expr parse_and() {
    Level level(*this);
    return joined(Expr::Kind::kAnd, "and", [this] { return parse_not(); });
  }

  template <class Part>
  Expr joined(Expr::Kind kind, std::string_view word, Part part) {
    skip_blanks();
    const uint32_t at = here_at();
    Expr first = part();
    std::vector<Expr> parts;
    for (;;) {
      skip_blanks();
      if (!starts(word)) break;
      // "order" is no "or"; but "and" and "or" must be followed by something that can't be part of a name.
      const size_t behind = at_ + word.size();
      const bool open = behind < text_.size() && text_[behind] == '(';
      if (!open && (behind >= text_.size() || !is_blank(text_[behind]))) {
        at_ = behind;
        fail(fmt::format("expected a blank or '(' after '{}'", word));
      }
      at_ = behind;
      last_ = word;
      skip_blanks();
      if (at_end()) fail(fmt::format("expected a check after '{}'", word));
      if (parts.empty()) parts.push_back(std::move(first));
      parts.push_back(part());
    }
    if (parts.empty()) return first;
    Expr expr;
    expr.kind = kind;
    expr.at = at;
    expr.parts = std::move(parts);
    return expr;
  }

  Expr parse_not() {
    Level level(*this);
    skip_blanks();
    const uint32_t at = here_at();
    bool negated = false;
    bool bracket = false;
    for (;;) {
      if (!starts("not")) break;
      const size_t behind = at_ + 3;
      if (behind < text_.size() && is_blank(text_[behind])) {
        const size_t before = at_;
        at_ = behind;
        skip_blanks();
        if (at_end()) {  // "not" alone is a name
          at_ = before;
          break;
        }
        negated = !negated;
        last_ = "not";
      } else if (behind < text_.size() && text_[behind] == '(') {
        negated = !negated;
        at_ = behind;
        bracket = true;
        break;
      } else {
        break;
      }
    }
    Expr part = bracket ? bracketed() : parse_check();
    if (!negated) return part;
    Expr expr;
    expr.kind = Expr::Kind::kNot;
    expr.at = at;
    expr.parts.push_back(std::move(part));
    return expr;
  }

  Expr bracketed() {
    Level level(*this);
    const uint32_t open = here_at();
    take("(");
    Expr expr = parse_or();
    skip_blanks();
    if (!take(")")) {
      const auto place = place_of(text_, open);
      if (at_end()) fail(fmt::format("expected ')' for the '(' in column {}", place.column));
      fail(fmt::format("unexpected {} after '{}', expected 'and', 'or' or ')'", here(), last_));
    }
    return expr;
  }

  Expr parse_check() {
    Level level(*this);
    skip_blanks();
    if (peek() == '(') return bracketed();
    Expr expr;
    expr.at = here_at();
    if (auto left = left_side()) {
      expr.check = std::make_unique<Check>();
      expr.check->left = std::move(*left);
      condition(*expr.check);
      return expr;
    }
    if (auto word = identifier(); !word.empty()) {
      expr.kind = Expr::Kind::kIdentifier;
      expr.identifier = word;
      last_ = word;
      return expr;
    }
    if (starts("!")) fail("expected a check such as proc.name=nginx; to turn one around write 'not'");
    fail(fmt::format("expected a check such as proc.name=nginx, or '(', not {}", here()));
  }

  std::string_view identifier() {
    if (!is_letter(peek())) return {};
    const size_t begin = at_;
    while (!at_end() && is_word(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  /// A name with at least one dot: proc.name, evt.arg.fd.
  std::string_view field_name() {
    size_t at = at_, dots = 0;
    for (;;) {
      if (at >= text_.size() || !is_letter(text_[at])) break;
      while (at < text_.size() && is_word(text_[at])) ++at;
      if (at + 1 >= text_.size() || text_[at] != '.' || !is_letter(text_[at + 1])) break;
      ++at;
      ++dots;
    }
    if (dots == 0) return {};
    const auto name = text_.substr(at_, at - at_);
    at_ = at;
    last_ = name;
    return name;
  }

  std::optional<std::string> bracket_argument() {
    if (peek() != '[') return {};
    ++at_;
    std::string argument;
    if (peek() == '"' || peek() == '\'') {
      argument = quoted();
    } else {
      const size_t begin = at_;
      while (!at_end() && !is_blank(text_[at_]) && std::string_view("[]\"'").find(text_[at_]) == std::string_view::npos) ++at_;
      argument = text_.substr(begin, at_ - begin);
      if (argument.empty()) fail("expected an argument in the brackets: a quoted text or a word");
    }
    if (!take("]")) fail("expected ']' after the argument");
    return argument;
  }

  std::optional<Operand> field() {
    const uint32_t at = here_at();
    const auto name = field_name();
    if (name.empty()) return {};
    Operand out;
    out.at = at;
    out.text = name;
    Level level(*this);
    out.argument = bracket_argument();
    return out;
  }

  std::optional<Operand> left_side() {
    Level level(*this);
    if (starts("val(")) fail("val() can stand on the right of a comparison only");
    if (auto call = transformer()) return call;
    return field();
  }

  /// name( with no blank between.
  std::string_view transformer_name() const {
    for (const auto name : kTransformers)
      if (starts(name) && at_ + name.size() < text_.size() && text_[at_ + name.size()] == '(') return name;
    return {};
  }

  std::optional<Operand> transformer() {
    const auto name = transformer_name();
    if (name.empty()) return {};
    Level level(*this);
    Operand out;
    out.kind = Operand::Kind::kTransformer;
    out.at = here_at();
    out.text = name;
    at_ += name.size() + 1;
    do {
      skip_blanks();
      out.arguments.push_back(transformer_argument());
      skip_blanks();
    } while (take(","));
    if (!take(")")) fail(fmt::format("expected ',' or ')' in the arguments of {}()", name));
    out.argument = bracket_argument();
    return out;
  }

  Operand transformer_argument() {
    Operand out;
    out.at = here_at();
    if (peek() == '(') {
      Level level(*this);
      out.kind = Operand::Kind::kList;
      ++at_;
      skip_blanks();
      if (take(")")) return out;
      do {
        skip_blanks();
        if (peek() == '(') fail("a list can't hold a list");
        out.arguments.push_back(transformer_argument());
        skip_blanks();
      } while (take(","));
      if (!take(")")) fail("expected ',' or ')' in the list");
      return out;
    }
    if (peek() == '"' || peek() == '\'') {
      out.kind = Operand::Kind::kText;
      out.text = quoted();
      return out;
    }
    if (auto call = transformer()) return std::move(*call);
    if (auto f = field()) return std::move(*f);
    if (auto digits = number(); !digits.empty()) {
      out.kind = Operand::Kind::kNumber;
      out.text = digits;
      return out;
    }
    fail(fmt::format("expected a field, a transformer, a quoted text or a list, not {}", here()));
  }

  // --- conditions ---
  void condition(Check& check) {
    Level level(*this);
    skip_blanks();
    check.op_at = here_at();
    if (take("exists")) {
      check.op = Op::kExists;
      return;
    }
    for (const auto& [word, op] : kNumericOps)
      if (take(word)) {
        check.op = op;
        skip_blanks();
        numeric_value(check);
        return;
      }
    for (const auto& [word, op] : kTextOps) {
      if (!starts(word)) continue;
      const size_t behind = at_ + word.size();
      if (is_letter(word[0]) && (behind >= text_.size() || !is_blank(text_[behind]))) continue;
      take(word);
      check.op = op;
      skip_blanks();
      text_value(check);
      return;
    }
    for (const auto& [word, op] : kListOps)
      if (take(word)) {
        check.op = op;
        skip_blanks();
        list_value(check);
        return;
      }
    fail(fmt::format("expected an operator after '{}' (exists = != < <= > >= contains startswith endswith in pmatch glob regex …), not {}",
                     last_, here()));
  }

  /// val(field) or a transformer.
  bool right_side(Check& check) {
    if (starts("val(")) {
      at_ += 4;
      skip_blanks();
      auto inner = left_side();
      if (!inner) fail(fmt::format("expected a field in val(), not {}", here()));
      skip_blanks();
      if (!take(")")) fail("expected ')' after the field in val()");
      check.right = std::move(inner);
      return true;
    }
    auto call = transformer();
    if (!call) return false;
    check.right = std::move(call);
    return true;
  }

  void numeric_value(Check& check) {
    if (right_side(check)) return;
    const uint32_t at = here_at();
    const auto digits = number();
    if (digits.empty()) fail(fmt::format("expected a number after '{}', or val(field) or a transformer, not {}", name_of(check.op), here()));
    last_ = digits;
    check.constants.push_back({std::string(digits), at, false});
  }

  std::string_view number() {
    size_t at = at_;
    auto digits = [&] {
      const size_t begin = at;
      while (at < text_.size() && is_digit(text_[at])) ++at;
      return at > begin;
    };
    if (text_.substr(at).starts_with("0x") && at + 2 < text_.size() && is_hex(text_[at + 2])) {
      at += 2;
      while (at < text_.size() && is_hex(text_[at])) ++at;
    } else {
      if (at < text_.size() && (text_[at] == '+' || text_[at] == '-')) ++at;
      if (!digits()) return {};
      if (at + 1 < text_.size() && text_[at] == '.' && is_digit(text_[at + 1])) {
        ++at;
        digits();
      }
      if (at + 2 < text_.size() && (text_[at] | 0x20) == 'e' && (text_[at + 1] == '+' || text_[at + 1] == '-') && is_digit(text_[at + 2])) {
        at += 2;
        digits();
      }
    }
    const auto text = text_.substr(at_, at - at_);
    at_ = at;
    return text;
  }

  void text_value(Check& check) {
    for (const auto& [word, modifier] : kModifiers) {
      if (!starts(word)) continue;
      size_t behind = at_ + word.size();
      if (behind >= text_.size() || !is_blank(text_[behind])) continue;
      while (behind < text_.size() && is_blank(text_[behind])) ++behind;
      if (behind >= text_.size()) continue;
      // Only a list makes it a modifier; otherwise it is the value.
      bool list = text_[behind] == '(';
      if (!list && is_letter(text_[behind])) {
        size_t end = behind;
        while (end < text_.size() && is_word(text_[end])) ++end;
        const auto next = text_.substr(behind, end - behind);
        list = next != "and" && next != "or" && next != "not";
      }
      if (!list) continue;
      check.modifier = modifier;
      at_ = behind;
      list_or_word(check);
      return;
    }
    if (right_side(check)) return;
    check.constants.push_back(constant(fmt::format("expected a value after '{}'", name_of(check.op))));
  }

  void list_value(Check& check) {
    if (right_side(check)) return;
    list_or_word(check);
  }

  void list_or_word(Check& check) {
    check.is_list = true;
    const uint32_t at = here_at();
    if (!take("(")) {
      const auto word = identifier();
      if (word.empty()) fail(fmt::format("expected a list such as (a, b) after '{}', not {}",
                                         check.modifier == Modifier::kNone ? name_of(check.op) : name_of(check.modifier), here()));
      last_ = word;
      check.constants.push_back({std::string(word), at, false});
      return;
    }
    Level level(*this);
    skip_blanks();
    if (take(")")) return;
    for (;;) {
      skip_blanks();
      check.constants.push_back(constant("expected a value in the list"));
      skip_blanks();
      if (take(",")) continue;
      if (take(")")) return;
      fail(fmt::format("expected ',' or ')' after '{}' in the list, not {}", last_, here()));
    }
  }

  Constant constant(std::string expected) {
    Constant out;
    out.at = here_at();
    if (peek() == '"' || peek() == '\'') {
      out.text = quoted();
      out.quoted = true;
      last_ = out.text;
      return out;
    }
    const size_t begin = at_;
    while (!at_end() && is_bare(text_[at_])) ++at_;
    if (at_ == begin) fail(fmt::format("{}, not {}", expected, here()));
    out.text = text_.substr(begin, at_ - begin);
    last_ = out.text;
    return out;
  }

  std::string quoted() {
    const size_t open = at_;
    const char quote = text_[at_++];
    std::string out;
    for (;;) {
      if (at_end()) fail_at(open, fmt::format("the quoted text is not closed: expected another {}", quote));
      const char c = text_[at_];
      if (c == quote) {
        ++at_;
        return out;
      }
      if (c != '\\') {
        out += c;
        ++at_;
        continue;
      }
      if (at_ + 1 >= text_.size()) fail_at(open, fmt::format("the quoted text is not closed: expected another {}", quote));
      const char escape = text_[at_ + 1];
      constexpr std::string_view kFrom = "bfnrt\\/", kTo = "\b\f\n\r\t\\/";
      if (const size_t which = kFrom.find(escape); which != std::string_view::npos) {
        out += kTo[which];
      } else if (escape == quote) {
        out += quote;
      } else if (escape == 'x') {
        if (at_ + 3 >= text_.size() || !is_hex(text_[at_ + 2]) || !is_hex(text_[at_ + 3]))
          fail_at(at_, "\\x needs two hex digits");
        out += static_cast<char>(hex_value(text_[at_ + 2]) * 16 + hex_value(text_[at_ + 3]));
        at_ += 2;
      } else if (is_blank(escape)) {
        out += '\\';  // as older filters have it; the blank goes
      } else if (escape == '"' || escape == '\'') {
        fail_at(at_, fmt::format("\\{} is no escape between {}: write {} as it is", escape, quote, escape));
      } else {
        fail_at(at_, fmt::format("\\{} is no escape; there are \\b \\f \\n \\r \\t \\\\ \\/ \\{} and \\xHH", escape, quote));
      }
      at_ += 2;
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
  std::string last_;
};

}  // namespace

std::string_view name_of(Op op) {
  constexpr std::string_view kNames[] = {"exists", "=", "!=", "<", "<=", ">", ">=", "contains", "icontains", "bcontains",
                                         "startswith", "bstartswith", "endswith", "glob", "iglob", "regex", "in", "intersects", "pmatch"};
  return kNames[static_cast<size_t>(op)];
}

std::string_view name_of(Modifier modifier) {
  constexpr std::string_view kNames[] = {"", "oneof", "anyof", "allof"};
  return kNames[static_cast<size_t>(modifier)];
}

bool is_blank(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return is_blank(c); });
}

tl::expected<Expr, Diagnostic> parse(std::string_view text) {
  constexpr size_t kLongest = 64u << 20;
  if (text.size() > kLongest) return tl::unexpected(Diagnostic{0, "the filter is longer than 64 MiB"});
  try {
    return Parser(text).parse();
  } catch (Failure& failure) {
    return tl::unexpected(std::move(failure.diagnostic));
  }
}

Place place_of(std::string_view text, size_t at) {
  Place place;
  at = std::min(at, text.size());
  for (size_t i = 0; i < at; ++i) {
    if (text[i] == '\n') {
      ++place.line;
      place.column = 1;
    } else {
      ++place.column;
    }
  }
  return place;
}

std::string describe(const Diagnostic& diagnostic, std::string_view text) {
  const size_t at = std::min<size_t>(diagnostic.at, text.size());
  const Place place = place_of(text, at);
  size_t begin = text.substr(0, at).rfind('\n');
  begin = begin == std::string_view::npos ? 0 : begin + 1;
  size_t end = std::min(text.find('\n', at), text.size());
  // Of a very long line only the surroundings.
  constexpr size_t kAround = 60;
  std::string lead, tail;
  if (at - begin > kAround) {
    begin = at - kAround;
    lead = "…";
  }
  if (end - at > kAround) {
    end = at + kAround;
    tail = "…";
  }
  const std::string before = visible(text.substr(begin, at - begin)), after = visible(text.substr(at, end - at));
  size_t width = lead.empty() ? 0 : 1;
  for (const char c : before) width += (c & 0xc0) != 0x80;
  return fmt::format("line {}, column {}: {}\n  {}{}{}{}\n  {}^", place.line, place.column, visible(diagnostic.what), lead, before, after, tail,
                     std::string(width, ' '));
}

}  // namespace scry::lang
