// SPDX-License-Identifier: Apache-2.0
// Filters at random, out of fields, operators and values that occur: true often enough to matter, and some that must
// be refused.
#pragma once

#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/oracle/oracle.h"

namespace scry::oracle {

/// A field as a filter writes it, with values that it had.
struct Pool {
  std::string written;
  fields::FieldRef ref;
  std::vector<std::string> values;

  bool several() const { return ref.field->traits.many && !ref.has_argument; }
};

/// Every field that a filter can ask for, with several arguments where it takes any. Values are still to be collected.
std::vector<Pool> all_pools();
/// Adds what the fields are for an event.
void collect(std::vector<Pool>& pools, const Asked& asked);

class Generator {
 public:
  Generator(const std::vector<Pool>& pools, uint64_t seed);
  std::string filter();

 private:
  size_t below(size_t count) { return static_cast<size_t>(random_() % count); }
  bool chance(unsigned percent) { return below(100) < percent; }
  template <class List>
  const auto& pick(const List& list) { return list[below(std::size(list))]; }
  const Pool& pool_of(std::optional<fields::Type> type);

  std::string expression(int depth);
  std::string check();
  std::string condition(const std::string& left, fields::Type type, bool list, const Pool& pool, const std::string& transformer);
  std::string operand(const Pool& pool, fields::Type& type, bool& list, std::string& transformer);
  std::string words();
  std::string value(fields::Type type, const Pool& pool, std::string_view op, const std::string& transformer);
  std::string written(const std::string& text);
  std::string blanks() { return chance(85) ? " " : chance(50) ? "  " : "\t\n"; }

  const std::vector<Pool>& pools_;
  std::map<fields::Type, std::vector<const Pool*>> by_type_;
  std::vector<fields::Type> types_;
  std::mt19937_64 random_;
  std::vector<std::string> earlier_;  ///< parts of the filter at hand
  const Pool* behind_ = nullptr;      ///< the last field of the last concat()
};

}  // namespace scry::oracle
