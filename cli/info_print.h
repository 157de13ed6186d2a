// SPDX-License-Identifier: Apache-2.0
// What `scry info` found out, for people and for programs. Texts out of the capture are made visible in both.
#pragma once

#include <string>

#include "cli/info_collect.h"

namespace scry::cli {

/// Fits 80 columns unless a name in the capture is long.
std::string info_as_text(const CaptureInfo& info);
/// One line. What the capture doesn't say is null.
std::string info_as_json(const CaptureInfo& info);

/// "2018-04-18 15:21:01.123456789", local time with " +0200" behind.
enum class Zone : uint8_t { kUtc, kLocal };
std::string date_text(Nanos ts, Zone zone);
std::string address_text(const state::IpAddress& address, bool v6);

}  // namespace scry::cli
