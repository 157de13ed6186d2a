// SPDX-License-Identifier: Apache-2.0
#include "filters/fields/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace scry::fields {

struct Formatter::Source {
  const Moment& moment;
  const state::Machine& machine;
  Renderer& renderer;
  mutable std::optional<EventFd> fd = {};
};

/// Reads a format from left to right. Columns in messages count from 1, in the format as it was given.
class Formatter::Parser {
 public:
  Parser(std::string_view format, Style style)
      : format_(format), style_(style == Style::kText ? Style::kText : Style::kJson), whole_(style == Style::kWholeJson) {}

  Result<Formatter> parse() {
    if (format_.empty()) return fail("-p", "the format is empty; name fields like %evt.num %proc.name");
    Formatter out;
    out.style_ = style_;
    out.keep_absent_ = whole_;
    if (format_[0] == '*') {
      out.keep_absent_ = true;
      ++at_;
    }
    std::string literal;
    while (at_ < format_.size()) {
      if (format_[at_] != '%') {
        take_literal(literal);
        continue;
      }
      auto part = take_field();
      if (!part) return tl::unexpected<Error>(part.error());
      part->literal = std::move(literal);
      literal.clear();
      out.parts_.push_back(std::move(*part));
    }
    if (style_ == Style::kJson) {
      make_object(out.parts_);
    } else {
      out.parts_.emplace_back();
      out.parts_.back().literal = literal + '\n';
    }
    return out;
  }

 private:
  static constexpr size_t kMostNested = 16;
  static constexpr uint32_t kWidest = 4096;

  auto error(size_t at, const std::string& text) const { return fail(fmt::format("-p, column {}", at + 1), text); }

  void take_literal(std::string& literal) {
    constexpr std::string_view kFrom = "nte\\", kTo = "\n\t\x1b\\";
    if (format_[at_] == '\\' && at_ + 1 < format_.size()) {
      if (const size_t which = kFrom.find(format_[at_ + 1]); which != std::string_view::npos) {
        literal += kTo[which];
        at_ += 2;
        return;
      }
    }
    literal += format_[at_++];
  }

  Result<Part> take_field() {
    const size_t percent = at_++;
    Part part;
    while (at_ < format_.size() && is_digit(format_[at_])) {
      part.width = 10 * part.width + static_cast<uint32_t>(format_[at_++] - '0');
      if (part.width > kWidest) return error(percent + 1, fmt::format("a field can't be wider than {}", kWidest));
    }
    if (at_ == format_.size()) return error(percent, "the format ends with a lone %");
    const size_t start = at_;
    std::vector<size_t> columns;  // of the transformers, as part.transformers
    while (auto word = transformer_ahead()) {
      const auto transformer = find_transformer(*word);
      if (!transformer || *transformer == Transformer::kVal)
        return error(at_, fmt::format("unknown transformer '{}'; there are tolower, toupper, b64, basename and len", *word));
      if (part.transformers.size() == kMostNested) return error(at_, "too many transformers within each other");
      part.transformers.push_back(*transformer);
      columns.push_back(at_);
      at_ += word->size() + 1;
      skip_blanks();
    }
    size_t used = 0;
    const size_t name_at = at_;
    if (!part.transformers.empty() && (at_ == format_.size() || !is_letter(format_[at_])))
      return error(std::min(at_, format_.size() - 1), fmt::format("'{}' needs the name of a field in its brackets, without %", name_of(part.transformers.back())));
    if (!is_letter(format_[at_])) return error(percent, "a name of a field has to follow the %");
    auto field = find_field(format_.substr(at_), used);
    if (!field) return error(at_, field.error().text);
    at_ += used;
    const Field& row = *field->field;
    if (row.has(kFilterOnly) && !whole_)
      return error(name_at, fmt::format("field '{}' stands for several values or a test: it works in filters, it can't be printed", row.name));
    for (size_t i = 0; i < part.transformers.size(); ++i) {
      skip_blanks();
      if (at_ == format_.size() || format_[at_] != ')')
        return error(std::min(at_, format_.size() - 1), fmt::format("the bracket after '{}' is not closed", name_of(part.transformers[i])));
      ++at_;
    }
    std::reverse(part.transformers.begin(), part.transformers.end());
    std::reverse(columns.begin(), columns.end());
    part.type = row.type;
    part.format = row.traits.format;
    if (!part.transformers.empty() && row.has(kNoTransformer))
      return error(name_at, fmt::format("field '{}' can't be given to a transformer", row.name));
    bool list = row.has(kList);
    for (size_t i = 0; i < part.transformers.size(); ++i) {
      const auto type = result_type(part.transformers[i], part.type, list);
      if (!type) return error(columns[i], wrong_type(part.transformers[i], part.type, field->text));
      if (part.transformers[i] == Transformer::kLen) {
        list = false;
        part.format = Format::kDec;
      }
      part.type = *type;
    }
    if (!part.transformers.empty()) field->text = format_.substr(start, at_ - start);  // its key in JSON
    part.is_raw_time = style_ == Style::kJson && part.transformers.empty() && is_time_text(row.name);
    part.field = std::move(*field);
    return part;
  }

  /// A word with a bracket behind it; names of fields have a dot.
  std::optional<std::string_view> transformer_ahead() const {
    size_t end = at_;
    while (end < format_.size() && ((format_[end] >= 'a' && format_[end] <= 'z') || is_digit(format_[end]) || format_[end] == '_')) ++end;
    if (end == at_ || end == format_.size() || format_[end] != '(') return std::nullopt;
    return format_.substr(at_, end - at_);
  }

  void skip_blanks() {
    while (at_ < format_.size() && (format_[at_] == ' ' || format_[at_] == '\t')) ++at_;
  }

  static bool is_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  /// Fields that print a time in one way or another; JSON says it in nanoseconds since 1970, as sysdig's does.
  static bool is_time_text(std::string_view name) {
    constexpr std::array<std::string_view, 6> kNames = {"evt.time", "evt.time.s", "evt.time.iso8601", "evt.datetime", "evt.datetime.s", "evt.outputtime"};
    return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
  }

  /// One key for each field, however often it stands in the format, and sorted.
  static void make_object(std::vector<Part>& parts) {
    std::stable_sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) { return a.field.text < b.field.text; });
    parts.erase(std::unique(parts.begin(), parts.end(), [](const Part& a, const Part& b) { return a.field.text == b.field.text; }), parts.end());
    Out text;
    for (Part& part : parts) {
      text.clear();
      text.put(&part == parts.data() ? '{' : ',');
      put_json_string(text, part.field.text);
      text.put(':');
      part.literal = text.view();
      part.width = 0;
    }
    parts.emplace_back();
    parts.back().literal = parts.size() == 1 ? "{}\n" : "}\n";
  }

  std::string_view format_;
  Style style_;
  bool whole_;  ///< every field has its key, whatever it is
  size_t at_ = 0;
};

void put_value(Out& out, Type type, Format format, const Value& value) {
  constexpr uint64_t kNineDigits = 1'000'000'000;
  switch (value.kind()) {
    case Value::Kind::kAbsent: return out.put("<NA>");
    case Value::Kind::kText:
      if (value.shared()) return out.put_visible(*value.shared());
      [[fallthrough]];
    case Value::Kind::kBytes: return value.is_safe() ? out.put(value.as_text()) : out.put_visible(value.as_text());
    case Value::Kind::kInt:
    case Value::Kind::kUint:
      if (format == Format::kHex) return out.put_hex(type == Type::kInt32 ? static_cast<uint32_t>(value.as_uint()) : value.as_uint());
      if (format == Format::kOct) {
        out.put('0');
        return value.as_uint() ? out.put_octal(value.as_uint()) : void();
      }
      if (format == Format::kPaddedDec && value.as_uint() < kNineDigits) return out.put_padded(value.as_uint(), 9);
      return value.kind() == Value::Kind::kInt ? out.put_i64(value.as_int()) : out.put_u64(value.as_uint());
    case Value::Kind::kDouble: return out.put(fmt::format("{:.1f}", value.as_double()));
    case Value::Kind::kBool: return out.put(value.as_uint() ? "true" : "false");
    case Value::Kind::kIp: {
      std::string text;
      state::append_ip(text, reinterpret_cast<const uint8_t*>(value.as_text().data()), value.as_text().size() == 16);
      return out.put(text);
    }
  }
}

void put_value(Out& out, const Field& field, const Value& value) { put_value(out, field.type, field.traits.format, value); }

Result<Formatter> Formatter::parse(std::string_view format, Style style) { return Parser(format, style).parse(); }

bool Formatter::has_escapes() const {
  return std::any_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.literal.find('\x1b') != std::string::npos; });
}

/// Fields that stand for a list, as they come after transformers: each member changed, in brackets.
Value Formatter::members_of(const Part& part, const Ask& ask) {
  Values values;
  part.field.field->traits.many(ask, values);
  for (const Transformer transformer : part.transformers) {
    if (transformer == Transformer::kLen) return Value::number(values.size());
    // Growing moves texts made before: each is kept by itself.
    std::vector<std::string> texts;
    for (const Value& value : values) {
      Out made;
      const Value changed = transform(transformer, value, made);
      if (changed.present()) texts.emplace_back(changed.as_text());
    }
    size_t total = 0;
    for (const std::string& text : texts) total += text.size();
    ask.scratch.room(total);
    values.clear();
    for (const std::string& text : texts) {
      const size_t at = ask.scratch.size();
      ask.scratch.put(text);
      values.push_back(Value::text(ask.scratch.view().substr(at)));
    }
  }
  if (values.empty()) return Value::absent();
  Out joined;
  for (const Value& value : values) {
    joined.put(joined.empty() ? '(' : ',');
    joined.put(value.as_text());
  }
  joined.put(')');
  const size_t at = ask.scratch.size();
  ask.scratch.put(joined.view());
  return Value::text(ask.scratch.view().substr(at));
}

Value Formatter::value_of(const Part& part, const Source& source) {
  if (part.is_raw_time) return Value::number(source.moment.event.raw().ts);
  scratch_->clear();
  const Field& field = *part.field.field;
  const Ask ask{source.moment, source.machine, source.renderer, part.field, *scratch_, previous_ts_, count_, &source.fd};
  if (part.transformers.empty()) [[likely]] return field.extract(ask);
  if (field.has(kList) && field.traits.many) return members_of(part, ask);
  Value value = field.extract(ask);
  for (const Transformer transformer : part.transformers) value = transform(transformer, value, *scratch_);
  return value;
}

void Formatter::put_text(Out& out, const Part& part, const Value& value, Renderer& renderer) {
  if (value.kind() == Value::Kind::kBytes) renderer.bytes(out, value.as_text());
  else put_value(out, part.type, part.format, value);
}

bool Formatter::print(Out& out, const Moment& moment, const state::Machine& machine, Renderer& renderer) {
  const size_t start = out.size();
  const Source source{moment, machine, renderer};
  ++count_;
  bool whole = true;
  for (const Part& part : parts_) {
    out.put(part.literal);
    if (!part.field.field) continue;
    const Value value = value_of(part, source);
    if (!value.present() && !keep_absent_) {
      out.shrink(start);
      whole = false;
      break;
    }
    if (style_ == Style::kJson) {
      put_json(out, part, value, renderer);
      continue;
    }
    const size_t at = out.size();
    put_text(out, part, value, renderer);
    if (part.width == 0) continue;
    size_t cut = std::min<size_t>(out.size(), at + part.width);
    while (cut > at && cut < out.size() && (out.view()[cut] & 0xc0) == 0x80) --cut;  // no half characters
    out.shrink(cut);
    const size_t missing = part.width - (cut - at);
    std::memset(out.room(missing), ' ', missing);
    out.done(out.room(0) + missing);
  }
  previous_ts_ = moment.event.raw().ts;
  return whole;
}

namespace {

/// How many bytes from the start are ASCII that stands for itself in a JSON string.
size_t json_prefix(std::string_view text) {
  constexpr uint64_t kOnes = 0x0101010101010101u, kHigh = 0x8080808080808080u;
  // High bit set in each byte that is zero; bytes above the first such may be wrong, which costs nothing here.
  auto zeros = [](uint64_t word) { return (word - kOnes) & ~word; };
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    const uint64_t low = (word - kOnes * 0x20) & ~word;
    if ((word | low | zeros(word ^ kOnes * 0x7f) | zeros(word ^ kOnes * '"') | zeros(word ^ kOnes * '\\')) & kHigh) break;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) - 0x20u < 0x5fu && text[at] != '"' && text[at] != '\\') ++at;
  return at;
}

}  // namespace

void put_json_string(Out& out, std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  constexpr std::string_view kShort = "\"\\\n\t\r\b\f", kLetters = "\"\\ntrbf";
  out.put('"');
  while (true) {
    // Runs that need nothing go out whole.
    const size_t plain = json_prefix(text);
    out.put(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    uint32_t c = 0;
    int length = utf8_sequence(text, c);
    if (length == 0) {
      const auto byte = static_cast<unsigned char>(text[0]);
      out.put("\\\\x");
      out.put(kDigits[byte >> 4]);
      out.put(kDigits[byte & 15]);
      length = 1;
    } else if (const size_t which = kShort.find(static_cast<char>(c)); c < 0x80 && which != std::string_view::npos) {
      out.put('\\');
      out.put(kLetters[which]);
    } else if (is_unsafe(c)) {
      out.put("\\u");
      for (int shift = 12; shift >= 0; shift -= 4) out.put(kDigits[c >> shift & 15]);
    } else {
      out.put(text.substr(0, static_cast<size_t>(length)));
    }
    text.remove_prefix(static_cast<size_t>(length));
  }
  out.put('"');
}

void Formatter::put_json(Out& out, const Part& part, const Value& value, Renderer& renderer) {
  switch (value.kind()) {
    case Value::Kind::kAbsent: return out.put("null");
    case Value::Kind::kText: return put_json_string(out, value.as_text());
    case Value::Kind::kBytes: {
      Out text;
      renderer.bytes(text, value.as_text());
      return put_json_string(out, text.view());
    }
    case Value::Kind::kInt:
    case Value::Kind::kUint:
      // Hex and octal are no numbers of JSON; leading zeros aren't allowed there.
      if (part.format == Format::kHex || part.format == Format::kOct) break;
      return put_value(out, part.type, Format::kDec, value);
    case Value::Kind::kDouble:
      if (!std::isfinite(value.as_double())) return out.put("null");
      return out.put(fmt::format("{}", value.as_double()));
    case Value::Kind::kBool: return put_value(out, part.type, part.format, value);
    case Value::Kind::kIp: break;
  }
  out.put('"');
  put_value(out, part.type, part.format, value);
  out.put('"');
}

}  // namespace scry::fields
