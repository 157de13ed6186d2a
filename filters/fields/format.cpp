// SPDX-License-Identifier: Apache-2.0
#include "filters/fields/format.h"

#include <fmt/format.h>

#include <algorithm>

namespace scry::fields {

Result<Formatter> Formatter::parse(std::string_view format, Style style) {
  Formatter out;
  out.style_ = style;
  if (format.starts_with('*')) {
    out.keep_absent_ = true;
    format.remove_prefix(1);
  }
  std::string literal;
  auto end_literal = [&] {
    if (!literal.empty()) out.parts_.push_back({literal, {}, 0});
    literal.clear();
  };
  for (size_t at = 0; at < format.size();) {
    if (format[at] == '\\' && at + 1 < format.size()) {
      constexpr std::string_view kFrom = "nte\\", kTo = "\n\t\x1b\\";
      if (const size_t which = kFrom.find(format[at + 1]); which != std::string_view::npos) {
        literal += kTo[which];
        at += 2;
        continue;
      }
    }
    if (format[at] != '%') {
      literal += format[at++];
      continue;
    }
    end_literal();
    if (++at == format.size()) return fail("-p", "the format ends with a lone %");
    int width = 0;
    while (at < format.size() && format[at] >= '0' && format[at] <= '9' && width < 10000) width = 10 * width + (format[at++] - '0');
    size_t used = 0;
    auto field = find_field(format.substr(at), used);
    if (!field) return fail(fmt::format("-p, column {}", at + 1), field.error().text);
    out.parts_.push_back({{}, std::move(*field), width});
    at += used;
  }
  end_literal();
  return out;
}

bool Formatter::print(Out& out, const Moment& moment, const state::Machine& machine, Renderer& renderer) {
  ++count_;
  if (style_ == Style::kJson) {
    print_json(out, moment, machine, renderer);
    previous_ts_ = moment.event.raw().ts;
    return true;
  }
  const size_t start = out.size();
  for (const Part& part : parts_) {
    if (!part.field.field) {
      out.put(part.literal);
      continue;
    }
    scratch_->clear();
    const Value value = part.field.field->extract({moment, machine, renderer, part.field, *scratch_, previous_ts_, count_});
    if (!value.present() && !keep_absent_) {
      out.shrink(start);
      return false;
    }
    const size_t at = out.size();
    if (value.kind() == Value::Kind::kBytes) renderer.bytes(out, value.as_text());
    else put_value(out, *part.field.field, value);
    if (part.width) {
      const auto want = static_cast<size_t>(part.width);
      size_t cut = std::min(out.size(), at + want);
      while (cut > at && cut < out.size() && (out.view()[cut] & 0xc0) == 0x80) --cut;  // no half characters
      out.shrink(cut);
      while (out.size() - at < want) out.put(' ');
    }
  }
  out.put('\n');
  previous_ts_ = moment.event.raw().ts;
  return true;
}

void put_json_string(Out& out, std::string_view text) {
  out.put('"');
  while (!text.empty()) {
    // Runs that need nothing go out whole.
    size_t plain = 0;
    while (plain < text.size() && static_cast<unsigned char>(text[plain]) - 0x20u < 0x5fu && text[plain] != '"' && text[plain] != '\\') ++plain;
    out.put(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    uint32_t c = 0;
    int length = utf8_sequence(text, c);
    if (length == 0) {
      out.put(fmt::format("\\\\x{:02x}", static_cast<unsigned char>(text[0])));
      length = 1;
    } else if (c == '"' || c == '\\') {
      out.put('\\');
      out.put(static_cast<char>(c));
    } else if (is_unsafe(c)) {
      out.put(fmt::format("\\u{:04x}", c));
    } else {
      out.put(text.substr(0, static_cast<size_t>(length)));
    }
    text.remove_prefix(static_cast<size_t>(length));
  }
  out.put('"');
}

void Formatter::print_json(Out& out, const Moment& moment, const state::Machine& machine, Renderer& renderer) {
  out.put('{');
  bool first = true;
  for (const Part& part : parts_) {
    if (!part.field.field) continue;
    if (!first) out.put(',');
    first = false;
    put_json_string(out, part.field.text);
    out.put(':');
    scratch_->clear();
    const Value value = part.field.field->extract({moment, machine, renderer, part.field, *scratch_, previous_ts_, count_});
    switch (value.kind()) {
      case Value::Kind::kAbsent: out.put("null"); break;
      case Value::Kind::kText:
      case Value::Kind::kBytes: put_json_string(out, value.as_text()); break;
      case Value::Kind::kIp:
        out.put('"');
        put_value(out, *part.field.field, value);
        out.put('"');
        break;
      default: put_value(out, *part.field.field, value);
    }
  }
  out.put("}\n");
}

}  // namespace scry::fields
