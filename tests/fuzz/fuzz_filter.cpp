// SPDX-License-Identifier: Apache-2.0
// Any text as a filter: parsed and compiled in both dialects, or refused with a message that points into it and that a
// terminal may see.
#include "capture/base/check.h"
#include "filters/vm/compile.h"
#include "tests/support/visible_check.h"

using namespace scry;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const auto dialect : {fields::Dialect::kClassic, fields::Dialect::kCurrent}) {
    filter::CompileOptions options;
    options.dialect = dialect;
    const auto program = filter::compile(text, options);
    if (program) continue;
    CHECK(program.error().at <= size && !program.error().what.empty(), "points outside, or says nothing");
    std::string message = lang::describe(program.error(), text);
    std::erase(message, '\n');
    CHECK(test::is_visible_text(message), "a control character is printed");
  }
  return 0;
}
