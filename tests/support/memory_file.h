// SPDX-License-Identifier: Apache-2.0
// A file that lives in memory, with a path that can be opened as often as one likes.
#pragma once

#include <string>
#include <string_view>

namespace scry::test {

class MemoryFile {
 public:
  explicit MemoryFile(std::string_view content);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  const std::string& path() const { return path_; }

 private:
  int fd_;
  std::string path_;
};

}  // namespace scry::test
