// SPDX-License-Identifier: Apache-2.0
#include <absl/container/flat_hash_map.h>
#include <fmt/format.h>

#include <charconv>

#include "capture/base/nearest.h"
#include "filters/fields/parts.h"

namespace scry::fields {
namespace {

const absl::flat_hash_map<std::string_view, const Field*>& rows_by_name() {
  static const auto* rows = [] {
    auto* map = new absl::flat_hash_map<std::string_view, const Field*>;
    for (const FieldClass& c : field_classes())
      for (const Field& row : c.rows) map->emplace(row.name, &row);
    return map;
  }();
  return *rows;
}

Result<void> set_argument(FieldRef& ref, std::string_view argument) {
  const Field& field = *ref.field;
  ref.has_argument = true;
  ref.argument = argument;
  const auto kind = field.traits.argument;
  const auto [end, error] = std::from_chars(argument.data(), argument.data() + argument.size(), ref.number);
  const bool is_number = error == std::errc() && end == argument.data() + argument.size();
  if ((kind == Argument::kNumber || kind == Argument::kOptionalNumber) && !is_number)
    return fail("", fmt::format("field '{}' needs a number in its brackets, not '{}'", field.name, argument));
  return {};
}

Result<FieldRef> finish(FieldRef ref) {
  const auto kind = ref.field->traits.argument;
  if (!ref.has_argument && (kind == Argument::kNumber || kind == Argument::kText))
    return fail("", fmt::format("field '{}' needs an argument: {}[{}]", ref.field->name, ref.field->name, kind == Argument::kNumber ? "number" : "name"));
  if (ref.field->traits.bind)
    if (auto bound = ref.field->traits.bind(ref); !bound) return tl::unexpected<Error>(bound.error());
  return ref;
}

}  // namespace

std::span<const FieldClass> field_classes() {
  static const FieldClass classes[] = {
      {"evt", "the event itself", evt_fields()},
      {"process", "who did it: the process and the thread", proc_fields()},
      {"user", "with whose rights", user_fields()},
      {"group", "the group that it runs as", group_fields()},
      {"container", "in which container", container_fields()},
      {"k8s", "in which pod of a Kubernetes cluster", k8s_fields()},
      {"mesos", "fields of Mesos and Marathon: always absent", mesos_fields()},
      {"span", "fields of tracers: always absent", span_fields()},
      {"evtin", "fields of tracers around an event: always absent", evtin_fields()},
      {"fd", "what the event works on", fd_fields()},
      {"fs.path", "the paths that a call works on", fs_path_fields()},
      {"fdlist", "what poll and its kin wait for", fdlist_fields()},
      {"syslog", "messages to the system's log", syslog_fields()},
      {"util", "for views and chisels", util_fields()},
  };
  return classes;
}

std::string_view type_name(Type type) {
  switch (type) {
    case Type::kInt8: return "INT8";
    case Type::kInt16: return "INT16";
    case Type::kInt32: return "INT32";
    case Type::kInt64: return "INT64";
    case Type::kUint8: return "UINT8";
    case Type::kUint16: return "UINT16";
    case Type::kUint32: return "UINT32";
    case Type::kUint64: return "UINT64";
    case Type::kCharbuf: return "CHARBUF";
    case Type::kBytebuf: return "BYTEBUF";
    case Type::kBool: return "BOOL";
    case Type::kDouble: return "DOUBLE";
    case Type::kReltime: return "RELTIME";
    case Type::kAbstime: return "ABSTIME";
    case Type::kPort: return "PORT";
    case Type::kIpaddr: return "IPADDR";
    case Type::kIpnet: return "IPNET";
    case Type::kDyn: return "DYN";
    default: return "NONE";
  }
}

const Field* find_row(std::string_view name) {
  const auto it = rows_by_name().find(name);
  return it == rows_by_name().end() ? nullptr : it->second;
}

const Field* nearest_row(std::string_view name) {
  Nearest nearest(name);
  for (const FieldClass& c : field_classes())
    for (const Field& row : c.rows) nearest.offer(row.name);
  return find_row(nearest.best());
}

Result<FieldRef> bind_field(std::string_view name, const std::optional<std::string>& bracket) {
  FieldRef ref;
  ref.text = bracket ? fmt::format("{}[{}]", name, *bracket) : std::string(name);
  ref.field = find_row(name);
  if (ref.field && bracket && ref.field->traits.argument == Argument::kNone)
    return fail("", fmt::format("field '{}' takes no argument", name));
  if (ref.field && bracket) {
    if (auto set = set_argument(ref, *bracket); !set) return tl::unexpected<Error>(set.error());
  } else if (!ref.field && !bracket) {
    // evt.arg.fd: the argument stands behind the last dots of the name.
    for (size_t dot = name.rfind('.'); dot != std::string_view::npos && dot > 0 && !ref.field; dot = name.rfind('.', dot - 1)) {
      const Field* row = find_row(name.substr(0, dot));
      if (!row || row->traits.argument == Argument::kNone) continue;
      ref.field = row;
      if (auto set = set_argument(ref, name.substr(dot + 1)); !set) return tl::unexpected<Error>(set.error());
    }
  }
  if (!ref.field) {
    const Field* near = nearest_row(name);
    return fail("", near ? fmt::format("unknown field '{}', did you mean {}?", name, near->name) : fmt::format("unknown field '{}'", name));
  }
  return finish(std::move(ref));
}

Result<FieldRef> find_field(std::string_view text, size_t& used) {
  // Names are made of these; the longest part that is a field's name counts, what follows is literal text.
  size_t size = 0;
  auto is_name = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.'; };
  while (size < text.size() && is_name(text[size])) ++size;
  FieldRef ref;
  for (used = size; used > 0 && !ref.field; ) {
    ref.field = find_row(text.substr(0, used));
    if (!ref.field) --used;
  }
  if (!ref.field) {
    const auto name = text.substr(0, text.find_first_of(" \t\n%),[:"));
    const Field* near = nearest_row(name);
    return fail("", near ? fmt::format("unknown field '{}', did you mean {}?", name, near->name) : fmt::format("unknown field '{}'", name));
  }
  if (ref.field->traits.argument != Argument::kNone && used < text.size()) {
    while (size > used && text[size - 1] == '.') --size;  // the end of a sentence
    if (text[used] == '[') {
      // In quotes the argument may hold a bracket.
      const char quote = used + 1 < text.size() && (text[used + 1] == '"' || text[used + 1] == '\'') ? text[used + 1] : '\0';
      const size_t start = used + (quote ? 2 : 1);
      const size_t end = text.find(quote ? quote : ']', start);
      const size_t close = end == std::string_view::npos ? end : end + (quote ? 1 : 0);
      if (close == std::string_view::npos || close >= text.size() || text[close] != ']')
        return fail("", fmt::format("field '{}': the bracket is not closed", ref.field->name));
      if (auto set = set_argument(ref, text.substr(start, end - start)); !set) return tl::unexpected<Error>(set.error());
      used = close + 1;
    } else if (text[used] == '.' && size > used + 1) {
      if (auto set = set_argument(ref, text.substr(used + 1, size - used - 1)); !set) return tl::unexpected<Error>(set.error());
      used = size;
    }
  }
  ref.text = text.substr(0, used);
  return finish(std::move(ref));
}

}  // namespace scry::fields
