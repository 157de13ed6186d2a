// SPDX-License-Identifier: Apache-2.0
// What `scry info` says of a capture: one pass over the whole of it, through the pipeline. Texts are as they stand in
// the capture; whoever prints them makes them safe. What the capture doesn't say is an empty optional, not a zero.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "capture/base/loss.h"
#include "capture/base/result.h"
#include "capture/scap/block_tally.h"
#include "capture/scap/byte_stream.h"
#include "capture/state/machine.h"

namespace scry::cli {

struct SectionInfo {
  struct Version {
    uint16_t major, minor;
  };
  std::optional<Version> version;  ///< empty: the header is damaged
  std::vector<std::string> comments;
  std::optional<std::string> application, hardware, os;
  std::optional<state::MachineInfo> machine;
};

struct EventComment {
  uint64_t num;     ///< 0 for events without a number
  uint64_t offset;  ///< of the event's block in the unpacked stream
  std::string text;
};

struct TypeCount {
  std::string type;
  bool enter;
  uint64_t count;
};

struct ProcessCount {
  std::optional<Pid> pid;  ///< empty: only `tid` is known
  Tid tid;
  std::string comm;  ///< its last one
  uint64_t events;
};

struct CaptureInfo {
  std::string name;
  uint64_t file_bytes = 0, unpacked_bytes = 0;
  scap::Packing packing = scap::Packing::kPlain;
  std::string sha256;
  scap::BlockTally blocks;

  uint64_t section_count = 0;
  std::vector<SectionInfo> sections;  ///< the first kSectionsKept
  static constexpr size_t kSectionsKept = 64;

  // Of events that happened; those that only feed the state may bear any time.
  std::optional<Nanos> first, last;
  uint64_t backwards = 0;  ///< events older than the one before them

  uint64_t numbered = 0;
  uint64_t unnumbered = 0;   ///< entries of user and group tables
  uint64_t silent = 0;       ///< that only feed the state; the unnumbered ones among them
  uint64_t internal = 0;     ///< about the recording, not silent
  uint64_t drop_events = 0;  ///< by which a recorder says that it let events go
  std::map<uint16_t, uint64_t> unknown_codes;
  std::vector<TypeCount> by_type;                             ///< most frequent first
  std::vector<std::pair<std::string, uint64_t>> by_category;  ///< likewise

  uint64_t comment_count = 0;
  std::vector<EventComment> comments;  ///< the first kCommentsKept
  static constexpr size_t kCommentsKept = 1000;

  // At the end of the last section.
  std::optional<uint64_t> listed_threads;                                 ///< in the process list at its start
  uint64_t threads = 0, processes = 0;                                    ///< alive
  uint64_t unknown_threads = 0;                                           ///< of which nothing but the number is known
  std::optional<std::vector<std::pair<std::string, state::User>>> users;  ///< with the container's id, ordered
  std::optional<std::vector<std::pair<std::string, state::Group>>> groups;
  std::optional<std::vector<state::Interface>> interfaces;
  std::vector<state::Container> containers;

  // By their events, but for silent and internal ones; over all sections.
  uint64_t process_count = 0;
  std::vector<ProcessCount> busiest;       ///< the first kBusiestKept of them
  uint64_t events_of_other_processes = 0;  ///< that came after kMaxProcesses had been told apart
  uint64_t events_of_no_process = 0;
  static constexpr size_t kBusiestKept = 100, kMaxProcesses = size_t{1} << 20;

  Losses losses;
};

/// Reads all of `path` ("-": standard input), with progress on standard error.
Result<CaptureInfo> collect_info(const std::string& path);

}  // namespace scry::cli
