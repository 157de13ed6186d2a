// SPDX-License-Identifier: Apache-2.0
#include "filters/fields/clock.h"

#include <ctime>

namespace scry::fields {
namespace {

void put_two(Out& out, int value, char before) {
  if (before) out.put(before);
  out.put_padded(static_cast<uint64_t>(value), 2);
}

struct tm local(Nanos ts) {
  const auto seconds = static_cast<time_t>(ts / kSecond);
  struct tm parts = {};
  localtime_r(&seconds, &parts);
  return parts;
}

void put_clock(Out& out, const struct tm& parts) {
  put_two(out, parts.tm_hour, 0);
  put_two(out, parts.tm_min, ':');
  put_two(out, parts.tm_sec, ':');
}

void put_date(Out& out, const struct tm& parts) {
  out.put_u64(static_cast<uint64_t>(parts.tm_year + 1900));
  put_two(out, parts.tm_mon + 1, '-');
  put_two(out, parts.tm_mday, '-');
}

}  // namespace

void put_clock(Out& out, Nanos ts) { put_clock(out, local(ts)); }

void put_date_and_clock(Out& out, Nanos ts) {
  const struct tm parts = local(ts);
  put_date(out, parts);
  out.put(' ');
  put_clock(out, parts);
}

void put_iso8601(Out& out, Nanos ts) {
  const auto seconds = static_cast<time_t>(ts / kSecond);
  struct tm parts = {};
  gmtime_r(&seconds, &parts);
  put_date(out, parts);
  out.put('T');
  put_clock(out, parts);
  put_nanos(out, ts);
  out.put("+0000");
}

void put_nanos(Out& out, Nanos ts) {
  out.put('.');
  out.put_padded(ts % kSecond, 9);
}

void put_span(Out& out, uint64_t nanos) {
  out.put_u64(nanos / kSecond);
  put_nanos(out, nanos);
}

void put_human_span(Out& out, uint64_t nanos) {
  struct Unit {
    uint64_t size;
    const char* name;
  };
  constexpr Unit kUnits[] = {{kSecond, "s"}, {1'000'000, "ms"}, {1000, "us"}};
  for (const Unit& unit : kUnits) {
    if (nanos < unit.size) continue;
    out.put_u64(nanos / unit.size);
    if (nanos < 10 * unit.size) {
      out.put('.');
      out.put_padded(nanos % unit.size / (unit.size / 100), 2);
    }
    return out.put(std::string_view(unit.name));
  }
  out.put_u64(nanos);
  out.put("ns");
}

void put_line_time(Out& out, TimeStyle style, const Moment& moment, Nanos first, Nanos previous) {
  const Nanos ts = moment.event.raw().ts;
  switch (style) {
    case TimeStyle::kClock:
      put_clock(out, ts);
      return put_nanos(out, ts);
    case TimeStyle::kEpoch:  // as sysdig writes it: two numbers with a dot between, the nanoseconds not padded
      out.put_u64(ts / kSecond);
      out.put('.');
      return out.put_u64(ts % kSecond);
    case TimeStyle::kRelative: return put_span(out, ts - first);
    case TimeStyle::kLatency:
      return put_span(out, moment.slot && !moment.event.info().has(event::kSkipparsereset) ? moment.slot->latency : 0);
    case TimeStyle::kDelta: return put_span(out, previous ? ts - previous : 0);
  }
}

Nanos latency_of(const Moment& moment) {
  if (!moment.slot || moment.event.is_enter() || moment.event.info().has(event::kSkipparsereset)) return 0;
  return moment.slot->latency;
}

}  // namespace scry::fields
