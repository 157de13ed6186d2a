// SPDX-License-Identifier: Apache-2.0
#include "cli/filter.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "capture/source/file_source.h"
#include "cli/complain.h"
#include "cli/line_printer.h"
#include "cli/output.h"
#include "cli/replay.h"
#include "filters/vm/compile.h"
#include "filters/vm/describe.h"

namespace scry::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kUsage = R"(scry filter: what a filter means

usage: scry filter [options] FILTER
       scry filter --explain EVENT -r FILE [options] FILTER

  --disassemble       the program that the filter becomes, too
  --explain EVENT     for the event of that number: the tree with each value and whether each part holds
  -r, --readfile FILE the capture that holds the event
  --fold-enter        events as current Falco delivers them (see scry --help)
  --json              one JSON object
  -h, --help

exit status: 0 fine; 1 the filter or the capture is wrong, or there is no such event; 3 done, but the capture was damaged
)";

struct FilterOptions {
  std::string text, file;
  uint64_t event = 0;  ///< 0: none to explain
  bool disassemble = false, fold_enter = false, json = false, help = false;
};

Result<FilterOptions> parse_filter_options(const std::vector<std::string>& args) {
  FilterOptions options;
  bool only_words = false;
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string& arg = args[i];
    auto value = [&]() -> Result<std::string> {
      if (i + 1 == args.size()) return fail("filter", fmt::format("option '{}' needs a value", arg));
      return args[++i];
    };
    if (only_words || !arg.starts_with('-')) {
      options.text += (options.text.empty() ? "" : " ") + arg;
    } else if (arg == "--") {
      only_words = true;
    } else if (arg == "--disassemble") {
      options.disassemble = true;
    } else if (arg == "--fold-enter") {
      options.fold_enter = true;
    } else if (arg == "--json" || arg == "-j") {
      options.json = true;
    } else if (arg == "--help" || arg == "-h") {
      options.help = true;
    } else if (arg == "-r" || arg == "--readfile") {
      auto file = value();
      if (!file) return tl::unexpected<Error>(file.error());
      options.file = *file;
    } else if (arg == "--explain") {
      auto number = value();
      if (!number) return tl::unexpected<Error>(number.error());
      const auto [end, error] = std::from_chars(number->data(), number->data() + number->size(), options.event);
      if (error != std::errc() || end != number->data() + number->size() || options.event == 0)
        return fail("filter", fmt::format("--explain needs the number of an event, from 1 up, not '{}'", *number));
    } else {
      return fail("filter", fmt::format("unknown option '{}'; scry filter --help lists them", arg));
    }
  }
  if (options.help) return options;
  if (lang::is_blank(options.text)) return fail("filter", "which filter? Give one, such as 'proc.name=nginx' (scry filter --help says more)");
  if (options.event && options.file.empty()) return fail("filter", "--explain needs the capture that holds the event: -r FILE");
  if (!options.event && !options.file.empty()) return fail("filter", "which event? Say --explain EVENT with -r FILE; to search a capture: scry -r FILE FILTER");
  return options;
}

Json tree_as_json(const filter::Program& program, uint32_t id) {
  const filter::Node& node = program.tree[id];
  Json out;
  if (node.kind == filter::Node::Kind::kCheck) {
    const filter::Check& check = program.checks[node.check];
    out["check"] = visible(check.written);
    out["field"] = visible(program.values[check.value].written);
    out["operator"] = lang::name_of(check.op);
    return out;
  }
  const char* word = node.kind == filter::Node::Kind::kAnd ? "and" : node.kind == filter::Node::Kind::kOr ? "or" : "not";
  for (const uint32_t part : node.parts) out[word].push_back(tree_as_json(program, part));
  return out;
}

/// A value as it was shown, with its own type: texts stand in quotes there.
Json typed(const std::string& shown) {
  if (shown.size() >= 2 && shown.front() == '"') return shown.substr(1, shown.size() - 2);
  const Json parsed = Json::parse(shown, nullptr, false);
  return parsed.is_number() || parsed.is_boolean() ? parsed : Json(shown);
}

Json typed(const std::vector<std::string>& side) {
  Json out = Json::array();
  for (size_t i = 1; i < side.size(); ++i) out.push_back(typed(side[i]));
  return out;
}

Json explained_as_json(const filter::Explained& e) {
  Json out;
  if (!e.check.empty()) {
    out["check"] = e.check;
    out["values"] = typed(e.left);
    if (!e.right.empty()) out["right"] = typed(e.right);
  } else {
    out["operator"] = e.node->kind == filter::Node::Kind::kAnd ? "and" : e.node->kind == filter::Node::Kind::kOr ? "or" : "not";
  }
  out["holds"] = e.holds;
  for (const auto& part : e.parts) out["parts"].push_back(explained_as_json(part));
  return out;
}

void show(const filter::Program& program, const FilterOptions& options, Out& out) {
  if (options.json) {
    Json json;
    json["filter"] = visible(program.text);
    json["tree"] = tree_as_json(program, static_cast<uint32_t>(program.tree.size() - 1));
    json["events"] = filter::describe_events(program);
    if (options.disassemble) json["program"] = filter::disassemble(program);
    return out.put(json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  }
  out.put("tree\n");
  out.put(filter::describe_tree(program));
  out.put(fmt::format("\nevents that can match\n  {}\n", filter::describe_events(program)));
  if (options.disassemble) {
    out.put("\nprogram\n");
    out.put(filter::disassemble(program));
  }
}

int explain(const std::shared_ptr<const filter::Program>& program, const FilterOptions& options, Out& out) {
  Losses losses;
  auto source = source::FileSource::open(options.file, losses);
  if (!source) {
    complain("scry: {}\n", visible(source.error().message()));
    return kCouldNot;
  }
  state::Machine machine(losses);
  Pipeline pipeline(**source, machine, losses);
  filter::Matcher matcher(program, {program->dialect, fields::Buffers::kDots, true});
  while (const Moment* moment = pipeline.next()) {
    if (moment->event.raw().num != options.event) {
      matcher.matches(*moment, machine);  // for what it remembers from event to event
      continue;
    }
    LinePrinter printer({fields::Dialect::kClassic, fields::Buffers::kDots, false}, TimeStyle::kClock, Colour::kNever);
    const auto explained = filter::explain(matcher, *moment, machine);
    if (options.json) {
      Json json;
      json["filter"] = visible(program->text);
      json["event"] = options.event;
      json["matches"] = explained.holds;
      json["tree"] = explained_as_json(explained);
      out.put(json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    } else {
      printer.print(out, *moment, machine);
      out.put(filter::describe(explained));
      out.put(explained.holds ? "the event matches\n" : "the event does not match\n");
    }
    return report_losses(options.file, losses);
  }
  if (pipeline.error()) complain("scry: {}\n", visible(pipeline.error()->message()));
  else complain("scry: {}: there is no event {}: the last one is {}\n", visible(options.file), options.event, pipeline.events());
  report_losses(options.file, losses);
  return kCouldNot;
}

}  // namespace

int filter(const std::vector<std::string>& args) {
  const auto options = parse_filter_options(args);
  if (!options) {
    complain("scry: {}\n", visible(options.error().message()));
    return kCouldNot;
  }
  if (options->help) return say(kUsage);
  filter::CompileOptions how;
  how.dialect = options->fold_enter ? fields::Dialect::kCurrent : fields::Dialect::kClassic;
  auto program = filter::compile(options->text, how);
  if (!program) {
    complain("scry: filter: {}\n", lang::describe(program.error(), options->text));
    return kCouldNot;
  }
  for (const auto& warning : (*program)->warnings) complain("scry: filter: warning: {}\n", lang::describe(warning, options->text));
  Output output(STDOUT_FILENO);
  int status = kFine;
  if (options->event) status = explain(*program, *options, output.text());
  else show(**program, *options, output.text());
  if (options->event && options->disassemble && status != kCouldNot && !options->json) {
    output.text().put("\nprogram\n");
    output.text().put(filter::disassemble(**program));
  }
  output.flush();
  if (!output.error().empty()) {
    complain("scry: standard output: {}\n", output.error());
    return kCouldNot;
  }
  return status;
}

}  // namespace scry::cli
