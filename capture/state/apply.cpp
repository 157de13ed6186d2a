// SPDX-License-Identifier: Apache-2.0
// One event: which thread, which enter event it pairs with, which handler.
#include "capture/state/handlers.h"
#include "capture/state/machine.h"

namespace scry::state {

using event::Event;
using event::RawEvent;

namespace {

/// What apply() has to know about a code, worked out once.
struct CodeRow {
  bool has_thread = false;       ///< belongs to a thread
  bool looks_up_thread = false;  ///< speaks of a thread, without making an entry for it
  bool makes_placeholder = false;  ///< a tid never heard of gets an entry
  bool keep_enter = false;       ///< its parameters answer for the exit
  bool is_call = false;          ///< enter or exit of a system call
  bool starts_clock = false;     ///< counts as an enter event for `-t d`, as in sysdig: signals and exits do
};

std::array<CodeRow, event::kCodeCount> make_rows() {
  std::array<CodeRow, event::kCodeCount> rows;
  for (unsigned code = 0; code < event::kCodeCount; ++code) {
    const auto& info = event::info_of(code);
    CodeRow& row = rows[code];
    row.is_call = (info.groups & event::kGroupSyscall) != 0;
    row.has_thread = row.is_call || (info.groups & event::kGroupTracepoint) != 0;
    row.looks_up_thread = (info.groups & event::kGroupMetaevent) && info.category != event::Category::kProcess &&
                          code != event::kAsynceventE;
    const unsigned current = event::shape_of(info, info.nparams).code;
    const bool is_clone_exit = current == event::kClone_20X || current == event::kFork_20X ||
                               current == event::kVfork_20X || current == event::kClone3X;
    const bool is_switch = current == event::kSchedswitch_6E || current == event::kSchedswitch_1E;
    row.makes_placeholder = row.has_thread && !is_clone_exit && !is_switch && current != event::kProcexit_1E;
    row.starts_clock = event::is_enter(code) && !info.has(event::kSkipparsereset) && !is_switch;
    row.keep_enter = row.is_call && event::is_enter(code) && info.nparams > 0 && code != event::kGenericE;
  }
  return rows;
}

const std::array<CodeRow, event::kCodeCount> kRows = make_rows();

/// The exit that belongs to an enter event; execveat may come back as execve.
bool pairs(unsigned enter, unsigned exit) {
  return exit == enter + 1 || (exit == event::kExecve_19X && enter == event::kExecveatE);
}

}  // namespace

void Machine::apply(const RawEvent& raw, Applied& out) {
  made_fd_ = changed_fd_ = -1;
  if (doomed_fd_.set || doomed_thread_.set) [[unlikely]] settle();
  const auto& info = event::info_of(raw.code);
  const CodeRow& row = kRows[raw.code];
  ThreadSlot* at = nullptr;
  if (row.has_thread) {
    at = slot(raw.tid);
    if (!at && row.makes_placeholder) at = insert_placeholder(raw.tid);
  }
  if (row.is_call && !event::is_enter(raw.code)) {
    const bool paired = at && waits(*at) && pairs(at->enter.code, raw.code);
    out.event = Event(raw, info, paired ? &at->enter : nullptr);
    if (Handler handler = handler_of(out.event.current_code())) {
      handler({*this, out.event, at});
      if (!at) at = slot(raw.tid);
    }
    if (at) {
      at->enter.forget();  // the event may still ask for what it said
      if (at->last_enter_ts) at->latency = raw.ts - at->last_enter_ts;
    }
  } else {
    out.event = Event(raw, info, nullptr);
    if (row.is_call && at) {
      // A generic call tells its exit only what the recorder had no code for: the kernel's number.
      if (row.keep_enter || (raw.code == event::kGenericE && raw.param(0).as<uint16_t>() == 0)) at->enter.remember(raw);
      else at->enter.note(raw);
      at->enter.epoch = epoch_;
    }
    if (Handler handler = handler_of(row.is_call ? raw.code : out.event.current_code())) {
      handler({*this, out.event, at});
      if (row.has_thread) at = slot(raw.tid);
    }
    if (at && row.starts_clock) {
      at->last_enter_ts = raw.ts;
      at->latency = 0;
    }
    if (row.looks_up_thread) at = slot(raw.tid);
  }
  out.slot = at;
  out.thread = at ? at->thread.get() : nullptr;
  out.made_fd = made_fd_;
  out.renamed = false;
  if (changed_fd_ >= 0) [[unlikely]] {
    const Fd* fd = out.thread ? this->fd(*out.thread, changed_fd_) : nullptr;
    out.renamed = fd && fd->name.view() != changed_fd_name_.view();
    changed_fd_name_ = {};
  }
}

}  // namespace scry::state
