// SPDX-License-Identifier: Apache-2.0
#include "tests/support/read_back.h"

#include "capture/pipeline.h"
#include "capture/source/file_source.h"
#include "cli/line_printer.h"
#include "cli/replay.h"
#include "tests/support/memory_file.h"

namespace scry::test {

ReadBack read_back(std::string_view capture) {
  ReadBack out;
  MemoryFile file(capture);
  cli::Options options;
  options.files = {file.path()};
  options.quiet = true;
  out.status = cli::replay(options);
  auto source = source::FileSource::open(file.path(), out.losses);
  if (!source) {
    out.error = source.error().text;
    return out;
  }
  state::Machine machine(out.losses);
  Pipeline pipeline(**source, machine, out.losses);
  cli::LinePrinter printer({}, cli::TimeStyle::kClock, cli::Colour::kNever);
  Out line;
  while (const Moment* moment = pipeline.next()) {
    out.times.push_back(moment->event.raw().ts);
    out.numbers.push_back(moment->event.raw().num);
    if (!moment->event.is_enter()) out.last_exit_paired = moment->event.enter() != nullptr;
    line.clear();
    printer.print(line, *moment, machine);
    out.lines.emplace_back(line.view().substr(0, line.size() - 1));
  }
  if (pipeline.error()) out.error = pipeline.error()->text;
  const scap::BlockTally passed_over = (*source)->blocks_passed_over();
  for (const auto& [id, count] : passed_over.by_id())
    if (!scap::is_known_block(id)) out.unknown_blocks += count;
  for (const auto& [code, count] : (*source)->unknown_events()) out.unknown_events += count;
  out.threads = machine.thread_count();
  return out;
}

}  // namespace scry::test
