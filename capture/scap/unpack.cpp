// SPDX-License-Identifier: Apache-2.0
#include "capture/scap/unpack.h"

#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#include <cstring>

#include "capture/base/check.h"

namespace scry::scap {
namespace {

/// What the three have in common: frames one after the other, and after damage a search for the next frame's magic.
class FrameUnpacker : public Unpacker {
 public:
  Step step(const uint8_t* in, size_t in_size, bool last, uint8_t* out, size_t room) override {
    Step step;
    if (searching_) {
      step.consumed = search(in, in_size);
      if (searching_) return step;
      in += step.consumed;
      in_size -= step.consumed;
      if (in_size == 0) return step;
    }
    if (in_size == 0 && last) {
      // Only what the library still holds back.
      if (in_frame_) {
        size_t used = 0;
        const char* error = run(in, 0, used, out, room, step.produced);
        if (error || step.produced == 0) {
          in_frame_ = false;
          step.damage = "the compressed data is cut off";
        }
      }
      return step;
    }
    size_t used = 0;
    const char* error = run(in, in_size, used, out, room, step.produced);
    step.consumed += used;
    if (error) {
      step.damage = error;
      restart();
      in_frame_ = false;
      searching_ = true;
      matched_ = 0;
    }
    return step;
  }

 protected:
  /// Decodes; sets `in_frame_`. Returns what is wrong, or null.
  virtual const char* run(const uint8_t* in, size_t in_size, size_t& used, uint8_t* out, size_t room,
                          size_t& produced) = 0;
  virtual void restart() = 0;
  /// The bytes that a frame begins with.
  virtual std::string_view magic() const = 0;
  bool in_frame_ = false;

 private:
  /// Goes to just behind the next magic, which is then fed to the library, so that it may span two inputs.
  size_t search(const uint8_t* in, size_t in_size) {
    const std::string_view want = magic();
    for (size_t i = 0; i < in_size; ++i) {
      const char c = static_cast<char>(in[i]);
      if (c == want[matched_]) ++matched_;
      else matched_ = c == want[0] ? 1 : 0;
      if (matched_ == want.size()) {
        searching_ = false;
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
    if (used == 0 && in_size > 0) used = 1;  // always move on
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
    ZSTD_inBuffer input{in, in_size, 0};
    ZSTD_outBuffer output{out, room, 0};
    const size_t result = ZSTD_decompressStream(z_, &output, &input);
    used = input.pos;
    produced = output.pos;
    if (ZSTD_isError(result)) {
      if (used == 0 && in_size > 0) used = 1;
      return ZSTD_getErrorName(result);
    }
    in_frame_ = result != 0;
    return nullptr;
  }
  void restart() override { ZSTD_DCtx_reset(z_, ZSTD_reset_session_only); }
  std::string_view magic() const override { return {"\x28\xb5\x2f\xfd", 4}; }

 private:
  ZSTD_DCtx* z_;
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
    used = in_size;
    produced = room;
    const size_t result = LZ4F_decompress(z_, out, &produced, in, &used, nullptr);
    if (LZ4F_isError(result)) {
      used = in_size > 0 ? 1 : 0;  // how far it came is not told; the next frame may begin anywhere behind
      produced = 0;
      return LZ4F_getErrorName(result);
    }
    in_frame_ = result != 0;
    return nullptr;
  }
  void restart() override { LZ4F_resetDecompressionContext(z_); }
  std::string_view magic() const override { return {"\x04\x22\x4d\x18", 4}; }

 private:
  LZ4F_dctx* z_ = nullptr;
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
