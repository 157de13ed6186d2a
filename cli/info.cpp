// SPDX-License-Identifier: Apache-2.0
#include "cli/info.h"

namespace scry::cli {
int info(const std::vector<std::string>&) { return 1; }
}  // namespace scry::cli
