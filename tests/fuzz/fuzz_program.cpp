// SPDX-License-Identifier: Apache-2.0
// A filter over the events of a small capture: the compiled one says what the plain evaluator says. The first byte says
// which dialect, the rest is the filter.
#include "capture/base/check.h"
#include "capture/pipeline.h"
#include "capture/source/file_source.h"
#include "filters/vm/compile.h"
#include "filters/vm/matcher.h"
#include "tests/oracle/oracle.h"
#include "tests/support/builder.h"
#include "tests/support/memory_file.h"

using namespace scry;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kLongest = 4096;  // the plain evaluator takes its time
  if (size == 0 || size > kLongest) return 0;
  const auto dialect = (*data & 1) ? fields::Dialect::kCurrent : fields::Dialect::kClassic;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto expr = lang::parse(text);
  if (!expr) return 0;
  filter::CompileOptions options;
  options.dialect = dialect;
  const auto program = filter::compile(*expr, text, options);
  const auto plain = oracle::Filter::read(*expr, {dialect});
  if (plain && !plain->is_judged()) return 0;
  CHECK(program.has_value() == plain.has_value(), "refused by one only");
  if (!program) return 0;
  static const test::MemoryFile file(test::varied_capture().bytes());
  Losses losses;
  auto source = source::FileSource::open(file.path(), losses);
  CHECK(source, "the small capture can't be read");
  state::Machine machine(losses);
  Pipeline pipeline(**source, machine, losses);
  filter::Matcher matcher(*program, {});
  fields::Renderer renderer({.dialect = dialect});
  Nanos previous = 0;
  uint64_t count = 0;
  while (const Moment* moment = pipeline.next()) {
    if (moment->silent) continue;
    const oracle::Asked asked{*moment, machine, renderer, previous, ++count};
    previous = moment->event.raw().ts;
    CHECK(matcher.matches(*moment, machine) == plain->holds(asked), "the compiled filter says something else");
  }
  return 0;
}
