// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/complain.h"

namespace scry::cli {

void Output::flush() {
  std::string_view rest = text_.view();
  while (!rest.empty() && !failed()) {
    const ssize_t wrote = ::write(fd_, rest.data(), rest.size());
    if (wrote >= 0) rest.remove_prefix(static_cast<size_t>(wrote));
    else if (errno == EPIPE) closed_ = true;
    else if (errno != EINTR) error_ = std::string("can't write: ") + std::strerror(errno);
  }
  text_.clear();
}

int say(std::string_view text) {
  Output output(STDOUT_FILENO);
  output.text().put(text);
  output.flush();
  if (output.error().empty()) return 0;
  complain("scry: standard output: {}\n", output.error());
  return 1;
}

}  // namespace scry::cli
