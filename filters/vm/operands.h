// SPDX-License-Identifier: Apache-2.0
// What may stand on both sides of an operator: classes of types, and constants read as values of them.
#pragma once

#include <tl/expected.hpp>

#include "filters/vm/program.h"

namespace scry::filter {

/// What kind of comparison values of `type` take.
Class class_of(fields::Type type);
/// "numbers", "text"…, for messages.
std::string_view describe(Class cls);
bool allows(Class cls, Op op);
/// The operators that go with a class, for messages.
std::string operators_of(Class cls);

/// Reads `text` as a value to compare with; the error says what is wrong with it.
tl::expected<Constant, std::string> read_constant(Class cls, fields::Type type, Op op, const std::string& text);

/// What the parameters of one name are, all events together: a class if they agree, else kAny.
Class class_of_parameters(std::string_view name);

}  // namespace scry::filter
