// SPDX-License-Identifier: Apache-2.0
// `scry -r FILE`: print what happened.
#pragma once

#include "cli/options.h"

namespace scry::cli {

/// Exit statuses, everywhere (design.md, "Errors").
enum ExitStatus { kFine = 0, kCouldNot = 1, kLossy = 3, kAssertionFailed = 4 };

int replay(const Options& options);
/// Says on standard error what a capture lost. Returns kFine or kLossy.
int report_losses(const std::string& name, const Losses& losses);

}  // namespace scry::cli
