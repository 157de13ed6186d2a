// SPDX-License-Identifier: Apache-2.0
// Says which mutant was being read when the process died, whatever killed it: a signal, a sanitizer, a hang.
#pragma once

#include <cstdint>
#include <string>

namespace scry::test {

/// Turns standard output and error to /dev/null, where the program under test may write, and keeps the real standard
/// error for say(). Sanitizer reports go there too.
void start_watch(unsigned hang_seconds);
/// From now on `number` is to blame; the clock of the hang starts again.
void watching(uint64_t number);
void say(const std::string& text);

}  // namespace scry::test
