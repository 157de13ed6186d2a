// SPDX-License-Identifier: Apache-2.0
#include "cli/replay.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "capture/source/file_source.h"
#include "cli/complain.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/write.h"
#include "filters/fields/arguments.h"
#include "filters/fields/format.h"
#include "filters/vm/compile.h"
#include "filters/vm/matcher.h"

namespace scry::cli {
namespace {

/// -S: how often each event came. Internal ones count too.
class Summary {
 public:
  void add(const event::Event& e) {
    if (e.raw().code <= event::kGenericX) ++by_call_[{fields::classic_type(e), e.is_enter()}];
    else ++by_code_[e.raw().code];
  }

  void print(Out& out) const {
    constexpr size_t kRows = 100, kNameWidth = 16;
    auto counts = by_call_;
    for (unsigned code = 0; code < event::kCodeCount; ++code)
      if (by_code_[code]) counts[{event::classic_event_names[code], event::is_enter(code)}] += by_code_[code];
    std::vector<std::pair<uint64_t, std::string>> rows;
    for (const auto& [key, count] : counts) rows.emplace_back(count, (key.second ? "> " : "< ") + fmt::format("{:<{}.{}}", key.first, kNameWidth, kNameWidth));
    std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    constexpr std::string_view kRule = "----------------------\n";
    out.put(kRule);
    out.put("Event           #Calls\n");
    out.put(kRule);
    for (size_t i = 0; i < std::min(rows.size(), kRows); ++i)
      out.put(fmt::format("{}{}\n", rows[i].second, rows[i].first));
  }

 private:
  std::map<std::pair<std::string_view, bool>, uint64_t> by_call_;
  std::array<uint64_t, event::kCodeCount> by_code_{};
};

/// Whether current libraries deliver this event, or only look at it for the exit that follows.
bool is_delivered_folded(const event::Event& e) {
  if (e.is_enter() && (e.info().groups & event::kGroupSyscall)) return false;
  const auto action = e.shape().action();
  return action == event::FoldAction::kPass || action == event::FoldAction::kStoreAndPass;
}

/// Everything that one capture after the other goes through, and where it goes to.
class Replay {
 public:
  Replay(const Options& options, Output& output) : options_(options), output_(output) {}

  /// Makes the filter, the format and the writer; false when one of them is wrong, which was said then.
  bool prepare();
  /// Reads one capture. Sets stopped() when there is no point in going on.
  int read(const std::string& path);
  /// What comes after the last capture.
  int finish();
  bool stopped() const { return stopped_; }

 private:
  struct Capture;
  bool make_filter();
  bool make_writer();
  void deliver(Capture& capture);
  int report(const Capture& capture) const;
  /// Whether no event of any capture can go anywhere: then only damage is worth looking for.
  bool nothing_can_match() const {
    return program_ && program_->may_match.codes.none() && !writer_ && !options_.filter_late && !options_.state_hash;
  }
  fields::Dialect dialect() const { return options_.fold_enter ? fields::Dialect::kCurrent : fields::Dialect::kClassic; }
  fields::RenderOptions rendering() const {
    return {.dialect = dialect(), .buffers = options_.buffers, .whole_values = options_.verbose || options_.json,
            .time = options_.time, .service_names = options_.service_names};
  }

  const Options& options_;
  Output& output_;
  std::shared_ptr<const filter::Program> program_;  ///< null: no filter
  std::optional<fields::Formatter> format_;
  std::unique_ptr<CaptureWriter> writer_;
  Summary summary_;
  bool stopped_ = false;
};

/// One capture while it is read.
struct Replay::Capture {
  Capture(const std::string& name, std::unique_ptr<source::FileSource> opened, std::unique_ptr<Losses> lost)
      : path(name), losses(std::move(lost)), source(std::move(opened)), machine(*losses), pipeline(*source, machine, *losses) {}
  std::string path;
  std::unique_ptr<Losses> losses;
  std::unique_ptr<source::FileSource> source;
  state::Machine machine;
  Pipeline pipeline;
  uint64_t delivered = 0;
  std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
};

bool Replay::make_filter() {
  if (lang::is_blank(options_.filter)) return true;
  filter::CompileOptions how;
  how.dialect = dialect();
  auto compiled = filter::compile(options_.filter, how);
  if (!compiled) {
    complain("scry: filter: {}\n", lang::describe(compiled.error(), options_.filter));
    return false;
  }
  program_ = std::move(*compiled);
  for (const auto& warning : program_->warnings) complain("scry: filter: warning: {}\n", lang::describe(warning, options_.filter));
  return true;
}

bool Replay::make_writer() {
  if (options_.write.path.empty()) return true;
  std::function<bool(const state::Thread&, const state::Machine&)> keep_thread;
  if (program_) {
    auto matcher = std::make_shared<filter::Matcher>(program_, rendering());
    keep_thread = [matcher](const state::Thread& thread, const state::Machine& machine) { return matcher->covers(thread, machine); };
  }
  auto writer = start_writing(options_, program_ && !options_.filter_late, std::move(keep_thread));
  if (!writer) {
    complain("scry: {}\n", visible(writer.error().message()));
    return false;
  }
  writer_ = std::move(*writer);
  return true;
}

bool Replay::prepare() {
  if (!make_filter()) return false;
  if (!options_.format.empty()) {
    using Style = fields::Formatter::Style;
    const Style style = !options_.json ? Style::kText : options_.fold_enter ? Style::kWholeJson : Style::kJson;
    auto parsed = fields::Formatter::parse(options_.format, style);
    if (!parsed) {
      complain("scry: {}\n", visible(parsed.error().message()));
      return false;
    }
    format_ = std::move(*parsed);
  }
  return make_writer();
}

/// Hands every event to the filter, and what passes to whoever wants it.
void Replay::deliver(Capture& c) {
  constexpr uint64_t kEventsPerUpdate = 4096;
  const bool colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
  LinePrinter printer({.buffers = options_.buffers, .whole_values = options_.verbose, .service_names = options_.service_names}, options_.time,
                      colour ? Colour::kAlways : Colour::kNever);
  std::optional<fields::Formatter> formatter = format_;
  fields::Renderer renderer(rendering());
  std::optional<filter::Matcher> matcher;
  if (program_) matcher.emplace(program_, rendering());
  std::optional<Progress> progress;  // not among events printed on the same terminal
  if (options_.progress && (options_.quiet || !isatty(STDOUT_FILENO))) progress.emplace(c.source->file_size());
  const bool fold = options_.fold_enter, late = options_.filter_late;
  const bool shows = !options_.quiet, shows_internal = options_.debug;
  const uint64_t limit = options_.limit ? options_.limit : UINT64_MAX;
  bool any = false;
  Nanos first = 0;
  const auto max_span = options_.max_seconds * 1'000'000'000u;
  while (const Moment* moment = c.pipeline.next()) {
    if (progress && moment->event.raw().num % kEventsPerUpdate == 0) progress->update(c.source->file_position());
    if (moment->silent) [[unlikely]] {
      if (matcher && !fold) matcher->pass(*moment);
      if (writer_ && !writer_->event(*moment, true)) break;
      continue;
    }
    if (fold && !is_delivered_folded(moment->event)) {
      // No line of its own; in a capture it stays what it was, and a filter leaves it out.
      if (writer_ && !writer_->event(*moment, !matcher || late)) break;
      continue;
    }
    const Nanos ts = moment->event.raw().ts;
    if (!any) [[unlikely]] {
      any = true;
      printer.start_at(ts);
    }
    const bool matches = !matcher || matcher->matches(*moment, c.machine);
    if (writer_ && !writer_->event(*moment, matches || late)) break;
    if (!matches && !late) continue;
    if (c.delivered == 0) first = ts;
    if (max_span && ts - first >= max_span) break;
    ++c.delivered;
    if (options_.summary) summary_.add(moment->event);
    const bool shown = shows && (!moment->internal || shows_internal);
    if (shown && matches) {
      if (formatter) formatter->print(output_.text(), *moment, c.machine, renderer);
      else printer.print(output_.text(), *moment, c.machine);
      output_.line_done();
      if (output_.failed()) break;
    } else if (shown && formatter) {
      formatter->pass_over(*moment);
    }
    if (c.delivered >= limit) break;
  }
  output_.flush();
}

int Replay::read(const std::string& path) {
  auto losses = std::make_unique<Losses>();
  auto source = source::FileSource::open(path, *losses);
  if (!source) {
    complain("scry: {}\n", visible(source.error().message()));
    stopped_ = true;
    return kCouldNot;
  }
  Capture c(path, std::move(*source), std::move(losses));
  c.pipeline.exclude_users = options_.exclude_users;
  if (writer_) connect(*writer_, *c.source, c.pipeline, c.machine);
  if (nothing_can_match()) c.pipeline.pass_over_rest();
  else deliver(c);
  if (c.pipeline.error()) {
    complain("scry: {}\n", visible(c.pipeline.error()->message()));
    stopped_ = true;
  }
  if (output_.failed()) {
    stopped_ = true;
    return output_.closed() ? kFine : kCouldNot;
  }
  if (options_.state_hash) output_.text().put(fmt::format("state hash {:016x}\n", c.machine.hash()));
  const int lossy = report(c);
  return stopped_ ? kCouldNot : lossy;
}

/// What is to be said of a capture that was read.
int Replay::report(const Capture& c) const {
  if (options_.verbose) {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - c.began;
    complain("Driver Events:0\nDriver Drops:0\nSuppressed by Comm:0\nElapsed time: {:.3f}, Captured Events: {}, {:.2f} eps\n",
               took.count(), c.delivered, static_cast<double>(c.delivered) / took.count());
  }
  uint64_t foreign = 0;
  const scap::BlockTally passed_over = c.source->blocks_passed_over();
  for (const auto& [id, count] : passed_over.by_id()) foreign += scap::is_known_block(id) ? 0 : count;
  if (foreign) complain("scry: {}: passed over {} block{} of kinds that it does not know\n", visible(c.path), foreign, foreign == 1 ? "" : "s");
  if (!stopped_ && c.pipeline.events() == 0) complain("scry: {}: holds no events\n", visible(c.path));
  return report_losses(c.path, *c.losses);
}

int Replay::finish() {
  int status = kFine;
  if (writer_)
    if (auto closed = writer_->close(); !closed) {
      complain("scry: {}\n", visible(closed.error().message()));
      status = kCouldNot;
    }
  if (options_.summary) summary_.print(output_.text());
  // Whatever colours the lines left on.
  const bool coloured = format_ ? !options_.json && format_->has_escapes() : isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
  if (!options_.quiet && coloured) output_.text().put("\x1b[00m");
  output_.flush();
  if (!output_.error().empty()) {
    complain("scry: standard output: {}\n", output_.error());
    status = kCouldNot;
  }
  return status;
}

}  // namespace

int report_losses(const std::string& name, const Losses& losses) {
  if (!losses.any()) return kFine;
  constexpr size_t kNotesShown = 10;
  complain("scry: {}: not everything could be read:\n", visible(name));
  for (size_t i = 0; i < static_cast<size_t>(LossKind::kCount); ++i) {
    const auto kind = static_cast<LossKind>(i);
    const auto& total = losses.total(kind);
    if (total.count == 0) continue;
    complain("  {}: {} time{}", describe(kind), total.count, total.count == 1 ? "" : "s");
    if (total.bytes) complain(", {} bytes", total.bytes);
    complain("\n");
  }
  size_t shown = 0;
  for (const auto& note : losses.notes()) {
    if (shown++ == kNotesShown) break;
    complain("  at byte {}: {}", note.offset, visible(note.why));
    if (note.bytes) complain(" ({} bytes lost)", note.bytes);
    complain("\n");
  }
  if (losses.notes().size() > kNotesShown) complain("  and more\n");
  return kLossy;
}

int replay(const Options& options) {
  if (options.files.empty()) {
    complain("scry: live capture: not yet; give a capture with -r FILE (scry --help says more)\n");
    return kCouldNot;
  }
  Output output(STDOUT_FILENO);
  if (options.unbuffered) output.flush_every_line();
  Replay replay(options, output);
  if (!replay.prepare()) return kCouldNot;
  int status = kFine;
  for (const auto& file : options.files) {
    const int one = replay.read(file);
    if (one != kFine && status != kCouldNot) status = one;
    if (replay.stopped()) break;
  }
  const int last = replay.finish();
  return last != kFine ? last : status;
}

}  // namespace scry::cli
