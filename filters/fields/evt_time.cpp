// SPDX-License-Identifier: Apache-2.0
// evt.*: when it happened.
#include <cmath>

#include "filters/fields/clock.h"
#include "filters/fields/parts.h"

namespace scry::fields {
namespace {

Nanos now(const Ask& a) { return a.moment.event.raw().ts; }

Value rawtime(const Ask& a) { return Value::number(now(a)); }
Value rawtime_s(const Ask& a) { return Value::number(now(a) / kSecond); }
Value rawtime_ns(const Ask& a) { return Value::number(now(a) % kSecond); }

/// What `write` puts into the scratch.
template <class Write>
Value written(const Ask& a, Write write) {
  const size_t at = a.scratch.size();
  write(a.scratch);
  return Value::made(a.scratch.view().substr(at));
}

Value time(const Ask& a) {
  return written(a, [&](Out& out) {
    put_clock(out, now(a));
    put_nanos(out, now(a));
  });
}
Value time_s(const Ask& a) {
  return written(a, [&](Out& out) { put_clock(out, now(a)); });
}
Value time_iso8601(const Ask& a) {
  return written(a, [&](Out& out) { put_iso8601(out, now(a)); });
}
Value datetime(const Ask& a) {
  return written(a, [&](Out& out) {
    put_date_and_clock(out, now(a));
    put_nanos(out, now(a));
  });
}
Value datetime_s(const Ask& a) {
  return written(a, [&](Out& out) { put_date_and_clock(out, now(a)); });
}
Value outputtime(const Ask& a) {
  return written(a, [&](Out& out) {
    put_line_time(out, a.renderer.options().time, a.moment, a.moment.first_ts, a.previous_ts);
  });
}

/// For current libraries records about the recording are not the first event.
uint64_t since_first(const Ask& a) { return now(a) - (a.classic() ? a.moment.first_ts : a.moment.first_own_ts); }
Value reltime(const Ask& a) { return Value::number(since_first(a)); }
Value reltime_s(const Ask& a) { return Value::number(since_first(a) / kSecond); }
Value reltime_ns(const Ask& a) { return Value::number(since_first(a) % kSecond); }

uint64_t since_previous(const Ask& a) { return a.previous_ts ? now(a) - a.previous_ts : 0; }
Value deltatime(const Ask& a) { return Value::number(since_previous(a)); }
Value deltatime_s(const Ask& a) { return Value::number(since_previous(a) / kSecond); }
Value deltatime_ns(const Ask& a) { return Value::number(since_previous(a) % kSecond); }

/// sysdig says 0 where there is no latency. For current recordings, which have no enter events, that would be a lie.
bool latency_is_known(const Ask& a) { return a.classic() || (a.moment.slot && a.moment.slot->last_enter_ts); }

template <Value (*number)(Nanos)>
Value of_latency(const Ask& a) {
  return latency_is_known(a) ? number(latency_of(a.moment)) : Value::absent();
}
Value whole(Nanos span) { return Value::number(span); }
Value seconds(Nanos span) { return Value::number(span / kSecond); }
Value nanoseconds(Nanos span) { return Value::number(span % kSecond); }

Value latency_human(const Ask& a) {
  if (!latency_is_known(a)) return Value::absent();
  return written(a, [&](Out& out) { put_human_span(out, latency_of(a.moment)); });
}

/// Which column of a spectrogram the latency belongs to: eleven decades over the width of the picture.
Value latency_quantized(const Ask& a) {
  constexpr double kDecades = 11;
  const Nanos latency = latency_is_known(a) ? latency_of(a.moment) : 0;
  if (latency == 0) return Value::absent();
  const double decades = std::min(std::log10(static_cast<double>(latency)), kDecades - 1e-9);
  return Value::number(static_cast<uint64_t>(decades * a.renderer.options().columns / kDecades) + 1);
}

Value wait_latency(const Ask& a) {
  if (a.moment.event.is_enter() || !has_flag(a, event::kWaits) || !latency_is_known(a)) return Value::absent();
  return Value::number(latency_of(a.moment));
}

/// How far the event is from the time in brackets, in nanoseconds.
Value around(const Ask& a) {
  return Value::number(now(a) > a.ref.number ? now(a) - a.ref.number : a.ref.number - now(a));
}

constexpr Traits kHeader{.format = Format::kDec, .cost = Cost::kHeader};
constexpr Traits kPadded{.format = Format::kPaddedDec, .cost = Cost::kHeader};
constexpr Traits kMade{.format = Format::kNa, .cost = Cost::kText};
constexpr Traits kLatency{.flags = kDeprecated, .format = Format::kDec};

constexpr Field kFields[] = {
    {"evt.time", Type::kCharbuf, time, "time of day with nanoseconds", kMade},
    {"evt.time.s", Type::kCharbuf, time_s, "time of day", kMade},
    {"evt.time.iso8601", Type::kCharbuf, time_iso8601, "date and time, UTC, in the ISO 8601 way", kMade},
    {"evt.datetime", Type::kCharbuf, datetime, "date and time with nanoseconds", kMade},
    {"evt.datetime.s", Type::kCharbuf, datetime_s, "date and time", kMade},
    {"evt.rawtime", Type::kAbstime, rawtime, "nanoseconds since 1970", kHeader},
    {"evt.rawtime.s", Type::kAbstime, rawtime_s, "seconds since 1970", kHeader},
    {"evt.rawtime.ns", Type::kAbstime, rawtime_ns, "nanoseconds of evt.rawtime within its second", kPadded},
    {"evt.reltime", Type::kReltime, reltime, "nanoseconds since the first event of the capture", kPadded},
    {"evt.reltime.s", Type::kReltime, reltime_s, "seconds since the first event", kHeader},
    {"evt.reltime.ns", Type::kReltime, reltime_ns, "nanoseconds of evt.reltime within its second", kPadded},
    {"evt.deltatime", Type::kReltime, deltatime, "nanoseconds since the event before", kHeader},
    {"evt.deltatime.s", Type::kReltime, deltatime_s, "seconds since the event before", kHeader},
    {"evt.deltatime.ns", Type::kReltime, deltatime_ns, "nanoseconds of evt.deltatime within its second", kPadded},
    {"evt.outputtime", Type::kCharbuf, outputtime, "the time as -t asks for it",
     {.flags = kPrintOnly, .format = Format::kNa, .cost = Cost::kText}},
    {"evt.latency", Type::kReltime, of_latency<whole>, "nanoseconds between a call and its return", kLatency},
    {"evt.latency.s", Type::kReltime, of_latency<seconds>, "seconds of the latency", kLatency},
    {"evt.latency.ns", Type::kReltime, of_latency<nanoseconds>, "nanoseconds of the latency within its second",
     {.flags = kDeprecated, .format = Format::kPaddedDec}},
    {"evt.latency.human", Type::kCharbuf, latency_human, "latency in the unit that suits: 3.43us, 12ms",
     {.flags = kDeprecated, .format = Format::kNa, .cost = Cost::kText}},
    {"evt.latency.quantized", Type::kUint64, latency_quantized, "column of a spectrogram that the latency belongs to",
     {.flags = kTableOnly | kDeprecated, .format = Format::kDec}},
    {"evt.wait_latency", Type::kReltime, wait_latency, "latency of calls that wait: select, poll, nanosleep…", kLatency},
    {"evt.around", Type::kUint64, around, "evt.around[T]=N: at most N milliseconds from time T, which is in nanoseconds since 1970",
     {.argument = Argument::kNumber, .flags = kFilterOnly | kNoRightSide | kNoTransformer, .format = Format::kDec, .cost = Cost::kHeader}},
};

}  // namespace

std::span<const Field> evt_time_fields() { return kFields; }

}  // namespace scry::fields
