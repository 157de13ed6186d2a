// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace scry::cli {

/// `scry filter`: what a filter means, and why an event matches it or not. Returns the exit status.
int filter(const std::vector<std::string>& args);

}  // namespace scry::cli
