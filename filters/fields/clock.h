// SPDX-License-Identifier: Apache-2.0
// Points and spans of time as text.
#pragma once

#include "capture/base/ids.h"
#include "capture/base/out.h"
#include "filters/fields/render.h"

namespace scry::fields {

constexpr uint64_t kSecond = 1'000'000'000;

/// "HH:MM:SS", local.
void put_clock(Out& out, Nanos ts);
/// "YYYY-MM-DD HH:MM:SS", local.
void put_date_and_clock(Out& out, Nanos ts);
/// "YYYY-MM-DDTHH:MM:SS.nnnnnnnnn+0000".
void put_iso8601(Out& out, Nanos ts);
/// '.' and nine digits.
void put_nanos(Out& out, Nanos ts);
/// Seconds, '.' and nine digits.
void put_span(Out& out, uint64_t nanos);
/// The unit that suits: "653ns", "3.43us", "29us", "1.20s".
void put_human_span(Out& out, uint64_t nanos);

/// The time column of a line, as -t asks for it. `previous`: time of the line before, 0 when there was none.
void put_line_time(Out& out, TimeStyle style, const Moment& moment, Nanos first, Nanos previous);

/// Between the thread's last enter event and this exit; 0 for enter events and for those that belong to no call.
Nanos latency_of(const Moment& moment);

}  // namespace scry::fields
