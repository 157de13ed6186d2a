// SPDX-License-Identifier: Apache-2.0
// Names that filters and arguments may use.
#pragma once

#include "filters/fields/field.h"

namespace scry::fields {

/// Whether an event or a system call is called so.
bool is_event_name(std::string_view name);
/// The event's or system call's name that comes closest; empty when none is near.
std::string_view nearest_event_name(std::string_view name);
/// evt.type as sysdig 0.29.3 has it: for generic events the name of the system call.
inline std::string_view classic_type(const event::Event& e) {
  const unsigned code = e.raw().code;
  if (code > event::kGenericX) [[likely]] return event::classic_event_names[code];
  const unsigned call = e.param(0).as<uint16_t>();
  return call < event::syscall_count ? event::classic_syscall_names[call] : std::string_view("<unknown>");
}
/// evt.type: for generic events the name of the system call.
std::string_view event_type(const Ask& ask);
/// Of evt.rawarg.NAME: the type of NAME in the first event that has it. kNone for other fields.
Type argument_type(const FieldRef& ref);

}  // namespace scry::fields
