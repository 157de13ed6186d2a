// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "capture/scap/byte_stream.h"

namespace scry::test {

/// One gzip member, zstd frame or lz4 frame; plain bytes stay as they are.
std::string pack(std::string_view bytes, scap::Packing packing);

/// A whole file, unpacked whatever its packing is; empty if it can't be read.
std::string unpacked_file(const std::string& path);

}  // namespace scry::test
