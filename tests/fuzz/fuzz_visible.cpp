// SPDX-License-Identifier: Apache-2.0
// Any text becomes text that a terminal may see, within the promised size; harmless text stays as it is.
#include "capture/base/check.h"
#include "tests/support/visible_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string out(size * scry::kMaxVisiblePerByte, '\0');  // an overrun is the sanitizer's to find
  out.resize(static_cast<size_t>(scry::write_visible(out.data(), text) - out.data()));
  CHECK(scry::test::is_visible_text(out), "not fit for a terminal");
  CHECK(!scry::test::is_visible_text(text) || out == text, "harmless text was changed");
  CHECK(scry::plain_prefix(text) <= size, "longer than the text");
  return 0;
}
