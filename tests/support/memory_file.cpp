// SPDX-License-Identifier: Apache-2.0
#include "tests/support/memory_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include "capture/base/check.h"

namespace scry::test {

MemoryFile::MemoryFile(std::string_view content) : fd_(memfd_create("capture", MFD_CLOEXEC)) {
  CHECK(fd_ >= 0, "no memory file");
  while (!content.empty()) {
    const ssize_t wrote = ::write(fd_, content.data(), content.size());
    CHECK(wrote > 0, "can't fill a memory file");
    content.remove_prefix(static_cast<size_t>(wrote));
  }
  path_ = "/proc/self/fd/" + std::to_string(fd_);
}

MemoryFile::~MemoryFile() { ::close(fd_); }

}  // namespace scry::test
