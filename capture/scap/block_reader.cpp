// SPDX-License-Identifier: Apache-2.0
#include "capture/scap/block_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "capture/base/check.h"
#include "capture/event/decode.h"

namespace scry::scap {
namespace {

constexpr size_t kBuffer = 256 * 1024;
constexpr size_t kReadAtOnce = 1 << 20;
constexpr char kCutOffInside[] = "the file ends inside a block";

/// Blocks of other kinds that may stand in a file in good order: pcapng's own, local-use ones, scap's to come.
bool may_be_foreign(uint32_t id) {
  return (id >= 1 && id <= 0xA) || id == 0xBAD || id == 0x40000BAD || (id & 0x80000000u) || (id >= 0x200 && id < 0x300);
}

/// False where no known block begins, and quick about it: the second byte of every known id is one of three.
inline bool may_begin_block(const uint8_t* at) { return at[1] == 0x02 || at[1] == 0xAB || at[1] == 0x0D; }

}  // namespace

BlockReader::BlockReader(std::unique_ptr<ByteStream> stream, Losses& losses)
    : stream_(std::move(stream)), losses_(&losses), buffer_(static_cast<uint8_t*>(std::malloc(kBuffer + event::kReadSlack))), capacity_(kBuffer) {
  CHECK(buffer_, "no memory");
}

void BlockReader::note_packing_damage() {
  while (auto damage = stream_->damage()) {
    losses_->add(damage->at_end ? LossKind::kCutOff : LossKind::kUnreadable, damage->offset, 0,
                 fmt::format("{} at byte {} of the compressed file", damage->why, damage->offset));
    holes_.push_back(damage->unpacked_at);
    hole_ = holes_.front();
  }
}

void BlockReader::pass_holes() {
  while (!holes_.empty() && holes_.front() <= offset_) holes_.pop_front();
  hole_ = holes_.empty() ? UINT64_MAX : holes_.front();
  after_gap_ = true;
}

Result<bool> BlockReader::ensure(size_t size) {
  while (end_ - begin_ < size) {
    if (ended_) return false;
    if (capacity_ - end_ < kBuffer / 2) {
      // Grows with what is there, not with what is claimed; and before moves become large and frequent.
      const size_t live = end_ - begin_;
      if (live > capacity_ / 2) {
        auto* bigger = static_cast<uint8_t*>(std::realloc(buffer_.get(), 2 * capacity_ + event::kReadSlack));
        CHECK(bigger, "no memory");
        static_cast<void>(buffer_.release());
        buffer_.reset(bigger);
        capacity_ *= 2;
      }
      std::memmove(buffer_.get(), buffer_.get() + begin_, live);
      begin_ = 0;
      end_ = live;
    }
    auto got = stream_->read(buffer_.get() + end_, std::min(capacity_ - end_, kReadAtOnce));
    if (!got) return tl::unexpected<Error>(got.error());
    end_ += *got;
    if (*got == 0) ended_ = true;
    note_packing_damage();
  }
  return true;
}

Result<std::optional<BlockReader::Beginning>> BlockReader::beginning() {
  auto there = ensure(kSmallestBlock);
  if (!there) return tl::unexpected<Error>(there.error());
  if (!*there) return std::optional<Beginning>();
  const uint8_t* at = buffer_.get() + begin_;
  return std::optional<Beginning>({load32(at), load32(at + kBlockHeader)});
}

BlockReader::Got BlockReader::next_slow(Block& out) {
  auto found = find_next();
  if (!found) {
    error_ = found.error();
    return Got::kError;
  }
  return *found ? next(out) : Got::kEnd;
}

/// Brings the next block into the buffer whole; false at the end.
Result<bool> BlockReader::find_next() {
  for (;;) {
    auto header = ensure(kSmallestBlock);
    if (!header) return header;
    const size_t have = end_ - begin_;
    if (!*header) {
      if (have > 0) losses_->add(LossKind::kCutOff, offset_, have, kCutOffInside);
      drop(have);
      return false;
    }
    const uint32_t id = load32(buffer_.get() + begin_), size = load32(buffer_.get() + begin_ + 4);
    const char* why = nullptr;
    if (size < kSmallestBlock || (size & 3) || size > kMaxBlock) why = "a block has an impossible length";
    if (!why) {
      auto whole = ensure(size);
      if (!whole) return whole;
      if (!*whole) {
        why = kCutOffInside;
      } else if (load32(buffer_.get() + begin_ + size - 4) != size) {
        why = "the two lengths of a block differ";
      } else if (is_known_block(id)) {
        return true;
      } else if (!may_be_foreign(id)) {
        why = "a block of no known kind";
      } else {
        foreign_blocks_.add(id);
        drop(size);
        continue;
      }
    }
    auto found = salvage(why);
    if (!found) return found;
    if (!*found) return false;
  }
}

bool BlockReader::plausible(const uint8_t* block, uint32_t id, uint32_t size) const {
  if (!is_known_block(id)) return false;
  const EventBlock kind = event_block(modern_id(id));
  if (!kind.is_event) return true;
  const uint32_t at = kBlockHeader + 2 + (kind.flagged ? 4 : 0), header = kind.v2 ? 26 : 22;
  if (size < at + header + kBlockTrailer) return false;
  const uint32_t len = load32(block + at + 16);
  uint16_t code, cpu;
  std::memcpy(&code, block + at + 20, 2);
  std::memcpy(&cpu, block + kBlockHeader, 2);
  return len >= header && len <= size - at - kBlockTrailer && code < 2 * event::kCodeCount && cpu < 16384;
}

Result<bool> BlockReader::chain_at(size_t at) {
  constexpr int kChain = 3;
  const size_t limit = at + kMaxSalvaged;
  for (int i = 0; i < kChain; ++i) {
    auto there = ensure(at + kSmallestBlock);
    if (!there) return there;
    if (!*there) return i > 0;  // sound up to the end, or to where the file is cut off
    const uint32_t id = load32(buffer_.get() + begin_ + at), size = load32(buffer_.get() + begin_ + at + 4);
    if (!is_known_block(id) || size < kSmallestBlock || (size & 3) || size > limit - at) return false;
    there = ensure(at + size);
    if (!there) return there;
    if (!*there) return i > 0;
    const uint8_t* block = buffer_.get() + begin_ + at;
    if (load32(block + size - 4) != size || !plausible(block, id, size)) return false;
    at += size;
  }
  return true;
}

Result<bool> BlockReader::salvage(const char* why) {
  const uint64_t from = offset_;
  size_t at = 1;
  for (;;) {
    auto there = ensure(at + kSmallestBlock);
    if (!there) return there;
    if (!*there) break;
    const size_t last = std::min(end_ - begin_ - kSmallestBlock, kBuffer / 2);
    while (at < last && !may_begin_block(buffer_.get() + begin_ + at)) ++at;
    if (is_known_block(load32(buffer_.get() + begin_ + at))) {
      auto chain = chain_at(at);
      if (!chain) return chain;
      if (*chain) {
        drop(at);
        losses_->add(LossKind::kDamagedBytes, from, offset_ - from,
                     why == kCutOffInside ? "a block's length leads past the end of the file" : why);
        gap_pending_ = true;
        return true;
      }
    }
    if (++at >= kBuffer / 2) {  // keep the buffer small over long damage
      drop(at);
      at = 0;
    }
  }
  drop(end_ - begin_);
  losses_->add(why == kCutOffInside ? LossKind::kCutOff : LossKind::kDamagedBytes, from, offset_ - from, why);
  gap_pending_ = true;
  return false;
}

}  // namespace scry::scap
