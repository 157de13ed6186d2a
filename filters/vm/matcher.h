// SPDX-License-Identifier: Apache-2.0
// Runs a compiled filter over events. Keeps what it found out: values and answers for the event at hand, answers about
// texts for longer. One for each asker; belongs to the thread of its machine.
#pragma once

#include <memory>
#include <vector>

#include "filters/vm/program.h"

namespace scry::filter {

class Matcher {
 public:
  /// `render` says how parameters become text in evt.args and its kin.
  Matcher(std::shared_ptr<const Program> program, fields::RenderOptions render);

  /// Whether the event matches. To be asked about every event that is delivered, in their order.
  bool matches(const Moment& moment, const state::Machine& machine) {
    ++count_;
    const Nanos previous = previous_ts_;
    previous_ts_ = moment.event.raw().ts;
    if (!program_->any_event && !program_->may_match.has(moment.event)) return false;
    begin(moment, machine, previous);
    return run(program_->entry);
  }

  /// An event that is delivered to nobody: it only counts as the one before the next.
  void pass(const Moment& moment) { previous_ts_ = moment.event.raw().ts; }

  /// Whether a process matches, by itself or with one of its fds: for lists of processes, where no event is at hand.
  bool covers(const state::Thread& thread, const state::Machine& machine);

  /// For explaining: as matches(), with nothing left out. `ask` comes first, then checks and values by number.
  void ask(const Moment& moment, const state::Machine& machine);
  bool check(uint32_t id);
  /// All values of a node; none when it is absent. Valid until the next event.
  void values(uint32_t id, fields::Values& out);

  const Program& program() const { return *program_; }

 private:
  struct Slot {
    uint64_t stamp = 0;
    fields::Value value;
    std::unique_ptr<Out> scratch;
  };
  /// What running a check takes, beside each other: the common kinds need nothing else.
  struct Step {
    enum Kind : uint8_t {
      kSlow,       ///< see Check
      kHeader,     ///< a number out of the event's header, of 64 bits, and one number
      kNumber,     ///< one field, one number
      kText,       ///< one field, one text: = != startswith endswith
      kOneField,   ///< one field, anything else
    };
    Kind kind = kSlow;
    Op op = Op::kExists;
    bool by_type = false, remember = false;
    int32_t memo = -1;
    fields::Extract extract = nullptr;
    const fields::FieldRef* ref = nullptr;
    const Check* check = nullptr;
    bool is_signed = false;
    uint16_t offset = 0;  ///< of kHeader: where in RawEvent
    uint64_t number = 0;
    std::string_view text;
  };
  struct Memo {
    uint64_t stamp = 0;
    bool answer = false;
  };
  /// An answer about a text of the state, good for as long as the text is kept here.
  struct Remembered {
    Text text;
    uint32_t check = UINT32_MAX;
    bool answer = false;
  };
  static constexpr size_t kRemembered = 4096;       ///< answers kept
  static constexpr size_t kLongestRemembered = 1024;  ///< bytes; longer texts are looked at anew

  void begin(const Moment& moment, const state::Machine& machine, Nanos previous) {
    moment_ = &moment;
    machine_ = &machine;
    asked_previous_ = previous;
    fd_.reset();
    ++stamp_;
  }
  bool run(uint32_t at);
  [[gnu::noinline]] bool run_shared(uint32_t id);
  static Step step_for(const Program& program, const Check& check, uint32_t uses_of_value);
  bool evaluate(uint32_t id);
  bool evaluate_anew(const Step& step);
  [[gnu::noinline]] bool evaluate_slow(const Check& check);
  bool evaluate_many(const Check& check, const ValueNode& node);
  [[gnu::noinline]] bool holds_remembered(const Check& check, const fields::Value& value);
  fields::Ask question(const fields::FieldRef& ref, Out& scratch) {
    return {*moment_, *machine_, renderer_, ref, scratch, asked_previous_, count_, &fd_};
  }
  const fields::Value& value(uint32_t id);
  fields::Value compute(const ValueNode& node, Slot& slot);
  void transformed(const ValueNode& node, Slot& slot, fields::Values& out);
  fields::Value getopt(const ValueNode& node, Slot& slot, fields::Values* all);
  bool is_set(const ValueNode& node) const { return node.many || node.list; }

  std::shared_ptr<const Program> program_;
  fields::Renderer renderer_;
  std::vector<Step> steps_;  ///< of each check
  std::vector<Slot> slots_;
  Out scratch_{256};         ///< for values that are looked at once
  std::vector<Memo> memos_;
  std::unique_ptr<Remembered[]> remembered_;
  const Moment* moment_ = nullptr;
  const state::Machine* machine_ = nullptr;
  std::optional<fields::EventFd> fd_;
  uint64_t stamp_ = 0;
  uint64_t count_ = 0;
  Nanos previous_ts_ = 0, asked_previous_ = 0;
};

}  // namespace scry::filter
