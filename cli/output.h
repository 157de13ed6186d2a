// SPDX-License-Identifier: Apache-2.0
// Standard output: text collects in a buffer and goes out in large writes.
#pragma once

#include "capture/base/out.h"
#include "capture/base/result.h"

namespace scry::cli {

class Output {
 public:
  explicit Output(int fd) : fd_(fd), text_(kFlushAt + 64 * 1024) {}

  Out& text() { return text_; }
  /// To be called after each line.
  void line_done() {
    if (text_.size() >= limit_) [[unlikely]] flush();
  }
  void flush();
  void flush_every_line() { limit_ = 0; }
  /// Nobody reads any more (`| head`): stop, quietly.
  bool closed() const { return closed_; }
  /// A write that failed for another reason.
  const std::string& error() const { return error_; }
  bool failed() const { return closed_ || !error_.empty(); }

 private:
  static constexpr size_t kFlushAt = 64 * 1024;
  int fd_;
  Out text_;
  size_t limit_ = kFlushAt;
  bool closed_ = false;
  std::string error_;
};

}  // namespace scry::cli
