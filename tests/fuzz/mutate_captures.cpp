// SPDX-License-Identifier: Apache-2.0
// Reads thousands of damaged captures the way the program does: source, decode, state, both ways of printing, `info`,
// and for one in four every field as text or as JSON. Fails on a crash, a sanitizer report, a mutant that takes too
// long, a control character in the output, two readings of the same bytes that differ, and too much memory.
//
//   mutate_captures [--count 20000] [--first 0] [--only N] [--save FILE] [--max-seconds 2] [--max-rss-mib N] [SEED...]
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <fstream>

#include "capture/base/check.h"
#include "capture/pipeline.h"
#include "capture/source/file_source.h"
#include "cli/info.h"
#include "cli/line_printer.h"
#include "filters/fields/format.h"
#include "tests/fuzz/mutator.h"
#include "tests/fuzz/watch.h"
#include "tests/support/all_fields.h"
#include "tests/support/builder.h"
#include "tests/support/memory_file.h"
#include "tests/support/pack.h"
#include "tests/support/visible_check.h"

namespace {

using namespace scry;
using namespace scry::test;

struct Reading {
  uint64_t events = 0;
  uint64_t text = 0;   ///< hash of all that was printed
  uint64_t state = 0;
  bool lossy = false;
  std::string wrong;   ///< what must not be
  bool operator==(const Reading&) const = default;
};

Reading read(const std::string& path, uint64_t number) {
  Reading out;
  Losses losses;
  auto source = source::FileSource::open(path, losses);
  if (!source) return out;
  state::Machine machine(losses);
  Pipeline pipeline(**source, machine, losses);
  const auto buffers = static_cast<fields::Buffers>(number % 5);
  const bool one_line = buffers == fields::Buffers::kDots || buffers == fields::Buffers::kBase64;
  static constexpr cli::TimeStyle kTimes[] = {cli::TimeStyle::kClock, cli::TimeStyle::kEpoch, cli::TimeStyle::kRelative,
                                              cli::TimeStyle::kLatency, cli::TimeStyle::kDelta};
  cli::LinePrinter printer({fields::Dialect::kClassic, buffers, number % 3 == 0}, kTimes[number / 5 % 5], cli::Colour::kNever);
  fields::Renderer folded({fields::Dialect::kCurrent, buffers, number % 3 == 1});
  std::optional<fields::Formatter> all;
  if (number % 4 == 0) {
    auto parsed = fields::Formatter::parse(all_fields(), number % 8 ? fields::Formatter::Style::kText : fields::Formatter::Style::kJson);
    CHECK(parsed, "the field catalogue does not agree with itself");
    all = std::move(*parsed);
  }
  Out line;
  while (const Moment* moment = pipeline.next()) {
    ++out.events;
    line.clear();
    printer.print(line, *moment, machine);
    line.shrink(line.size() - 1);
    line.put(' ');
    folded.args(line, *moment, machine);
    if (all) {  // by far the slowest part
      all->print(line, *moment, machine, folded);
      line.shrink(line.size() - 1);
    }
    out.text = out.text * 31 + std::hash<std::string_view>()(line.view());
    if (one_line && out.wrong.empty() && !is_visible_text(line.view())) out.wrong = "prints a control character: " + visible(line.view());
  }
  out.state = machine.hash();
  out.lossy = losses.any();
  return out;
}

struct Limits {
  double seconds = 2;
  uint64_t rss_mib = 0;  ///< 0: none
};

uint64_t peak_mib() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) / 1024;
}

struct Totals {
  uint64_t mutants = 0, mutations = 0, inside = 0, events = 0, lossy = 0, failed = 0;
  double slowest = 0;
};

void try_mutant(const std::vector<Seed>& seeds, uint64_t number, const Limits& limits, Totals& totals) {
  const Mutant mutant = make_mutant(seeds, number);
  const MemoryFile file(mutant.bytes);
  watching(number);
  const auto begin = std::chrono::steady_clock::now();
  const Reading reading = read(file.path(), number);
  cli::info({file.path()});
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::string wrong = reading.wrong;
  if (took.count() > limits.seconds) wrong = fmt::format("takes {:.1f} s", took.count());
  if (limits.rss_mib && peak_mib() > limits.rss_mib) wrong = fmt::format("memory went up to {} MiB", peak_mib());
  if (number % 8 == 0 && !(read(file.path(), number) == reading)) wrong = "read twice, two results";
  watching(number);
  ++totals.mutants;
  totals.mutations += mutant.mutations;
  totals.inside += mutant.inside_events;
  totals.events += reading.events;
  totals.lossy += reading.lossy;
  totals.slowest = std::max(totals.slowest, took.count());
  if (wrong.empty()) return;
  ++totals.failed;
  say(fmt::format("FAILED: mutant {}: {} (repeat with --only {})\n  {}\n", number, wrong, number, mutant.what));
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t count = 20000, first = 0;
  std::optional<uint64_t> only;
  std::string save;
  std::vector<std::string> files;
  Limits limits;
  ::CLI::App app("reads damaged captures");
  app.add_option("--count", count);
  app.add_option("--first", first);
  app.add_option("--only", only, "this mutant alone");
  app.add_option("--save", save, "with --only: write the mutant to a file instead of reading it");
  app.add_option("--max-seconds", limits.seconds);
  app.add_option("--max-rss-mib", limits.rss_mib);
  app.add_option("seeds", files);
  CLI11_PARSE(app, argc, argv);

  std::vector<Seed> seeds{cut_seed("varied", varied_capture().bytes()), cut_seed("every code", every_code().bytes())};
  for (const auto& file : files) {
    auto seed = cut_seed(file, unpacked_file(file));
    if (seed.blocks.empty()) return fmt::print(stderr, "{}: no capture to start from\n", file), 1;
    seeds.push_back(std::move(seed));
  }
  if (only) first = *only, count = 1;
  if (only && !save.empty()) {
    const Mutant mutant = make_mutant(seeds, first);
    fmt::print("{}\n", mutant.what);
    std::ofstream(save, std::ios::binary) << mutant.bytes;
    return 0;
  }
  start_watch(60);
  Totals totals;
  constexpr uint64_t kFailuresShown = 20;
  for (uint64_t i = first; i < first + count && totals.failed < kFailuresShown; ++i) try_mutant(seeds, i, limits, totals);
  say(fmt::format("{} mutants of {} captures, {} mutations ({} inside event blocks), {} events read, {} mutants with losses, "
                  "slowest {:.3f} s, peak memory {} MiB, {} failed\n",
                  totals.mutants, seeds.size(), totals.mutations, totals.inside, totals.events, totals.lossy, totals.slowest,
                  peak_mib(), totals.failed));
  return totals.failed == 0 && totals.inside * 2 >= totals.mutations ? 0 : 1;
}
