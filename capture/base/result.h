// SPDX-License-Identifier: Apache-2.0
// What can go wrong because of the user or the machine is a value: Result<T>. Damage in a capture is not an error
// (see loss.h); a broken invariant of our own is CHECK (check.h).
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace scry {

/// Says where and what, once, near the cause; printed in main and nowhere else.
struct Error {
  std::string where;  ///< path, "path:offset" or "line:column"; may be empty
  std::string text;   ///< one sentence: what is wrong and what to try
  std::string message() const { return where.empty() ? text : where + ": " + text; }
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(std::string where, std::string text) {
  return tl::unexpected<Error>(Error{std::move(where), std::move(text)});
}

}  // namespace scry
