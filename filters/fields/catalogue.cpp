// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>

#include "filters/fields/field.h"

namespace scry::fields {

Result<FieldRef> find_field(std::string_view text, size_t& used) {
  const Field* found = nullptr;
  for (auto rows : {evt_fields(), proc_fields(), fd_fields(), user_fields()})
    for (const Field& row : rows)
      if (text.starts_with(row.name) && (!found || row.name.size() > found->name.size())) found = &row;
  if (!found) {
    const auto end = text.find_first_of(" \t\n%),");
    return fail("", fmt::format("unknown field '{}'", text.substr(0, end)));
  }
  FieldRef ref;
  ref.field = found;
  used = found->name.size();
  const bool bracket = used < text.size() && text[used] == '[';
  if (found->argument != Argument::kNone && bracket) {
    const size_t close = text.find(']', used);
    if (close == std::string_view::npos) return fail("", fmt::format("field '{}': the bracket is not closed", found->name));
    ref.argument = text.substr(used + 1, close - used - 1);
    const auto& a = ref.argument;
    const auto [end, error] = std::from_chars(a.data(), a.data() + a.size(), ref.number);
    if (error != std::errc() || end != a.data() + a.size())
      return fail("", fmt::format("field '{}' needs a number in its brackets, not '{}'", found->name, a));
    used = close + 1;
  } else if (found->argument == Argument::kNumber) {
    return fail("", fmt::format("field '{}' needs an argument in brackets", found->name));
  }
  ref.text = text.substr(0, used);
  return ref;
}

void put_value(Out& out, const Field&, const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kAbsent: return out.put("<NA>");
    case Value::Kind::kText: return value.is_safe() ? out.put(value.as_text()) : out.put_visible(value.as_text());
    case Value::Kind::kInt: return out.put_i64(value.as_int());
    case Value::Kind::kUint: return out.put_u64(value.as_uint());
    case Value::Kind::kBool: return out.put(value.as_uint() ? "true" : "false");
  }
}

}  // namespace scry::fields
