// SPDX-License-Identifier: Apache-2.0
// The way of a capture's blocks to the disk, packed or plain. What was put in more than a second ago can be read from
// the file, whatever happens to the process: a thread of its own sees to that while nobody calls.
//
// zstd and lz4 are cut into frames with a checksum, each beginning with a block; gzip is one member, flushed so that
// what comes before can be unpacked alone. Cut points: a megabyte of input, or a second.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "capture/base/result.h"
#include "capture/scap/byte_stream.h"

namespace scry::scap {

/// Packs a run of bytes; see packer.cpp.
class Codec {
 public:
  virtual ~Codec() = default;
  /// Appends what comes out to `out`; the codec may hold bytes back.
  virtual void add(std::string_view bytes, std::string& out) = 0;
  /// All that was added can be unpacked from what has come out.
  virtual void cut(std::string& out) = 0;
  /// What makes the file complete after the last cut.
  virtual void finish(std::string& out) = 0;
  /// What would make the file complete if it were cut off at the last cut().
  virtual std::string ending_after_last_cut() const { return {}; }
};

class Packer {
 public:
  static constexpr size_t kChunk = 128 << 10;   ///< handed to the codec at once
  static constexpr size_t kCutAfter = 1 << 20;  ///< bytes of input between two cuts, unless a block is larger

  /// Takes over the descriptor, which is open for writing. `name` is for messages.
  Packer(int fd, std::string name, Packing packing);
  /// Closes, if close() was not called.
  ~Packer();
  Packer(const Packer&) = delete;
  Packer& operator=(const Packer&) = delete;

  /// One or several whole blocks. False when an earlier write failed; see error().
  bool put(const uint8_t* bytes, size_t size) {
    const size_t filled = filled_.load(std::memory_order_relaxed);
    if (size > kChunk - filled) [[unlikely]] return put_slow(bytes, size);
    std::memcpy(chunk_.get() + filled, bytes, size);
    filled_.store(filled + size, std::memory_order_release);
    return !failed_.load(std::memory_order_relaxed);
  }
  bool put(std::string_view bytes) { return put(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()); }
  /// All that was put in can be read from the file.
  bool flush();
  /// The file is complete when this returns. Says what went wrong since the beginning, if anything.
  Result<void> close();
  bool failed() const { return failed_.load(std::memory_order_relaxed); }
  Error error();
  /// Bytes in the file so far; what is still in memory is not counted.
  uint64_t written() const { return written_.load(std::memory_order_relaxed); }

 private:
  using Clock = std::chrono::steady_clock;
  bool put_slow(const uint8_t* bytes, size_t size);
  void drain();
  void take(std::string_view bytes);
  void cut();
  void write_out();
  void fail(int number);
  void watch();

  std::unique_ptr<uint8_t[]> chunk_;
  std::atomic<size_t> filled_{0};  ///< moved on by put() alone, without the mutex; back to 0 with it
  std::atomic<bool> failed_{false};
  std::atomic<uint64_t> written_{0};

  std::mutex mutex_;  ///< guards what follows
  std::condition_variable wake_;
  size_t drained_ = 0;      ///< of the chunk
  std::unique_ptr<Codec> codec_;
  std::string out_;         ///< what the codec gave
  uint64_t since_cut_ = 0;  ///< bytes of input
  uint64_t sound_ = 0;      ///< size up to which the file can be kept whatever comes
  int fd_;
  std::string name_;
  Packing packing_;
  Error error_;
  bool cuttable_ = false;  ///< after a failed write
  bool closing_ = false, closed_ = false;
  std::thread watcher_;
};

}  // namespace scry::scap
