// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace scry {

using Nanos = uint64_t;     ///< nanoseconds since the epoch, or a duration
using Tid = int64_t;        ///< thread id in the recorder's pid namespace
using Pid = int64_t;        ///< thread id of a group leader
using FdNumber = int64_t;

/// A process or thread for good: the number and when it began, so that reuse of the number confuses nothing.
struct ThreadKey {
  Tid tid = -1;
  Nanos start = 0;
  bool operator==(const ThreadKey&) const = default;
};

}  // namespace scry
