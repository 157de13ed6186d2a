// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "filters/fields/field.h"

namespace scry::test {

/// An output format that asks for every field of the catalogue.
inline std::string all_fields() {
  std::string format = "*";
  for (const fields::FieldClass& c : fields::field_classes())
    for (const fields::Field& row : c.rows) {
      if (row.has(fields::kFilterOnly)) continue;
      const auto argument = row.traits.argument;
      const bool needed = argument == fields::Argument::kNumber || argument == fields::Argument::kText;
      if (needed && row.traits.bind) continue;  // takes certain arguments only
      format += '%' + std::string(row.name) + (needed ? "[1] " : " ");
      if (argument == fields::Argument::kOptionalNumber) format += '%' + std::string(row.name) + "[1] ";
      if (row.type == fields::Type::kCharbuf && !needed) format += "%7" + std::string(row.name) + ' ';
    }
  return format;
}

}  // namespace scry::test
