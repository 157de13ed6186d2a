// SPDX-License-Identifier: Apache-2.0
#include "capture/base/loss.h"

#include <utility>

namespace scry {

const char* describe(LossKind kind) {
  switch (kind) {
    case LossKind::kCutOff: return "cut off";
    case LossKind::kDamagedBytes: return "damaged bytes skipped";
    case LossKind::kDamagedEvent: return "damaged event";
    case LossKind::kDamagedEntry: return "damaged list entry";
    case LossKind::kUnreadable: return "compressed data unreadable";
    case LossKind::kTableFull: return "table full";
    case LossKind::kCount: break;
  }
  return "?";
}

void Losses::add(LossKind kind, uint64_t offset, uint64_t bytes, std::string why) {
  auto& total = totals_[static_cast<size_t>(kind)];
  ++total.count;
  total.bytes += bytes;
  any_ = true;
  // A full table says so once; how often is in the total.
  if (kind == LossKind::kTableFull)
    for (const Note& note : notes_)
      if (note.why == why) return;
  if (notes_.size() < kNotesKept) notes_.push_back({kind, offset, bytes, std::move(why)});
}

}  // namespace scry
