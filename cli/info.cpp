// SPDX-License-Identifier: Apache-2.0
#include "cli/info.h"

#include <fmt/format.h>
#include <unistd.h>

#include "capture/base/visible.h"
#include "cli/info_collect.h"
#include "cli/info_print.h"
#include "cli/complain.h"
#include "cli/output.h"
#include "cli/replay.h"

namespace scry::cli {
namespace {

constexpr const char* kUsage = R"(scry info: what a capture holds

usage: scry info [--json] FILE...

  FILE        a capture, plain, gzip, zstd or lz4; - is standard input
  --json      one JSON object for each file, each on a line of its own; what a capture doesn't say is null
  -h, --help

exit status: 0 fine; 1 a file could not be read, or wrong usage; 3 done, but a capture was damaged or lossy
)";

struct InfoOptions {
  std::vector<std::string> files;
  bool json = false, help = false;
};

Result<InfoOptions> parse_info_options(const std::vector<std::string>& args) {
  InfoOptions options;
  bool only_files = false;
  for (const auto& arg : args) {
    if (only_files || arg == "-" || !arg.starts_with('-')) options.files.push_back(arg);
    else if (arg == "--") only_files = true;
    else if (arg == "--json") options.json = true;
    else if (arg == "--help" || arg == "-h") options.help = true;
    else return fail("info", fmt::format("unknown option '{}'; scry info --help lists them", arg));
  }
  if (options.files.empty() && !options.help)
    return fail("info", "which capture? Give one or more files (scry info --help says more)");
  return options;
}

}  // namespace

int info(const std::vector<std::string>& args) {
  const auto options = parse_info_options(args);
  if (!options) {
    complain("scry: {}\n", visible(options.error().message()));
    return kCouldNot;
  }
  if (options->help) {
    return say(kUsage);
  }
  Output output(STDOUT_FILENO);
  bool any_failed = false, any_lossy = false, any_printed = false;
  for (const auto& file : options->files) {
    const auto found = collect_info(file);
    if (!found) {
      complain("scry: {}\n", visible(found.error().message()));
      any_failed = true;
      continue;
    }
    any_lossy |= found->losses.any();
    if (options->json) {
      output.text().put(info_as_json(*found));
    } else {
      if (any_printed) output.text().put('\n');
      output.text().put(info_as_text(*found));
    }
    any_printed = true;
    output.flush();
    if (output.failed()) break;
  }
  if (!output.error().empty()) {
    complain("scry: standard output: {}\n", output.error());
    return kCouldNot;
  }
  return any_failed ? kCouldNot : any_lossy ? kLossy : kFine;
}

}  // namespace scry::cli
