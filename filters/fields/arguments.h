// SPDX-License-Identifier: Apache-2.0
// Names that filters and arguments may use.
#pragma once

#include "filters/fields/field.h"

namespace scry::fields {

/// Whether an event or a system call is called so.
bool is_event_name(std::string_view name);
/// The event's or system call's name that comes closest; empty when none is near.
std::string_view nearest_event_name(std::string_view name);
/// evt.type: for generic events the name of the system call.
std::string_view event_type(const Ask& ask);
/// Of evt.rawarg.NAME: the type of NAME in the first event that has it. kNone for other fields.
Type argument_type(const FieldRef& ref);

}  // namespace scry::fields
