// SPDX-License-Identifier: Apache-2.0
// CLI11 parses. What getopt_long does and CLI11 does not (long options cut short) is put in order before.
#include "cli/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

#include "cli/listings.h"
#include "cli/write.h"

namespace scry::cli {
namespace {

/// sysdig's options that later work brings: refused by name, never ignored.
struct LaterRow {
  const char* names;
  enum Takes : uint8_t { kNothing, kValue, kMaybeValue } takes;
  const char* what;
};
constexpr LaterRow kLater[] = {
    {"-c,--chisel", LaterRow::kValue, "chisels"},
    {"--list-chisels", LaterRow::kNothing, "chisels"},
    {"-i,--chisel-info", LaterRow::kValue, "chisels"},
    {"-B,--bpf", LaterRow::kMaybeValue, "live capture"},
    {"-u,--udig", LaterRow::kNothing, "live capture"},
    {"-s,--snaplen", LaterRow::kValue, "live capture"},
    {"-T,--force-tracers-capture", LaterRow::kNothing, "live capture"},
    {"-U,--suppress-comm", LaterRow::kValue, "live capture"},
    {"--page-faults", LaterRow::kNothing, "live capture"},
    {"--large-environment", LaterRow::kNothing, "live capture"},
    {"--cri", LaterRow::kValue, "live capture"},
    {"--cri-timeout", LaterRow::kValue, "live capture"},
    {"-k,--k8s-api", LaterRow::kValue, "Kubernetes metadata"},
    {"-K,--k8s-api-cert", LaterRow::kValue, "Kubernetes metadata"},
    {"--node-name", LaterRow::kValue, "Kubernetes metadata"},
    {"-m,--mesos-api", LaterRow::kValue, "Mesos metadata"},
    {"-H,--plugin", LaterRow::kValue, "plugins"},
    {"-I,--input", LaterRow::kValue, "plugins"},
    {"--plugin-config-file", LaterRow::kValue, "plugins"},
};

/// -pc and its kin.
struct PresetRow {
  const char *letter, *word, *container;  ///< the field that says where it happened
};
constexpr PresetRow kPresets[] = {
    {"c", "container", "container.name"}, {"k", "kubernetes", "k8s.pod.name"}, {"m", "mesos", "mesos.task.name"}};

/// On a terminal the default line has colours (see LinePrinter).
constexpr std::string_view kColouredFormat =
    "*%evt.num %evt.outputtime %evt.cpu \\e[01;32m%proc.name\\e[00m (\\e[01;36m%proc.pid\\e[00m.%thread.tid) %evt.dir "
    "\\e[01;34m%evt.type\\e[00m %evt.info";

/// What the values of -p come to, the last one counting. "p" asks for the format that stands until there.
Result<void> take_formats(const std::vector<std::string>& values, Options& options) {
  for (const std::string& value : values) {
    if (value.empty()) return fail("-p", "the format is empty; name fields like '%evt.num %proc.name'");
    if (value == "p") {
      const bool colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
      options.answer = options.format.empty() ? std::string(colour ? kColouredFormat : kDefaultFormat) : options.format;
      *options.answer += '\n';
      return {};
    }
    options.format = value;
    for (const PresetRow& preset : kPresets)
      if (value == preset.letter || value == preset.word)
        options.format = fmt::format("*%evt.num %evt.outputtime %evt.cpu %{} (%container.id) %proc.name (%thread.tid:%thread.vtid) "
                                     "%evt.dir %evt.type %evt.info", preset.container);
  }
  return {};
}

/// The options that do something, each on a line, for completion.
std::string option_words(const ::CLI::App& app) {
  std::string out;
  for (const ::CLI::Option* option : app.get_options()) {
    const auto is_later = [&](const LaterRow& row) {
      return option->get_name(false, true) == row.names;
    };
    if (std::any_of(std::begin(kLater), std::end(kLater), is_later) || option->get_group().empty()) continue;
    for (const std::string& name : option->get_snames()) out += fmt::format("-{}\n", name);
    for (const std::string& name : option->get_lnames()) out += fmt::format("--{}\n", name);
  }
  return out;
}

/// Long options may be cut short as long as it is clear which one is meant; --read is sysdig's name for --readfile.
Result<void> complete_long_options(const ::CLI::App& app, std::vector<std::string>& args) {
  for (std::string& arg : args) {
    if (arg == "--") break;
    if (!arg.starts_with("--")) continue;
    const size_t equals = arg.find('=');
    const std::string name = arg.substr(2, equals == std::string::npos ? equals : equals - 2);
    std::vector<std::string> meant;
    for (const ::CLI::Option* option : app.get_options())
      for (const std::string& known : option->get_lnames()) {
        if (known == name) meant.assign(1, known);
        else if (known.starts_with(name) && (meant.empty() || meant[0] != name)) meant.push_back(known);
      }
    if (meant.empty()) return fail("", fmt::format("unknown option '--{}'; scry --help lists them", name));
    if (meant.size() > 1 && meant[0] != name)
      return fail("", fmt::format("option '--{}' could be --{} or --{}", name, meant[0], meant[1]));
    arg = "--" + meant[0] + (equals == std::string::npos ? "" : arg.substr(equals));
  }
  return {};
}

Result<uint64_t> positive(const std::string& text, const char* option) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == 0)
    return fail("", fmt::format("{} needs a whole number from 1 up, not '{}'", option, text));
  return value;
}

/// -w and what goes with it.
class WriteParser {
 public:
  WriteParser(::CLI::App& app, WriteOptions& to) : app_(app), to_(to) {
    app.add_option("-w,--writefile", to.path)->take_last();
    app.add_flag("-z,--compress", to.compress);
    app.add_option("--codec", to.codec)->take_last();
    app.add_flag("-F,--fatfile", to.fat);
    app.add_flag("--filter-proclist", to.filter_proclist);
    for (Number& n : numbers_) app.add_option(n.names, n.text)->take_last();
  }

  Result<void> finish(bool has_filter) {
    for (Number& n : numbers_) {
      const std::string name(n.names, 2);
      if (!app_.count(name)) continue;
      auto value = positive(n.text, name.c_str());
      if (!value) return tl::unexpected<Error>(value.error());
      to_.*n.to = *value;
    }
    if (to_.path == "-" && (to_.megabytes || to_.seconds || to_.events))
      return fail("", "-w - is one stream: -C, -G and -e cut files");
    if (app_.count("-w") && to_.path.empty()) return fail("", "-w needs the name of a file to write");
    if (!to_.codec.empty() && !packing_of_codec(to_.codec))
      return fail("", fmt::format("--codec takes plain, gzip, zstd or lz4, not '{}'", to_.codec));
    if (to_.compress && !to_.codec.empty() && to_.codec != "gzip")
      return fail("", fmt::format("-z means gzip, --codec says {}: choose one", to_.codec));
    if (to_.filter_proclist && !has_filter)
      return fail("", "--filter-proclist applies the filter to the process list, and there is no filter");
    return {};
  }

 private:
  struct Number {
    const char* names;
    uint64_t WriteOptions::*to;
    std::string text;
  };
  ::CLI::App& app_;
  WriteOptions& to_;
  Number numbers_[4] = {{"-C,--file-size", &WriteOptions::megabytes, {}},
                        {"-G,--seconds", &WriteOptions::seconds, {}},
                        {"-e,--event-limit", &WriteOptions::events, {}},
                        {"-W,--limit", &WriteOptions::keep, {}}};
};

}  // namespace

Result<Options> parse_options(std::vector<std::string> args) {
  Options options;
  ::CLI::App app("scry");
  app.set_help_flag();
  std::string later, limit, seconds, time;
  std::vector<std::string> words;
  std::vector<fields::Buffers> buffers;
  std::vector<std::string> formats;
  std::string words_kind;
  bool list_fields_ = false, list_events_ = false, markdown = false, man = false, libs_version = false;
  int quiet = 0;
  auto buffer_flag = [&](const char* names, fields::Buffers kind) {
    app.add_flag_callback(names, [&buffers, kind] { buffers.push_back(kind); });
  };
  app.add_option("-r,--readfile", options.files)->allow_extra_args(false);
  app.add_option("-n,--numevents", limit)->take_last();
  app.add_option("-M", seconds)->take_last();
  app.add_option("-t,--timetype", time)->take_last();
  app.add_flag("-q,--quiet", quiet);
  app.add_flag("-v,--verbose", options.verbose);
  app.add_flag("-S,--summary", options.summary);
  app.add_flag("-D,--debug", options.debug);
  app.add_flag("-P,--progress", options.progress);
  app.add_flag("-d,--displayflt", options.filter_late);
  app.add_flag("-E,--exclude-users", options.exclude_users);
  app.add_flag("--unbuffered", options.unbuffered);
  app.add_flag("--state-hash", options.state_hash);
  app.add_flag("--fold-enter", options.fold_enter);
  app.add_flag("-j,--json", options.json);
  app.add_option("-p,--print", formats)->allow_extra_args(false);
  app.add_flag("-R,--resolve-ports", options.service_names);
  app.add_flag("-l,--list", list_fields_);
  app.add_flag("-L,--list-events", list_events_);
  app.add_flag("--list-markdown", markdown);
  app.add_flag("--libs-version", libs_version)->group("");  // nothing to offer
  // For the build of this program's own documents and completions.
  app.add_flag("--list-man", man)->group("");
  app.add_option("--complete", words_kind)->group("");
  WriteParser write(app, options.write);
  app.add_flag("-h,--help", options.help);
  app.add_flag("--version", options.version);
  buffer_flag("-x,--print-hex", fields::Buffers::kHex);
  buffer_flag("-X,--print-hex-ascii", fields::Buffers::kHexAscii);
  buffer_flag("-A,--print-ascii", fields::Buffers::kAscii);
  buffer_flag("-b,--print-base64", fields::Buffers::kBase64);
  for (const LaterRow& row : kLater) {
    auto refuse = [&later, &row] {
      if (later.empty()) later = fmt::format("{}: not yet ({}: in a later version)", row.names, row.what);
    };
    if (row.takes == LaterRow::kNothing) app.add_flag_callback(row.names, refuse);
    else
      app.add_option_function<std::vector<std::string>>(row.names, [refuse](const auto&) { refuse(); })
          ->expected(row.takes == LaterRow::kMaybeValue ? 0 : 1, 1);
  }
  app.add_option("filter", words);
  if (auto done = complete_long_options(app, args); !done) return tl::unexpected<Error>(done.error());
  const std::string last_word = args.empty() ? "" : args.back();  // the one that may lack its value
  try {
    std::reverse(args.begin(), args.end());
    app.parse(args);
  } catch (const ::CLI::ExtrasError& e) {
    const std::string_view what = e.what();
    return fail("", fmt::format("unknown option '{}'; scry --help lists them", what.substr(what.rfind(' ') + 1)));
  } catch (const ::CLI::ArgumentMismatch& e) {
    if (std::string_view(e.what()).find("missing") == std::string_view::npos) return fail("", fmt::format("{} (scry --help lists the options)", e.what()));
    return fail("", fmt::format("option '{}' needs a value; scry --help says which", last_word));
  } catch (const ::CLI::ParseError& e) {
    return fail("", fmt::format("{} (scry --help lists the options)", e.what()));
  }
  if (options.help || options.version) return options;
  if (!later.empty()) return fail("", later);
  if (libs_version) return fail("", "--libs-version: there is none to tell: scry is not built on Falco's libraries (scry --version tells its own)");
  if (auto taken = take_formats(formats, options); !taken) return tl::unexpected<Error>(taken.error());
  if (!words_kind.empty()) options.answer = words_kind == "options" ? option_words(app) : words_of_kind(words_kind);
  if (list_events_) {
    options.answer = list_events(options.json ? ListStyle::kJson : ListStyle::kPlain, words);
    if (options.answer->empty()) return fail("-L", fmt::format("no event whose name holds '{}'", fmt::join(words, "' or '")));
  }
  if (list_fields_ || markdown || man) {
    const ListStyle style = man ? ListStyle::kMan : markdown ? ListStyle::kMarkdown : options.json ? ListStyle::kJson
                            : options.verbose ? ListStyle::kVerbose : ListStyle::kPlain;
    options.answer = list_fields(style, words, terminal_columns());
    if (options.answer->empty()) return fail("-l", fmt::format("no class and no field of the name '{}'", fmt::join(words, " ")));
  }
  if (options.answer) return options;
  for (const auto& word : words) options.filter += (options.filter.empty() ? "" : " ") + word;
  if (options.format.empty() && (options.json || options.fold_enter)) options.format = kDefaultFormat;
  options.quiet = quiet > 0;
  if (buffers.size() > 1) return fail("", "-x, -X, -A and -b exclude each other: choose one way to write buffers");
  if (!buffers.empty()) options.buffers = buffers[0];
  if (app.count("-n")) {
    auto value = positive(limit, "-n");
    if (!value) return tl::unexpected<Error>(value.error());
    options.limit = *value;
  }
  if (app.count("-M")) {
    auto value = positive(seconds, "-M");
    if (!value) return tl::unexpected<Error>(value.error());
    options.max_seconds = *value;
  }
  if (auto done = write.finish(!words.empty()); !done) return tl::unexpected<Error>(done.error());
  if (!options.write.path.empty()) {
    options.quiet = options.progress = true;
    if (options.write.path == "-" && (options.summary || options.state_hash))
      return fail("", "-w - sends the capture to standard output, where -S and --state-hash would mix with it");
  }
  if (app.count("-t")) {
    if (time.size() != 1 || std::string_view("hardD").find(time[0]) == std::string_view::npos)
      return fail("", fmt::format("-t takes one of h, a, r, d, D, not '{}'", time));
    options.time = static_cast<TimeStyle>(time[0]);
  }
  return options;
}

std::string usage() {
  return R"(scry: see what a machine did, from a capture of its system calls

usage: scry -r FILE [options] [FILTER]  print the events of a capture
       scry -r FILE -w FILE [FILTER]    make a capture out of a capture
       scry info FILE                   what a capture holds
       scry filter FILTER               what a filter means, and why an event
                                        matches it or not

  FILTER             which events: 'proc.name=nginx and fd.name startswith /etc';
                     scry -l lists the fields, scry(1) the language
  -r FILE            read this capture (sysdig's or Falco's, plain, gzip, zstd or
                     lz4); - is standard input; may be given several times
  -n N               stop after N events
  -M SECONDS         stop once so much time of the capture has passed
  -t h|a|r|d|D       time as clock, epoch seconds.nanoseconds, since the start,
                     latency of the call, since the line before
  -x | -X | -A | -b  byte buffers as hex, hex and ASCII, printable text, base64
  -v                 do not cut buffers to 80 characters; at the end say how many
                     events there were
  -S                 at the end, a table of events by count
  -d                 filter what is printed only: -n, -S and -w take every event
  -q                 print no events
  -D                 print events about the recording itself too
  -E                 leave the capture's user and group tables out
  -P                 progress on standard error, if that is a terminal and it
                     takes long
  -p FORMAT          print these fields: '%evt.num %20proc.name %len(fd.name)';
                     -pc, -pk, -pm: the default line with container, pod, task;
                     -pp says which format is active
  -j                 print JSON lines
  -R                 ports by the names of their services
  -l, -L             list the fields (-l -v says more), the events;
                     --list-markdown; with -j as JSON
  -w FILE            write the events into a capture instead of printing them;
                     - is standard output
  -z, --codec NAME   packed: -z is gzip, NAME is plain, gzip, zstd or lz4;
                     without them the name says it: .gz, .zst, .lz4
  -C MB, -G SECONDS, -e N
                     begin another file after so many million bytes, so much
                     time, so many events
  -W N               keep N of these files
  -F                 keep, hidden, what the filter rejects but the state of the
                     machine follows from
  --filter-proclist  apply the filter to the process list too
  --fold-enter       deliver events as current Falco does: one for each call,
                     parameters of both its ends
  --unbuffered       write out every line at once
  --state-hash       at the end, the hash of the machine's state
  --version, -h

exit status: 0 fine; 1 could not, or wrong usage; 3 done, but the capture was
damaged or lossy
)";
}

}  // namespace scry::cli
