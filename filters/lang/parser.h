// SPDX-License-Identifier: Apache-2.0
// Text to tree, by the grammar of current Falco (spec/filter-lang.md §1): not binds closer than and, and closer than or.
#pragma once

#include <tl/expected.hpp>

#include "filters/lang/ast.h"

namespace scry::lang {

/// What is wrong with a filter, and where.
struct Diagnostic {
  uint32_t at = 0;  ///< byte offset
  std::string what;
};

/// Nesting beyond this is refused, as Falco refuses it; a pair of brackets costs five levels.
constexpr int kMaxDepth = 100;

tl::expected<Expr, Diagnostic> parse(std::string_view text);

struct Place {
  size_t line = 1, column = 1;  ///< from 1; columns count bytes
};
Place place_of(std::string_view text, size_t at);

/// "line 1, column 9: …", then the line that it is about and a caret below the place. Safe to print.
std::string describe(const Diagnostic& diagnostic, std::string_view text);

/// Whether there is nothing in it but blanks.
bool is_blank(std::string_view text);

}  // namespace scry::lang
