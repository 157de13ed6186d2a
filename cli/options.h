// SPDX-License-Identifier: Apache-2.0
// The command line of plain `scry`: sysdig's options with sysdig's meaning (spec/cli.tsv).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "capture/base/result.h"
#include "cli/line_printer.h"
#include "filters/fields/render.h"

namespace scry::cli {

/// What -w and its kin say; see cli/write.h.
struct WriteOptions {
  std::string path;            ///< -w; empty: nothing is written
  std::string codec;           ///< --codec
  bool compress = false;       ///< -z
  uint64_t megabytes = 0;      ///< -C
  uint64_t seconds = 0;        ///< -G
  uint64_t events = 0;         ///< -e
  uint64_t keep = 0;           ///< -W
  bool fat = false;            ///< -F
  bool filter_proclist = false;
};

struct Options {
  std::vector<std::string> files;  ///< -r
  uint64_t limit = 0;              ///< -n; 0: none
  uint64_t max_seconds = 0;        ///< -M; 0: none
  bool quiet = false;              ///< -q
  bool verbose = false;            ///< -v
  bool summary = false;            ///< -S
  bool debug = false;              ///< -D
  bool progress = false;           ///< -P
  bool exclude_users = false;      ///< -E
  bool unbuffered = false;
  bool state_hash = false;
  bool fold_enter = false;
  bool json = false;               ///< -j
  bool service_names = false;      ///< -R
  std::string filter;              ///< the words that are no options
  bool filter_late = false;        ///< -d: -n and -S count events that the filter leaves out too
  std::string format;              ///< -p, presets spelled out; empty: the default line
  std::optional<std::string> answer;  ///< to be printed instead of reading a capture: -l, -L, -pp
  TimeStyle time = TimeStyle::kClock;
  fields::Buffers buffers = fields::Buffers::kDots;
  WriteOptions write;
  bool help = false, version = false;
};

/// sysdig's line as a format.
constexpr std::string_view kDefaultFormat =
    "*%evt.num %evt.outputtime %evt.cpu %proc.name (%thread.tid) %evt.dir %evt.type %evt.info";

/// `args` without the program's name.
Result<Options> parse_options(std::vector<std::string> args);
std::string usage();

}  // namespace scry::cli
