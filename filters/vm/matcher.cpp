// SPDX-License-Identifier: Apache-2.0
#include "filters/vm/matcher.h"

#include <cstddef>

#include "filters/vm/test.h"

namespace scry::filter {

using fields::Value;
using fields::Values;

Matcher::Matcher(std::shared_ptr<const Program> program, fields::RenderOptions render)
    : program_(std::move(program)), renderer_([&] {
        render.dialect = program_->dialect;
        return render;
      }()) {
  slots_.resize(program_->values.size());
  memos_.resize(program_->memos);
  std::vector<uint32_t> uses(program_->values.size());
  for (const Check& check : program_->checks) ++uses[check.value];
  for (const ValueNode& node : program_->values)
    for (const uint32_t part : node.parts) ++uses[part];
  steps_.reserve(program_->checks.size());
  for (const Check& check : program_->checks) steps_.push_back(step_for(*program_, check, uses[check.value]));
}

namespace {

/// Fields that are a number of the header as it is: asked for so often that the way through their functions shows.
constexpr std::pair<std::string_view, size_t> kHeaderNumbers[] = {
    {"evt.num", offsetof(event::RawEvent, num)},
    {"evt.rawtime", offsetof(event::RawEvent, ts)},
    {"thread.tid", offsetof(event::RawEvent, tid)},
};

}  // namespace

Matcher::Step Matcher::step_for(const Program& program, const Check& check, uint32_t uses_of_value) {
  Step step;
  step.op = check.op;
  step.by_type = check.by_type;
  step.remember = check.remember;
  step.memo = check.memo;
  step.check = &check;
  const ValueNode& node = program.values[check.value];
  // Values that are dear and needed by several checks are kept for the event instead.
  const bool asked_anew = uses_of_value == 1 || node.cost <= fields::Cost::kThread;
  if (node.kind != ValueNode::Kind::kField || node.many || node.list || check.right >= 0 || !asked_anew) return step;
  step.kind = Step::kOneField;
  step.extract = node.ref.field->extract;
  step.ref = &node.ref;
  if (check.modifier != Modifier::kNone || check.constants.size() != 1 || check.around) return step;
  const bool equality = check.op == Op::kEqual || check.op == Op::kNotEqual;
  const bool order = check.op == Op::kLess || check.op == Op::kLessEqual || check.op == Op::kGreater || check.op == Op::kGreaterEqual;
  if ((check.cls == Class::kInt || check.cls == Class::kUint || check.cls == Class::kBool) && (equality || order)) {
    step.kind = Step::kNumber;
    step.is_signed = check.cls == Class::kInt;
    for (const auto& [name, offset] : kHeaderNumbers)
      if (node.ref.field->name == name) {
        step.kind = Step::kHeader;
        step.offset = static_cast<uint16_t>(offset);
      }
    step.number = step.is_signed ? static_cast<uint64_t>(check.constants[0].integer) : check.constants[0].number;
  } else if (check.cls == Class::kText && (equality || check.op == Op::kStartswith || check.op == Op::kEndswith)) {
    step.kind = Step::kText;
    step.text = check.constants[0].text;
  }
  return step;
}

void Matcher::ask(const Moment& moment, const state::Machine& machine) {
  ++count_;
  begin(moment, machine, previous_ts_);
  previous_ts_ = moment.event.raw().ts;
}

inline bool Matcher::evaluate_anew(const Step& step) {
  if (step.kind == Step::kHeader) {
    const uint64_t number = load<uint64_t>(reinterpret_cast<const uint8_t*>(&moment_->event.raw()) + step.offset);
    return step.is_signed ? compare(step.op, static_cast<int64_t>(number), static_cast<int64_t>(step.number)) : compare(step.op, number, step.number);
  }
  if (step.by_type) {
    if (!step.check->may_true.has(moment_->event)) return false;
    if (!step.check->may_false.has(moment_->event)) return true;
  }
  if (step.kind == Step::kSlow) return evaluate_slow(*step.check);
  scratch_.clear();
  const Value value = step.extract(question(*step.ref, scratch_));
  if (!value.present()) return false;
  switch (step.kind) {
    case Step::kNumber:
      return step.is_signed ? compare(step.op, value.as_int(), static_cast<int64_t>(step.number)) : compare(step.op, value.as_uint(), step.number);
    case Step::kText: {
      const auto text = value.as_text();
      switch (step.op) {
        case Op::kEqual: return text == step.text;
        case Op::kNotEqual: return text != step.text;
        case Op::kStartswith: return text.starts_with(step.text);
        default: return text.ends_with(step.text);
      }
    }
    default: return step.remember ? holds_remembered(*step.check, value) : holds(*step.check, value);
  }
}

inline bool Matcher::evaluate(uint32_t id) {
  const Step& step = steps_[id];
  if (step.memo < 0) [[likely]] return evaluate_anew(step);
  Memo& memo = memos_[static_cast<size_t>(step.memo)];
  if (memo.stamp != stamp_) {
    memo.answer = evaluate_anew(step);
    memo.stamp = stamp_;
  }
  return memo.answer;
}

bool Matcher::check(uint32_t id) { return evaluate(id); }

bool Matcher::covers(const state::Thread& thread, const state::Machine& machine) {
  // As sysdig asks: about a read that returned nothing, from no fd and then from each.
  struct {
    int64_t result = 0, fd = 0;
  } values;
  event::RawEvent raw;
  raw.code = event::kReadX;
  raw.tid = thread.tid;
  raw.data = reinterpret_cast<const uint8_t*>(&values);
  raw.nparams = event::p::read_x::fd + 1;
  static_assert(event::p::read_x::res == 0 && event::p::read_x::fd == 2);
  Moment moment;
  moment.thread = &thread;
  moment.slot = machine.find(thread.tid);
  auto matches = [&](bool with_fd) {
    raw.at[1] = raw.at[2] = sizeof values.result;
    raw.at[3] = sizeof values.result + (with_fd ? sizeof values.fd : 0);
    moment.event = event::Event(raw, event::info_of(raw.code), nullptr);
    if (!program_->may_match.has(moment.event)) return false;
    begin(moment, machine, 0);
    return run(program_->entry);
  };
  if (matches(false)) return true;
  if (!thread.is_leader() || !thread.fds) return false;  // the fds are the leader's
  for (const auto& [number, fd] : thread.fds->map) {
    values.fd = number;
    if (matches(true)) return true;
  }
  return false;
}

bool Matcher::run(uint32_t at) {
  const Instruction* code = program_->code.data();
  while (at < Instruction::kAccept) {
    const Instruction& i = code[at];
    at = (i.shared ? run_shared(i.index) : evaluate(i.index)) ? i.if_true : i.if_false;
  }
  return at == Instruction::kAccept;
}

bool Matcher::run_shared(uint32_t id) {
  const Shared& shared = program_->shared[id];
  Memo& memo = memos_[shared.memo];
  if (memo.stamp != stamp_) {
    memo.answer = run(shared.entry);
    memo.stamp = stamp_;
  }
  return memo.answer;
}

bool Matcher::evaluate_slow(const Check& check) {
  const ValueNode& node = program_->values[check.value];
  if (is_set(node)) return evaluate_many(check, node);
  const Value& left = value(check.value);
  if (!left.present()) return false;
  if (check.right >= 0) {
    const auto right = static_cast<uint32_t>(check.right);
    if (!is_set(program_->values[right])) return holds(check, left, value(right));
    Values all;
    values(right, all);
    for (const Value& one : all)
      if (holds(check, left, one)) return true;
    return false;
  }
  return check.remember ? holds_remembered(check, left) : holds(check, left);
}

/// A value that stands for several: one that holds is enough, except that of a list `in` wants all, and that `!=` of
/// some fields means that none is equal.
bool Matcher::evaluate_many(const Check& check, const ValueNode& node) {
  Values left, right;
  values(check.value, left);
  if (left.empty()) return false;
  if (check.op == Op::kExists) return true;
  if (check.right >= 0) values(static_cast<uint32_t>(check.right), right);
  auto one_holds = [&](const Value& one) {
    if (check.right < 0) return check.remember ? holds_remembered(check, one) : holds(check, one);
    for (const Value& other : right)
      if (holds(check, one, other)) return true;
    return false;
  };
  const bool all = (node.list && check.op == Op::kIn) || (check.op == Op::kNotEqual && !check.any_differs);
  for (const Value& one : left)
    if (one_holds(one) != all) return !all;
  return all;
}

bool Matcher::holds_remembered(const Check& check, const Value& value) {
  const Text* text = value.shared();
  if (!text || text->empty() || text->size() > kLongestRemembered) return holds(check, value);
  if (!remembered_) remembered_ = std::make_unique<Remembered[]>(kRemembered);
  const auto number = static_cast<uint32_t>(&check - program_->checks.data());
  const uint64_t mixed = (reinterpret_cast<uintptr_t>(text->id()) >> 4) * 0x9e3779b97f4a7c15u + number * 0xc2b2ae3d27d4eb4fu;
  Remembered& entry = remembered_[(mixed >> 40) % kRemembered];
  if (entry.check != number || entry.text.id() != text->id()) {
    entry.answer = holds(check, value);
    entry.text = *text;
    entry.check = number;
  }
  return entry.answer;
}

const Value& Matcher::value(uint32_t id) {
  Slot& slot = slots_[id];
  if (slot.stamp != stamp_) {
    const ValueNode& node = program_->values[id];
    if (!slot.scratch) slot.scratch = std::make_unique<Out>(64);
    slot.scratch->clear();
    slot.value = compute(node, slot);
    slot.stamp = stamp_;
  }
  return slot.value;
}

Value Matcher::compute(const ValueNode& node, Slot& slot) {
  switch (node.kind) {
    case ValueNode::Kind::kField:
      return node.ref.field->extract(question(node.ref, *slot.scratch));
    case ValueNode::Kind::kText: return Value::text(std::string_view(node.text));
    case ValueNode::Kind::kNumber: return Value::number(node.number);
    case ValueNode::Kind::kList: return Value::absent();  // asked for by values() only
    case ValueNode::Kind::kTransform: {
      const ValueNode& inner = program_->values[node.parts[0]];
      if (!is_set(inner)) return fields::transform(node.transformer, value(node.parts[0]), *slot.scratch);
      Values all;
      values(node.parts[0], all);
      return all.empty() ? Value::absent() : Value::number(all.size());  // of lists only their length
    }
    case ValueNode::Kind::kConcat:
      for (const uint32_t part : node.parts) {
        const Value& one = value(part);
        if (!one.present()) return Value::absent();
        slot.scratch->put(one.as_text());
      }
      return Value::text(slot.scratch->view());
    case ValueNode::Kind::kJoin: {
      const Value& separator = value(node.parts[0]);
      Values all;
      values(node.parts[1], all);
      if (!separator.present() || all.empty()) return Value::absent();
      for (const Value& one : all) {
        if (&one != all.data()) slot.scratch->put(separator.as_text());
        slot.scratch->put(one.as_text());
      }
      return Value::text(slot.scratch->view());
    }
    case ValueNode::Kind::kGetopt: return getopt(node, slot, nullptr);
  }
  return Value::absent();
}

void Matcher::values(uint32_t id, Values& out) {
  const ValueNode& node = program_->values[id];
  if (!is_set(node)) {
    const Value& one = value(id);
    if (one.present()) out.push_back(one);
    return;
  }
  Slot& slot = slots_[id];
  if (!slot.scratch) slot.scratch = std::make_unique<Out>(64);
  slot.scratch->clear();
  switch (node.kind) {
    case ValueNode::Kind::kField:
      return node.ref.field->traits.many(question(node.ref, *slot.scratch), out);
    case ValueNode::Kind::kList:
      // A list with a value that is absent is absent.
      for (const uint32_t part : node.parts) {
        const size_t before = out.size();
        values(part, out);
        if (out.size() == before) return out.clear();
      }
      return;
    case ValueNode::Kind::kGetopt:
      getopt(node, slot, &out);
      return;
    case ValueNode::Kind::kTransform: return transformed(node, slot, out);
    default: return;
  }
}

/// Each member of a list; one that can't be transformed is missing, and with it the list.
void Matcher::transformed(const ValueNode& node, Slot& slot, Values& out) {
  Values all;
  values(node.parts[0], all);
  // No transformer makes more of a text than it was: with this room nothing that was made moves.
  size_t size = 0;
  for (const Value& one : all) size += one.as_text().size();
  slot.scratch->room(size);
  for (const Value& one : all) {
    const Value made = fields::transform(node.transformer, one, *slot.scratch);
    if (!made.present()) return out.clear();
    out.push_back(made);
  }
}

/// The options among the words, as getopt(3) finds short ones: up to the first word that is none, or "--".
Value Matcher::getopt(const ValueNode& node, Slot& slot, Values* all) {
  Values words;
  values(node.parts[0], words);
  std::string_view letters = node.text;
  std::string_view found;
  bool any = false;
  slot.scratch->clear();
  for (size_t i = 0; i < words.size(); ++i) {
    const auto word = words[i].as_text();
    if (word.size() < 2 || word[0] != '-' || word == "--") break;
    for (size_t at = 1; at < word.size(); ++at) {
      const char letter = word[at];
      const size_t where = letter == ':' ? std::string_view::npos : letters.find(letter);
      if (where == std::string_view::npos) continue;
      const bool takes = letters.substr(where + 1).starts_with(':');
      std::string_view argument;
      if (takes) {
        argument = word.substr(at + 1);
        const bool optional = letters.substr(where + 1).starts_with("::");  // has to stand in the same word
        if (argument.empty() && !optional) {
          if (i + 1 == words.size()) break;  // getopt(3) calls it wrong: no such option
          argument = words[++i].as_text();
        }
      }
      if (all) slot.scratch->put(letter);
      if (letter == node.option && !any) {
        any = true;
        found = argument;
      }
      if (takes) break;
    }
  }
  if (!all) return any ? Value::text(found) : Value::absent();
  for (size_t i = 0; i < slot.scratch->size(); ++i) all->push_back(Value::text(slot.scratch->view().substr(i, 1)));
  return Value::absent();
}

}  // namespace scry::filter
