// SPDX-License-Identifier: Apache-2.0
// The right side of `pmatch`: paths of which one has to be the value, or a directory above it.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace scry::filter {

class PathSet {
 public:
  static constexpr size_t kMaxComponents = 2048;  ///< as many as fit into PATH_MAX
  /// Components may hold the characters of a glob. False when there are too many.
  bool add(std::string_view path);
  bool covers(std::string_view path) const;

 private:
  struct Component {
    bool is_end = false;  ///< a path of the set ends here
    absl::flat_hash_map<std::string, std::unique_ptr<Component>> next;
    std::vector<std::pair<std::string, std::unique_ptr<Component>>> globs;
  };
  static bool covers(const Component& at, std::string_view rest);
  Component root_;
};

}  // namespace scry::filter
