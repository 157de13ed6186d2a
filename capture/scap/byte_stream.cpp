// SPDX-License-Identifier: Apache-2.0
#include "capture/scap/byte_stream.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "capture/scap/unpack.h"

namespace scry::scap {
namespace {

constexpr size_t kChunk = 256 * 1024;

/// Reads that are not cut short by signals.
Result<size_t> read_some(const OpenFile& file, uint8_t* to, size_t room) {
  for (;;) {
    const ssize_t got = ::read(file.fd, to, room);
    if (got >= 0) {
      if (file.tap) file.tap(to, static_cast<size_t>(got));
      return static_cast<size_t>(got);
    }
    if (errno != EINTR) return fail(file.name, fmt::format("can't read: {}", std::strerror(errno)));
  }
}

class PlainStream final : public ByteStream {
 public:
  PlainStream(OpenFile file, std::vector<uint8_t> begin) : file_(std::move(file)), begin_(std::move(begin)) {}
  ~PlainStream() override { ::close(file_.fd); }

  Result<size_t> read(uint8_t* to, size_t room) override {
    if (used_ < begin_.size()) {
      const size_t count = std::min(room, begin_.size() - used_);
      std::memcpy(to, begin_.data() + used_, count);
      used_ += count;
      position_ += count;
      return count;
    }
    auto got = read_some(file_, to, room);
    if (got) position_ += *got;
    return got;
  }
  Packing packing() const override { return Packing::kPlain; }
  std::optional<PackingDamage> damage() override { return {}; }
  uint64_t file_position() const override { return position_; }

 private:
  OpenFile file_;
  std::vector<uint8_t> begin_;
  size_t used_ = 0;
  uint64_t position_ = 0;
};

/// Runs an Unpacker on a second thread, a few chunks ahead of the reader.
class PackedStream final : public ByteStream {
 public:
  PackedStream(OpenFile file, std::vector<uint8_t> begin, Packing packing, std::unique_ptr<Unpacker> unpacker)
      : file_(std::move(file)), input_(std::move(begin)), packing_(packing), unpacker_(std::move(unpacker)) {
    input_size_ = input_.size();
    input_.resize(kChunk);
    worker_ = std::thread([this] { work(); });
  }
  ~PackedStream() override {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    worker_.join();
    ::close(file_.fd);
  }

  Result<size_t> read(uint8_t* to, size_t room) override {
    if (at_ == front_.size()) {
      std::unique_lock lock(mutex_);
      if (!front_.empty()) {
        front_.clear();
        spare_.push_back(std::move(front_));
        front_ = {};
        at_ = 0;
        changed_.notify_all();
      }
      changed_.wait(lock, [&] { return !full_.empty() || done_; });
      if (full_.empty()) {
        if (error_) return tl::unexpected<Error>(*error_);
        return size_t{0};
      }
      front_ = std::move(full_.front());
      full_.pop_front();
    }
    const size_t count = std::min(room, front_.size() - at_);
    std::memcpy(to, front_.data() + at_, count);
    at_ += count;
    handed_over_ += count;
    return count;
  }

  Packing packing() const override { return packing_; }
  std::optional<PackingDamage> damage() override {
    std::lock_guard lock(mutex_);
    if (damages_.empty() || damages_.front().unpacked_at > handed_over_) return {};
    auto out = std::move(damages_.front());
    damages_.pop_front();
    return out;
  }
  uint64_t file_position() const override { return position_; }

 private:
  static constexpr size_t kChunksAhead = 3, kDamagesKept = 1000;

  /// Feeds the unpacker; each full chunk goes to the reader.
  void work() {
    std::vector<uint8_t> out = take_spare();
    size_t filled = 0, used = 0;
    uint64_t base = 0, made = 0;  // file offset of input_[0]; bytes unpacked
    bool input_ended = false;
    for (;;) {
      if (used == input_size_ && !input_ended) {
        base += input_size_;
        used = 0;
        auto got = read_some(file_, input_.data(), input_.size());
        input_size_ = got ? *got : 0;
        if (!got) {
          std::lock_guard lock(mutex_);
          error_ = got.error();
        }
        input_ended = input_size_ == 0;
      }
      const auto step = unpacker_->step(input_.data() + used, input_size_ - used, input_ended, out.data() + filled,
                                        kChunk - filled);
      used += step.consumed;
      filled += step.produced;
      made += step.produced;
      position_ = base + used;
      if (!step.damage.empty()) {
        std::lock_guard lock(mutex_);
        if (damages_.size() < kDamagesKept) damages_.push_back({base + used, made, step.damage, input_ended});
      }
      const bool finished = input_ended && used == input_size_ && step.produced == 0 && !step.again;
      if (filled == kChunk || (finished && filled > 0) || (filled > 0 && used == input_size_ && !input_ended)) {
        out.resize(filled);
        if (!hand_over(std::move(out))) return;
        out = take_spare();
        filled = 0;
      }
      if (finished) break;
    }
    std::lock_guard lock(mutex_);
    done_ = true;
    changed_.notify_all();
  }

  bool hand_over(std::vector<uint8_t> chunk) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return full_.size() < kChunksAhead || stop_; });
    if (stop_) return false;
    full_.push_back(std::move(chunk));
    changed_.notify_all();
    return true;
  }

  std::vector<uint8_t> take_spare() {
    std::vector<uint8_t> out;
    {
      std::lock_guard lock(mutex_);
      if (!spare_.empty()) {
        out = std::move(spare_.back());
        spare_.pop_back();
      }
    }
    out.resize(kChunk);
    return out;
  }

  OpenFile file_;
  std::vector<uint8_t> input_;
  size_t input_size_ = 0;
  Packing packing_;
  std::unique_ptr<Unpacker> unpacker_;
  std::atomic<uint64_t> position_{0};
  std::vector<uint8_t> front_;  // of the reader alone
  size_t at_ = 0;
  uint64_t handed_over_ = 0;
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::deque<std::vector<uint8_t>> full_;
  std::vector<std::vector<uint8_t>> spare_;
  std::deque<PackingDamage> damages_;
  std::optional<Error> error_;
  bool done_ = false, stop_ = false;
  std::thread worker_;
};

bool is_skippable(uint32_t magic) { return (magic & 0xfffffff0u) == 0x184D2A50u; }

}  // namespace

const char* name_of(Packing packing) {
  switch (packing) {
    case Packing::kPlain: return "plain";
    case Packing::kGzip: return "gzip";
    case Packing::kZstd: return "zstd";
    case Packing::kLz4: return "lz4";
  }
  return "?";
}

Result<OpenFile> open_file(const std::string& path) {
  OpenFile file;
  if (path == "-") {
    file.name = "standard input";
    file.fd = ::dup(STDIN_FILENO);
    if (file.fd < 0) return fail(file.name, "not open");
  } else {
    file.name = path;
    file.fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file.fd < 0) return fail(path, fmt::format("can't open file: {}", std::strerror(errno)));
  }
  struct stat st = {};
  if (::fstat(file.fd, &st) == 0) {
    if (S_ISDIR(st.st_mode)) {
      ::close(file.fd);
      return fail(path, "is a directory, not a capture");
    }
    if (S_ISREG(st.st_mode)) file.size = static_cast<uint64_t>(st.st_size);
  }
  return file;
}

Result<std::unique_ptr<ByteStream>> open_stream(OpenFile file) {
  // Enough of the beginning to know the packing; skippable frames may come before the first that tells.
  std::vector<uint8_t> begin(kChunk);
  size_t have = 0;
  while (have < 4) {
    auto got = read_some(file, begin.data() + have, begin.size() - have);
    if (!got) {
      ::close(file.fd);
      return tl::unexpected<Error>(got.error());
    }
    if (*got == 0) break;
    have += *got;
  }
  begin.resize(have);
  uint32_t magic = 0;
  size_t at = 0;
  while (at + 8 <= have) {
    std::memcpy(&magic, begin.data() + at, 4);
    if (!is_skippable(magic)) break;
    uint32_t size = 0;
    std::memcpy(&size, begin.data() + at + 4, 4);
    at += 8 + static_cast<size_t>(size);
  }
  const bool led_by_skippable = at > 0;
  if (at + 4 <= have) std::memcpy(&magic, begin.data() + at, 4);
  Packing packing = Packing::kPlain;
  if (magic == 0xFD2FB528u || (led_by_skippable && is_skippable(magic))) packing = Packing::kZstd;
  else if (magic == 0x184D2204u) packing = Packing::kLz4;
  else if ((magic & 0xffff) == 0x8b1f && have >= 2) packing = Packing::kGzip;
  else return std::unique_ptr<ByteStream>(new PlainStream(std::move(file), std::move(begin)));
  return std::unique_ptr<ByteStream>(
      new PackedStream(std::move(file), std::move(begin), packing, make_unpacker(packing)));
}

}  // namespace scry::scap
