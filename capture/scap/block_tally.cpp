// SPDX-License-Identifier: Apache-2.0
#include "capture/scap/block_tally.h"

#include "capture/scap/format.h"

namespace scry::scap {

std::string_view block_name(uint32_t id) {
  static constexpr struct {
    uint32_t id;
    std::string_view name;
  } kRows[] = {
      {kSection, "section header"},
      {kMachineInfo, "machine"},
      {kInterfaces1, "interfaces v1"},
      {kInterfaces2, "interfaces v2"},
      {kUsers1, "users and groups v1"},
      {kUsers2, "users and groups v2"},
      {kProcesses1, "processes v1"},
      {kProcesses2, "processes v2"},
      {kProcesses3, "processes v3"},
      {kProcesses4, "processes v4"},
      {kProcesses5, "processes v5"},
      {kProcesses6, "processes v6"},
      {kProcesses7, "processes v7"},
      {kProcesses8, "processes v8"},
      {kProcesses9, "processes v9"},
      {kFds1, "fds v1"},
      {kFds2, "fds v2"},
      {kEvent1, "event v1"},
      {kEvent2, "event v2"},
      {kEventLarge, "event v2, large"},
      {kFlagged1, "event with flags v1"},
      {kFlagged2, "event with flags v2"},
      {kFlaggedLarge, "event with flags v2, large"},
  };
  for (const auto& row : kRows)
    if (row.id == modern_id(id)) return row.name;
  return {};
}

}  // namespace scry::scap
