// SPDX-License-Identifier: Apache-2.0
// Tree to program: names are looked up, types checked, constants read; then the tree is simplified, equal parts become
// one, cheap checks go first, and what remains becomes jumps.
#pragma once

#include <functional>

#include "filters/vm/program.h"

namespace scry::filter {

struct CompileOptions {
  /// Whose names and values of events count: sysdig's for what was recorded, current Falco's for folded events.
  fields::Dialect dialect = fields::Dialect::kClassic;
  /// The tree that a bare name stands for (a macro); null: there are no macros.
  std::function<const lang::Expr*(std::string_view name)> macro;
};

/// `text` is what `expr` was parsed from.
tl::expected<std::shared_ptr<const Program>, lang::Diagnostic> compile(const lang::Expr& expr, std::string_view text,
                                                                       const CompileOptions& options);
/// Parses and compiles.
tl::expected<std::shared_ptr<const Program>, lang::Diagnostic> compile(std::string_view text, const CompileOptions& options);

}  // namespace scry::filter
