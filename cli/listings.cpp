// SPDX-License-Identifier: Apache-2.0
#include "cli/listings.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include "filters/fields/format.h"

namespace scry::cli {
namespace {

using fields::Argument;
using fields::Field;
using fields::FieldClass;

struct FlagName {
  uint16_t flag;
  std::string_view name, meaning;
};
constexpr FlagName kFlagNames[] = {
    {fields::kFilterOnly, "filter_only", "in filters only"},
    {fields::kPrintOnly, "print_only", "in formats only"},
    {fields::kTableOnly, "table_only", "for views"},
    {fields::kList, "list", "a list"},
    {fields::kNoRightSide, "no_right_side", "never right of a comparison"},
    {fields::kNoTransformer, "no_transformer", "takes no transformer"},
    {fields::kDeprecated, "deprecated", "deprecated"},
    {fields::kDead, "dead", "always absent: of a system that is gone"},
    {fields::kNotCurrent, "not_current", "not in current Falco"},
};

/// How the argument is written behind the name.
std::string_view argument_form(Argument argument) {
  switch (argument) {
    case Argument::kNone: return "";
    case Argument::kNumber: return "[NUMBER]";
    case Argument::kOptionalNumber: return "[NUMBER] or none";
    case Argument::kText: return "[TEXT]";
    case Argument::kOptionalText: return "[TEXT] or none";
  }
  return "";
}

/// "UINT64; [NUMBER]; in filters only": what there is to know besides the sentence.
std::string properties(const Field& row) {
  std::string out(fields::type_name(row.type));
  if (row.traits.argument != Argument::kNone) out += fmt::format("; {}", argument_form(row.traits.argument));
  for (const FlagName& flag : kFlagNames)
    if (row.has(flag.flag)) out += fmt::format("; {}", flag.meaning);
  return out;
}

/// Characters, not bytes.
size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

/// `name` in a column of its own, then `text` in lines of what is left.
void put_entry(std::string& out, std::string_view name, std::string_view text, size_t columns) {
  constexpr size_t kIndent = 30;
  const size_t room = std::max<size_t>(columns, kIndent + 20) - kIndent;
  out += fmt::format("{:<{}}", name, kIndent - 1);
  size_t used = name.size() >= kIndent ? room : 0;  // a long name has the first line for itself
  bool first = true;
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (!first || name.size() >= kIndent)
      if (used + 1 + width_of(word) > room) {
        out += '\n' + std::string(kIndent - 1, ' ');
        used = 0;
      }
    out += ' ';
    out += word;
    used += 1 + width_of(word);
    first = false;
  }
  out += '\n';
}

/// A word that is a class chooses that and nothing else.
bool is_wanted(const FieldClass& c, const Field& row, const std::vector<std::string>& words) {
  const auto classes = fields::field_classes();
  return words.empty() || std::any_of(words.begin(), words.end(), [&](const std::string& word) {
           const bool is_class = std::any_of(classes.begin(), classes.end(), [&](const FieldClass& other) { return other.name == word; });
           return is_class ? c.name == word : row.name.find(word) != std::string_view::npos;
         });
}

void put_json_field(std::string& out, const FieldClass& c, const Field& row) {
  Out line;
  line.put(R"({"class":)");
  fields::put_json_string(line, c.name);
  line.put(R"(,"name":)");
  fields::put_json_string(line, row.name);
  line.put(R"(,"type":)");
  fields::put_json_string(line, fields::type_name(row.type));
  line.put(R"(,"argument":)");
  switch (row.traits.argument) {
    case Argument::kNone: line.put("null"); break;
    case Argument::kNumber: line.put(R"("number")"); break;
    case Argument::kOptionalNumber: line.put(R"("optional number")"); break;
    case Argument::kText: line.put(R"("text")"); break;
    case Argument::kOptionalText: line.put(R"("optional text")"); break;
  }
  line.put(R"(,"flags":[)");
  bool first = true;
  for (const FlagName& flag : kFlagNames)
    if (row.has(flag.flag)) {
      if (!first) line.put(',');
      fields::put_json_string(line, flag.name);
      first = false;
    }
  line.put(R"(],"doc":)");
  fields::put_json_string(line, row.doc);
  line.put("}\n");
  out += line.view();
}

/// Text for mdoc: nothing in it is taken for a request, a macro or an escape, and all of it is ASCII.
std::string mdoc(std::string_view text) {
  std::string out = "\\&";
  while (!text.empty()) {
    uint32_t c = 0;
    const int length = std::max(1, utf8_sequence(text, c));
    if (c == '\\') out += "\\e";
    else if (c == '-') out += "\\-";
    else if (c == '"') out += "\\(dq";
    else if (c < 0x80) out += static_cast<char>(c);
    else out += fmt::format("\\[u{:04X}]", c);
    text.remove_prefix(static_cast<size_t>(length));
  }
  return out;
}

constexpr std::string_view kManHead = R"(.\" SPDX-License-Identifier: Apache-2.0
.\" Written by `scry --list-man`: see tests/man/pages.py. Change the catalogue, not this file.
.Dd November 22, 2026
.Dt SCRY-FIELDS 7
.Os
.Sh NAME
.Nm scry-fields
.Nd what can be asked of an event
.Sh DESCRIPTION
Fields stand in filters
.Pq Ql proc.name = cat
and in output formats
.Pq Ql %proc.name
of
.Xr scry 1 .
Each has a type, given behind its name; what the capture cannot answer is
absent: comparisons with it are false, formats print
.Ql <NA>
or leave the line out.
.Pp
An argument stands in brackets,
.Ql proc.aname[2] ,
or behind one more dot,
.Ql evt.arg.name .
.Pp
In formats and filters, the texts
.Fn tolower field ,
.Fn toupper field ,
.Fn basename field
and
.Fn b64 field ,
which decodes base64, and the number
.Fn len field
can be made of a field; one may stand within the other.
)";
constexpr std::string_view kManTail = R"(.Sh SEE ALSO
.Xr scry 1 ,
.Xr scap 5
)";

std::string man_page() {
  std::string out(kManHead);
  for (const FieldClass& c : fields::field_classes()) {
    if (std::all_of(c.rows.begin(), c.rows.end(), [](const Field& row) { return row.has(fields::kTableOnly); })) continue;
    out += fmt::format(".Sh FIELDS: {}\n{}.\n.Bl -tag -width Ds\n", mdoc(c.name).substr(2), mdoc(c.doc));
    for (const Field& row : c.rows) {
      if (row.has(fields::kTableOnly)) continue;
      out += fmt::format(".It Li {} Pq {}\n{}.\n", mdoc(row.name), mdoc(properties(row)), mdoc(row.doc));
    }
    out += ".El\n";
  }
  return out + std::string(kManTail);
}

/// As `sysdig -L` writes types of parameters.
std::string_view param_type_name(event::Type type) {
  constexpr std::string_view kNames[] = {
      "NONE", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "CHARBUF", "BYTEBUF", "ERRNO", "SOCKADDR",
      "SOCKTUPLE", "FD", "PID", "FDLIST", "FSPATH", "SYSCALLID", "SIGTYPE", "RELTIME", "ABSTIME", "PORT", "L4PROTO", "SOCKFAMILY",
      "BOOL", "IPV4ADDR", "DYNAMIC", "FLAGS8", "FLAGS16", "FLAGS32", "UID", "GID", "DOUBLE", "SIGSET", "CHARBUFARRAY",
      "CHARBUF_PAIR_ARRAY", "IPV4NET", "IPV6ADDR", "IPV6NET", "IPADDR", "IPNET", "MODE", "FSRELPATH", "ENUMFLAGS8", "ENUMFLAGS16",
      "ENUMFLAGS32", "FD32", "PID32"};
  static_assert(std::size(kNames) == static_cast<size_t>(event::Type::kCount));
  return kNames[static_cast<size_t>(type)];
}

}  // namespace

std::string list_fields(ListStyle style, const std::vector<std::string>& words, size_t columns) {
  if (style == ListStyle::kMan) return man_page();
  std::string out;
  for (const FieldClass& c : fields::field_classes()) {
    bool any = false;
    for (const Field& row : c.rows) {
      if (!is_wanted(c, row, words)) continue;
      if (style == ListStyle::kJson) {
        put_json_field(out, c, row);
        continue;
      }
      if (row.has(fields::kTableOnly)) continue;
      if (!any) {
        if (!out.empty()) out += '\n';
        if (style == ListStyle::kMarkdown) out += fmt::format("## Field class: {}\n\n{}.\n\nName | Type | Description\n:----|:-----|:-----------\n", c.name, c.doc);
        else out += fmt::format("{}: {}\n\n", c.name, c.doc);
        any = true;
      }
      if (style == ListStyle::kMarkdown) out += fmt::format("`{}` | {} | {}\n", row.name, properties(row), row.doc);
      else if (style == ListStyle::kVerbose) put_entry(out, row.name, fmt::format("{} ({})", row.doc, properties(row)), columns);
      else put_entry(out, row.name, row.doc, columns);
    }
  }
  return out;
}

std::string list_events(ListStyle style, const std::vector<std::string>& words) {
  // Of several forms of an event the last is the newest.
  std::map<std::pair<std::string_view, bool>, unsigned> newest;
  for (unsigned code = 0; code < event::kCodeCount; ++code) {
    const auto& info = event::event_infos[code];
    if (!info.has(event::kUnused)) newest[{info.name(), event::is_enter(code)}] = code;
  }
  std::set<unsigned> codes;
  for (const auto& [key, code] : newest) codes.insert(code);
  Out out;
  for (const unsigned code : codes) {
    const auto& info = event::event_infos[code];
    if (!words.empty() && std::none_of(words.begin(), words.end(), [&](const std::string& word) { return info.name().find(word) != std::string_view::npos; }))
      continue;
    const bool json = style == ListStyle::kJson;
    if (json) {
      out.put(R"({"direction":")");
      out.put(event::is_enter(code) ? '>' : '<');
      out.put(R"(","name":)");
      fields::put_json_string(out, info.name());
      out.put(R"(,"category":)");
      fields::put_json_string(out, event::name_of(info.category));
      out.put(R"(,"parameters":[)");
    } else {
      out.put(event::is_enter(code) ? "> " : "< ");
      out.put(info.name());
      out.put('(');
    }
    for (unsigned i = 0; i < info.nparams; ++i) {
      const event::ParamStyle& param = info.params[i].current;
      if (json) {
        out.put(fmt::format(R"({}{{"type":"{}","name":)", i ? "," : "", param_type_name(param.type())));
        fields::put_json_string(out, param.name());
        out.put('}');
      } else {
        out.put(fmt::format("{}{} {}", i ? ", " : "", param_type_name(param.type()), param.name()));
      }
    }
    out.put(json ? "]}\n" : ")\n");
  }
  return out.str();
}

size_t terminal_columns() {
  constexpr size_t kDefault = 120;
  struct winsize size = {};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kDefault;
}

std::string words_of_kind(std::string_view kind) {
  std::set<std::string_view> words;
  if (kind == "fields") {
    for (const FieldClass& c : fields::field_classes())
      for (const Field& row : c.rows)
        if (!row.has(fields::kTableOnly)) words.insert(row.name);
  } else if (kind == "events") {
    for (unsigned code = 0; code < event::kCodeCount; ++code)
      if (!event::event_infos[code].has(event::kUnused)) words.insert(event::event_infos[code].name());
    for (unsigned call = 0; call < event::syscall_count; ++call)
      if (event::syscall_names[call] != "<unknown>") words.insert(event::syscall_names[call]);
  }
  std::string out;
  for (const auto word : words) out += fmt::format("{}\n", word);
  return out;
}

}  // namespace scry::cli
