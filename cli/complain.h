// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

namespace scry::cli {

/// Writes to standard error. Where nobody listens (closed, full) the message is lost and nothing else.
template <class... Args>
void complain(fmt::format_string<Args...> format, Args&&... args) {
  const std::string text = fmt::format(format, std::forward<Args>(args)...);
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

/// A text for standard output, as --help and --version have. Returns the exit status.
int say(std::string_view text);

}  // namespace scry::cli
