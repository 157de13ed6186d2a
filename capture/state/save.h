// SPDX-License-Identifier: Apache-2.0
// The machine as the list blocks and events that a capture begins with: the way back of load.h.
#pragma once

#include <functional>
#include <string>

#include "capture/state/machine.h"

namespace scry::state {

/// Which of the fields at the end of a process entry are written (scap-format.md §6).
enum class ProcessTail : uint8_t {
  kClassic,  ///< up to exe_writable: what sysdig 0.29.3 writes
  kCaps,     ///< and the capabilities: the most that sysdig 0.29.3 reads rightly
  kFull,
};

struct SaveOptions {
  ProcessTail tail = ProcessTail::kFull;
  bool users = true;
  /// Which threads stand in the list; null: all. A process is in it when one of its threads is.
  std::function<bool(const Thread&, const Machine&)> keep = {};
  /// Give the paths of listed unix sockets back the line end that recorders copied along: for counting as sysdig does.
  bool line_ends = false;
};

void append_section(std::string& out);
/// Section header, machine info, interfaces, users, processes and their fds, as whole blocks.
void append_lists(std::string& out, const Machine& machine, const SaveOptions& options);
/// What lists have no place for, as events of the time `ts`: containers, and users and groups inside of them.
void append_containers(std::string& out, const Machine& machine, Nanos ts);
void append_container_users(std::string& out, const Machine& machine, Nanos ts);

}  // namespace scry::state
