// SPDX-License-Identifier: Apache-2.0
#include "capture/scap/packer.h"

#include <fcntl.h>
#include <lz4frame.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cerrno>

#include "capture/base/bytes.h"
#include "capture/base/check.h"
#include "capture/scap/format.h"

namespace scry::scap {
namespace {

using namespace std::chrono_literals;
/// A look every kTick; what is found waiting is flushed at the kAge-th: together less than a second.
constexpr auto kTick = 100ms, kAge = 700ms;

class PlainCodec final : public Codec {
 public:
  void add(std::string_view bytes, std::string& out) override { out += bytes; }
  void cut(std::string&) override {}
  void finish(std::string&) override {}
};

class GzipCodec final : public Codec {
 public:
  GzipCodec() {
    CHECK(deflateInit2(&z_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib can't start");
  }
  ~GzipCodec() override { deflateEnd(&z_); }
  void add(std::string_view bytes, std::string& out) override {
    crc_ = crc32_z(crc_, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
    size_ += bytes.size();
    run(bytes, Z_NO_FLUSH, out);
  }
  void cut(std::string& out) override {
    run({}, Z_FULL_FLUSH, out);
    crc_at_cut_ = crc_;
    size_at_cut_ = size_;
  }
  void finish(std::string& out) override { run({}, Z_FINISH, out); }
  std::string ending_after_last_cut() const override {
    std::string end("\x03\x00", 2);  // an empty last block
    for (const uint32_t word : {static_cast<uint32_t>(crc_at_cut_), static_cast<uint32_t>(size_at_cut_)})
      end.append(reinterpret_cast<const char*>(&word), sizeof word);
    return end;
  }

 private:
  void run(std::string_view bytes, int flush, std::string& out) {
    z_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    z_.avail_in = static_cast<uInt>(bytes.size());
    Bytef room[32 << 10];
    do {
      z_.next_out = room;
      z_.avail_out = sizeof room;
      deflate(&z_, flush);
      out.append(reinterpret_cast<char*>(room), sizeof room - z_.avail_out);
    } while (z_.avail_out == 0);
  }
  z_stream z_ = {};
  uLong crc_ = 0, crc_at_cut_ = 0;
  uint64_t size_ = 0, size_at_cut_ = 0;
};

class ZstdCodec final : public Codec {
 public:
  ZstdCodec() : context_(ZSTD_createCCtx()) {
    CHECK(context_, "zstd can't start");
    ZSTD_CCtx_setParameter(context_, ZSTD_c_checksumFlag, 1);
  }
  ~ZstdCodec() override { ZSTD_freeCCtx(context_); }
  void add(std::string_view bytes, std::string& out) override { run(bytes, ZSTD_e_continue, out); }
  void cut(std::string& out) override { run({}, ZSTD_e_end, out); }
  void finish(std::string&) override {}

 private:
  void run(std::string_view bytes, ZSTD_EndDirective how, std::string& out) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    char room[32 << 10];
    size_t left = 0;
    do {
      ZSTD_outBuffer to{room, sizeof room, 0};
      left = ZSTD_compressStream2(context_, &to, &in, how);
      CHECK(!ZSTD_isError(left), "zstd can't pack");
      out.append(room, to.pos);
    } while (how == ZSTD_e_end ? left != 0 : in.pos < in.size);
  }
  ZSTD_CCtx* context_;
};

class Lz4Codec final : public Codec {
 public:
  Lz4Codec() {
    CHECK(!LZ4F_isError(LZ4F_createCompressionContext(&context_, LZ4F_VERSION)), "lz4 can't start");
    preferences_.frameInfo.blockSizeID = LZ4F_max256KB;
    preferences_.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
  }
  ~Lz4Codec() override { LZ4F_freeCompressionContext(context_); }
  void add(std::string_view bytes, std::string& out) override {
    if (!open_) {
      open_ = true;
      step(out, LZ4F_HEADER_SIZE_MAX, [&](char* to, size_t room) { return LZ4F_compressBegin(context_, to, room, &preferences_); });
    }
    step(out, LZ4F_compressBound(bytes.size(), &preferences_), [&](char* to, size_t room) {
      return LZ4F_compressUpdate(context_, to, room, bytes.data(), bytes.size(), nullptr);
    });
  }
  void cut(std::string& out) override {
    if (!open_) return;
    open_ = false;
    step(out, LZ4F_compressBound(0, &preferences_), [&](char* to, size_t room) { return LZ4F_compressEnd(context_, to, room, nullptr); });
  }
  void finish(std::string&) override {}

 private:
  template <class Call>
  void step(std::string& out, size_t room, Call call) {
    const size_t before = out.size();
    out.resize(before + room);
    const size_t made = call(out.data() + before, room);
    CHECK(!LZ4F_isError(made), "lz4 can't pack");
    out.resize(before + made);
  }
  LZ4F_cctx* context_ = nullptr;
  LZ4F_preferences_t preferences_ = LZ4F_INIT_PREFERENCES;
  bool open_ = false;
};

std::unique_ptr<Codec> make_codec(Packing packing) {
  switch (packing) {
    case Packing::kGzip: return std::make_unique<GzipCodec>();
    case Packing::kZstd: return std::make_unique<ZstdCodec>();
    case Packing::kLz4: return std::make_unique<Lz4Codec>();
    case Packing::kPlain: break;
  }
  return std::make_unique<PlainCodec>();
}

/// How many of `bytes`, which are whole blocks, come before the block that holds byte `size`.
size_t whole_blocks(std::string_view bytes, size_t size) {
  size_t at = 0;
  while (at + kBlockHeader <= bytes.size()) {
    const auto length = load<uint32_t>(reinterpret_cast<const uint8_t*>(bytes.data()) + at + 4);
    if (length < kSmallestBlock || length > size - at) break;
    at += length;
  }
  return at;
}

}  // namespace

Packer::Packer(int fd, std::string name, Packing packing)
    : chunk_(new uint8_t[kChunk]), codec_(make_codec(packing)), fd_(fd), name_(std::move(name)), packing_(packing) {
  const int flags = ::fcntl(fd_, F_GETFL);
  cuttable_ = ::lseek(fd_, 0, SEEK_CUR) == 0 && flags >= 0 && !(flags & O_APPEND);
  watcher_ = std::thread([this] { watch(); });
}

Packer::~Packer() { (void)close(); }

bool Packer::put_slow(const uint8_t* bytes, size_t size) {
  std::lock_guard lock(mutex_);
  drain();
  drained_ = 0;
  filled_.store(0, std::memory_order_relaxed);
  if (size > kChunk) {
    take({reinterpret_cast<const char*>(bytes), size});
    write_out();
  } else {
    std::memcpy(chunk_.get(), bytes, size);
    filled_.store(size, std::memory_order_release);
  }
  return !failed();
}

/// The mutex is held. Hands on what put() has left in the chunk.
void Packer::drain() {
  const size_t filled = filled_.load(std::memory_order_acquire);
  if (filled == drained_) return;
  take({reinterpret_cast<const char*>(chunk_.get()) + drained_, filled - drained_});
  drained_ = filled;
  write_out();
}

void Packer::take(std::string_view bytes) {
  if (failed()) return;
  if (since_cut_ > 0 && since_cut_ + bytes.size() > kCutAfter) cut();
  codec_->add(bytes, out_);
  since_cut_ += bytes.size();
  if (packing_ == Packing::kPlain) write_out();
}

void Packer::cut() {
  if (failed() || since_cut_ == 0) return;
  codec_->cut(out_);
  since_cut_ = 0;
  write_out();
  if (!failed()) sound_ = written();
}

void Packer::write_out() {
  size_t at = 0;
  while (at < out_.size() && !failed()) {
    const ssize_t wrote = ::write(fd_, out_.data() + at, out_.size() - at);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      const int why = errno;
      if (packing_ == Packing::kPlain) sound_ += whole_blocks(out_, at);
      fail(why);
      return;
    }
    at += static_cast<size_t>(wrote);
    written_.fetch_add(static_cast<uint64_t>(wrote), std::memory_order_relaxed);
  }
  out_.clear();
  if (packing_ == Packing::kPlain && !failed()) sound_ = written();
}

/// A full disk, mostly: what is cut in the middle goes, so that the rest can be read to its end.
void Packer::fail(int number) {
  error_ = {name_, std::string("can't write: ") + std::strerror(number)};
  failed_.store(true, std::memory_order_relaxed);
  out_.clear();
  // Only where the file is ours from its first byte on: neither a pipe nor something that is appended to.
  if (!cuttable_ || ::ftruncate(fd_, static_cast<off_t>(sound_)) != 0) return;
  const std::string end = sound_ > 0 ? codec_->ending_after_last_cut() : std::string();
  if (!end.empty() && ::pwrite(fd_, end.data(), end.size(), static_cast<off_t>(sound_)) < 0) return;
}

bool Packer::flush() {
  std::lock_guard lock(mutex_);
  drain();
  cut();
  return !failed();
}

Result<void> Packer::close() {
  {
    std::lock_guard lock(mutex_);
    if (closed_) return failed() ? Result<void>(tl::unexpected<Error>(error_)) : Result<void>();
    closing_ = true;
  }
  wake_.notify_all();
  watcher_.join();
  std::lock_guard lock(mutex_);
  closed_ = true;
  drain();
  cut();
  if (!failed()) {
    codec_->finish(out_);
    write_out();
  }
  if (::close(fd_) != 0 && !failed()) {
    error_ = {name_, std::string("can't write: ") + std::strerror(errno)};
    failed_.store(true);
  }
  if (failed()) return tl::unexpected<Error>(error_);
  return {};
}

Error Packer::error() {
  std::lock_guard lock(mutex_);
  return error_;
}

void Packer::watch() {
  std::unique_lock lock(mutex_);
  bool waiting = false;  // something is not in the file yet, since `since` at the latest
  Clock::time_point since;
  while (!closing_) {
    wake_.wait_for(lock, kTick);
    const bool pending = since_cut_ > 0 || filled_.load(std::memory_order_acquire) > drained_;
    if (!pending || failed()) {
      waiting = false;
    } else if (!waiting) {
      waiting = true;
      since = Clock::now();
    } else if (Clock::now() - since >= kAge) {
      drain();
      cut();
      waiting = false;
    }
  }
}

}  // namespace scry::scap
