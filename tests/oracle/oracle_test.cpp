// SPDX-License-Identifier: Apache-2.0
// Generated filters over real events: the compiled filter and the plain evaluator say the same of every event, in both
// dialects, and refuse the same filters.
//
//   oracle_test [--count 100000] [--seed 1] [--mutants] [--print] CAPTURE...
//
// With --mutants the evaluator is made wrong in one thing after the other, and each has to be noticed.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>

#include "capture/source/file_source.h"
#include "cli/line_printer.h"
#include "filters/vm/compile.h"
#include "filters/vm/matcher.h"
#include "tests/oracle/generate.h"
#include "tests/oracle/oracle.h"

using namespace scry;
using fields::Dialect;

namespace {

constexpr size_t kBatch = 500;          ///< filters that are asked about at once
constexpr size_t kEventsPerWalk = 100;  ///< events of a capture that a batch is asked about
constexpr size_t kShortWalk = 30'000;   ///< events of a capture that are looked at, from its beginning
constexpr size_t kWholeEvery = 8;       ///< one batch in so many looks at all of it
constexpr int kShown = 10;

/// One pass over a capture; calls for some of its events, with the state as it is then.
class Walk {
 public:
  explicit Walk(std::string path) : path_(std::move(path)) { events_ = run([](const Moment&, const state::Machine&) {}, 1, 0, SIZE_MAX); }
  const std::string& path() const { return path_; }
  size_t events() const { return events_; }

  template <class Each>
  size_t run(Each each, size_t step, size_t first, size_t last) {
    Losses losses;
    auto source = source::FileSource::open(path_, losses);
    if (!source) return 0;
    state::Machine machine(losses);
    Pipeline pipeline(**source, machine, losses);
    size_t number = 0;
    while (const Moment* moment = pipeline.next()) {
      if (moment->silent) continue;
      if (number++ % step == first % step) each(*moment, machine);
      if (number >= last) break;
    }
    return number;
  }

 private:
  std::string path_;
  size_t events_ = 0;
};

struct Tally {
  size_t filters = 0, refused = 0, unjudged = 0, asked = 0, held = 0, varied = 0;
  int disagreements = 0;
};

/// One filter, both ways.
struct Case {
  std::string text;
  std::unique_ptr<lang::Expr> expr;
  std::shared_ptr<const filter::Program> program;
  std::unique_ptr<filter::Matcher> matcher, explainer;
  std::optional<oracle::Filter> plain;
  bool any_true = false, any_false = false;
};

/// The tree as it was written, over the answers that explaining a filter shows.
bool explained(const filter::Program& program, uint32_t id, filter::Matcher& matcher) {
  const filter::Node& node = program.tree[id];
  auto part = [&](uint32_t p) { return explained(program, p, matcher); };
  switch (node.kind) {
    case filter::Node::Kind::kAnd: return std::all_of(node.parts.begin(), node.parts.end(), part);
    case filter::Node::Kind::kOr: return std::any_of(node.parts.begin(), node.parts.end(), part);
    case filter::Node::Kind::kNot: return !part(node.parts[0]);
    case filter::Node::Kind::kTrue: return true;
    case filter::Node::Kind::kFalse: return false;
    case filter::Node::Kind::kCheck: return matcher.check(node.check);
  }
  return false;
}

class Comparison {
 public:
  Comparison(std::vector<Walk>& walks, Tally& tally) : walks_(walks), tally_(tally) {}

  /// Stops early when `stop_at_first` and something was found.
  void run(oracle::Generator& generator, size_t count, oracle::Wrong wrong, bool stop_at_first) {
    quiet_ = stop_at_first;
    for (size_t done = 0, batch = 0; done < count; done += kBatch, ++batch) {
      std::vector<std::string> texts;
      while (texts.size() < std::min(kBatch, count - done)) texts.push_back(generator.filter());
      for (const Dialect dialect : {Dialect::kClassic, Dialect::kCurrent}) {
        auto cases = read(texts, {dialect, wrong});
        // The first capture always, and two others in turn.
        ask(cases, dialect, walks_[0], batch);
        for (size_t other = 0; other < std::min<size_t>(2, walks_.size() - 1); ++other) ask(cases, dialect, walks_[1 + (batch * 2 + other) % (walks_.size() - 1)], batch);
        for (const Case& one : cases) tally_.varied += one.any_true && one.any_false;
        if (tally_.disagreements >= (stop_at_first ? 1 : kShown)) return;
      }
    }
  }

 private:
  std::vector<Case> read(const std::vector<std::string>& texts, const oracle::Options& options) {
    std::vector<Case> cases;
    filter::CompileOptions how;
    how.dialect = options.dialect;
    for (const std::string& text : texts) {
      ++tally_.filters;
      auto expr = lang::parse(text);
      if (!expr) {
        ++tally_.refused;
        continue;
      }
      Case one;
      one.text = text;
      one.expr = std::make_unique<lang::Expr>(std::move(*expr));
      auto program = filter::compile(*one.expr, text, how);
      auto plain = oracle::Filter::read(*one.expr, options);
      if (plain && !plain->is_judged()) {
        ++tally_.unjudged;
        continue;
      }
      if (program.has_value() != plain.has_value()) {
        report(fmt::format("refused by one only: {}\n  compiler: {}\n  oracle: {}", text, program ? "takes it" : program.error().what,
                           plain ? "takes it" : plain.error()));
        continue;
      }
      if (!program) {
        ++tally_.refused;
        continue;
      }
      one.program = *program;
      one.plain = std::move(*plain);
      cases.push_back(std::move(one));
    }
    return cases;
  }

  void ask(std::vector<Case>& cases, Dialect dialect, Walk& walk, size_t batch) {
    fields::Renderer renderer({.dialect = dialect});
    Nanos previous = 0;
    uint64_t count = 0;
    for (Case& one : cases) {  // each capture is replayed with a matcher of its own
      one.matcher = std::make_unique<filter::Matcher>(one.program, fields::RenderOptions{});
      one.explainer = std::make_unique<filter::Matcher>(one.program, fields::RenderOptions{});
    }
    const size_t last = std::min(walk.events(), batch % kWholeEvery ? kShortWalk : walk.events());
    const size_t step = std::max<size_t>(1, last / kEventsPerWalk);
    walk.run([&](const Moment& moment, const state::Machine& machine) {
      if (tally_.disagreements >= kShown) return;
      const oracle::Asked asked{moment, machine, renderer, previous, ++count};
      previous = moment.event.raw().ts;
      for (Case& one : cases) {
        const bool compiled = one.matcher->matches(moment, machine), plain = one.plain->holds(asked);
        ++tally_.asked;
        tally_.held += plain;
        (plain ? one.any_true : one.any_false) = true;
        bool again = plain;
        one.explainer->ask(moment, machine);
        if ((tally_.asked & 7) == 0) {
          again = explained(*one.program, static_cast<uint32_t>(one.program->tree.size() - 1), *one.explainer);
        }
        if (compiled != plain || again != plain)
          report(fmt::format("{}\n  {}, {}: compiled says {}, its tree {}, the oracle {}\n  {}", one.text, walk.path(),
                             dialect == Dialect::kClassic ? "as recorded" : "folded", compiled, again, plain, line_of(moment, machine)));
      }
    }, step, batch * 7, last);
  }

  static std::string line_of(const Moment& moment, const state::Machine& machine) {
    cli::LinePrinter printer({}, cli::TimeStyle::kClock, cli::Colour::kNever);
    Out line;
    printer.print(line, moment, machine);
    return line.str();
  }

  void report(const std::string& what) {
    if (++tally_.disagreements <= kShown && !quiet_) fmt::print("{}\n", visible(what));
  }

  std::vector<Walk>& walks_;
  Tally& tally_;
  bool quiet_ = false;
};

std::vector<oracle::Pool> pools_of(std::vector<Walk>& walks) {
  auto pools = oracle::all_pools();
  for (Walk& walk : walks)
    for (const Dialect dialect : {Dialect::kClassic, Dialect::kCurrent}) {
      fields::Renderer renderer({.dialect = dialect});
      const size_t step = std::max<size_t>(1, walk.events() / 100);
      walk.run([&](const Moment& moment, const state::Machine& machine) { collect(pools, {moment, machine, renderer}); }, step, step / 2, SIZE_MAX);
    }
  return pools;
}

/// Every way of being wrong shows.
int run_mutants(const std::vector<oracle::Pool>& pools, std::vector<Walk>& walks, size_t count, uint64_t seed) {
  // No field is of type BYTEBUF, or a list, before their rows are there: what can't be asked can't be noticed.
  bool bytes = false;
  for (const auto& pool : pools) bytes = bytes || pool.ref.field->type == fields::Type::kBytebuf;
  int missed = 0;
  for (int i = 0; i < static_cast<int>(oracle::Wrong::kNothing); ++i) {
    const auto wrong = static_cast<oracle::Wrong>(i);
    if (!bytes && (wrong == oracle::Wrong::kBcontains || wrong == oracle::Wrong::kBstartswith)) {
      fmt::print("{}: no field to ask with\n", oracle::name_of(wrong));
      continue;
    }
    // Some operators come seldom, and seldom with a value that makes a difference.
    constexpr uint64_t kTries = 8;
    Tally tally;
    for (uint64_t at = seed; at < seed + kTries && tally.disagreements == 0; ++at) {
      oracle::Generator generator(pools, at);
      Comparison(walks, tally).run(generator, count, wrong, true);
    }
    fmt::print("{}: {}\n", oracle::name_of(wrong), tally.disagreements ? fmt::format("noticed within {} filters", tally.filters) : "NOT NOTICED");
    missed += tally.disagreements == 0;
  }
  return missed ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("compares compiled filters with a plain evaluator");
  size_t count = 100'000;
  uint64_t seed = 1;
  bool mutants = false, print = false;
  std::vector<std::string> captures;
  app.add_option("--count", count);
  app.add_option("--seed", seed);
  app.add_flag("--mutants", mutants);
  app.add_flag("--print", print, "print the filters and do nothing else");
  app.add_option("captures", captures)->required();
  CLI11_PARSE(app, argc, argv);

  const auto begun = std::chrono::steady_clock::now();
  std::vector<Walk> walks;
  for (const auto& path : captures) {
    Walk walk(path);
    if (walk.events() > 0) walks.push_back(std::move(walk));
  }
  if (walks.empty()) {
    fmt::print("no capture could be read\n");
    return 1;
  }
  const auto pools = pools_of(walks);
  oracle::Generator generator(pools, seed);
  if (print) {
    for (size_t i = 0; i < count; ++i) fmt::print("{}\n", generator.filter());
    return 0;
  }
  if (mutants) return run_mutants(pools, walks, count, seed);
  Tally tally;
  Comparison(walks, tally).run(generator, count, oracle::Wrong::kNothing, false);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  fmt::print("{} filters in each dialect over {} captures, {} refused by both, {} not judged; {} questions, {:.1f}% true, {:.1f}% of the filters true and "
             "false; {} disagreements; {:.1f} s\n",
             count, walks.size(), tally.refused, tally.unjudged, tally.asked, 100. * static_cast<double>(tally.held) / static_cast<double>(std::max<size_t>(1, tally.asked)),
             100. * static_cast<double>(tally.varied) / static_cast<double>(std::max<size_t>(1, tally.filters)), tally.disagreements, took.count());
  // A generator that only makes nonsense would agree with everything.
  const bool telling = tally.refused * 3 < tally.filters && tally.refused > 0 && tally.varied * 5 > tally.filters;
  if (!telling) fmt::print("the generated filters say too little\n");
  return tally.disagreements == 0 && telling ? 0 : 1;
}
