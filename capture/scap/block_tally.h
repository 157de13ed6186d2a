// SPDX-License-Identifier: Apache-2.0
// How many blocks of each kind there are.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>

namespace scry::scap {

/// "event with flags v2" for 0x217; empty for ids that are not scap's. Pre-release ids have the names of today's.
std::string_view block_name(uint32_t id);

/// By the id as it stands in the file. A file made to have millions of kinds gets only the first of them told apart.
class BlockTally {
 public:
  static constexpr size_t kMaxKinds = 64;

  void add(uint32_t id, uint64_t count = 1) {
    auto it = by_id_.find(id);
    if (it != by_id_.end()) it->second += count;
    else if (by_id_.size() < kMaxKinds) by_id_.emplace(id, count);
    else others_ += count;
  }
  void add(const BlockTally& more) {
    for (const auto& [id, count] : more.by_id_) add(id, count);
    others_ += more.others_;
  }
  const std::map<uint32_t, uint64_t>& by_id() const { return by_id_; }
  uint64_t others() const { return others_; }

 private:
  std::map<uint32_t, uint64_t> by_id_;
  uint64_t others_ = 0;  ///< of kinds beyond the first kMaxKinds
};

}  // namespace scry::scap
