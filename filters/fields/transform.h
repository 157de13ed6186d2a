// SPDX-License-Identifier: Apache-2.0
// Transformers: what filters and formats can make of a value before they compare or print it. Those of one value are
// here; join, concat and getopt take several and belong to the filter language.
#pragma once

#include "filters/fields/field.h"

namespace scry::fields {

enum class Transformer : uint8_t { kToLower, kToUpper, kB64, kBasename, kLen, kVal };
std::optional<Transformer> find_transformer(std::string_view name);
std::string_view name_of(Transformer transformer);

/// The type that results, or nothing when `in` (with `list`: a list of such) can't be given to it. Only kLen makes one
/// value of a list; the others work on each member.
std::optional<Type> result_type(Transformer transformer, Type in, bool list);
/// What to say when result_type() has nothing: `field` as it is written.
std::string wrong_type(Transformer transformer, Type in, std::string_view field);

/// Absent stays absent. Texts are appended to `scratch`, where `in` may lie too: values made there before then move.
Value transform(Transformer transformer, const Value& in, Out& scratch);

}  // namespace scry::fields
