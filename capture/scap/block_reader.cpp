// SPDX-License-Identifier: Apache-2.0
#include "capture/scap/block_reader.h"

#include <fmt/format.h>

#include <cstring>

#include "capture/event/table.h"

namespace scry::scap {
namespace {

constexpr size_t kBuffer = 256 * 1024;

/// Blocks of other kinds that may stand in a file in good order: pcapng's own, local-use ones, scap's to come.
bool may_be_foreign(uint32_t id) {
  return (id >= 1 && id <= 0xA) || id == 0xBAD || id == 0x40000BAD || (id & 0x80000000u) || (id >= 0x200 && id < 0x300);
}

}  // namespace

BlockReader::BlockReader(std::unique_ptr<ByteStream> stream, Losses& losses)
    : stream_(std::move(stream)), losses_(&losses), buffer_(kBuffer) {}

void BlockReader::note_packing_damage() {
  while (auto damage = stream_->damage()) {
    losses_->add(damage->at_end ? LossKind::kCutOff : LossKind::kUnreadable, damage->offset, 0,
                 fmt::format("{} at byte {} of the compressed file", damage->why, damage->offset));
  }
}

Result<bool> BlockReader::ensure(size_t size) {
  while (end_ - begin_ < size) {
    if (ended_) return false;
    if (begin_ > 0 && buffer_.size() - end_ < kBuffer / 2) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (end_ == buffer_.size()) buffer_.resize(buffer_.size() * 2);  // grows with what is there, not with what is claimed
    auto got = stream_->read(buffer_.data() + end_, buffer_.size() - end_);
    if (!got) return tl::unexpected<Error>(got.error());
    end_ += *got;
    if (*got == 0) ended_ = true;
  }
  return true;
}

Result<std::optional<uint32_t>> BlockReader::peek_id() {
  auto there = ensure(kSmallestBlock);
  if (!there) return tl::unexpected<Error>(there.error());
  if (!*there) return std::optional<uint32_t>();
  return std::optional<uint32_t>(load32(buffer_.data() + begin_));
}

Result<bool> BlockReader::next_slow(Block& out) {
  for (;;) {
    note_packing_damage();
    auto header = ensure(kSmallestBlock);
    if (!header) return header;
    const size_t have = end_ - begin_;
    if (!*header) {
      note_packing_damage();
      if (have > 0) losses_->add(LossKind::kCutOff, offset_, have, "the file ends inside a block");
      drop(have);
      return false;
    }
    const uint32_t id = load32(buffer_.data() + begin_), size = load32(buffer_.data() + begin_ + 4);
    const char* why = nullptr;
    if (size < kSmallestBlock || (size & 3) || size > kMaxBlock) why = "a block has an impossible length";
    if (!why) {
      auto whole = ensure(size);
      if (!whole) return whole;
      if (!*whole) {
        why = "the file ends inside a block";
      } else if (load32(buffer_.data() + begin_ + size - 4) != size) {
        why = "the two lengths of a block differ";
      } else if (is_known_block(id)) {
        return next(out);  // it is all there now
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
  return len >= header && at + len + kBlockTrailer <= size && code < 2 * event::kCodeCount && cpu < 16384;
}

Result<bool> BlockReader::chain_at(size_t at) {
  constexpr int kChain = 3;
  for (int i = 0; i < kChain; ++i) {
    auto there = ensure(at + kSmallestBlock);
    if (!there) return there;
    if (!*there) return i > 0 && end_ - begin_ == at;  // sound up to the end
    const uint8_t* block = buffer_.data() + begin_ + at;
    const uint32_t id = load32(block), size = load32(block + 4);
    if (!is_known_block(id) || size < kSmallestBlock || (size & 3) || size > kMaxSalvaged) return false;
    there = ensure(at + size);
    if (!there) return there;
    if (!*there) return false;
    block = buffer_.data() + begin_ + at;
    if (load32(block + size - 4) != size || !plausible(block, id, size)) return false;
    at += size;
  }
  return true;
}

Result<bool> BlockReader::salvage(const char* why) {
  const uint64_t from = offset_;
  size_t at = 4;
  for (;;) {
    auto there = ensure(at + kSmallestBlock);
    if (!there) return there;
    if (!*there) break;
    if (is_known_block(load32(buffer_.data() + begin_ + at))) {
      auto chain = chain_at(at);
      if (!chain) return chain;
      if (*chain) {
        drop(at);
        losses_->add(LossKind::kDamagedBytes, from, offset_ - from, why);
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
  losses_->add(std::strcmp(why, "the file ends inside a block") == 0 ? LossKind::kCutOff : LossKind::kDamagedBytes, from,
               offset_ - from, why);
  gap_pending_ = true;
  note_packing_damage();
  return false;
}

}  // namespace scry::scap
