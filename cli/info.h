// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace scry::cli {

/// `scry info [--json] FILE...`: what captures hold. `args` without the word "info"; returns the exit status.
int info(const std::vector<std::string>& args);

}  // namespace scry::cli
