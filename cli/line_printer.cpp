// SPDX-License-Identifier: Apache-2.0
#include "cli/line_printer.h"

#include <ctime>

#include "filters/fields/arguments.h"
#include "filters/fields/clock.h"

namespace scry::cli {

using event::Event;
using fields::kSecond;

namespace {

constexpr std::string_view kBoldGreen = "\x1b[01;32m", kBoldCyan = "\x1b[01;36m", kBoldBlue = "\x1b[01;34m",
                           kPlain = "\x1b[00m";

}  // namespace

std::string_view container_event_id(const Event& e) {
  if (e.raw().code == event::kContainerE) return e.param(0).text();
  // The first "id" is the container's own.
  const auto json = e.param(0).text();
  constexpr std::string_view kKey = "\"id\":";
  const size_t at = json.find(kKey);
  if (at == std::string_view::npos) return {};
  auto rest = json.substr(at + kKey.size());
  rest = rest.substr(std::min(rest.find('"'), rest.size()));
  if (rest.empty()) return {};
  rest.remove_prefix(1);
  return rest.substr(0, rest.find('"'));
}

char* LinePrinter::write_clock(char* to, Nanos ts) {
  const uint64_t second = ts / kSecond;
  if (second != clock_second_) {
    clock_second_ = second;
    const auto seconds = static_cast<time_t>(second);
    struct tm parts = {};
    localtime_r(&seconds, &parts);
    Out::write_padded(clock_text_, static_cast<uint64_t>(parts.tm_hour), 2);
    Out::write_padded(clock_text_ + 3, static_cast<uint64_t>(parts.tm_min), 2);
    Out::write_padded(clock_text_ + 6, static_cast<uint64_t>(parts.tm_sec), 2);
    clock_text_[2] = clock_text_[5] = ':';
    clock_text_[8] = '.';
  }
  std::memcpy(to, clock_text_, sizeof clock_text_);
  return Out::write_nanos(to + sizeof clock_text_, static_cast<uint32_t>(ts % kSecond));
}

void LinePrinter::put_time(Out& out, const Moment& moment) {
  const Nanos ts = moment.event.raw().ts;
  fields::put_line_time(out, time_, moment, start_, any_ ? previous_ : ts);
  previous_ = ts;
  any_ = true;
}

/// Who did it, for a terminal that shows colours.
void LinePrinter::put_coloured_process(Out& out, const Moment& moment) {
  out.put(kBoldGreen);
  put_name(out, moment);
  out.put(kPlain);
  out.put(" (");
  out.put(kBoldCyan);
  if (moment.thread) out.put_i64(moment.thread->pid);
  else out.put("<NA>");
  out.put(kPlain);
  out.put('.');
  out.put_i64(moment.event.raw().tid);
  out.put(") ");
}

void LinePrinter::put_name(Out& out, const Moment& moment) {
  if (state::is_container_event(moment.event.raw().code)) [[unlikely]] {
    out.put("container:");
    out.put_visible(container_event_id(moment.event));
  } else if (moment.thread) {
    out.put_visible(moment.thread->comm);
  } else {
    out.put("<NA>");
  }
}

void LinePrinter::put_process(Out& out, const Moment& moment) {
  const state::ThreadSlot* slot = moment.slot;
  if (slot && !state::is_container_event(moment.event.raw().code)) [[likely]] {
    // The same for every line of a thread, until it has another name.
    if (slot->label_of != moment.thread->comm.id()) {
      scratch_.clear();
      scratch_.put_visible(moment.thread->comm);
      scratch_.put(" (");
      scratch_.put_i64(slot->tid);
      scratch_.put(") ");
      slot->label = Text(scratch_.view());
      slot->label_of = moment.thread->comm.id();
    }
    return out.put(slot->label.view());
  }
  put_name(out, moment);
  out.put(" (");
  out.put_i64(moment.event.raw().tid);
  out.put(") ");
}

void LinePrinter::print(Out& out, const Moment& moment, const state::Machine& machine) {
  const auto& raw = moment.event.raw();
  char* to = Out::write_u64(out.room(128), raw.num);
  *to++ = ' ';
  if (time_ == TimeStyle::kClock) [[likely]] {
    to = write_clock(to, raw.ts);
  } else {
    out.done(to);
    put_time(out, moment);
    to = out.room(64);
  }
  *to++ = ' ';
  to = Out::write_u64(to, raw.cpu);
  *to++ = ' ';
  out.done(to);
  const std::string_view type = fields::classic_type(moment.event);
  if (colour_ == Colour::kAlways) {
    put_coloured_process(out, moment);
    out.put(moment.event.is_enter() ? std::string_view("> ") : std::string_view("< "));
    out.put(kBoldBlue);
    out.put(type);
    out.put(kPlain);
    out.put(' ');
  } else {
    put_process(out, moment);
    to = out.room(type.size() + 8);
    *to++ = moment.event.is_enter() ? '>' : '<';
    *to++ = ' ';
    std::memcpy(to, type.data(), type.size());
    to += type.size();
    *to++ = ' ';
    out.done(to);
  }
  renderer_.args(out, moment, machine);
  out.put('\n');
}

}  // namespace scry::cli
