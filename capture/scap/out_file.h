// SPDX-License-Identifier: Apache-2.0
// Files that scry makes: readable by their owner only, never written through a link, and never over a part of a file
// that is there already: a new file takes the place of the old one in one step, once it has a beginning of its own.
#pragma once

#include <string>
#include <vector>

#include "capture/base/result.h"

namespace scry::scap {

class OutFile {
 public:
  /// `path` "-" is standard output. Pipes and character devices are written to directly. A file that is one of
  /// `inputs` is refused.
  static Result<OutFile> create(const std::string& path, const std::vector<std::string>& inputs);
  OutFile(OutFile&& other) noexcept;
  OutFile& operator=(OutFile&&) = delete;
  /// A file that was not published is removed.
  ~OutFile();

  /// Hands the descriptor over.
  int take_fd();
  /// Gives the file its name.
  Result<void> publish();

 private:
  OutFile() = default;
  std::string path_, temporary_;
  int fd_ = -1;
};

}  // namespace scry::scap
