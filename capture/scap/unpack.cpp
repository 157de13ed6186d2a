// SPDX-License-Identifier: Apache-2.0
#include "capture/scap/unpack.h"

#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>

#include "capture/base/check.h"

namespace scry::scap {
namespace {

/// What the three have in common: frames one after the other, and after damage a search for the next frame's magic.
/// Damage is found late: what is wrong may decode to something for a while, beyond the frame's end. So the last bytes
/// of the input are kept, and searched as well.
class FrameUnpacker : public Unpacker {
 public:
  Step step(const uint8_t* in, size_t in_size, bool last, uint8_t* out, size_t room) override {
    if (again_at_ == again_.size()) return once(in, in_size, last, out, room);
    Step step = once(reinterpret_cast<const uint8_t*>(again_.data()) + again_at_, again_.size() - again_at_, false, out, room);
    if (!rewound_) again_at_ += step.consumed;
    rewound_ = false;
    step.consumed = 0;
    step.again = true;
    return step;
  }

 protected:
  /// Decodes; sets `in_frame_`. Returns what is wrong, or null. `used` is all that was given when something is.
  virtual const char* run(const uint8_t* in, size_t in_size, size_t& used, uint8_t* out, size_t room,
                          size_t& produced) = 0;
  virtual void restart() = 0;
  /// The bytes that a frame begins with.
  virtual std::string_view magic() const = 0;
  bool in_frame_ = false;

 private:
  static constexpr size_t kTail = 256 * 1024;

  Step once(const uint8_t* in, size_t in_size, bool last, uint8_t* out, size_t room) {
    Step step;
    if (searching_) {
      step.consumed = search(in, in_size);
      return step;
    }
    if (in_size == 0 && !(last && in_frame_)) return step;
    size_t used = 0;  // with no input left: only what the library still holds back
    const char* error = run(in, in_size, used, out, room, step.produced);
    if (!error && in_size == 0 && step.produced == 0) error = "the compressed data is cut off";
    step.consumed = used;
    keep(in, used);
    if (error) {
      step.damage = error;
      step.again = true;
      search_again(in + used, in_size - used);
    } else if (!in_frame_) {
      tail_.clear();
      whole_frame_ = true;
    }
    return step;
  }

  void keep(const uint8_t* in, size_t size) {
    tail_.append(reinterpret_cast<const char*>(in), size);
    if (tail_.size() < 2 * kTail) return;
    tail_.erase(0, tail_.size() - kTail);
    whole_frame_ = false;
  }

  /// What was kept is to be searched, but for the magic of the frame that failed; then what of it was not read yet.
  void search_again(const uint8_t* rest, size_t rest_size) {
    std::string bytes = tail_.substr(whole_frame_ && !tail_.empty() ? 1 : 0);
    if (again_at_ != again_.size()) {
      bytes.append(reinterpret_cast<const char*>(rest), rest_size);
      rewound_ = true;
    }
    again_ = std::move(bytes);
    again_at_ = 0;
    tail_.clear();
    restart();
    in_frame_ = false;
    searching_ = true;
    matched_ = 0;
  }

  /// Goes to just behind the next magic, which is then fed to the library, so that it may span two inputs.
  size_t search(const uint8_t* in, size_t in_size) {
    const std::string_view want = magic();
    for (size_t i = 0; i < in_size; ++i) {
      const char c = static_cast<char>(in[i]);
      if (c == want[matched_]) ++matched_;
      else matched_ = c == want[0] ? 1 : 0;
      if (matched_ == want.size()) {
        searching_ = false;
        whole_frame_ = false;
        size_t used = 0, produced = 0;
        uint8_t none[1];
        run(reinterpret_cast<const uint8_t*>(want.data()), want.size(), used, none, 0, produced);
        return i + 1;
      }
    }
    return in_size;
  }

  bool searching_ = false;
  size_t matched_ = 0;
  std::string tail_;          ///< the last input of this frame
  bool whole_frame_ = true;   ///< tail_ begins where the frame does
  std::string again_;         ///< input to be read once more, from again_at_
  size_t again_at_ = 0;
  bool rewound_ = false;      ///< again_ was made anew by the call in progress
};

class GzipUnpacker final : public FrameUnpacker {
 public:
  GzipUnpacker() {
    CHECK(inflateInit2(&z_, 15 + 16) == Z_OK, "zlib can't start");
  }
  ~GzipUnpacker() override { inflateEnd(&z_); }

 protected:
  const char* run(const uint8_t* in, size_t in_size, size_t& used, uint8_t* out, size_t room,
                  size_t& produced) override {
    z_.next_in = const_cast<Bytef*>(in);
    z_.avail_in = static_cast<uInt>(in_size);
    z_.next_out = out;
    z_.avail_out = static_cast<uInt>(room);
    if (in_size > 0) in_frame_ = true;
    const int result = inflate(&z_, Z_NO_FLUSH);
    used = in_size - z_.avail_in;
    produced = room - z_.avail_out;
    if (result == Z_STREAM_END) {
      in_frame_ = false;
      inflateReset(&z_);
      return nullptr;
    }
    if (result == Z_OK || result == Z_BUF_ERROR) return nullptr;
    used = in_size;
    return z_.msg ? z_.msg : "the gzip data is damaged";
  }
  void restart() override { inflateReset(&z_); }
  std::string_view magic() const override { return {"\x1f\x8b\x08", 3}; }

 private:
  z_stream z_ = {};
};

class ZstdUnpacker final : public FrameUnpacker {
 public:
  ZstdUnpacker() : z_(ZSTD_createDCtx()) { CHECK(z_ != nullptr, "zstd can't start"); }
  ~ZstdUnpacker() override { ZSTD_freeDCtx(z_); }

 protected:
  const char* run(const uint8_t* in, size_t in_size, size_t& used, uint8_t* out, size_t room,
                  size_t& produced) override {
    // A block at a time: what a failing call had unpacked is lost.
    ZSTD_inBuffer input{in, std::min(in_size, wanted_), 0};
    ZSTD_outBuffer output{out, room, 0};
    const size_t result = ZSTD_decompressStream(z_, &output, &input);
    used = input.pos;
    produced = output.pos;
    if (ZSTD_isError(result)) {
      used = input.size;
      return ZSTD_getErrorName(result);
    }
    in_frame_ = result != 0;
    wanted_ = in_frame_ ? result : kHeader;
    return nullptr;
  }
  void restart() override {
    ZSTD_DCtx_reset(z_, ZSTD_reset_session_only);
    wanted_ = kHeader;
  }
  std::string_view magic() const override { return {"\x28\xb5\x2f\xfd", 4}; }

 private:
  static constexpr size_t kHeader = 5;
  ZSTD_DCtx* z_;
  size_t wanted_ = kHeader;
};

class Lz4Unpacker final : public FrameUnpacker {
 public:
  Lz4Unpacker() {
    CHECK(!LZ4F_isError(LZ4F_createDecompressionContext(&z_, LZ4F_VERSION)), "lz4 can't start");
  }
  ~Lz4Unpacker() override { LZ4F_freeDecompressionContext(z_); }

 protected:
  const char* run(const uint8_t* in, size_t in_size, size_t& used, uint8_t* out, size_t room,
                  size_t& produced) override {
    const size_t given = used = std::min(in_size, wanted_);  // a block at a time, as with zstd
    produced = room;
    const size_t result = LZ4F_decompress(z_, out, &produced, in, &used, nullptr);
    if (LZ4F_isError(result)) {
      used = given;
      produced = 0;
      return LZ4F_getErrorName(result);
    }
    in_frame_ = result != 0;
    wanted_ = in_frame_ ? result : kHeader;
    return nullptr;
  }
  void restart() override {
    LZ4F_resetDecompressionContext(z_);
    wanted_ = kHeader;
  }
  std::string_view magic() const override { return {"\x04\x22\x4d\x18", 4}; }

 private:
  static constexpr size_t kHeader = 7;
  LZ4F_dctx* z_ = nullptr;
  size_t wanted_ = kHeader;
};

}  // namespace

std::unique_ptr<Unpacker> make_unpacker(Packing packing) {
  switch (packing) {
    case Packing::kGzip: return std::make_unique<GzipUnpacker>();
    case Packing::kZstd: return std::make_unique<ZstdUnpacker>();
    case Packing::kLz4: return std::make_unique<Lz4Unpacker>();
    case Packing::kPlain: break;
  }
  CHECK(false, "plain data needs no unpacker");
  return nullptr;
}

}  // namespace scry::scap
