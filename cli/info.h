// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace scry::cli {

/// `scry info FILE [--json]`: what a capture holds.
int info(const std::vector<std::string>& args);

}  // namespace scry::cli
