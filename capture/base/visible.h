// SPDX-License-Identifier: Apache-2.0
// Text out of a capture is never trusted with a terminal: control characters, text-direction overrides and bytes that
// are not UTF-8 are written as visible escapes (\n, \t, \r, \xNN, \u{NNNN}), on pipes too.
#pragma once

#include <string>
#include <string_view>

namespace scry {

/// How many bytes from the start are printable ASCII.
size_t plain_prefix(std::string_view text);

/// Length of the well-formed UTF-8 sequence at the start of `text` (1 to 4), or 0. `code_point` is set with it.
int utf8_sequence(std::string_view text, uint32_t& code_point);

/// True for characters that would act on a terminal or hide what follows them.
bool is_unsafe(uint32_t code_point);

/// Longest that one byte of input can become.
constexpr size_t kMaxVisiblePerByte = 4;

/// Writes `text` made safe to `out`, which has room for kMaxVisiblePerByte * text.size(); returns the end.
char* write_visible(char* out, std::string_view text);

std::string visible(std::string_view text);

}  // namespace scry
