// SPDX-License-Identifier: Apache-2.0
#include "capture/base/nearest.h"

#include <algorithm>
#include <vector>

namespace scry {
namespace {

/// How many letters have to change, come, go, or swap with the next; `limit` when it is that many or more.
size_t edit_distance(std::string_view a, std::string_view b, size_t limit) {
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) >= limit) return limit;
  std::vector<size_t> row(b.size() + 1), before(b.size() + 1), next(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      next[j] = std::min({row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) next[j] = std::min(next[j], before[j - 2] + 1);
    }
    before.swap(row);
    row.swap(next);
  }
  return std::min(row[b.size()], limit);
}

}  // namespace

Nearest::Nearest(std::string_view wanted) : wanted_(wanted), limit_(std::min<size_t>(wanted.size() / 3 + 1, 4)) {
  constexpr size_t kLongestName = 200;
  if (wanted.size() > kLongestName) limit_ = 0;
}

void Nearest::offer(std::string_view name) {
  if (const size_t distance = edit_distance(wanted_, name, limit_); distance < limit_) {
    best_ = name;
    limit_ = distance;
  }
}

}  // namespace scry
