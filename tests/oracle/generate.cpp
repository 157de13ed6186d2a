// SPDX-License-Identifier: Apache-2.0
#include "tests/oracle/generate.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/oracle/values.h"

namespace scry::oracle {

using fields::Type;

namespace {

constexpr size_t kValuesKept = 300, kLongestValue = 200;
constexpr std::string_view kTextOps[] = {"=", "==", "!=", "<", "<=", ">", ">=", "contains", "icontains", "startswith", "endswith", "glob", "iglob",
                                         "regex", "in", "intersects", "pmatch", "exists"};
constexpr std::string_view kBytesOps[] = {"=", "!=", "contains", "startswith", "endswith", "bcontains", "bstartswith", "in", "intersects", "exists"};
constexpr std::string_view kNumberOps[] = {"=", "==", "!=", "<", "<=", ">", ">=", "in", "intersects", "exists"};
constexpr std::string_view kOtherOps[] = {"=", "!=", "in", "intersects", "exists"};
constexpr std::string_view kListOps[] = {"in", "intersects", "exists"};
constexpr std::string_view kAllOps[] = {"=", "!=", "<", "<=", ">", ">=", "contains", "icontains", "bcontains", "startswith", "bstartswith", "endswith",
                                        "glob", "iglob", "regex", "in", "intersects", "pmatch", "exists"};
constexpr std::string_view kModified[] = {"=", "!=", "contains", "icontains", "startswith", "endswith", "glob", "iglob", "regex", "bcontains", "bstartswith"};
constexpr std::string_view kModifiers[] = {"oneof", "anyof", "allof"};
constexpr std::string_view kUnary[] = {"tolower", "toupper", "basename", "b64", "len"};
constexpr std::string_view kOddTexts[] = {"", "a", "/", "-", "<NA>", "0", "anyof", "not", "\xff\xfe", "caf\xc3\xa9", "it's", "\"", "\\", "x\", \"y", "a b",
                                          "YWJj", "/etc", "/usr/lib/", "tcp", "true"};
constexpr std::string_view kOddNumbers[] = {"0", "1", "-1", "+3", "007", "65535", "65536", "65616", "4294967295", "4294967296", "9223372036854775807",
                                            "9223372036854775808", "18446744073709551615", "-9223372036854775808"};
constexpr std::string_view kOddAddresses[] = {"127.0.0.1", "0.0.0.0", "::1", "::", "10.0.0.5", "fe80::1", "::ffff:127.0.0.1"};
constexpr std::string_view kPrefixes[] = {"0", "1", "8", "12", "16", "24", "31", "32", "64", "128"};
constexpr std::string_view kWrong[] = {"", "abc", "0x10", "1.5", "1e3", "999.1.1.1", "10.0.0.0/33", "yes", "18446744073709551616", "7f4", "[", "http", "open"};
constexpr std::string_view kWords[] = {"-a", "-bx", "-c", "--", "-ab", "w", "-", "-cx"};
constexpr std::string_view kOptions[] = {"a", "b", "c", "x", "w", "-a", ""};
constexpr std::string_view kArguments[] = {"0", "1", "2", "3", "fd", "name", "res", "data", "flags", "size", "PATH", "HOME", "open", "cpuset"};

std::string text_of(const fields::Value& value, Type type) {
  Out out;
  if (value.kind() == fields::Value::Kind::kText || value.kind() == fields::Value::Kind::kBytes) return std::string(value.as_text().substr(0, kLongestValue));
  static const fields::Field kAny{"", Type::kCharbuf, nullptr, ""};
  fields::put_value(out, kAny, value);
  return out.str() + (type == Type::kIpnet ? value.as_text().size() == 4 ? "/24" : "/64" : "");
}

/// "glob" and so on for a value that it then fits.
std::string as_pattern(const std::string& text, std::string_view special, std::string_view any_one, std::string_view any, std::mt19937_64& random) {
  std::string out;
  const size_t from = random() % (text.size() + 1), to = from + random() % (text.size() - from + 1);
  for (size_t i = 0; i < text.size(); ++i) {
    if (i == from && to > from) out += any;
    if (i >= from && i < to) continue;
    if (random() % 12 == 0 && static_cast<unsigned char>(text[i]) < 0x80) {
      out += any_one;
      continue;
    }
    if (special.find(text[i]) != std::string_view::npos) out += '\\';
    out += text[i];
  }
  return out;
}

}  // namespace

std::vector<Pool> all_pools() {
  std::vector<Pool> pools;
  auto add = [&](const std::string& name, const std::optional<std::string>& bracket) {
    auto ref = fields::bind_field(name, bracket);
    if (ref) pools.push_back({bracket ? name + '[' + *bracket + ']' : name, std::move(*ref), {}});
  };
  for (const fields::FieldClass& c : fields::field_classes())
    for (const fields::Field& row : c.rows) {
      if (row.has(fields::kPrintOnly)) continue;
      const std::string name(row.name);
      add(name, {});
      if (row.traits.argument == fields::Argument::kNone) continue;
      size_t bound = pools.size() + 6;
      for (const auto argument : kArguments) {
        if (pools.size() >= bound) break;
        add(name, std::string(argument));
        if (argument[0] > '9') add(name + '.' + std::string(argument), {});
      }
    }
  return pools;
}

void collect(std::vector<Pool>& pools, const Asked& asked) {
  for (Pool& pool : pools) {
    if (pool.values.size() >= kValuesKept) continue;
    Out scratch;
    const fields::Ask ask{asked.moment, asked.machine, asked.renderer, pool.ref, scratch, asked.previous_ts, asked.count};
    fields::Values values;
    if (pool.ref.field->traits.many) pool.ref.field->traits.many(ask, values);
    else values.push_back(pool.ref.field->extract(ask));
    for (const auto& value : values) {
      if (!value.present()) continue;
      std::string text = text_of(value, pool.ref.field->type);
      if (std::find(pool.values.begin(), pool.values.end(), text) == pool.values.end()) pool.values.push_back(std::move(text));
    }
  }
}

Generator::Generator(const std::vector<Pool>& pools, uint64_t seed) : pools_(pools), random_(seed) {
  for (const Pool& pool : pools) by_type_[pool.ref.field->type].push_back(&pool);
  for (const auto& [type, list] : by_type_) types_.push_back(type);
}

const Pool& Generator::pool_of(std::optional<Type> type) {
  const Pool* pool = nullptr;
  for (int tries = 0; tries < 4 && (!pool || pool->values.empty()); ++tries) {  // rather one that has values at all
    if (type && by_type_.contains(*type)) pool = pick(by_type_[*type]);
    else pool = chance(40) ? pick(by_type_[pick(types_)]) : &pick(pools_);
  }
  return *pool;
}

std::string Generator::filter() {
  earlier_.clear();
  return expression(static_cast<int>(below(5)));
}

std::string Generator::expression(int depth) {
  std::string out;
  if (!earlier_.empty() && chance(15)) {
    out = pick(earlier_);
  } else if (depth == 0 || chance(25)) {
    out = check();
  } else if (chance(22)) {
    const std::string part = expression(depth - 1);
    out = chance(50) ? "not(" + part + ")" : "not" + blanks() + (chance(30) ? "not " : "") + "(" + part + ")";
  } else {
    const std::string word = chance(50) ? "and" : "or";
    const size_t count = 2 + below(3);
    for (size_t i = 0; i < count; ++i) {
      const std::string part = expression(depth - 1);
      if (i > 0) out += blanks() + word;
      out += chance(60) ? "(" + part + ")" : " " + part;
      if (out.back() != ')') out += ' ';
    }
  }
  if (out.size() < 2000) earlier_.push_back(out);
  return out;
}

std::string Generator::words() {
  std::string out = "(";
  const size_t count = 1 + below(5);
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) out += ", ";
    if (chance(30)) out += pool_of(Type::kCharbuf).written;
    else out += '"' + std::string(pick(kWords)) + '"';
  }
  return out + ")";
}

std::string Generator::operand(const Pool& pool, Type& type, bool& list, std::string& transformer) {
  type = pool.ref.field->type;
  list = pool.ref.field->has(fields::kList);
  // Most transformers are for texts.
  if (chance(75) || (kind_of(type) != Datum::Kind::kText && chance(97))) return pool.written;
  if (chance(60)) {
    transformer = pick(kUnary);
    bool inner_list = list;
    std::string ignored;
    std::string inner = chance(70) ? pool.written : operand(pool, type, inner_list, ignored);
    if (chance(8)) {
      inner = words();
      type = Type::kCharbuf;
      inner_list = true;
    }
    list = inner_list && transformer != "len";
    if (transformer == "len") type = Type::kUint64;
    return transformer + "(" + inner + ")";
  }
  type = Type::kCharbuf;
  list = false;
  const Pool& other = pool_of(chance(99) ? std::optional(Type::kCharbuf) : std::nullopt);
  switch (below(4)) {
    case 0:
      transformer = "concat";
      behind_ = &other;
      return fmt::format("concat({}, \"-\", {})", pool.written, other.written);
    case 1: return fmt::format("join(\"{}\",{})", pick(kModifiers).substr(below(5)), chance(50) ? words() : fmt::format("({}, {})", pool.written, other.written));
    case 2:
      transformer = "getopt";
      return fmt::format("getopt({}, \"{}\")[{}]", words(), chance(80) ? "ab:c" : "ab::c", "bbac"[below(4)]);
    default:
      transformer = "getopt";
      list = true;
      return fmt::format("getopt({}, \"ab:c:\")", words());
  }
}

std::string Generator::check() {
  const Pool& pool = pool_of(std::nullopt);
  Type type = Type::kCharbuf;
  bool list = false;
  std::string transformer;
  const std::string left = operand(pool, type, list, transformer);
  return condition(left, type, list, pool, transformer);
}

std::string Generator::condition(const std::string& left, Type type, bool list, const Pool& pool, const std::string& transformer) {
  const auto kind = kind_of(type).value_or(Datum::Kind::kText);
  std::string_view op;
  if (chance(1)) op = pick(kAllOps);
  else if (list) op = pick(kListOps);
  else if (kind == Datum::Kind::kText) op = pick(kTextOps);
  else if (kind == Datum::Kind::kBytes) op = pick(kBytesOps);
  else if (kind == Datum::Kind::kInteger || kind == Datum::Kind::kReal) op = pick(kNumberOps);
  else op = pick(kOtherOps);
  const bool word = op[0] >= 'a';
  std::string out = left + (word ? blanks() : chance(50) ? " " : "") + std::string(op);
  if (op == "exists") return out;
  const bool order = op[0] == '<' || op[0] == '>';
  out += word ? blanks() : chance(50) ? " " : "";
  if (chance(list ? 40 : 10)) {
    // Another field of the same type, mostly.
    Type other_type = type;
    bool other_list = false;
    std::string other_transformer;
    const Pool& other = chance(30) ? pool : pool_of(chance(97) ? std::optional(type) : std::nullopt);
    const std::string right = list && chance(80) ? chance(50) ? "getopt(" + words() + ", \"abc\")" : "tolower(" + words() + ")"
                                                 : operand(other, other_type, other_list, other_transformer);
    return out + (right.find('(') == std::string::npos || chance(50) ? "val(" + right + ")" : right);
  }
  const bool set = op == "in" || op == "intersects" || op == "pmatch";
  const bool modified = !set && !order && chance(20) && std::find(std::begin(kModified), std::end(kModified), op) != std::end(kModified);
  if (modified) {
    if (!word) out += ' ';
    out += std::string(pick(kModifiers)) + blanks();
  }
  if (order && kind == Datum::Kind::kText) return out + std::to_string(below(200));
  if (!set && !modified) {
    const std::string text = value(type, pool, op, transformer);
    return out + (order ? text : written(text));
  }
  if (!list && chance(3)) return out + "curl";
  const size_t count = chance(3) ? 0 : 1 + below(4);
  out += '(';
  for (size_t i = 0; i < count; ++i) out += (i ? ", " : "") + written(value(type, pool, op, transformer));
  return out + ')';
}

std::string Generator::value(Type type, const Pool& pool, std::string_view op, const std::string& transformer) {
  if (below(200) == 0) return std::string(pick(kWrong));
  const auto kind = kind_of(type).value_or(Datum::Kind::kText);
  // Of its own values, or of another field's of that type.
  const Pool& from = chance(85) || type != pool.ref.field->type ? pool : pool_of(type);
  std::string text = from.values.empty() ? "" : pick(from.values);
  const bool odd = from.values.empty() || chance(12);
  if (pool.written == "evt.type") return odd ? "openat" : text;
  switch (kind) {
    case Datum::Kind::kInteger:
      if (transformer == "len") return std::to_string(chance(50) ? text.size() : below(20));
      return odd ? std::string(pick(kOddNumbers)) : text;
    case Datum::Kind::kReal: return odd ? "0" : text;
    case Datum::Kind::kTruth: return chance(50) ? "true" : "false";
    case Datum::Kind::kAddress:
    case Datum::Kind::kNetwork:
      if (odd) text = pick(kOddAddresses);
      if (type != Type::kIpnet) return text;
      return text.substr(0, text.find('/')) + '/' + std::string(pick(kPrefixes));
    default: break;
  }
  if (op == "bcontains" || op == "bstartswith") {
    std::string hex;
    const size_t at = op == "bcontains" && !text.empty() ? below(text.size()) : 0;
    for (const char c : text.substr(at, 1 + below(5))) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return hex;
  }
  if (transformer == "getopt") return std::string(pick(kOptions));
  if (odd) return std::string(pick(kOddTexts));
  if (transformer == "concat") {
    text += '-' + (behind_->values.empty() ? "" : pick(behind_->values));
    if (op == "startswith" || op == "contains") return text.substr(0, text.find('-') + 1);
  }
  if (transformer == "tolower")
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  if (transformer == "toupper")
    for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  if (transformer == "basename" && text.find('/') != std::string::npos) text.erase(0, text.rfind('/') + 1);
  const size_t middle = below(text.size() + 1);
  if (op == "startswith") return text.substr(0, middle);
  if (op == "endswith") return text.substr(middle);
  if (op == "contains" || op == "icontains") text = text.substr(middle, 1 + below(6));
  if (op == "glob" || op == "iglob") text = as_pattern(text, "*?[\\", "?", chance(50) ? "*" : "[!~]*", random_);
  if (op == "regex") text = as_pattern(text, "\\.+*?()|[]{}^$", ".", chance(50) ? ".*" : "[^~]+", random_);
  if (op == "pmatch") {
    if (chance(50)) text = text.substr(0, text.find('/', middle));
    if (chance(20)) text = as_pattern(text, "*?[\\", "?", "*", random_);
  }
  if ((op[0] == 'i' && op != "in" && op != "intersects") || chance(2))
    for (char& c : text)
      if (chance(30) && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) c = static_cast<char>(c ^ 32);
  return text;
}

std::string Generator::written(const std::string& text) {
  const bool bare = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && std::string_view("()\"'=,").find(c) == std::string_view::npos; });
  if (bare && chance(60)) return text;
  const char quote = chance(50) ? '"' : '\'';
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') (out += '\\') += c;
    else if (c < ' ' || chance(3)) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else out += c;
  }
  return out + quote;
}

}  // namespace scry::oracle
