// SPDX-License-Identifier: Apache-2.0
// Any text as an output format, and the events of a small capture printed with it. The first byte says text or JSON.
#include <nlohmann/json.hpp>

#include "capture/base/check.h"
#include "capture/source/file_source.h"
#include "filters/fields/format.h"
#include "tests/support/builder.h"
#include "tests/support/memory_file.h"

using namespace scry;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const test::MemoryFile file(test::varied_capture().bytes());
  if (size == 0) return 0;
  const auto style = (*data & 1) ? fields::Formatter::Style::kJson : fields::Formatter::Style::kText;
  const std::string_view format(reinterpret_cast<const char*>(data + 1), size - 1);
  auto parsed = fields::Formatter::parse(format, style);
  if (!parsed) {
    CHECK(!parsed.error().message().empty(), "an error that says nothing");
    return 0;
  }
  Losses losses;
  auto source = source::FileSource::open(file.path(), losses);
  CHECK(source, "the capture can't be opened");
  state::Machine machine(losses);
  Pipeline pipeline(**source, machine, losses);
  fields::Renderer renderer({.dialect = (*data & 2) ? fields::Dialect::kCurrent : fields::Dialect::kClassic,
                             .buffers = static_cast<fields::Buffers>((*data >> 2) % 5), .service_names = (*data & 128) != 0});
  constexpr int kEvents = 40;
  Out line;
  for (int i = 0; i < kEvents; ++i) {
    const Moment* moment = pipeline.next();
    if (!moment) break;
    line.clear();
    const bool printed = parsed->print(line, *moment, machine, renderer);
    CHECK(printed == !line.empty(), "a dropped line left something, or a line has no end");
    if (printed && style == fields::Formatter::Style::kJson) CHECK(nlohmann::json::accept(line.view()), "not JSON");
  }
  return 0;
}
