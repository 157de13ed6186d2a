// SPDX-License-Identifier: Apache-2.0
#include "capture/base/text.h"

#include <algorithm>

#include "capture/base/visible.h"

namespace scry {

bool Text::is_plain(std::string_view text) { return plain_prefix(text) == text.size(); }

Text TextPool::intern(std::string_view text) {
  if (text.empty()) return {};
  if (auto found = texts_.find(text); found != texts_.end()) return found->second;
  if (texts_.size() >= limit_) sweep();
  Text made(text);
  texts_.emplace(made.view(), made);
  return made;
}

void TextPool::sweep() {
  absl::erase_if(texts_, [](const auto& entry) { return entry.second.unique(); });
  limit_ = std::max<size_t>(1024, texts_.size() * 2);
}

}  // namespace scry
