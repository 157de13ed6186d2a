// SPDX-License-Identifier: Apache-2.0
// Packed bytes, given piece by piece with little room for the output. The first bytes say which packing, and how large
// the pieces are.
#include <algorithm>

#include "capture/base/check.h"
#include "capture/scap/unpack.h"

using namespace scry::scap;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  static constexpr Packing kPackings[] = {Packing::kGzip, Packing::kZstd, Packing::kLz4};
  const auto unpacker = make_unpacker(kPackings[data[0] % 3]);
  const size_t piece = 1 + data[1] * 16u, room = 1 + data[2] * 64u;
  const uint8_t *at = data + 3, *end = data + size;
  std::unique_ptr<uint8_t[]> out(new uint8_t[room]);
  for (size_t idle = 0, total = 0; total < (4u << 20);) {
    const size_t given = std::min(piece, static_cast<size_t>(end - at));
    const auto step = unpacker->step(at, given, at == end, out.get(), room);
    CHECK(step.consumed <= given && step.produced <= room, "more than there is");
    if (at == end && step.produced == 0 && !step.again) break;
    idle = step.consumed + step.produced == 0 ? idle + 1 : 0;
    CHECK(idle < 1000, "goes nowhere");
    at += step.consumed;
    total += step.produced;
  }
  return 0;
}
