// SPDX-License-Identifier: Apache-2.0
// The first word decides: a subcommand, or sysdig's command line. Errors are printed here and exit statuses made.
#include <fmt/format.h>
#include <signal.h>

#include <new>

#include "cli/complain.h"
#include "cli/filter.h"
#include "cli/info.h"
#include "cli/replay.h"

#ifndef SCRY_VERSION
#define SCRY_VERSION "0"
#endif

namespace {

using namespace scry;
using namespace scry::cli;

struct Subcommand {
  const char* name;
  int (*run)(const std::vector<std::string>& args);  ///< null: comes with later work
};
constexpr Subcommand kSubcommands[] = {
    {"info", info}, {"top", nullptr}, {"record", nullptr}, {"rules", nullptr}, {"filter", filter},
    {"at", nullptr}, {"find", nullptr}, {"index", nullptr},
};

int run(const std::vector<std::string>& args) {
  if (!args.empty())
    for (const auto& subcommand : kSubcommands)
      if (args[0] == subcommand.name) {
        if (subcommand.run) return subcommand.run({args.begin() + 1, args.end()});
        complain("scry: {}: not yet (comes with a later version)\n", subcommand.name);
        return kCouldNot;
      }
  auto options = parse_options(args);
  if (!options) {
    complain("scry: {}\n", visible(options.error().message()));
    return kCouldNot;
  }
  if (options->help) return say(usage());
  if (options->version) return say(fmt::format("scry version {}\n", SCRY_VERSION));
  if (options->answer) return say(*options->answer);
  return replay(*options);
}

}  // namespace

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of write(), see Output
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::bad_alloc&) {
    complain("scry: out of memory\n");
    return kCouldNot;
  }
}
