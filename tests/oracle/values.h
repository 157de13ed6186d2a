// SPDX-License-Identifier: Apache-2.0
// The oracle's operands: what they are for an event.
#pragma once

#include "tests/oracle/oracle.h"

namespace scry::oracle {

/// The values of an operand; nothing when it is missing.
std::optional<Data> values_of(const Operand& operand, const Asked& asked, const Options& options);
/// One U+FFFD for each byte that belongs to no character.
std::string mended(const std::string& text);
/// What kind of value has that type; nothing when it depends on the event.
std::optional<Datum::Kind> kind_of(fields::Type type);

}  // namespace scry::oracle
