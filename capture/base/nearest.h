// SPDX-License-Identifier: Apache-2.0
// "Did you mean": the known name that comes closest to a wrong one.
#pragma once

#include <string_view>

namespace scry {

class Nearest {
 public:
  explicit Nearest(std::string_view wanted);
  void offer(std::string_view name);
  /// Empty when no name offered is near.
  std::string_view best() const { return best_; }

 private:
  std::string_view wanted_, best_;
  size_t limit_;  ///< as many letters may change, come or go, less one
};

}  // namespace scry
