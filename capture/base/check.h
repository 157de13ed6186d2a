// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <cstdlib>

/// An invariant of ours, on in release builds too. Never reachable from input.
#define CHECK(cond, what)                                                                       \
  do {                                                                                          \
    if (!(cond)) [[unlikely]] {                                                                 \
      std::fprintf(stderr, "scry: internal error at %s:%d: %s\n", __FILE__, __LINE__, what);    \
      std::abort();                                                                             \
    }                                                                                           \
  } while (0)
