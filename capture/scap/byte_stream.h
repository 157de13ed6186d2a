// SPDX-License-Identifier: Apache-2.0
// The bytes of a capture, unpacked. What the packing is follows from the content, never from the name. Compressed
// input is unpacked on a thread of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "capture/base/result.h"

namespace scry::scap {

enum class Packing : uint8_t { kPlain, kGzip, kZstd, kLz4 };
const char* name_of(Packing packing);

/// Something wrong in the compressed data. Unpacking goes on at the next frame that begins, if there is one.
struct PackingDamage {
  uint64_t offset;       ///< in the file
  uint64_t unpacked_at;  ///< how many unpacked bytes had been handed over before it
  std::string why;
  bool at_end;           ///< the input simply stops
};

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  /// Up to `room` bytes, at least one; 0 at the end. An error is one of the system (reading the disk, the pipe).
  virtual Result<size_t> read(uint8_t* to, size_t room) = 0;
  virtual Packing packing() const = 0;
  /// The next piece of damage that read() has come past, if any.
  virtual std::optional<PackingDamage> damage() = 0;
  /// Bytes of the file used so far; for progress.
  virtual uint64_t file_position() const = 0;
};

/// Is shown every byte of the file as it is read, in order: for hashing. Called on the unpacking thread; done before
/// read() says that the end is reached.
using ByteTap = std::function<void(const uint8_t* bytes, size_t size)>;

/// An open file with its size (0 for pipes).
struct OpenFile {
  int fd = -1;
  uint64_t size = 0;
  std::string name;  ///< for messages
  ByteTap tap = {};
};

/// "-" is standard input.
Result<OpenFile> open_file(const std::string& path);
/// Takes over the descriptor.
Result<std::unique_ptr<ByteStream>> open_stream(OpenFile file);

}  // namespace scry::scap
