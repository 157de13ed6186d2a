// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "capture/scap/byte_stream.h"
#include "capture/source/source.h"

namespace scry::source {

/// A capture file, or standard input ("-").
class FileSource final : public Source {
 public:
  /// Fails when the file can't be opened or is no capture that can be read.
  static Result<std::unique_ptr<FileSource>> open(const std::string& path, Losses& losses, scap::ByteTap tap = {});

  Item next(event::RawEvent& event, scap::Block& block) override;
  const Error& error() const override { return error_; }
  bool after_gap() const override { return gap_; }

  const std::string& name() const { return name_; }
  uint64_t file_size() const { return size_; }  ///< 0 for pipes
  uint64_t file_position() const { return reader_.stream().file_position(); }
  uint64_t unpacked_position() const { return reader_.offset(); }
  scap::Packing packing() const { return reader_.stream().packing(); }
  /// Events with codes that the event table does not have, by code.
  const std::map<uint16_t, uint64_t>& unknown_events() const { return unknown_events_; }
  /// Called for each event that is passed over because its code is not known.
  std::function<void(const scap::Block&)> on_unknown_event;
  /// Blocks that next() did not hand over: foreign ones, damaged ones, unknown events.
  scap::BlockTally blocks_passed_over() const;

 private:
  Item refuse(Error error) {
    error_ = std::move(error);
    return Item::kError;
  }
  std::optional<Error> check_beginning();
  FileSource(std::string name, uint64_t size, std::unique_ptr<scap::ByteStream> stream, Losses& losses)
      : name_(std::move(name)), size_(size), losses_(&losses), reader_(std::move(stream), losses) {}

  std::string name_;
  uint64_t size_;
  Losses* losses_;
  scap::BlockReader reader_;
  Error error_;
  bool begun_ = false;
  bool gap_ = false;
  std::map<uint16_t, uint64_t> unknown_events_;
  scap::BlockTally passed_over_;
};

}  // namespace scry::source
