// SPDX-License-Identifier: Apache-2.0
// The sink that makes captures out of captures: what passed goes into a file, event bytes untouched, or into one
// piece after the other, each beginning with the machine as it is then.
//
// Blocks are copied as they came as long as nothing is left out. Where something is (a filter, pieces, -F), the
// containers known at the start of a piece are written from the state, each once, as sysdig does; so are, at the start
// of every piece but the first, all the lists.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "capture/pipeline.h"
#include "capture/scap/packer.h"
#include "capture/state/save.h"

namespace scry {

struct WriteRules {
  std::string path;                 ///< "-": standard output
  std::vector<std::string> inputs;  ///< these files are not written over
  scap::Packing packing = scap::Packing::kPlain;
  uint64_t megabytes = 0;           ///< -C: a new piece after so many million bytes
  uint64_t seconds = 0;             ///< -G: after so much time of the events
  uint64_t events = 0;              ///< -e: after so many events
  uint64_t keep = 0;                ///< -W: pieces that are kept; 0: all
  bool fat = false;                 ///< -F
  bool filtered = false;            ///< not every event is going to match
  bool users = true;                ///< false: -E
  std::function<bool(const state::Thread&, const state::Machine&)> keep_thread;  ///< --filter-proclist; null: all

  bool in_pieces() const { return megabytes || seconds || events; }
};

/// When a piece ends and what the next one is called. Counts as sysdig 0.29.3 does.
class Rotation {
 public:
  explicit Rotation(const WriteRules& rules) : rules_(&rules) {}
  /// To be asked once for each event before it is written. `size`: bytes of the piece so far.
  bool due(Nanos ts, uint64_t size);
  /// The name of the next piece, which begins with an event of the time `ts`.
  std::string next_name(Nanos ts);
  /// A file to delete now that another was begun; empty: none.
  std::string outdated();

 private:
  enum class Why : uint8_t { kNot, kEvents, kSize, kTime };
  Why why(uint64_t count, Nanos ts, uint64_t size) const;
  const WriteRules* rules_;
  uint64_t pieces_ = 0, count_ = 0;
  std::optional<int64_t> since_;  ///< second of the time that -G counts from
  std::deque<std::string> by_time_;
};

class CaptureWriter {
 public:
  /// Creates the first file.
  static Result<std::unique_ptr<CaptureWriter>> create(WriteRules rules);
  ~CaptureWriter();

  /// Sees to it that this capture's blocks come here. Both must outlive the reading.
  void listen(Pipeline& pipeline, state::Machine& machine);
  /// False: can't go on, close() says why.
  bool event(const Moment& moment, bool matches);
  /// A block of an event that scry does not know; it has no Moment.
  bool unknown_event(const scap::Block& block);
  /// The file is complete when this returns.
  Result<void> close();

 private:
  explicit CaptureWriter(WriteRules rules);
  Result<void> open(Nanos ts);
  void list(const scap::Block& block);
  void begin_section();
  void before(const event::RawEvent& raw);
  void begin_events(const event::RawEvent& raw);
  void next_piece(Nanos ts);
  void note_tail(const scap::Block& block);
  uint64_t piece_size() const;
  void put(const uint8_t* bytes, size_t size);
  void put(std::string_view bytes) { put(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()); }
  void put_event(const event::RawEvent& raw, bool hidden);
  void publish();
  void count_tables(Nanos ts);

  WriteRules rules_;
  Rotation rotation_;
  const bool exact_;  ///< all of the input is written, as it came
  state::Machine* machine_ = nullptr;
  state::ProcessTail tail_ = state::ProcessTail::kFull;
  struct Piece;
  std::unique_ptr<Piece> piece_;
  std::optional<Error> error_;
  bool any_input_ = false;
  bool any_section_ = false;   ///< a section header stands in the first piece
  bool events_begun_ = false;  ///< in this section
  bool fresh_piece_ = false;   ///< the event at hand is the first of a piece
  std::string scratch_;
};

}  // namespace scry
