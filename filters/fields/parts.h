// SPDX-License-Identifier: Apache-2.0
// What the files of field rows share among themselves.
#pragma once

#include "filters/fields/field.h"

namespace scry::fields {

// The rows of evt.*, by what they are about; evt_fields() has them all.
std::span<const Field> evt_time_fields();
std::span<const Field> evt_arg_fields();
std::span<const Field> evt_io_fields();
// The same for fd.*.
std::span<const Field> fd_net_fields();

std::span<const Field> fdlist_fields();
std::span<const Field> fs_path_fields();
std::span<const Field> syslog_fields();
std::span<const Field> util_fields();

/// The table row that the dialect goes by: of the event as recorded, or of what it means today.
inline const event::EventInfo& info_of(const Ask& a) {
  return a.classic() ? a.moment.event.info() : a.moment.event.current_info();
}
inline unsigned code_of(const Ask& a) {
  return a.classic() ? a.moment.event.raw().code : a.moment.event.current_code();
}
inline bool is_generic(const Ask& a) { return a.moment.event.raw().code <= event::kGenericX; }
/// Parameter `i` of the row above.
inline event::Param param_of(const Ask& a, unsigned i) {
  return a.classic() ? a.moment.event.param(i) : a.moment.event.current(i);
}

/// Event flags as the dialect has them: sysdig knew less about which calls work on an fd.
uint16_t flags_of(const Ask& a);
inline bool has_flag(const Ask& a, uint16_t flag) { return (flags_of(a) & flag) != 0; }

/// Return value of the call; false for events that have none.
bool result_of(const Ask& a, int64_t& value);

/// `text` kept in the scratch.
inline Value keep(const Ask& a, std::string_view text) {
  const size_t at = a.scratch.size();
  a.scratch.put(text);
  return Value::text(a.scratch.view().substr(at));
}

/// evt.category: I/O calls are of the kind of fd that they work on.
std::string_view category_of(const Ask& a);

/// A path as a call names it, made whole. `dirfd`: the directory that it starts from, kAtCwd for the process's own.
constexpr int64_t kAtCwd = -100;
std::string resolve_path(const Ask& a, int64_t dirfd, std::string_view path);

/// Ports: number, or with -R the service's name.
Value port_text(const Ask& a, uint16_t port, state::L4 l4);

}  // namespace scry::fields
