// SPDX-License-Identifier: Apache-2.0
// What the program makes of a capture, for tests to look at.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "capture/base/loss.h"

namespace scry::test {

struct ReadBack {
  std::string error;           ///< empty when the file was read to its end
  std::vector<uint64_t> times; ///< timestamps of the events, in the order in which they came
  std::vector<uint64_t> numbers;
  std::vector<std::string> lines;  ///< as plain `scry` prints them, without the line end
  Losses losses;
  uint64_t unknown_blocks = 0;
  uint64_t unknown_events = 0;
  bool last_exit_paired = false;  ///< the last exit event found its enter event
  size_t threads = 0;          ///< in the table at the end
  int status = 0;              ///< exit status of `scry -q -r`
};

ReadBack read_back(std::string_view capture);

}  // namespace scry::test
