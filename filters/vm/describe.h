// SPDX-License-Identifier: Apache-2.0
// A compiled filter for people: its tree, the events that it can match, its program, and why an event matched or not.
// All texts are safe to print.
#pragma once

#include <string>
#include <vector>

#include "filters/vm/matcher.h"

namespace scry::filter {

/// The tree as it was written, a node a line. Two blanks before each line.
std::string describe_tree(const Program& program);
/// The kinds of event that can match: "every kind of event", or their names, with > or < where only one end can.
std::string describe_events(const Program& program);
/// What runs: one step a line, with where it goes on.
std::string disassemble(const Program& program);

/// A node of the tree and what became of it for one event.
struct Explained {
  const Node* node = nullptr;
  bool holds = false;
  std::string check;               ///< of checks: as written
  std::vector<std::string> left;   ///< their left side: its name, then its values; only the name when it is absent
  std::vector<std::string> right;  ///< likewise, where the right side is no constant
  std::vector<Explained> parts;
};
/// Every part is looked at, also those that matching would leave out.
Explained explain(Matcher& matcher, const Moment& moment, const state::Machine& machine);
std::string describe(const Explained& explained);

}  // namespace scry::filter
