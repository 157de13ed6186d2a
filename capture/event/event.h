// SPDX-License-Identifier: Apache-2.0
// An event as it goes through the program. RawEvent is what a source hands over: the bytes of one event with their
// bounds checked. Event is what everyone after the state stage gets: the raw event, its table row, and the enter event
// it pairs with, so that a parameter is found wherever the recorder put it.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "capture/base/bytes.h"
#include "capture/base/ids.h"
#include "capture/event/table.h"

namespace scry::event {

constexpr unsigned kMaxParams = 40;  ///< more than any event of the table has; further ones are passed over

/// One parameter's bytes. The typed getters give `fallback` when the parameter is absent (length 0) or of another size.
struct Param {
  const uint8_t* data = nullptr;
  uint32_t size = 0;

  bool present() const { return size != 0; }
  template <class T>
  T as(T fallback = T{}) const {
    return size == sizeof(T) ? load<T>(data) : fallback;
  }
  /// Sign-extends 1, 2, 4 or 8 bytes.
  int64_t integer(int64_t fallback = 0) const {
    switch (size) {
      case 1: return load<int8_t>(data);
      case 2: return load<int16_t>(data);
      case 4: return load<int32_t>(data);
      case 8: return load<int64_t>(data);
      default: return fallback;
    }
  }
  std::string_view bytes() const { return {reinterpret_cast<const char*>(data), size}; }
  /// A C string: up to the first NUL.
  std::string_view text() const {
    auto all = bytes();
    if (!all.empty() && all.back() == '\0') {
      all.remove_suffix(1);
      if (all.find('\0') == std::string_view::npos) return all;
    }
    return all.substr(0, all.find('\0'));
  }
};

/// The bytes of one event. Valid until the source is asked for the next.
struct RawEvent {
  Nanos ts = 0;
  Tid tid = 0;
  uint64_t num = 0;         ///< evt.num; 0 for events that are not counted
  uint64_t offset = 0;      ///< of its block in the (unpacked) stream
  const uint8_t* block = nullptr;  ///< the whole block
  uint32_t block_size = 0;
  uint32_t used = 0;        ///< bytes of the block up to the event's end; pcapng options may follow
  uint32_t flags = 0;       ///< of an EVF block
  uint16_t cpu = 0;
  uint16_t code = 0;
  bool after_gap = false;   ///< something was lost right before it
  uint16_t nparams = 0;     ///< readable ones, at most kMaxParams
  const uint8_t* data = nullptr;
  uint32_t at[kMaxParams + 1] = {};  ///< parameter i is data[at[i]..at[i+1])

  Param param(unsigned i) const { return i < nparams ? Param{data + at[i], at[i + 1] - at[i]} : Param{}; }
};

constexpr uint32_t kFlagStateOnly = 1;  ///< RawEvent::flags: update the state, show nothing

/// A thread's last enter event, kept until its exit.
struct EnterEvent {
  static constexpr uint32_t kMaxKept = 8192;     ///< of a longer one only that it happened
  static constexpr uint32_t kKeptForLater = 1024;  ///< a larger buffer is given back when it is not needed any more
  uint16_t code = 0;
  uint32_t epoch = 0;    ///< of the machine when it happened: enter events from before a gap pair with nothing
  bool waiting = false;  ///< for its exit; what it says stays readable until the next event of the thread
  uint16_t nparams = 0;
  uint32_t capacity = 0;
  Nanos ts = 0;
  uint64_t num = 0;
  uint8_t* bytes = nullptr;  ///< u32 offsets[nparams + 1], then the data; owned

  EnterEvent() = default;
  EnterEvent(EnterEvent&& other) noexcept { *this = std::move(other); }
  EnterEvent& operator=(EnterEvent&& other) noexcept;
  EnterEvent copy() const;
  ~EnterEvent() { delete[] bytes; }

  void forget() { waiting = false; }
  /// Copies what `raw` says; reuses the buffer.
  void remember(const RawEvent& raw);
  /// Only that it happened, and when.
  void note(const RawEvent& raw) {
    code = raw.code;
    waiting = true;
    ts = raw.ts;
    num = raw.num;
    nparams = 0;
  }
  Param param(unsigned i) const {
    if (i >= nparams) return {};
    const uint32_t from = load<uint32_t>(bytes + 4 * i), to = load<uint32_t>(bytes + 4 * (i + 1));
    return {bytes + 4 * (nparams + 1u) + from, to - from};
  }
};

/// What everyone downstream of the state gets. Cheap to copy; valid as long as the RawEvent.
class Event {
 public:
  Event() = default;
  Event(const RawEvent& raw, const EventInfo& info, const EnterEvent* enter)
      : raw_(&raw), info_(&info), shape_(&shape_of(info, raw.nparams)), enter_(enter) {}

  const RawEvent& raw() const { return *raw_; }
  const EventInfo& info() const { return *info_; }   ///< the row of the code as recorded
  const FoldShape& shape() const { return *shape_; }
  const EventInfo& current_info() const { return info_of(shape_->code); }
  unsigned current_code() const { return shape_->code; }
  unsigned current_count() const { return shape_->count > raw_->nparams ? shape_->count : raw_->nparams; }
  bool is_enter() const { return event::is_enter(raw_->code); }
  /// The enter event that this exit belongs to; null when there was none or the event is no exit.
  const EnterEvent* enter() const { return enter_; }

  /// Parameter `i` as recorded.
  Param param(unsigned i) const { return raw_->param(i); }

  /// Parameter `i` of the current layout (event::p::...), wherever it was recorded: here, in the enter event, or
  /// nowhere (then absent, or the default that current libraries give it).
  Param current(unsigned i) const {
    if (i >= shape_->count) return raw_->param(i);
    const FoldSource source = fold_sources[shape_->sources_at + i];
    if (source.from() == FoldFrom::kOwn) [[likely]] return raw_->param(source.index);
    return folded(source, i);
  }

 private:
  Param folded(FoldSource source, unsigned i) const;
  const RawEvent* raw_ = nullptr;
  const EventInfo* info_ = nullptr;
  const FoldShape* shape_ = nullptr;
  const EnterEvent* enter_ = nullptr;
};

}  // namespace scry::event
