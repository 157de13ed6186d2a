// SPDX-License-Identifier: Apache-2.0
// source → decode → state: hands over one event after the other, together with the machine as it is right after it.
// Whoever asks decides what to do with them: match, print, count.
#pragma once

#include <functional>
#include <optional>

#include "capture/scap/lists.h"
#include "capture/source/source.h"
#include "capture/state/machine.h"

namespace scry {

/// An event and what is known around it. Valid until the next call of Pipeline::next().
struct Moment : state::Applied {
  Nanos first_ts = 0;  ///< of the first event that isn't among the container events that lead
  Nanos first_own_ts = 0;  ///< of the first that isn't about the recording itself either
  /// Feeds the state and is no line of its own: container events that lead a section, user and group tables, events
  /// marked "state only".
  bool silent = false;
  /// Says something about the recording, not about the machine; shown with -D.
  bool internal = false;
};

class Pipeline {
 public:
  Pipeline(source::Source& source, state::Machine& machine, Losses& losses)
      : source_(&source), machine_(&machine), losses_(&losses) {}

  /// The next event; null at the end and when error() says so.
  const Moment* next();
  const std::optional<Error>& error() const { return error_; }

  /// Reads on to the end, or to an error, for what is wrong with the capture; the machine stays as it is. For when nobody
  /// wants an event any more.
  void pass_over_rest();

  /// -E: leave the tables of users and groups empty.
  bool exclude_users = false;
  /// Called for each section header; the machine's tables are empty then.
  std::function<void(const scap::SectionEntry&)> on_section;
  /// Called for each block that is no event.
  std::function<void(const scap::Block&)> on_block;
  /// Called for each event before the state knows of it; only ts, num, code and flags are of interest then.
  std::function<void(const event::RawEvent&)> before_event;
  const state::Machine& machine() const { return *machine_; }
  uint64_t events() const { return count_; }

 private:
  void take(const scap::Block& block);

  source::Source* source_;
  state::Machine* machine_;
  Losses* losses_;
  event::RawEvent raw_;
  Moment moment_;
  std::optional<Error> error_;
  uint64_t count_ = 0;       ///< evt.num of the last event
  bool lists_done_ = false;  ///< the first event of the section has come
  bool leading_ = true;      ///< only container events have come
  bool any_event_ = false;   ///< moment_.first_ts is set
  bool any_own_ = false;     ///< moment_.first_own_ts is set
  bool any_section_ = false;
};

}  // namespace scry
