// SPDX-License-Identifier: Apache-2.0
// Cuts the stream into blocks, and finds sound ones again after damage: where three blocks follow each other with
// matching lengths and plausible headers, or fewer up to the end of the file.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>

#include "capture/base/loss.h"
#include "capture/base/result.h"
#include "capture/scap/block_tally.h"
#include "capture/scap/byte_stream.h"
#include "capture/scap/format.h"

namespace scry::scap {

/// Valid until the next call of BlockReader::next().
struct Block {
  uint32_t id = 0;              ///< today's number
  const uint8_t* start = nullptr;
  uint32_t size = 0;            ///< with header and trailer
  uint64_t offset = 0;          ///< in the unpacked stream
  const uint8_t* body() const { return start + kBlockHeader; }
  uint32_t body_size() const { return size - kSmallestBlock; }
};

class BlockReader {
 public:
  static constexpr uint32_t kMaxBlock = 64u << 20;      ///< larger ones are taken for damage
  static constexpr uint32_t kMaxSalvaged = 16u << 20;   ///< likewise, three together, while looking for sound blocks

  BlockReader(std::unique_ptr<ByteStream> stream, Losses& losses);

  enum class Got : uint8_t { kBlock, kEnd, kError };
  /// The next block. `after_gap()` tells whether bytes were lost before it; `error()` what kError was.
  Got next(Block& out) {
    // The common case: the block lies in the buffer whole and its two lengths agree.
    const size_t have = end_ - begin_;
    if (have >= kSmallestBlock) [[likely]] {
      const uint8_t* at = buffer_.get() + begin_;
      const uint32_t id = load32(at), size = load32(at + 4);
      if (size <= have && size >= kSmallestBlock && (size & 3) == 0 && load32(at + size - 4) == size &&
          is_known_block(id)) [[likely]] {
        out.id = event_block(id).is_event ? id : modern_id(id);
        out.start = at;
        out.size = size;
        out.offset = offset_;
        after_gap_ = gap_pending_;
        gap_pending_ = false;
        if (offset_ >= hole_) [[unlikely]] pass_holes();
        drop(size);
        return Got::kBlock;
      }
    }
    return next_slow(out);
  }

  /// How the stream begins: the first block's id and the word behind its header. Empty if it is shorter than a block.
  struct Beginning {
    uint32_t id, magic;
  };
  Result<std::optional<Beginning>> beginning();

  bool after_gap() const { return after_gap_; }
  const Error& error() const { return error_; }
  uint64_t offset() const { return offset_; }
  /// Blocks of kinds that are not scap's, which were passed over.
  const BlockTally& foreign_blocks() const { return foreign_blocks_; }
  const ByteStream& stream() const { return *stream_; }
  /// Packing damage met so far goes into the losses; done by next(), and once more at the end.
  void note_packing_damage();

 private:
  static uint32_t load32(const uint8_t* at) {
    uint32_t v;
    __builtin_memcpy(&v, at, 4);
    return v;
  }
  Got next_slow(Block& out);
  Result<bool> find_next();
  /// Makes `size` bytes available at begin_; false when the stream ends before.
  Result<bool> ensure(size_t size);
  Result<bool> salvage(const char* why);
  /// Whether sound blocks begin at begin_ + at. May refill the buffer.
  Result<bool> chain_at(size_t at);
  bool plausible(const uint8_t* block, uint32_t id, uint32_t size) const;
  /// The block that is about to be handed over comes after a hole in the packed data.
  void pass_holes();
  void drop(size_t count) {
    begin_ += count;
    offset_ += count;
  }

  std::unique_ptr<ByteStream> stream_;
  Losses* losses_;
  struct Free {
    void operator()(uint8_t* bytes) const { std::free(bytes); }
  };
  std::unique_ptr<uint8_t[], Free> buffer_;  ///< not a vector: pages that nothing was read into cost nothing
  size_t capacity_;
  size_t begin_ = 0, end_ = 0;
  uint64_t offset_ = 0;  ///< of buffer_[begin_] in the stream
  std::deque<uint64_t> holes_;     ///< where in the stream packed data is missing, as far as known and not passed
  uint64_t hole_ = UINT64_MAX;     ///< the first of them
  bool ended_ = false;
  bool gap_pending_ = false, after_gap_ = false;
  BlockTally foreign_blocks_;
  Error error_;
};

}  // namespace scry::scap
