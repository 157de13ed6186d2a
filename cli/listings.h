// SPDX-License-Identifier: Apache-2.0
// What there is to ask for: the catalogue of fields and the table of events, for people, for programs, as a manual page
// and as words for a shell to complete.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace scry::cli {

enum class ListStyle : uint8_t { kPlain, kVerbose, kMarkdown, kJson, kMan };

/// -l. With `words`, the classes of those names and the fields that have one of them in their name.
std::string list_fields(ListStyle style, const std::vector<std::string>& words, size_t columns);
/// -L: each event in its newest form, in the way of `> open(FSPATH name, …)`; kJson: one object a line.
std::string list_events(ListStyle style, const std::vector<std::string>& words);

/// How wide the terminal is; 120 where there is none.
size_t terminal_columns();

/// Names for completion, each on a line: "fields", "events". Empty for other kinds.
std::string words_of_kind(std::string_view kind);

}  // namespace scry::cli
