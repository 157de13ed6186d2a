// SPDX-License-Identifier: Apache-2.0
#include "capture/event/event.h"

#include <algorithm>

namespace scry::event {
namespace {

constexpr size_t kHeaderV1 = 22, kHeaderV2 = 26;  // ts u64, tid i64, len u32, type u16 (, nparams u32)

/// V1 events do not say how many parameters they have: of the counts that this code ever had, the one whose lengths
/// and data come to the event's end exactly.
int count_of_v1(const EventInfo& info, const uint8_t* lengths, size_t room) {
  for (unsigned count : count_history(info)) {
    size_t sum = 2 * count;
    if (sum > room) continue;
    for (unsigned i = 0; i < count && sum <= room; ++i) sum += load<uint16_t>(lengths + 2 * i);
    if (sum == room) return static_cast<int>(count);
  }
  return -1;
}

}  // namespace

const char* decode(const uint8_t* bytes, size_t size, HeaderKind kind, RawEvent& out, size_t& used) {
  const size_t header = kind == HeaderKind::kV2 ? kHeaderV2 : kHeaderV1;
  if (size < header) return "no room for an event header";
  uint32_t len = load<uint32_t>(bytes + 16);
  out.ts = load<uint64_t>(bytes);
  out.tid = load<int64_t>(bytes + 8);
  out.code = load<uint16_t>(bytes + 20);
  used = len;
  if (len > size || len < header) return "event length beyond its block";
  out.nparams = 0;
  out.data = bytes + header;
  if (!is_known(out.code)) [[unlikely]] return nullptr;
  const EventInfo& info = info_of(out.code);
  const uint8_t* lengths = bytes + header;
  size_t room = len - header;
  uint32_t count;
  if (kind == HeaderKind::kV2) [[likely]] {
    count = load<uint32_t>(bytes + 22);
  } else {
    // Two internal events were written with a length 3 too large (scap-format.md §8).
    if ((out.code == kNotificationE || out.code == kInfrastructureEventE) && room >= 3) room -= 3;
    const int found = count_of_v1(info, lengths, room);
    if (found < 0) return "parameter lengths do not add up";
    count = static_cast<uint32_t>(found);
  }
  const bool wide = info.has(kLargePayload);
  const size_t width = wide ? 4 : 2;
  if (count > room / width) return "more parameters than bytes";
  const uint32_t readable = std::min<uint32_t>(count, kMaxParams);
  const uint32_t known = std::min<uint32_t>(readable, info.nparams);
  uint64_t sum = 0;
  uint32_t wrong = 0;  // not 0: a parameter has a length that its type can't have
  out.at[0] = 0;
  if (!wide) [[likely]] {
    for (uint32_t i = 0; i < known; ++i) {
      const uint32_t one = load<uint16_t>(lengths + 2 * i), want = info.sizes[i];
      wrong |= (want != 0 && one != 0) ? one ^ want : 0;
      sum += one;
      out.at[i + 1] = static_cast<uint32_t>(sum);
    }
    for (uint32_t i = known; i < readable; ++i) {
      sum += load<uint16_t>(lengths + 2 * i);
      out.at[i + 1] = static_cast<uint32_t>(sum);
    }
  } else {
    for (uint32_t i = 0; i < readable; ++i) {
      const uint32_t one = load<uint32_t>(lengths + 4 * i), want = i < known ? info.sizes[i] : 0;
      wrong |= (want != 0 && one != 0) ? one ^ want : 0;
      sum += one;
      if (sum > room) return "parameter lengths beyond the event";
      out.at[i + 1] = static_cast<uint32_t>(sum);
    }
  }
  for (uint32_t i = readable; i < count; ++i)
    sum += wide ? load<uint32_t>(lengths + 4 * static_cast<size_t>(i)) : load<uint16_t>(lengths + 2 * static_cast<size_t>(i));
  if (sum + width * count != room) return "parameter lengths do not add up";
  if (wrong) return "a parameter has a size its type can't have";
  out.data = lengths + width * count;
  out.nparams = static_cast<uint16_t>(readable);
  return nullptr;
}

void EnterEvent::remember(const RawEvent& raw) {
  note(raw);
  const uint32_t head = 4 * (raw.nparams + 1u), size = raw.at[raw.nparams];
  if (head + size > capacity) {
    delete[] bytes;
    capacity = std::max<uint32_t>(64, head + size);
    bytes = new uint8_t[capacity];
  }
  nparams = raw.nparams;
  std::memcpy(bytes, raw.at, head);
  std::memcpy(bytes + head, raw.data, size);
}

Param Event::folded(FoldSource source, unsigned i) const {
  static constexpr uint8_t kZero[16] = {};
  static constexpr uint8_t kOnes[4] = {0xff, 0xff, 0xff, 0xff};
  auto default_value = [&]() -> Param {
    const Type type = current_info().params[i].current.type();
    if (type == Type::kUid || type == Type::kGid) return {kOnes, 4};
    return {kZero, type_sizes[static_cast<size_t>(type)]};
  };
  switch (source.from()) {
    case FoldFrom::kOwn: return raw_->param(source.index);
    case FoldFrom::kEmpty: return {};
    case FoldFrom::kDefault: return default_value();
    case FoldFrom::kEnterOrEmpty:
    case FoldFrom::kEnterOrDefault: break;
  }
  if (enter_) {
    // The enter event may be of an older layout itself.
    const FoldShape& shape = shape_of(info_of(enter_->code), enter_->nparams);
    Param found;
    if (source.index < shape.count) {
      const FoldSource inner = fold_sources[shape.sources_at + source.index];
      if (inner.from() == FoldFrom::kOwn) found = enter_->param(inner.index);
      else if (inner.from() == FoldFrom::kDefault) return default_value();
    } else {
      found = enter_->param(source.index);
    }
    return found;
  }
  return source.from() == FoldFrom::kEnterOrDefault ? default_value() : Param{};
}

}  // namespace scry::event
