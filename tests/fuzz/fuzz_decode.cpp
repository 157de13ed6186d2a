// SPDX-License-Identifier: Apache-2.0
// Event headers with their parameters, one after the other without blocks around: decode, state, both ways of
// printing, all fields. The first byte says which header layout and how buffers are printed.
#include <vector>

#include "capture/base/check.h"
#include "capture/event/decode.h"
#include "cli/line_printer.h"
#include "filters/fields/format.h"
#include "tests/support/all_fields.h"
#include "tests/support/visible_check.h"

using namespace scry;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto kind = (*data & 1) ? event::HeaderKind::kV1 : event::HeaderKind::kV2;
  const auto buffers = static_cast<fields::Buffers>((*data >> 1) % 5);
  const bool one_line = buffers == fields::Buffers::kDots || buffers == fields::Buffers::kBase64;
  // A buffer like a source's: the decoder may load a little beyond an event.
  std::vector<uint8_t> bytes(data + 1, data + size);
  bytes.resize(size - 1 + event::kReadSlack);
  const uint8_t *at = bytes.data(), *end = at + size - 1;
  Losses losses;
  state::Machine machine(losses);
  cli::LinePrinter printer({fields::Dialect::kClassic, buffers}, cli::TimeStyle::kLatency, cli::Colour::kNever);
  fields::Renderer folded({fields::Dialect::kCurrent, buffers});
  auto fields = fields::Formatter::parse(test::all_fields(), fields::Formatter::Style::kJson);
  event::RawEvent raw;
  Moment moment;
  Out line;
  for (size_t used = 0; at < end; at += used) {
    if (event::decode(at, static_cast<size_t>(end - at), kind, raw, used)) break;
    if (!event::is_known(raw.code)) continue;
    ++raw.num;
    machine.apply(raw, moment);
    line.clear();
    printer.print(line, moment, machine);
    line.shrink(line.size() - 1);
    folded.args(line, moment, machine);
    fields->print(line, moment, machine, folded);
    line.shrink(line.size() - 1);
    CHECK(!one_line || test::is_visible_text(line.view()), "a control character is printed");
  }
  machine.hash();
  return 0;
}
