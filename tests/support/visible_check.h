// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "capture/base/visible.h"

namespace scry::test {

/// Whether a terminal may see this: well-formed UTF-8 without a character that acts on it.
inline bool is_visible_text(std::string_view text) {
  while (!text.empty()) {
    uint32_t c = 0;
    const int length = utf8_sequence(text, c);
    if (length == 0 || is_unsafe(c)) return false;
    text.remove_prefix(static_cast<size_t>(length));
  }
  return true;
}

}  // namespace scry::test
