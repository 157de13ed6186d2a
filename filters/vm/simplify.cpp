// SPDX-License-Identifier: Apache-2.0
#include "filters/vm/simplify.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <fmt/format.h>

#include <algorithm>

#include "filters/vm/test.h"

namespace scry::filter {

using event::kCodeCount;
using event::kGenericX;
using fields::Cost;
using fields::Dialect;
using fields::Value;

namespace {

/// Adds what one possible name of an event does to a check on evt.type.
void note(const Check& check, std::string_view name, unsigned code, TypeSet& may_true, TypeSet& may_false) {
  (holds(check, Value::text(name)) ? may_true : may_false).codes.set(code);
}

void derive_types(Check& check, Dialect dialect) {
  TypeSet yes, no;
  for (unsigned code = kGenericX + 1; code < kCodeCount; ++code) {
    if (dialect == Dialect::kClassic) {
      note(check, event::classic_event_names[code], code, yes, no);
      continue;
    }
    const auto& info = event::info_of(code);
    for (unsigned n = 0; n <= info.nparams; ++n) note(check, event::info_of(event::shape_of(info, n).code).name(), code, yes, no);
  }
  const auto* names = dialect == Dialect::kClassic ? event::classic_syscall_names : event::syscall_names;
  for (size_t call = 0; call < TypeSet::kMaxCalls; ++call) {
    const bool known = call < event::syscall_count;
    const bool open = call == 0 && dialect == Dialect::kCurrent;  // named by the kernel's own number
    const bool held = holds(check, Value::text(known ? names[call] : std::string_view("<unknown>")));
    if (held || open) yes.calls.set(call);
    if (!held || open) no.calls.set(call);
  }
  for (unsigned code = 0; code <= kGenericX; ++code) {
    yes.codes[code] = yes.calls.any();
    no.codes[code] = no.calls.any();
  }
  check.may_true = yes;
  check.may_false = no;
  check.by_type = true;
}

void derive_direction(Check& check) {
  TypeSet yes = TypeSet::all(), no = TypeSet::all();
  for (unsigned code = 0; code < kCodeCount; ++code) {
    const bool held = holds(check, Value::text(std::string_view(event::is_enter(code) ? ">" : "<")));
    yes.codes[code] = held;
    no.codes[code] = !held;
  }
  check.may_true = yes;
  check.may_false = no;
  check.by_type = true;
}

/// Only calls that return can have these.
void derive_exit_only(Check& check) {
  for (unsigned code = 0; code < kCodeCount; ++code)
    if (event::is_enter(code)) check.may_true.codes.reset(code);
}

/// Only system calls work on an fd.
void derive_calls_only(Check& check) {
  for (unsigned code = 0; code < kCodeCount; ++code)
    if (!(event::info_of(code).groups & event::kGroupSyscall)) check.may_true.codes.reset(code);
}

uint32_t cost_of(const Check& check, const ValueNode& value) {
  constexpr uint32_t kByCost[] = {2, 4, 10, 30, 80};
  if (check.by_type) return 1;
  uint32_t cost = kByCost[static_cast<size_t>(value.cost)] + (value.many || value.list ? 20 : 0);
  switch (check.op) {
    case Op::kExists: break;
    case Op::kIn: case Op::kIntersects: cost += check.cls == Class::kText ? 4 : static_cast<uint32_t>(check.constants.size()); break;
    case Op::kContains: case Op::kBcontains: case Op::kPmatch: cost += 15; break;
    case Op::kIcontains: case Op::kGlob: case Op::kIglob: cost += 40; break;
    case Op::kRegex: cost += 100; break;
    default: cost += 2;
  }
  if (check.modifier != Modifier::kNone) cost += static_cast<uint32_t>(check.constants.size()) * 4;
  return cost;
}

/// Whether no value of an unsigned field can be what the check wants. Events are numbered from 1.
bool out_of_range(const Check& check, const ValueNode& value) {
  if (check.cls != Class::kUint || check.right >= 0 || check.constants.size() != 1 || check.around || check.modifier != Modifier::kNone) return false;
  const bool from_one = value.kind == ValueNode::Kind::kField && value.ref.field->name == "evt.num";
  const uint64_t least = from_one ? 1 : 0, wanted = check.constants[0].number;
  switch (check.op) {
    case Op::kLess: return wanted <= least;
    case Op::kEqual: case Op::kLessEqual: case Op::kIn: return wanted < least;
    default: return false;
  }
}

/// The simplified tree: equal parts are one and the same node.
class Simplifier {
 public:
  explicit Simplifier(Program& program) : program_(program) {
    true_ = add({Node::Kind::kTrue, {}, 0}, 0);
    false_ = add({Node::Kind::kFalse, {}, 0}, 0);
  }

  void run() {
    std::vector<uint32_t> simple;  // of each node of the tree; parts come before what they are parts of
    simple.reserve(program_.tree.size());
    for (const Node& node : program_.tree) simple.push_back(simplified(node, simple));
    const uint32_t root = simple.back();
    types_.resize(nodes_.size());
    typed_.resize(nodes_.size());
    program_.may_match = types_of(root).first;
    program_.any_event = program_.may_match.codes.all() && program_.may_match.calls.all();
    count_uses(root);
    emit_all(root);
  }

 private:
  struct Simple {
    Node node;
    uint32_t cost = 0;
    uint32_t uses = 0;
    int32_t shared = -1;
  };

  uint32_t add(Node node, uint32_t cost) {
    std::string key = fmt::format("{}:{}", static_cast<int>(node.kind), node.check);
    for (const uint32_t part : node.parts) key += fmt::format(",{}", part);
    const auto [it, fresh] = numbers_.try_emplace(std::move(key), static_cast<uint32_t>(nodes_.size()));
    if (fresh) nodes_.push_back({std::move(node), cost, 0, -1});
    return it->second;
  }

  uint32_t simplified(const Node& node, const std::vector<uint32_t>& simple) {
    switch (node.kind) {
      case Node::Kind::kTrue: return true_;
      case Node::Kind::kFalse: return false_;
      case Node::Kind::kCheck: return leaf(node.check);
      case Node::Kind::kNot: return negated(simple[node.parts[0]]);
      default: break;
    }
    std::vector<uint32_t> parts;
    for (const uint32_t part : node.parts) parts.push_back(simple[part]);
    return joined(node.kind, parts);
  }

  uint32_t leaf(uint32_t id) {
    const Check& check = program_.checks[id];
    if (check.right < 0 && check.op != Op::kExists && check.constants.empty()) return false_;  // an empty list holds nothing
    if (out_of_range(check, program_.values[check.value])) return false_;
    return add({Node::Kind::kCheck, {}, id}, cost_of(check, program_.values[check.value]));
  }

  uint32_t negated(uint32_t part) {
    if (part == true_) return false_;
    if (part == false_) return true_;
    if (nodes_[part].node.kind == Node::Kind::kNot) return nodes_[part].node.parts[0];
    return add({Node::Kind::kNot, {part}, 0}, nodes_[part].cost);
  }

  uint32_t joined(Node::Kind kind, const std::vector<uint32_t>& given) {
    const uint32_t neutral = kind == Node::Kind::kAnd ? true_ : false_, decisive = kind == Node::Kind::kAnd ? false_ : true_;
    std::vector<uint32_t> parts;
    for (const uint32_t part : given) {
      if (nodes_[part].node.kind == kind) parts.insert(parts.end(), nodes_[part].node.parts.begin(), nodes_[part].node.parts.end());
      else parts.push_back(part);
    }
    if (kind == Node::Kind::kOr) join_equalities(parts);
    absl::flat_hash_set<uint32_t> seen;
    std::vector<uint32_t> kept;
    for (const uint32_t part : parts) {
      if (part == decisive) return decisive;
      if (part == neutral || !seen.insert(part).second) continue;
      kept.push_back(part);
    }
    for (const uint32_t part : kept)
      if (nodes_[part].node.kind == Node::Kind::kNot && seen.contains(nodes_[part].node.parts[0])) return decisive;
    if (kept.empty()) return neutral;
    if (kept.size() == 1) return kept[0];
    // Among equals the one that came first in the filter: the same parts in another order are the same.
    std::sort(kept.begin(), kept.end(), [this](uint32_t a, uint32_t b) { return std::pair(nodes_[a].cost, a) < std::pair(nodes_[b].cost, b); });
    uint32_t cost = 0;
    for (const uint32_t part : kept) cost += nodes_[part].cost;
    return add({kind, std::move(kept), 0}, cost);
  }

  bool is_equality(uint32_t part) const {
    if (nodes_[part].node.kind != Node::Kind::kCheck) return false;
    const Check& check = program_.checks[nodes_[part].node.check];
    return check.modifier == Modifier::kNone && check.right < 0 && !check.around && !program_.values[check.value].list &&
           (check.op == Op::kEqual || check.op == Op::kIn);
  }

  /// a=1 or a=2 or a in (3): a in (1, 2, 3).
  void join_equalities(std::vector<uint32_t>& parts) {
    absl::flat_hash_map<uint32_t, std::vector<uint32_t>> by_value;
    for (const uint32_t part : parts)
      if (is_equality(part)) by_value[program_.checks[nodes_[part].node.check].value].push_back(part);
    absl::flat_hash_set<uint32_t> gone;
    std::vector<uint32_t> fresh;
    for (const uint32_t part : parts) {
      if (!is_equality(part) || gone.contains(part)) continue;
      const auto& group = by_value[program_.checks[nodes_[part].node.check].value];
      if (group.size() < 2 || std::all_of(group.begin(), group.end(), [&](uint32_t p) { return p == part; })) continue;
      fresh.push_back(leaf(merged(group)));
      gone.insert(group.begin(), group.end());
    }
    if (gone.empty()) return;
    std::erase_if(parts, [&](uint32_t part) { return gone.contains(part); });
    parts.insert(parts.end(), fresh.begin(), fresh.end());
  }

  uint32_t merged(const std::vector<uint32_t>& group) {
    Check out;
    const Check& first = program_.checks[nodes_[group[0]].node.check];
    out.value = first.value;
    out.op = Op::kIn;
    out.cls = first.cls;
    out.any_differs = first.any_differs;
    out.at = first.at;
    out.may_true = out.may_false = TypeSet::all();
    const ValueNode& value = program_.values[out.value];
    out.written = value.written + " in (";
    absl::flat_hash_set<std::string> seen;
    for (const uint32_t part : group)
      for (const Constant& c : program_.checks[nodes_[part].node.check].constants)
        if (seen.insert(c.text).second) {
          out.written += fmt::format("{}{}", out.constants.empty() ? "" : ", ", quote(c.text));
          out.constants.push_back(c);
        }
    out.written += ")";
    const auto [it, fresh] = merged_.try_emplace(out.written, program_.checks.size());
    if (!fresh) return it->second;
    finish_check(out, value, program_.dialect);
    program_.checks.push_back(std::move(out));
    return it->second;
  }

  // --- which events ---
  using Types = std::pair<TypeSet, TypeSet>;  ///< that may make it true, and false
  const Types& types_of(uint32_t id) {
    if (typed_[id]) return types_[id];
    const Node& node = nodes_[id].node;
    Types out;
    switch (node.kind) {
      case Node::Kind::kTrue: out = {TypeSet::all(), {}}; break;
      case Node::Kind::kFalse: out = {{}, TypeSet::all()}; break;
      case Node::Kind::kCheck: out = {program_.checks[node.check].may_true, program_.checks[node.check].may_false}; break;
      case Node::Kind::kNot: {
        const Types& part = types_of(node.parts[0]);
        out = {part.second, part.first};
        break;
      }
      case Node::Kind::kAnd:
      case Node::Kind::kOr: {
        const bool both = node.kind == Node::Kind::kAnd;
        out = both ? Types{TypeSet::all(), {}} : Types{{}, TypeSet::all()};
        for (const uint32_t part : node.parts) {
          const Types& one = types_of(part);
          intersect(both ? out.first : out.second, both ? one.first : one.second);
          unite(both ? out.second : out.first, both ? one.second : one.first);
        }
      }
    }
    typed_[id] = true;
    return types_[id] = out;
  }
  // Codes and calls are joined apart from each other: the result may hold too much, never too little.
  static void intersect(TypeSet& to, const TypeSet& with) {
    to.codes &= with.codes;
    to.calls &= with.calls;
  }
  static void unite(TypeSet& to, const TypeSet& with) {
    to.codes |= with.codes;
    to.calls |= with.calls;
  }

  // --- code ---
  void count_uses(uint32_t id) {
    // "not" is no code of its own: what it turns round is used as often as it is.
    if (nodes_[id].uses++ > 0 && nodes_[id].node.kind != Node::Kind::kNot) return;
    for (const uint32_t part : nodes_[id].node.parts) count_uses(part);
  }

  void emit_all(uint32_t root) {
    // What several places need comes first, the innermost before the others.
    share(root, root);
    program_.entry = emit(without_what_is_sure(root), Instruction::kAccept, Instruction::kReject, true);
    // It was written from the end: turn it round.
    const auto size = static_cast<uint32_t>(program_.code.size());
    auto turned = [size](uint32_t at) { return at >= Instruction::kAccept ? at : size - 1 - at; };
    std::reverse(program_.code.begin(), program_.code.end());
    for (Instruction& i : program_.code) {
      i.if_true = turned(i.if_true);
      i.if_false = turned(i.if_false);
    }
    program_.entry = turned(program_.entry);
    for (Shared& s : program_.shared) s.entry = turned(s.entry);
  }

  /// Of an `and` the parts that hold for every event that can match: those are asked about before anything runs.
  uint32_t without_what_is_sure(uint32_t root) {
    if (nodes_[root].node.kind != Node::Kind::kAnd) return root;
    const TypeSet& asked = program_.may_match;
    std::vector<uint32_t> kept;
    uint32_t cost = 0;
    for (const uint32_t part : nodes_[root].node.parts) {
      const Simple& simple = nodes_[part];
      if (simple.node.kind == Node::Kind::kCheck && program_.checks[simple.node.check].by_type) {
        const TypeSet& fails = program_.checks[simple.node.check].may_false;
        const auto codes = asked.codes & fails.codes;
        const bool only_calls = (codes >> (kGenericX + 1)).none();
        if (only_calls && (codes.none() || (asked.calls & fails.calls).none())) continue;
      }
      kept.push_back(part);
      cost += simple.cost;
    }
    if (kept.size() == nodes_[root].node.parts.size()) return root;
    if (kept.empty()) return true_;
    return kept.size() == 1 ? kept[0] : add({Node::Kind::kAnd, std::move(kept), 0}, cost);
  }

  void share(uint32_t id, uint32_t root) {
    Simple& simple = nodes_[id];
    if (simple.shared >= 0 || visited_.contains(id)) return;
    visited_.insert(id);
    for (const uint32_t part : simple.node.parts) share(part, root);
    if (simple.uses < 2 || id == root) return;
    if (simple.node.kind == Node::Kind::kCheck) {
      program_.checks[simple.node.check].memo = static_cast<int32_t>(program_.memos++);
    } else if (simple.node.kind == Node::Kind::kAnd || simple.node.kind == Node::Kind::kOr) {
      Shared shared;
      shared.memo = program_.memos++;
      shared.entry = emit(id, Instruction::kAccept, Instruction::kReject, true);
      simple.shared = static_cast<int32_t>(program_.shared.size());
      program_.shared.push_back(std::move(shared));
    }
  }

  uint32_t emit(uint32_t id, uint32_t if_true, uint32_t if_false, bool whole = false) {
    const Simple& simple = nodes_[id];
    if (simple.shared >= 0 && !whole) return put({true, static_cast<uint32_t>(simple.shared), if_true, if_false});
    const Node& node = simple.node;
    switch (node.kind) {
      case Node::Kind::kTrue: return if_true;
      case Node::Kind::kFalse: return if_false;
      case Node::Kind::kCheck: return put({false, node.check, if_true, if_false});
      case Node::Kind::kNot: return emit(node.parts[0], if_false, if_true);
      case Node::Kind::kAnd:
      case Node::Kind::kOr: {
        uint32_t next = node.kind == Node::Kind::kAnd ? if_true : if_false;
        for (auto part = node.parts.rbegin(); part != node.parts.rend(); ++part)
          next = node.kind == Node::Kind::kAnd ? emit(*part, next, if_false) : emit(*part, if_true, next);
        return next;
      }
    }
    return if_false;
  }
  uint32_t put(Instruction instruction) {
    program_.code.push_back(instruction);
    return static_cast<uint32_t>(program_.code.size() - 1);
  }

  Program& program_;
  std::vector<Simple> nodes_;
  absl::flat_hash_map<std::string, uint32_t> numbers_, merged_;
  absl::flat_hash_set<uint32_t> visited_;
  std::vector<Types> types_;
  std::vector<bool> typed_;
  uint32_t true_ = 0, false_ = 0;
};

}  // namespace

void finish_check(Check& check, const ValueNode& value, Dialect dialect) {
  if (check.cls == Class::kText && (check.op == Op::kIn || check.op == Op::kIntersects))
    for (const Constant& c : check.constants) check.set.insert(c.text);
  if (check.cls == Class::kText && check.right < 0) {
    switch (check.op) {
      case Op::kContains: case Op::kIcontains: case Op::kGlob: case Op::kIglob: case Op::kRegex: case Op::kPmatch: check.remember = true; break;
      case Op::kIn: case Op::kIntersects: check.remember = !value.list; break;
      default: check.remember = check.modifier != Modifier::kNone;
    }
  }
  if (value.kind != ValueNode::Kind::kField || check.right >= 0 || (check.constants.empty() && check.op != Op::kExists)) return;
  const std::string_view name = value.ref.field->name;
  if (name == "evt.type") derive_types(check, dialect);
  else if (name == "evt.dir") derive_direction(check);
  else if (name == "evt.rawres" || name == "evt.res" || (name == "evt.failed" && dialect == Dialect::kCurrent)) derive_exit_only(check);
  else if (name.starts_with("fd.") && name != "fd.types") derive_calls_only(check);  // fd.types is about the process
}

void simplify(Program& program) { Simplifier(program).run(); }

}  // namespace scry::filter
