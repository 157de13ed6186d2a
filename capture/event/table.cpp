// SPDX-License-Identifier: Apache-2.0
#include "capture/event/table.h"

#include <seccomp.h>

#include <array>
#include <cstdlib>
#include <string>

namespace scry::event {

std::string_view name_of(Category category) {
  static constexpr std::string_view kNames[] = {
      "unknown", "other", "file",   "net",      "IPC",     "memory",   "process", "sleep",     "system",
      "signal",  "user",  "time",   "I/O read", "I/O write", "I/O other", "wait",  "scheduler", "internal"};
  return kNames[static_cast<size_t>(category)];
}

namespace {
/// Names of a value table by value, for tables of small numbers; the first name of a value wins.
template <size_t N>
std::array<std::string_view, N> index_by_value(int table) {
  std::array<std::string_view, N> names{};
  for (const auto& row : value_tables[table].rows())
    if (row.value < N && names[row.value].empty()) names[row.value] = row.text();
  return names;
}
}  // namespace

std::string_view errno_name(int64_t number) {
  static const auto names = index_by_value<1024>(errno_table);
  return number > 0 && number < 1024 ? names[static_cast<size_t>(number)] : std::string_view();
}

std::string_view signal_name(unsigned number) {
  static const auto names = index_by_value<256>(signal_table);
  return number < 256 ? names[number] : std::string_view();
}

std::string_view native_call_name(unsigned number) {
  static const auto names = [] {
    std::array<std::string, 512> table;
    for (size_t i = 0; i < table.size(); ++i)
      if (char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, static_cast<int>(i))) {
        table[i] = name;
        std::free(name);
      }
    return table;
  }();
  return number < names.size() ? std::string_view(names[number]) : std::string_view();
}

}  // namespace scry::event
