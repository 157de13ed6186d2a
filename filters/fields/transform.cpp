// SPDX-License-Identifier: Apache-2.0
#include "filters/fields/transform.h"

#include <fmt/format.h>

#include <array>

namespace scry::fields {
namespace {

struct Row {
  Transformer transformer;
  std::string_view name;
};
constexpr Row kRows[] = {
    {Transformer::kToLower, "tolower"},   {Transformer::kToUpper, "toupper"}, {Transformer::kB64, "b64"},
    {Transformer::kBasename, "basename"}, {Transformer::kLen, "len"},         {Transformer::kVal, "val"},
};

bool is_text(Type type) { return type == Type::kCharbuf || type == Type::kFspath || type == Type::kFsrelpath; }

/// Room in `scratch` for `size` bytes. `text` may lie in there, and moves along when that grows.
char* room_beside(Out& scratch, std::string_view& text, size_t size) {
  const auto at = reinterpret_cast<uintptr_t>(text.data()), begin = reinterpret_cast<uintptr_t>(scratch.view().data());
  const bool inside = at >= begin && at < begin + scratch.size();
  char* to = scratch.room(size);
  if (inside) text = scratch.view().substr(at - begin, text.size());
  return to;
}

/// ASCII only, whatever the locale.
template <char kFirst, char kLast>
std::string_view other_case(std::string_view text, Out& scratch) {
  char* const start = room_beside(scratch, text, text.size());
  char* to = start;
  for (const char c : text) *to++ = c >= kFirst && c <= kLast ? static_cast<char>(c ^ 0x20) : c;
  scratch.done(to);
  return {start, text.size()};
}

constexpr uint8_t kNoDigit = 64;
constexpr std::array<uint8_t, 256> kBase64Values = [] {
  std::array<uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (uint8_t i = 0; i < 26; ++i) {
    values[static_cast<size_t>('A' + i)] = i;
    values[static_cast<size_t>('a' + i)] = static_cast<uint8_t>(26 + i);
  }
  for (uint8_t i = 0; i < 10; ++i) values[static_cast<size_t>('0' + i)] = static_cast<uint8_t>(52 + i);
  values['+'] = 62;
  values['/'] = 63;
  return values;
}();

/// With `=` at the end or without; strict otherwise: no blanks, and no bits that go nowhere.
std::optional<std::string_view> decode_base64(std::string_view text, Out& scratch) {
  for (int i = 0; i < 2; ++i)
    if (text.ends_with('=')) text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  char* const start = room_beside(scratch, text, text.size());
  char* to = start;
  uint32_t word = 0;
  int bits = 0;
  for (const char c : text) {
    const uint8_t value = kBase64Values[static_cast<unsigned char>(c)];
    if (value == kNoDigit) return std::nullopt;
    word = word << 6 | value;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    *to++ = static_cast<char>(word >> bits & 0xff);
    word &= (1u << bits) - 1;
  }
  if (word != 0) return std::nullopt;
  scratch.done(to);
  return std::string_view(start, static_cast<size_t>(to - start));
}

/// Texts that are made of a safe one stay safe.
Value text_like(const Value& in, std::string_view text) {
  if (in.kind() == Value::Kind::kBytes) return Value::bytes(text);
  return in.is_safe() ? Value::made(text) : Value::text(text);
}

Value decoded(const Value& in, Out& scratch) {
  const auto bytes = decode_base64(in.as_text(), scratch);
  if (!bytes) return Value::absent();
  if (in.kind() == Value::Kind::kBytes) return Value::bytes(*bytes);
  return Value::text(bytes->substr(0, bytes->find('\0')));  // a text ends there
}

}  // namespace

std::optional<Transformer> find_transformer(std::string_view name) {
  for (const Row& row : kRows)
    if (row.name == name) return row.transformer;
  return std::nullopt;
}

std::string_view name_of(Transformer transformer) {
  for (const Row& row : kRows)
    if (row.transformer == transformer) return row.name;
  return {};
}

std::optional<Type> result_type(Transformer transformer, Type in, bool list) {
  const bool buffer = in == Type::kBytebuf;
  switch (transformer) {
    case Transformer::kToLower:
    case Transformer::kToUpper:
    case Transformer::kBasename:
      if (is_text(in)) return in;
      break;
    case Transformer::kB64:
      if (in == Type::kCharbuf || buffer) return in;
      break;
    case Transformer::kLen:
      if (list || is_text(in) || buffer) return Type::kUint64;
      break;
    case Transformer::kVal: return in;
  }
  return std::nullopt;
}

std::string wrong_type(Transformer transformer, Type in, std::string_view field) {
  return fmt::format("type '{}' is not supported by '{}' transformer applied on field '{}'", type_name(in), name_of(transformer), field);
}

Value transform(Transformer transformer, const Value& in, Out& scratch) {
  if (transformer == Transformer::kVal) return in;
  if (in.kind() != Value::Kind::kText && in.kind() != Value::Kind::kBytes) return Value::absent();
  const std::string_view text = in.as_text();
  switch (transformer) {
    case Transformer::kToLower: return text_like(in, other_case<'A', 'Z'>(text, scratch));
    case Transformer::kToUpper: return text_like(in, other_case<'a', 'z'>(text, scratch));
    case Transformer::kB64: return decoded(in, scratch);
    case Transformer::kBasename: return text_like(in, text.substr(text.rfind('/') + 1));
    case Transformer::kLen: return Value::number(text.size());
    case Transformer::kVal: break;
  }
  return in;
}

}  // namespace scry::fields
