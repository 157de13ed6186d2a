// SPDX-License-Identifier: Apache-2.0
#include "filters/vm/describe.h"

#include <fmt/format.h>

#include <functional>
#include <map>

namespace scry::filter {
namespace {

std::string_view word_of(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kAnd: return "and";
    case Node::Kind::kOr: return "or";
    case Node::Kind::kNot: return "not";
    default: return "";
  }
}

/// Draws `head` and the parts below it, each with its own text, as a tree of lines.
template <class Item, class Parts, class Label>
void draw(std::string& out, const Item& item, const std::string& first, const std::string& rest, const Parts& parts_of, const Label& label_of) {
  out += first + label_of(item) + "\n";
  const auto parts = parts_of(item);
  for (size_t i = 0; i < parts.size(); ++i) {
    const bool last = i + 1 == parts.size();
    draw(out, parts[i], rest + (last ? "└─ " : "├─ "), rest + (last ? "   " : "│  "), parts_of, label_of);
  }
}

std::string target(uint32_t at) {
  if (at == Instruction::kAccept) return "match";
  if (at == Instruction::kReject) return "no match";
  return fmt::format("{}", at);
}

}  // namespace

std::string describe_tree(const Program& program) {
  std::string out;
  const std::function<std::vector<uint32_t>(uint32_t)> parts = [&](uint32_t id) { return program.tree[id].parts; };
  const std::function<std::string(uint32_t)> label = [&](uint32_t id) {
    const Node& node = program.tree[id];
    return node.kind == Node::Kind::kCheck ? visible(program.checks[node.check].written) : std::string(word_of(node));
  };
  draw(out, static_cast<uint32_t>(program.tree.size() - 1), "  ", "  ", parts, label);
  return out;
}

std::string describe_events(const Program& program) {
  const bool classic = program.dialect == fields::Dialect::kClassic;
  const TypeSet& set = program.may_match;
  // Names with the ends at which they match: 1 enter, 2 exit.
  std::map<std::string_view, int> inside, outside;
  for (unsigned code = event::kGenericX + 1; code < event::kCodeCount; ++code) {
    const auto& info = event::info_of(code);
    if (info.has(event::kUnused)) continue;
    (set.codes[code] ? inside : outside)[classic ? event::classic_event_names[code] : info.name()] |= event::is_enter(code) ? 1 : 2;
  }
  const int generic = (set.codes[0] ? 1 : 0) | (set.codes[event::kGenericX] ? 2 : 0);
  for (unsigned call = 0; call < event::syscall_count; ++call) {
    const auto name = classic ? event::classic_syscall_names[call] : event::syscall_names[call];
    if (name.empty()) continue;
    const int ends = set.calls[call] ? generic : 0;
    if (ends) inside[name] |= ends;
    if (ends != 3) outside[name] |= 3 & ~ends;
  }
  if (inside.empty()) return "none";
  auto list = [](const std::map<std::string_view, int>& names, const std::map<std::string_view, int>& others) {
    std::string out;
    for (const auto& [name, ends] : names) {
      const bool one_end = others.contains(name);
      out += fmt::format("{}{}{}", out.empty() ? "" : ", ", one_end && ends != 3 ? (ends == 1 ? "> " : "< ") : "", name);
    }
    return out;
  };
  if (outside.empty()) return "every kind of event";
  bool only_exits = true, only_enters = true, whole_exits = true, whole_enters = true;
  for (const auto& [name, ends] : inside) {
    only_exits &= ends == 2;
    only_enters &= ends == 1;
  }
  for (const auto& [name, ends] : outside) {
    whole_exits &= (ends & 2) == 0;
    whole_enters &= (ends & 1) == 0;
  }
  if (only_exits && whole_exits) return "every exit event (<)";
  if (only_enters && whole_enters) return "every enter event (>)";
  if (inside.size() <= outside.size()) return list(inside, outside);
  return "every kind but " + list(outside, inside);
}

std::string disassemble(const Program& program) {
  if (program.entry >= Instruction::kAccept)
    return program.entry == Instruction::kAccept ? (program.any_event ? "  every event matches\n" : "  all of these match\n") : "  no event matches\n";
  std::map<uint32_t, size_t> starts;  // where the shared parts begin
  for (size_t i = 0; i < program.shared.size(); ++i) starts[program.shared[i].entry] = i;
  std::string out;
  for (uint32_t at = 0; at < program.code.size(); ++at) {
    const Instruction& i = program.code[at];
    if (at == program.entry && at != 0) out += "  start:\n";
    if (const auto found = starts.find(at); found != starts.end()) out += fmt::format("  part {}, once for each event:\n", found->second + 1);
    std::string what;
    if (i.shared) {
      what = fmt::format("part {}", i.index + 1);
    } else {
      const Check& check = program.checks[i.index];
      what = visible(check.written);
      if (check.by_type) what += "  [by kind of event]";
      if (check.memo >= 0) what += "  [once for each event]";
      if (check.remember && !check.by_type) what += "  [remembered for each text]";
    }
    out += fmt::format("  {:>4}  {}\n        if so {}, else {}\n", at, what, target(i.if_true), target(i.if_false));
  }
  return out;
}

namespace {

std::vector<std::string> shown_values(Matcher& matcher, uint32_t id) {
  const ValueNode& node = matcher.program().values[id];
  std::vector<std::string> out{visible(node.written)};
  fields::Values values;
  matcher.values(id, values);
  Out text;
  for (const fields::Value& value : values) {
    text.clear();
    const bool quoted = value.kind() == fields::Value::Kind::kText || value.kind() == fields::Value::Kind::kBytes;
    if (quoted) text.put('"');
    if (quoted) text.put_visible(value.as_text());
    else if (node.kind == ValueNode::Kind::kField) fields::put_value(text, *node.ref.field, value);
    else text.put_u64(value.as_uint());
    if (quoted) text.put('"');
    out.push_back(text.str());
  }
  return out;
}

Explained explain_node(Matcher& matcher, uint32_t id) {
  const Program& program = matcher.program();
  Explained out;
  out.node = &program.tree[id];
  switch (out.node->kind) {
    case Node::Kind::kCheck: {
      const Check& check = program.checks[out.node->check];
      out.check = visible(check.written);
      out.holds = matcher.check(out.node->check);
      out.left = shown_values(matcher, check.value);
      if (check.right >= 0) out.right = shown_values(matcher, static_cast<uint32_t>(check.right));
      return out;
    }
    case Node::Kind::kTrue: out.holds = true; return out;
    case Node::Kind::kFalse: return out;
    default: break;
  }
  for (const uint32_t part : out.node->parts) out.parts.push_back(explain_node(matcher, part));
  if (out.node->kind == Node::Kind::kNot) {
    out.holds = !out.parts[0].holds;
  } else {
    out.holds = out.node->kind == Node::Kind::kAnd;
    for (const Explained& part : out.parts) {
      if (out.node->kind == Node::Kind::kAnd) out.holds &= part.holds;
      else out.holds |= part.holds;
    }
  }
  return out;
}

std::string side(const std::vector<std::string>& side) {
  if (side.size() == 1) return side[0] + " is absent";
  constexpr size_t kShown = 6;
  std::string out = side[0] + " is ";
  for (size_t i = 1; i < side.size() && i <= kShown; ++i) out += (i > 1 ? ", " : "") + side[i];
  if (side.size() > kShown + 1) out += fmt::format(" and {} more", side.size() - 1 - kShown);
  return out;
}

}  // namespace

Explained explain(Matcher& matcher, const Moment& moment, const state::Machine& machine) {
  matcher.ask(moment, machine);
  return explain_node(matcher, static_cast<uint32_t>(matcher.program().tree.size() - 1));
}

std::string describe(const Explained& explained) {
  std::string out;
  const std::function<std::vector<Explained>(const Explained&)> parts = [](const Explained& e) { return e.parts; };
  const std::function<std::string(const Explained&)> label = [](const Explained& e) {
    std::string line = e.holds ? "true   " : "false  ";
    line += e.node->kind == Node::Kind::kCheck ? e.check : std::string(word_of(*e.node));
    if (!e.left.empty()) line += "   (" + side(e.left) + (e.right.empty() ? "" : "; " + side(e.right)) + ")";
    return line;
  };
  draw(out, explained, "  ", "  ", parts, label);
  return out;
}

}  // namespace scry::filter
