// SPDX-License-Identifier: Apache-2.0
#include "capture/source/file_source.h"

#include "capture/event/decode.h"
#include "capture/scap/lists.h"

namespace scry::source {

using scap::Block;

Result<std::unique_ptr<FileSource>> FileSource::open(const std::string& path, Losses& losses, scap::ByteTap tap) {
  auto file = scap::open_file(path);
  if (!file) return tl::unexpected<Error>(file.error());
  const uint64_t size = file->size;
  const std::string name = file->name;
  file->tap = std::move(tap);
  auto stream = scap::open_stream(std::move(*file));
  if (!stream) return tl::unexpected<Error>(stream.error());
  return std::unique_ptr<FileSource>(new FileSource(name, size, std::move(*stream), losses));
}

/// A file that does not begin as a capture is refused, not searched for one.
std::optional<Error> FileSource::check_beginning() {
  begun_ = true;
  auto first = reader_.beginning();
  if (!first) return first.error();
  if (!*first)
    return Error{name_, packing() == scap::Packing::kPlain ? "the file is empty or too short to be a capture"
                                                            : "nothing in the compressed data can be read"};
  if ((*first)->id != scap::kSection) return Error{name_, "not a scap capture"};
  // In the other byte order the block's length is of no use either.
  if ((*first)->magic == scap::kSwappedMagic) return Error{name_, scap::kBigEndian};
  return {};
}

Item FileSource::next(event::RawEvent& event, Block& block) {
  gap_ = false;
  for (;;) {
    if (!begun_) [[unlikely]]
      if (auto error = check_beginning()) return refuse(std::move(*error));
    const auto got = reader_.next(block);
    if (got != scap::BlockReader::Got::kBlock) [[unlikely]]
      return got == scap::BlockReader::Got::kEnd ? Item::kEnd : refuse(reader_.error());
    gap_ |= reader_.after_gap();  // also for what comes after a block that is passed over
    const auto kind = scap::event_block(block.id);
    if (!kind.is_event) [[unlikely]] {
      if (block.id == scap::kSection) {
        scap::SectionEntry section;
        if (const char* why = scap::read_section(block, section)) {
          if (block.offset == 0) return refuse({name_, why});
          losses_->add(LossKind::kDamagedEntry, block.offset, block.size, why);
          passed_over_.add(load<uint32_t>(block.start));
          continue;
        }
      }
      return Item::kBlock;
    }
    const uint32_t head = kind.flagged ? 6 : 2;
    if (block.body_size() < head) {
      losses_->add(LossKind::kDamagedEvent, block.offset, block.size, "an event block too short for an event");
      passed_over_.add(load<uint32_t>(block.start));
      gap_ = true;
      continue;
    }
    event.cpu = load<uint16_t>(block.body());
    event.flags = kind.flagged ? load<uint32_t>(block.body() + 2) : 0;
    size_t used = 0;
    if (const char* why = event::decode(block.body() + head, block.body_size() - head,
                                        kind.v2 ? event::HeaderKind::kV2 : event::HeaderKind::kV1, event, used))
        [[unlikely]] {
      losses_->add(LossKind::kDamagedEvent, block.offset, block.size, why);
      passed_over_.add(load<uint32_t>(block.start));
      gap_ = true;
      continue;
    }
    if (!event::is_known(event.code)) [[unlikely]] {
      ++unknown_events_[event.code];
      if (on_unknown_event) on_unknown_event(block);
      passed_over_.add(load<uint32_t>(block.start));
      continue;
    }
    event.after_gap = gap_;
    event.offset = block.offset;
    event.block = block.start;
    event.block_size = block.size;
    event.used = static_cast<uint32_t>(scap::kBlockHeader + head + used);
    return Item::kEvent;
  }
}

scap::BlockTally FileSource::blocks_passed_over() const {
  scap::BlockTally all = passed_over_;
  all.add(reader_.foreign_blocks());
  return all;
}

}  // namespace scry::source
