// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "filters/fields/field.h"

namespace scry::test {

/// An output format that asks for every field of the catalogue.
inline std::string all_fields() {
  std::string format = "*";
  for (auto rows : {fields::evt_fields(), fields::proc_fields(), fields::fd_fields(), fields::user_fields()})
    for (const fields::Field& row : rows) {
      format += '%' + std::string(row.name) + (row.argument == fields::Argument::kNumber ? "[1] " : " ");
      if (row.argument == fields::Argument::kOptionalNumber) format += '%' + std::string(row.name) + "[1] ";
      if (row.type == fields::FieldType::kText && row.argument != fields::Argument::kNumber) format += "%7" + std::string(row.name) + ' ';
    }
  return format;
}

}  // namespace scry::test
