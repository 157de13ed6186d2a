// SPDX-License-Identifier: Apache-2.0
// Makes damaged captures out of sound ones. A number is all it takes to make the same one again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace scry::test {

/// A sound capture, cut into its blocks.
struct Seed {
  std::string name;
  std::vector<std::string> blocks;
  size_t first_event = 0;  ///< number of the first event block
};
/// Unpacked bytes; no blocks if there is no event in them.
Seed cut_seed(std::string name, std::string_view bytes);

struct Mutant {
  std::string bytes;
  std::string what;           ///< for a person: seed, packing and each mutation
  unsigned mutations = 0;
  unsigned inside_events = 0; ///< of these, how many changed an event block
};
/// Deterministic in `seeds` and `number`. Leaves a third of the mutants packed, some of them damaged after packing.
Mutant make_mutant(const std::vector<Seed>& seeds, uint64_t number);

}  // namespace scry::test
