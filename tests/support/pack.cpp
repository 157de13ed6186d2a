// SPDX-License-Identifier: Apache-2.0
#include "tests/support/pack.h"

#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#include "capture/base/check.h"

namespace scry::test {
namespace {

std::string gzip(std::string_view bytes) {
  z_stream z = {};
  CHECK(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib can't start");
  std::string out(deflateBound(&z, bytes.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END, "zlib can't pack");
  out.resize(out.size() - z.avail_out);
  deflateEnd(&z);
  return out;
}

std::string zstd(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 3);
  CHECK(!ZSTD_isError(size), "zstd can't pack");
  out.resize(size);
  return out;
}

std::string lz4(std::string_view bytes) {
  LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
  preferences.frameInfo.blockSizeID = LZ4F_max64KB;
  preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
  std::string out(LZ4F_compressFrameBound(bytes.size(), &preferences), '\0');
  const size_t size = LZ4F_compressFrame(out.data(), out.size(), bytes.data(), bytes.size(), &preferences);
  CHECK(!LZ4F_isError(size), "lz4 can't pack");
  out.resize(size);
  return out;
}

}  // namespace

std::string pack(std::string_view bytes, scap::Packing packing) {
  switch (packing) {
    case scap::Packing::kGzip: return gzip(bytes);
    case scap::Packing::kZstd: return zstd(bytes);
    case scap::Packing::kLz4: return lz4(bytes);
    case scap::Packing::kPlain: break;
  }
  return std::string(bytes);
}

std::string unpacked_file(const std::string& path) {
  auto file = scap::open_file(path);
  if (!file) return {};
  auto stream = scap::open_stream(std::move(*file));
  if (!stream) return {};
  std::string out;
  std::string part(1 << 20, '\0');
  for (;;) {
    auto got = (*stream)->read(reinterpret_cast<uint8_t*>(part.data()), part.size());
    if (!got || *got == 0) return out;
    out.append(part, 0, *got);
  }
}

}  // namespace scry::test
