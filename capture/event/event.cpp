// SPDX-License-Identifier: Apache-2.0
#include "capture/event/event.h"

#include <algorithm>

namespace scry::event {

void EnterEvent::remember(const RawEvent& raw) {
  note(raw);
  const uint32_t head = 4 * (raw.nparams + 1u), size = raw.at[raw.nparams];
  if (head + size > kMaxKept) return;
  if (head + size > capacity || (capacity > kKeptForLater && head + size <= kKeptForLater)) {
    delete[] bytes;
    capacity = std::max<uint32_t>(64, head + size);
    bytes = new uint8_t[capacity];
  }
  nparams = raw.nparams;
  std::memcpy(bytes, raw.at, head);
  std::memcpy(bytes + head, raw.data, size);
}

EnterEvent& EnterEvent::operator=(EnterEvent&& other) noexcept {
  code = other.code;
  epoch = other.epoch;
  waiting = other.waiting;
  nparams = other.nparams;
  ts = other.ts;
  num = other.num;
  std::swap(capacity, other.capacity);
  std::swap(bytes, other.bytes);
  return *this;
}

EnterEvent EnterEvent::copy() const {
  EnterEvent out;
  out.code = code;
  out.epoch = epoch;
  out.waiting = waiting;
  out.ts = ts;
  out.num = num;
  if (waiting && nparams > 0) {
    out.nparams = nparams;
    out.capacity = 4 * (nparams + 1u) + load<uint32_t>(bytes + 4 * nparams);
    out.bytes = new uint8_t[out.capacity];
    std::memcpy(out.bytes, bytes, out.capacity);
  }
  return out;
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
    case FoldFrom::kOwnDynamic: {
      const Param dynamic = raw_->param(source.index);
      return dynamic.size > 1 ? Param{dynamic.data + 1, dynamic.size - 1} : Param{};
    }
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
