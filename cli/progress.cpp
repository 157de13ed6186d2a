// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <string>

namespace scry::cli {
namespace {

using namespace std::chrono_literals;
constexpr auto kFirst = 500ms, kEvery = 100ms;
constexpr int kBar = 30;

int terminal_columns() {
  winsize size = {};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void write_all(const std::string& text) {
  // A line of progress that can't be written is no reason to stop.
  [[maybe_unused]] const ssize_t wrote = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

Progress::Progress(uint64_t total_bytes)
    : total_(total_bytes), enabled_(::isatty(STDERR_FILENO) == 1), start_(Clock::now()), next_(start_ + kFirst) {}

void Progress::draw(uint64_t position, Clock::time_point now) {
  next_ = now + kEvery;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double megabytes = static_cast<double>(position) / 1e6;
  std::string line;
  if (total_ == 0) {
    line = fmt::format("{:.0f} MB read, {:.0f} MB/s", megabytes, megabytes / seconds);
  } else {
    const double part = std::min(1.0, static_cast<double>(position) / static_cast<double>(total_));
    const int full = static_cast<int>(part * kBar);
    line = fmt::format("[{:#<{}}{:.<{}}] {:3.0f}%  {:.0f} MB/s", "", full, "", kBar - full, 100 * part,
                       megabytes / seconds);
    if (part > 0.01) line += fmt::format("  {:.0f} s left", seconds / part - seconds);
  }
  const int width =
      static_cast<int>(std::min<size_t>(line.size(), static_cast<size_t>(std::max(terminal_columns() - 1, 1))));
  line.resize(static_cast<size_t>(width));
  line.append(static_cast<size_t>(std::max(drawn_ - width, 0)), ' ');
  line.insert(line.begin(), '\r');
  write_all(line);
  drawn_ = width;
}

void Progress::finish() {
  if (drawn_ == 0) return;
  write_all(fmt::format("\r{:{}}\r", "", drawn_));
  drawn_ = 0;
}

}  // namespace scry::cli
