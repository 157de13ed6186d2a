// SPDX-License-Identifier: Apache-2.0
// syslog.*: messages that programs write to /dev/log.
#include <charconv>

#include "filters/fields/parts.h"

namespace scry::fields {

using event::Param;

namespace {

/// "<PRIORITY>text", RFC 3164.
struct Message {
  unsigned priority = 0;
  std::string_view text;
};

/// The parameter that holds what was written.
Param written(const Ask& a) {
  const auto& info = info_of(a);
  for (unsigned i = 0; i < info.nparams; ++i)
    if (info.params[i].current.name() == "data") return param_of(a, i);
  return {};
}

bool message_of(const Ask& a, Message& out) {
  if (!has_flag(a, event::kWritesToFd) || a.moment.event.is_enter()) return false;
  int64_t result;
  if (!result_of(a, result) || result < 0) return false;
  const EventFd f = fd_of(a);
  if (!f.fd || f.fd->name.view().find("/dev/log") == std::string_view::npos) return false;
  auto bytes = written(a).text();
  if (bytes.empty() || bytes[0] != '<') return false;
  const size_t close = bytes.find('>');
  if (close == std::string_view::npos) return false;
  const char* end = bytes.data() + close;
  const auto [last, error] = std::from_chars(bytes.data() + 1, end, out.priority);
  if (error != std::errc() || last != end) return false;
  out.text = bytes.substr(close + 1);
  return true;
}

constexpr unsigned kSeverityBits = 3;

Value facility(const Ask& a) {
  Message m;
  return message_of(a, m) ? Value::number(m.priority >> kSeverityBits) : Value::absent();
}
Value severity(const Ask& a) {
  Message m;
  return message_of(a, m) ? Value::number(m.priority & ((1 << kSeverityBits) - 1)) : Value::absent();
}

Value facility_name(const Ask& a) {
  constexpr std::string_view kNames[] = {"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news",
                                         "uucp", "clock", "authpriv", "ftp", "ntp", "logaudit", "logalert", "cron",
                                         "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"};
  Message m;
  if (!message_of(a, m)) return Value::absent();
  const unsigned number = m.priority >> kSeverityBits;
  return Value::text(number < std::size(kNames) ? kNames[number] : std::string_view("<NA>"));
}
Value severity_name(const Ask& a) {
  constexpr std::string_view kNames[] = {"emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"};
  Message m;
  return message_of(a, m) ? Value::text(kNames[m.priority & 7]) : Value::absent();
}
Value message(const Ask& a) {
  Message m;
  return message_of(a, m) ? Value::text(m.text) : Value::absent();
}

constexpr Traits kNumber{.flags = kNotCurrent, .cost = Cost::kFd};
constexpr Traits kText{.flags = kNotCurrent, .format = Format::kNa, .cost = Cost::kFd};

constexpr Field kFields[] = {
    {"syslog.facility.str", Type::kCharbuf, facility_name, "which part of the system speaks: kern, mail, cron…", kText},
    {"syslog.facility", Type::kUint32, facility, "the same as a number", kNumber},
    {"syslog.severity.str", Type::kCharbuf, severity_name, "how bad it is: emerg, alert, crit, err, warn, notice, info, debug", kText},
    {"syslog.severity", Type::kUint32, severity, "the same as a number, from 0, the worst, to 7", kNumber},
    {"syslog.message", Type::kCharbuf, message, "text of the message", kText},
};

}  // namespace

std::span<const Field> syslog_fields() { return kFields; }

}  // namespace scry::fields
