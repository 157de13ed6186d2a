// SPDX-License-Identifier: Apache-2.0
// One interface over zlib, zstd and lz4, each for files of several members or frames, each going on at the next
// member after damage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "capture/scap/byte_stream.h"

namespace scry::scap {

class Unpacker {
 public:
  struct Step {
    size_t consumed = 0;
    size_t produced = 0;
    std::string damage;  ///< not empty: what went wrong at the input now consumed to
    bool again = false;  ///< there is more to do, even if this step produced nothing
  };
  virtual ~Unpacker() = default;
  /// Moves on by some input, some output, or both. `last`: no input follows what is given.
  /// With `last` and all input consumed it produces what is left until it produces nothing and `again` is not set.
  virtual Step step(const uint8_t* in, size_t in_size, bool last, uint8_t* out, size_t room) = 0;
};

/// `packing` is not kPlain.
std::unique_ptr<Unpacker> make_unpacker(Packing packing);

}  // namespace scry::scap
