// SPDX-License-Identifier: Apache-2.0
#include "capture/pipeline.h"

#include <array>

#include "capture/state/load.h"

namespace scry {
namespace {

using event::kCodeCount;

enum : uint8_t {
  kUncounted = 1,  ///< has no number: sysdig 0.29.3 does not know these, and they say nothing that happened
  kContainer = 2,
  kInternal = 4,
};

const auto kTraits = [] {
  std::array<uint8_t, kCodeCount> traits{};
  for (auto code : {event::kUserAddedE, event::kUserDeletedE, event::kGroupAddedE, event::kGroupDeletedE})
    traits[code] = traits[code + 1] = kUncounted;
  for (unsigned code = 0; code < kCodeCount; ++code) {
    if (state::is_container_event(code)) traits[code] |= kContainer;
    if (event::info_of(code).category == event::Category::kInternal) traits[code] |= kInternal;
  }
  return traits;
}();

}  // namespace

const Moment* Pipeline::next() {
  scap::Block block;
  for (;;) {
    const auto item = source_->next(raw_, block);
    if (item != source::Item::kEvent) [[unlikely]] {
      if (item == source::Item::kError) error_ = source_->error();
      if (item != source::Item::kBlock) return nullptr;
      if (source_->after_gap()) machine_->gap();
      take(block);
      continue;
    }
    if (raw_.after_gap) [[unlikely]] machine_->gap();
    if (!lists_done_) [[unlikely]] {
      lists_done_ = true;
      machine_->finish_lists();
    }
    const uint8_t traits = kTraits[raw_.code];
    bool silent = (raw_.flags & event::kFlagStateOnly) != 0;
    if (leading_) [[unlikely]] {
      if (traits & kContainer) silent = true;
      else if (!(traits & kUncounted)) leading_ = false;
    }
    if (traits & kUncounted) [[unlikely]] {
      if (exclude_users) continue;
      silent = true;
      raw_.num = 0;
    } else {
      raw_.num = ++count_;
    }
    if (!any_own_ && !leading_) [[unlikely]] {  // until both times are known
      if (!any_event_) moment_.first_ts = raw_.ts;
      any_event_ = true;
      any_own_ = !(traits & (kUncounted | kInternal));
      if (any_own_) moment_.first_own_ts = raw_.ts;
    }
    if (before_event) before_event(raw_);
    machine_->apply(raw_, moment_);
    moment_.silent = silent;
    moment_.internal = (traits & kInternal) != 0;
    return &moment_;
  }
}

void Pipeline::pass_over_rest() {
  scap::Block block;
  for (;;) {
    const auto item = source_->next(raw_, block);
    if (item == source::Item::kError) error_ = source_->error();
    if (item == source::Item::kEvent) count_ += !(kTraits[raw_.code] & kUncounted);
    else if (item != source::Item::kBlock) return;
  }
}

void Pipeline::take(const scap::Block& block) {
  if (block.id == scap::kSection) {
    // Another capture begins: nothing of the one before holds, but numbers go on.
    if (any_section_) machine_->reset();
    any_section_ = true;
    lists_done_ = false;
    leading_ = true;
    scap::SectionEntry section;
    scap::read_section(block, section);
    if (on_section) on_section(section);
  } else {
    const bool users = block.id == scap::kUsers1 || block.id == scap::kUsers2;
    if (!(users && exclude_users)) state::load_list(block, *machine_, *losses_);
  }
  if (on_block) on_block(block);
}

}  // namespace scry
