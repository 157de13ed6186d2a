// SPDX-License-Identifier: Apache-2.0
// What was not seen, by cause. Loss is data: it is counted where it happens, the reader goes on, and the end says so
// (exit status 3).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace scry {

enum class LossKind : uint8_t {
  kCutOff,         ///< the input ends inside a block or a compressed frame
  kDamagedBytes,   ///< bytes skipped to find sound blocks again
  kDamagedEvent,   ///< a block in order, but the event in it contradicts itself
  kDamagedEntry,   ///< an entry of a process, fd, user or interface list that can't be read
  kUnreadable,     ///< compressed data that can't be unpacked
  kTableFull,      ///< a table of the state reached its limit
  kCount
};
const char* describe(LossKind kind);

class Losses {
 public:
  struct Note {
    LossKind kind;
    uint64_t offset;  ///< in the (unpacked) stream, or in the file for kUnreadable
    uint64_t bytes;
    std::string why;
  };
  struct Total {
    uint64_t count = 0;
    uint64_t bytes = 0;
  };
  static constexpr size_t kNotesKept = 64;

  void add(LossKind kind, uint64_t offset, uint64_t bytes, std::string why);
  bool any() const { return any_; }
  const Total& total(LossKind kind) const { return totals_[static_cast<size_t>(kind)]; }
  const std::vector<Note>& notes() const { return notes_; }  ///< the first kNotesKept

 private:
  Total totals_[static_cast<size_t>(LossKind::kCount)];
  std::vector<Note> notes_;
  bool any_ = false;
};

}  // namespace scry
