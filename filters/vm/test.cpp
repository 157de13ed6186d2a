// SPDX-License-Identifier: Apache-2.0
#include "filters/vm/test.h"

#include <absl/strings/string_view.h>
#include <fnmatch.h>

#include <algorithm>
#include <cstring>

namespace scry::filter {

using fields::Value;

bool contains_ignoring_case(std::string_view text, std::string_view part) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), [&](char a, char b) { return lower(a) == lower(b); }) != text.end() ||
         part.empty();
}

bool matches_glob(const std::string& glob, std::string_view text, bool ignore_case) {
  constexpr size_t kOnStack = 512;
  const int flags = ignore_case ? FNM_CASEFOLD : 0;
  if (text.size() < kOnStack) {
    char ended[kOnStack];
    text.copy(ended, text.size());  // which, unlike memcpy, may be nothing at no address
    ended[text.size()] = '\0';
    return fnmatch(glob.c_str(), ended, flags) == 0;
  }
  return fnmatch(glob.c_str(), std::string(text).c_str(), flags) == 0;
}

bool matches_pattern(const re2::RE2& pattern, std::string_view text) {
  std::string mended;
  if (plain_prefix(text) != text.size()) {
    bool broken = false;
    for (std::string_view rest = text; !rest.empty();) {
      uint32_t c = 0;
      const int size = utf8_sequence(rest, c);
      if (size == 0) {
        broken = true;
        mended += "\xef\xbf\xbd";
      } else {
        mended.append(rest.substr(0, static_cast<size_t>(size)));
      }
      rest.remove_prefix(static_cast<size_t>(std::max(size, 1)));
    }
    if (broken) text = mended;
  }
  return re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), pattern);
}

bool is_in_net(const NetConstant& net, std::string_view address) {
  if (address.size() != (net.address.v6 ? 16u : 4u)) return false;
  const auto* bytes = reinterpret_cast<const uint8_t*>(address.data());
  const size_t whole = net.length / 8u, rest = net.length % 8u;
  if (std::memcmp(bytes, net.address.bytes, whole) != 0) return false;
  if (rest == 0) return true;
  const auto mask = static_cast<uint8_t>(0xff << (8 - rest));
  return ((bytes[whole] ^ net.address.bytes[whole]) & mask) == 0;
}

namespace {

bool compare_text(Op op, std::string_view left, std::string_view right) {
  switch (op) {
    case Op::kContains: case Op::kBcontains: return left.find(right) != std::string_view::npos;
    case Op::kIcontains: return contains_ignoring_case(left, right);
    case Op::kStartswith: case Op::kBstartswith: return left.starts_with(right);
    case Op::kEndswith: return left.ends_with(right);
    default: return compare<std::string_view>(op, left, right);
  }
}

bool is_ip(std::string_view address, const IpConstant& ip) {
  return address == std::string_view(reinterpret_cast<const char*>(ip.bytes), ip.v6 ? 16 : 4);
}

/// By what the value turned out to be: parameters of one name have different types in different events.
bool compare_any(Op op, const Value& value, const Constant& constant) {
  switch (value.kind()) {
    case Value::Kind::kBytes: return compare_text(op, value.as_text(), constant.text);
    case Value::Kind::kInt: return constant.is_number && compare(op, value.as_int(), constant.integer);
    case Value::Kind::kUint: return constant.is_number && compare(op, value.as_uint(), constant.number);
    case Value::Kind::kDouble: return constant.is_number && compare(op, value.as_double(), constant.real);
    case Value::Kind::kBool: return compare(op, std::string_view(value.as_uint() ? "true" : "false"), std::string_view(constant.text));
    default: return false;
  }
}

/// One value, one constant.
bool compare_one(const Check& check, const Value& value, size_t which) {
  const Constant& constant = check.constants[which];
  const Op op = check.op;
  const Class cls = check.cls == Class::kAny && value.kind() == Value::Kind::kText ? Class::kText : check.cls;
  switch (cls) {
    case Class::kText:
      if (op == Op::kGlob || op == Op::kIglob) return matches_glob(constant.text, value.as_text(), op == Op::kIglob);
      if (op == Op::kRegex) return matches_pattern(*check.patterns[which], value.as_text());
      return compare_text(op, value.as_text(), constant.text);
    case Class::kBytes: return compare_text(op, value.as_text(), constant.text);
    case Class::kInt: return compare(op, value.as_int(), constant.integer);
    case Class::kUint:
      if (check.around) return value.as_uint() <= constant.number;
      return compare(op, value.as_uint(), constant.number);
    case Class::kDouble: return compare(op, value.as_double(), constant.real);
    case Class::kBool: return compare(op, value.as_uint(), constant.number);
    case Class::kIp: return is_ip(value.as_text(), constant.ip) == (op != Op::kNotEqual);
    case Class::kNet: return is_in_net(constant.net, value.as_text()) == (op != Op::kNotEqual);
    case Class::kAny: return compare_any(op, value, constant);
  }
  return false;
}

}  // namespace

bool holds(const Check& check, const Value& value) {
  if (!value.present()) return false;
  if (check.op == Op::kExists) return true;
  if (check.op == Op::kPmatch) return check.paths.covers(value.as_text());
  if (check.op == Op::kIn || check.op == Op::kIntersects) {
    if (check.cls == Class::kText) return check.set.contains(absl::string_view(value.as_text().data(), value.as_text().size()));
    for (size_t i = 0; i < check.constants.size(); ++i)
      if (compare_one(check, value, i)) return true;
    return false;
  }
  if (check.modifier == Modifier::kNone) return compare_one(check, value, 0);
  size_t held = 0;
  for (size_t i = 0; i < check.constants.size(); ++i) held += compare_one(check, value, i);
  switch (check.modifier) {
    case Modifier::kOneof: return held == 1;
    case Modifier::kAllof: return held == check.constants.size() && held > 0;
    default: return held > 0;
  }
}

bool holds(const Check& check, const Value& value, const Value& right) {
  if (!value.present() || !right.present()) return false;
  const Op op = check.op;
  switch (check.cls) {
    case Class::kText:
    case Class::kBytes:
      if (op == Op::kGlob || op == Op::kIglob) return matches_glob(std::string(right.as_text()), value.as_text(), op == Op::kIglob);
      return compare_text(op, value.as_text(), right.as_text());
    case Class::kInt: return compare(op, value.as_int(), right.as_int());
    case Class::kUint:
    case Class::kBool: return compare(op, value.as_uint(), right.as_uint());
    case Class::kDouble: return compare(op, value.as_double(), right.as_double());
    case Class::kIp: return (value.as_text() == right.as_text()) == (op != Op::kNotEqual);
    case Class::kNet:
    case Class::kAny: return false;  // the compiler lets neither through
  }
  return false;
}

}  // namespace scry::filter
