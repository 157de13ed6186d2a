// SPDX-License-Identifier: Apache-2.0
// Where events come from. A source hands over events and list blocks one after the other and knows nothing of what
// they mean.
#pragma once

#include "capture/base/loss.h"
#include "capture/base/result.h"
#include "capture/event/event.h"
#include "capture/scap/block_reader.h"

namespace scry::source {

enum class Item : uint8_t {
  kEvent,  ///< `event` is filled (not: num)
  kBlock,  ///< `block` is a section header or a list
  kEnd,
  kError   ///< see error()
};

class Source {
 public:
  virtual ~Source() = default;
  /// What is filled stays valid until the next call.
  virtual Item next(event::RawEvent& event, scap::Block& block) = 0;
  /// Whether something was lost right before the item handed over last.
  virtual bool after_gap() const = 0;
  /// Why the last call gave kError.
  virtual const Error& error() const = 0;
};

}  // namespace scry::source
