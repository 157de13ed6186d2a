// SPDX-License-Identifier: Apache-2.0
#include "tests/oracle/values.h"

#include <algorithm>

#include "capture/base/check.h"
#include "capture/base/visible.h"

namespace scry::oracle {

using fields::Type;

std::optional<Datum::Kind> kind_of(Type type) {
  switch (type) {
    case Type::kBytebuf: return Datum::Kind::kBytes;
    case Type::kCharbuf: case Type::kFspath: case Type::kFsrelpath: return Datum::Kind::kText;
    case Type::kBool: return Datum::Kind::kTruth;
    case Type::kDouble: return Datum::Kind::kReal;
    case Type::kIpaddr: case Type::kIpnet: return Datum::Kind::kAddress;
    case Type::kDyn: return std::nullopt;
    default: return Datum::Kind::kInteger;
  }
}

std::string mended(const std::string& text) {
  std::string out;
  for (std::string_view rest = text; !rest.empty();) {
    uint32_t character = 0;
    const int size = utf8_sequence(rest, character);
    if (size == 0) out += "\xef\xbf\xbd";
    else out += rest.substr(0, static_cast<size_t>(size));
    rest.remove_prefix(static_cast<size_t>(std::max(size, 1)));
  }
  return out;
}

namespace {

bool is_signed(Type type) {
  switch (type) {
    case Type::kInt8: case Type::kInt16: case Type::kInt32: case Type::kInt64: case Type::kErrno: case Type::kFd: case Type::kPid: return true;
    default: return false;
  }
}

Datum datum_of(const fields::Value& value, const fields::Field& field) {
  using From = fields::Value::Kind;
  Datum out;
  out.kind = *kind_of(field.type);
  const auto from = value.kind();
  switch (out.kind) {
    case Datum::Kind::kText:
    case Datum::Kind::kBytes:
      CHECK(from == From::kText || from == From::kBytes, "a field's value is not of its type");
      out.text = value.as_text();
      break;
    case Datum::Kind::kInteger:
      CHECK(from == From::kInt || from == From::kUint, "a field's value is not of its type");
      out.integer = is_signed(field.type) ? static_cast<__int128>(value.as_int()) : static_cast<__int128>(value.as_uint());
      break;
    case Datum::Kind::kReal:
      CHECK(from == From::kDouble, "a field's value is not of its type");
      out.real = value.as_double();
      break;
    case Datum::Kind::kTruth:
      CHECK(from == From::kBool, "a field's value is not of its type");
      out.integer = value.as_uint() != 0;
      break;
    default:
      CHECK(from == From::kIp, "a field's value is not of its type");
      out.text = value.as_text();
  }
  return out;
}

std::optional<Data> field_values(const Operand& operand, const Asked& asked) {
  const fields::Field& field = *operand.ref.field;
  Out scratch;
  const fields::Ask ask{asked.moment, asked.machine, asked.renderer, operand.ref, scratch, asked.previous_ts, asked.count};
  Data out;
  if (operand.shape.several || operand.shape.list) {
    fields::Values values;
    field.traits.many(ask, values);
    for (const auto& value : values) out.push_back(datum_of(value, field));
  } else if (const auto value = field.extract(ask); value.present()) {
    out.push_back(datum_of(value, field));
  }
  if (out.empty()) return std::nullopt;
  return out;
}

/// Base64 as RFC 4648 has it, the = at the end may be left out.
std::optional<std::string> from_base64(std::string text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (int i = 0; i < 2 && !text.empty() && text.back() == '='; ++i) text.pop_back();
  std::vector<bool> bits;
  for (const char c : text) {
    const size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    for (size_t bit = 32; bit > 0; bit /= 2) bits.push_back(digit & bit);
  }
  const size_t left = bits.size() % 8;
  if (left == 6) return std::nullopt;
  for (size_t i = bits.size() - left; i < bits.size(); ++i)
    if (bits[i]) return std::nullopt;
  std::string out;
  for (size_t i = 0; i + 8 <= bits.size(); i += 8) {
    int byte = 0;
    for (size_t j = 0; j < 8; ++j) byte = byte * 2 + bits[i + j];
    out += static_cast<char>(byte);
  }
  return out;
}

std::optional<Datum> transformed(const std::string& name, Datum in) {
  for (char& c : in.text) {
    if (name == "tolower" && c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if (name == "toupper" && c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  if (name == "basename" && in.text.find('/') != std::string::npos) in.text.erase(0, in.text.rfind('/') + 1);
  if (name == "b64") {
    auto decoded = from_base64(in.text);
    if (!decoded) return std::nullopt;
    in.text = std::move(*decoded);
    if (in.kind == Datum::Kind::kText) in.text = in.text.substr(0, in.text.find('\0'));  // a text ends there
  }
  return in;
}

/// The letters that getopt(3) would return, with what belongs to them.
std::vector<std::pair<char, std::string>> options_of(const Data& words, const std::string& known) {
  std::vector<std::pair<char, std::string>> out;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i].text;
    if (word.size() < 2 || word[0] != '-' || word == "--") break;
    for (size_t at = 1; at < word.size(); ++at) {
      const size_t where = word[at] == ':' ? std::string::npos : known.find(word[at]);
      if (where == std::string::npos) continue;
      if (where + 1 >= known.size() || known[where + 1] != ':') {
        out.emplace_back(word[at], "");
        continue;
      }
      std::string argument = word.substr(at + 1);
      const bool optional = where + 2 < known.size() && known[where + 2] == ':';
      const bool missing = argument.empty() && !optional && i + 1 >= words.size();
      if (argument.empty() && !optional && !missing) argument = words[++i].text;
      if (!missing) out.emplace_back(word[at], argument);
      break;
    }
  }
  return out;
}

std::optional<Data> several_arguments(const Operand& operand, const Asked& asked, const Options& options) {
  const std::string& name = operand.source->text;
  auto text = [](std::string what) {
    Datum out;
    out.text = std::move(what);
    return out;
  };
  if (name == "concat") {
    std::string all;
    for (const Operand& argument : operand.arguments) {
      const auto one = values_of(argument, asked, options);
      if (!one) return std::nullopt;
      if (options.wrong == Wrong::kConcat && !all.empty()) all += ' ';
      all += one->front().text;
    }
    return Data{text(all)};
  }
  if (name == "join") {
    const auto separator = values_of(operand.arguments[0], asked, options), list = values_of(operand.arguments[1], asked, options);
    if (!separator || !list) return std::nullopt;
    std::string all;
    for (const Datum& one : *list) {
      if (&one != &list->front() && options.wrong != Wrong::kJoin) all += separator->front().text;
      all += one.text;
    }
    return Data{text(all)};
  }
  const auto words = values_of(operand.arguments[0], asked, options);
  if (!words) return std::nullopt;
  Data out;
  for (const auto& [letter, argument] : options_of(*words, operand.arguments[1].source->text)) {
    if (!operand.source->argument) out.push_back(text(std::string(1, letter)));
    else if (operand.source->argument->front() == letter) return Data{text(options.wrong == Wrong::kGetopt ? std::string() : argument)};
  }
  if (out.empty()) return std::nullopt;
  return out;
}

}  // namespace

std::optional<Data> values_of(const Operand& operand, const Asked& asked, const Options& options) {
  using Kind = lang::Operand::Kind;
  Datum constant;
  switch (operand.source->kind) {
    case Kind::kField: return field_values(operand, asked);
    case Kind::kText: constant.text = operand.source->text; return Data{constant};
    case Kind::kNumber:
      constant.kind = Datum::Kind::kInteger;
      constant.integer = static_cast<__int128>(operand.ref.number);
      return Data{constant};
    case Kind::kList: {
      Data out;
      for (const Operand& element : operand.arguments) {
        const auto one = values_of(element, asked, options);
        if (!one) return std::nullopt;
        out.insert(out.end(), one->begin(), one->end());
      }
      if (out.empty()) return std::nullopt;
      return out;
    }
    case Kind::kTransformer: break;
  }
  const std::string& name = operand.source->text;
  if (name == "concat" || name == "join" || name == "getopt") return several_arguments(operand, asked, options);
  auto in = values_of(operand.arguments[0], asked, options);
  if (!in) return std::nullopt;
  if (name == "len") {
    constant.kind = Datum::Kind::kInteger;
    const size_t length = operand.arguments[0].shape.list ? in->size() : in->front().text.size();
    constant.integer = static_cast<__int128>(length) + (options.wrong == Wrong::kLen);
    return Data{constant};
  }
  Data out;
  for (Datum& one : *in) {
    auto made = transformed(name, std::move(one));
    if (!made) return std::nullopt;
    out.push_back(std::move(*made));
  }
  return out;
}

}  // namespace scry::oracle
