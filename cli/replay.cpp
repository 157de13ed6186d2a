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
#include "filters/fields/format.h"
#include "filters/vm/compile.h"
#include "filters/vm/matcher.h"

namespace scry::cli {
namespace {

/// -S: how often each event came. Internal ones count too.
class Summary {
 public:
  void add(const event::Event& e) {
    if (e.raw().code <= event::kGenericX) ++by_call_[{type_of(e), e.is_enter()}];
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

struct FileResult {
  int status = kFine;
  bool stop = false;  ///< nobody reads the output any more
};

FileResult replay_file(const std::string& path, const Options& options, const std::shared_ptr<const filter::Program>& program,
                       const std::optional<fields::Formatter>& format, Output& output, Summary& summary, CaptureWriter* writer) {
  using Clock = std::chrono::steady_clock;
  constexpr uint64_t kEventsPerUpdate = 4096;
  const auto started = Clock::now();
  Losses losses;
  auto source = source::FileSource::open(path, losses);
  if (!source) {
    complain("scry: {}\n", visible(source.error().message()));
    return {kCouldNot};
  }
  state::Machine machine(losses);
  Pipeline pipeline(**source, machine, losses);
  pipeline.exclude_users = options.exclude_users;
  if (writer) connect(*writer, **source, pipeline, machine);
  const bool colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
  LinePrinter printer({.buffers = options.buffers, .whole_values = options.verbose, .service_names = options.service_names}, options.time,
                      colour ? Colour::kAlways : Colour::kNever);
  std::optional<fields::Formatter> formatter;
  fields::Renderer renderer({.dialect = options.fold_enter ? fields::Dialect::kCurrent : fields::Dialect::kClassic,
                             .buffers = options.buffers, .whole_values = options.verbose || options.json, .time = options.time, .service_names = options.service_names});
  if (format) formatter = *format;
  std::optional<filter::Matcher> matcher;
  if (program) matcher.emplace(program, renderer.options());
  std::optional<Progress> progress;  // not among events printed on the same terminal
  if (options.progress && (options.quiet || !isatty(STDOUT_FILENO))) progress.emplace((*source)->file_size());
  uint64_t delivered = 0;
  bool any = false;
  Nanos first = 0;
  int status = kFine;
  const auto max_span = options.max_seconds * 1'000'000'000u;
  while (const Moment* moment = pipeline.next()) {
    if (progress && moment->event.raw().num % kEventsPerUpdate == 0) progress->update((*source)->file_position());
    if (moment->silent) {
      if (matcher && !options.fold_enter) matcher->pass(*moment);
      if (writer && !writer->event(*moment, true)) break;
      continue;
    }
    if (options.fold_enter && !is_delivered_folded(moment->event)) {
      // No line of its own; in a capture it stays what it was, and a filter leaves it out.
      if (writer && !writer->event(*moment, !matcher)) break;
      continue;
    }
    const Nanos ts = moment->event.raw().ts;
    if (!any) {
      any = true;
      first = ts;
      printer.start_at(ts);
    }
    if (max_span && ts - first >= max_span) break;
    const bool matches = !matcher || matcher->matches(*moment, machine);
    if (writer && !writer->event(*moment, matches)) break;
    if (!matches && !options.filter_late) continue;
    ++delivered;
    if (options.summary) summary.add(moment->event);
    if (matches && !options.quiet && (!moment->internal || options.debug)) {
      if (formatter) formatter->print(output.text(), *moment, machine, renderer);
      else printer.print(output.text(), *moment, machine);
      output.line_done();
      if (output.failed()) break;
    } else if (formatter && (!moment->internal || options.debug)) {
      formatter->pass_over(*moment);
    }
    if (options.limit && delivered >= options.limit) break;
  }
  output.flush();
  progress.reset();
  if (pipeline.error()) {
    complain("scry: {}\n", visible(pipeline.error()->message()));
    status = kCouldNot;
  }
  if (output.failed()) return {output.closed() ? kFine : kCouldNot, true};
  if (options.state_hash) output.text().put(fmt::format("state hash {:016x}\n", machine.hash()));
  if (options.verbose) {
    const std::chrono::duration<double> took = Clock::now() - started;
    complain("Driver Events:0\nDriver Drops:0\nSuppressed by Comm:0\nElapsed time: {:.3f}, Captured Events: {}, {:.2f} eps\n",
               took.count(), delivered, static_cast<double>(delivered) / took.count());
  }
  uint64_t foreign = 0;
  const scap::BlockTally passed_over = (*source)->blocks_passed_over();
  for (const auto& [id, count] : passed_over.by_id()) foreign += scap::is_known_block(id) ? 0 : count;
  if (foreign) complain("scry: {}: passed over {} block{} of kinds that it does not know\n", visible(path), foreign, foreign == 1 ? "" : "s");
  if (status == kFine && pipeline.events() == 0) complain("scry: {}: holds no events\n", visible(path));
  const int lossy = report_losses(path, losses);
  return {status == kFine ? lossy : status};
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
  std::shared_ptr<const filter::Program> program;
  if (!lang::is_blank(options.filter)) {
    filter::CompileOptions how;
    how.dialect = options.fold_enter ? fields::Dialect::kCurrent : fields::Dialect::kClassic;
    auto compiled = filter::compile(options.filter, how);
    if (!compiled) {
      complain("scry: filter: {}\n", lang::describe(compiled.error(), options.filter));
      return kCouldNot;
    }
    program = std::move(*compiled);
    for (const auto& warning : program->warnings) complain("scry: filter: warning: {}\n", lang::describe(warning, options.filter));
  }
  std::optional<fields::Formatter> format;
  if (!options.format.empty()) {
    auto parsed = fields::Formatter::parse(options.format, options.json ? fields::Formatter::Style::kJson
                                                                        : fields::Formatter::Style::kText);
    if (!parsed) {
      complain("scry: {}\n", visible(parsed.error().message()));
      return kCouldNot;
    }
    format = std::move(*parsed);
  }
  Output output(STDOUT_FILENO);
  if (options.unbuffered) output.flush_every_line();
  Summary summary;
  std::unique_ptr<CaptureWriter> writer;
  if (!options.write.path.empty()) {
    std::function<bool(const state::Thread&, const state::Machine&)> keep_thread;
    if (program) {
      auto matcher = std::make_shared<filter::Matcher>(program, fields::RenderOptions{});
      keep_thread = [matcher](const state::Thread& thread, const state::Machine& machine) { return matcher->covers(thread, machine); };
    }
    auto started = start_writing(options, program != nullptr, std::move(keep_thread));
    if (!started) {
      complain("scry: {}\n", visible(started.error().message()));
      return kCouldNot;
    }
    writer = std::move(*started);
  }
  int status = kFine;
  for (const auto& file : options.files) {
    const FileResult result = replay_file(file, options, program, format, output, summary, writer.get());
    if (result.status != kFine) status = status == kCouldNot ? status : result.status;
    if (result.stop || result.status == kCouldNot) break;
  }
  if (writer)
    if (auto closed = writer->close(); !closed) {
      complain("scry: {}\n", visible(closed.error().message()));
      status = kCouldNot;
    }
  if (options.summary) summary.print(output.text());
  // Whatever colours the lines left on.
  const bool coloured = format ? !options.json && format->has_escapes() : isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
  if (!options.quiet && coloured) output.text().put("\x1b[00m");
  output.flush();
  if (!output.error().empty()) {
    complain("scry: standard output: {}\n", output.error());
    return kCouldNot;
  }
  return status;
}

}  // namespace scry::cli
