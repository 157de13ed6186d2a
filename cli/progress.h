// SPDX-License-Identifier: Apache-2.0
// One line on standard error that says how far a long job is. Nothing is drawn unless standard error is a terminal
// and the job takes longer than half a second; at the end the line is erased.
#pragma once

#include <chrono>
#include <cstdint>

namespace scry::cli {

class Progress {
 public:
  /// `total_bytes` 0: nobody knows how much there is.
  explicit Progress(uint64_t total_bytes);
  ~Progress() { finish(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Cheap: costs a look at the clock, and at most ten times a second a line.
  void update(uint64_t position) {
    if (!enabled_) return;
    const auto now = Clock::now();
    if (now >= next_) draw(position, now);
  }
  /// Erases the line; to be called before anything else is printed on the terminal. The next update() draws it again.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  void draw(uint64_t position, Clock::time_point now);

  uint64_t total_;
  bool enabled_;
  Clock::time_point start_, next_;
  int drawn_ = 0;  ///< columns on the screen
};

}  // namespace scry::cli
