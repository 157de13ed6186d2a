// SPDX-License-Identifier: Apache-2.0
// sysdig's default line: number, time, cpu, process, thread, direction, type, arguments.
#pragma once

#include "capture/base/out.h"
#include "capture/pipeline.h"
#include "filters/fields/render.h"

namespace scry::cli {

using fields::TimeStyle;

enum class Colour : uint8_t { kNever, kAlways };

class LinePrinter {
 public:
  LinePrinter(fields::RenderOptions render, TimeStyle time, Colour colour)
      : renderer_(render), time_(time), colour_(colour) {}

  void print(Out& out, const Moment& moment, const state::Machine& machine);
  /// Time of the first event, which `-t r` counts from.
  void start_at(Nanos ts) { start_ = ts; }

 private:
  void put_time(Out& out, const Moment& moment);
  char* write_clock(char* to, Nanos ts);
  void put_name(Out& out, const Moment& moment);
  void put_process(Out& out, const Moment& moment);
  void put_coloured_process(Out& out, const Moment& moment);

  fields::Renderer renderer_;
  TimeStyle time_;
  Colour colour_;
  Nanos start_ = 0;
  Nanos previous_ = 0;
  bool any_ = false;
  uint64_t clock_second_ = UINT64_MAX;  ///< the second that clock_text_ is for
  char clock_text_[9] = {};             ///< "HH:MM:SS."
  Out scratch_{256};
};

/// What stands in for the process of a container event.
std::string_view container_event_id(const event::Event& event);

}  // namespace scry::cli
