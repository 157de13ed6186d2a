// SPDX-License-Identifier: Apache-2.0
// Numbers of the scap file format (scap-format.md §1): what reader and writer agree on.
#pragma once

#include <array>
#include <cstdint>

namespace scry::scap {

constexpr uint32_t kSectionMagic = 0x1A2B3C4D;
constexpr uint32_t kSwappedMagic = 0x4D3C2B1A;
constexpr uint16_t kMajorVersion = 1;

enum BlockId : uint32_t {
  kSection = 0x0A0D0D0A,
  kMachineInfo = 0x201,
  kInterfaces1 = 0x205, kInterfaces2 = 0x219,
  kUsers1 = 0x206, kUsers2 = 0x220,
  kProcesses1 = 0x202, kProcesses2 = 0x207, kProcesses3 = 0x209, kProcesses4 = 0x210, kProcesses5 = 0x211,
  kProcesses6 = 0x212, kProcesses7 = 0x213, kProcesses8 = 0x214, kProcesses9 = 0x215,
  kFds1 = 0x203, kFds2 = 0x218,
  kEvent1 = 0x204, kEvent2 = 0x216, kEventLarge = 0x221,
  kFlagged1 = 0x208, kFlagged2 = 0x217, kFlaggedLarge = 0x222,
};

/// Pre-release numbers that readers still take; gives today's number, or `id` itself.
constexpr uint32_t modern_id(uint32_t id) {
  switch (id) {
    case 0x8002ABCD: return kMachineInfo;
    case 0x8011ABCD: return kInterfaces1;
    case 0x8012ABCD: return kUsers1;
    case 0x8000ABCD: return kProcesses1;
    case 0x8013ABCD: return kProcesses2;
    case 0x8014ABCD: return kProcesses3;
    case 0x8001ABCD: return kFds1;
    case 0x8010ABCD: return kEvent1;
    default: return id;
  }
}

constexpr uint32_t kBlockHeader = 8, kBlockTrailer = 4, kSmallestBlock = kBlockHeader + kBlockTrailer;
constexpr uint32_t kSectionBody = 16;  ///< of a section header without options

struct EventBlock {
  bool is_event = false;
  bool flagged = false;  ///< u32 flags after the cpu
  bool v2 = false;       ///< the event header says how many parameters there are
};
/// By id - kFirstBlock: every event of a file asks.
constexpr uint32_t kFirstBlock = 0x200, kBlockKinds = 0x30;
constexpr auto kEventBlocks = [] {
  std::array<EventBlock, kBlockKinds> kinds{};
  kinds[kEvent1 - kFirstBlock] = {true, false, false};
  kinds[kEvent2 - kFirstBlock] = kinds[kEventLarge - kFirstBlock] = {true, false, true};
  kinds[kFlagged1 - kFirstBlock] = {true, true, false};
  kinds[kFlagged2 - kFirstBlock] = kinds[kFlaggedLarge - kFirstBlock] = {true, true, true};
  return kinds;
}();
constexpr EventBlock event_block(uint32_t id) {
  return id - kFirstBlock < kBlockKinds ? kEventBlocks[id - kFirstBlock] : EventBlock{};
}

constexpr bool is_known_block(uint32_t id) {
  if (event_block(id).is_event) return true;
  id = modern_id(id);
  return id == kSection || (id >= 0x201 && id <= 0x209) || (id >= 0x210 && id <= 0x219) || (id >= 0x220 && id <= 0x222);
}

}  // namespace scry::scap
