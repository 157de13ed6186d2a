// SPDX-License-Identifier: Apache-2.0
// From the bytes of an event to a RawEvent. In a header, because every event of a file goes through it.
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <algorithm>

#include "capture/event/event.h"

namespace scry::event {

/// Bytes behind an event that decode() may load (and never uses): a buffer has to be so much longer.
constexpr size_t kReadSlack = 16;

enum class HeaderKind : uint8_t { kV1, kV2 };

namespace detail {

constexpr size_t kHeaderV1 = 22, kHeaderV2 = 26;  // ts u64, tid i64, len u32, type u16 (, nparams u32)

#if defined(__SSE2__)
constexpr uint32_t kLanes = 8;
/// All ones in the first n of eight 16-bit lanes, at kLaneMask + 8 - n.
alignas(16) constexpr uint16_t kLaneMask[16] = {0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff};

/// At most eight parameters, all lengths below 2^15 together. Reads 16 bytes at `lengths` (see kReadSlack) and
/// uses only the lanes that count; the others are zero, and zero is a fine length.
inline const char* lay_out_lanes(const EventInfo& info, const uint8_t* lengths, size_t room, uint32_t count,
                                 RawEvent& out) {
  const __m128i zero = _mm_setzero_si128();
  const __m128i mask = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kLaneMask + kLanes - count));
  const __m128i each = _mm_and_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(lengths)), mask);
  // A length is wrong if the type has a size, and it is neither that nor 0 (absent).
  const __m128i want = _mm_unpacklo_epi8(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(info.first_sizes)), zero);
  const __m128i fine = _mm_or_si128(_mm_cmpeq_epi16(each, want),
                                    _mm_or_si128(_mm_cmpeq_epi16(want, zero), _mm_cmpeq_epi16(each, zero)));
  const int wrong = _mm_movemask_epi8(fine) ^ 0xffff;
  // No lane may be so long that the sum leaves 16 bits.
  const int huge = _mm_movemask_epi8(_mm_cmplt_epi16(each, zero)) & 0xaaaa;
  __m128i ends = _mm_adds_epu16(each, _mm_slli_si128(each, 2));
  ends = _mm_adds_epu16(ends, _mm_slli_si128(ends, 4));
  ends = _mm_adds_epu16(ends, _mm_slli_si128(ends, 8));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out.at + 1), _mm_unpacklo_epi16(ends, zero));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out.at + 5), _mm_unpackhi_epi16(ends, zero));
  if (huge || out.at[kLanes] + 2 * count != room) return "parameter lengths do not add up";
  return wrong ? "a parameter has a size its type can't have" : nullptr;
}
#endif

/// Lays out `count` parameters: fills out.at and out.nparams. Returns what contradicts, or null.
template <bool kWide>
[[gnu::always_inline]] inline const char* lay_out(const EventInfo& info, const uint8_t* lengths, size_t room, uint32_t count, RawEvent& out) {
  constexpr size_t kWidth = kWide ? 4 : 2;
  auto length = [&](size_t i) -> uint32_t {
    if constexpr (kWide) return load<uint32_t>(lengths + 4 * i);
    else return load<uint16_t>(lengths + 2 * i);
  };
  if (count > room / kWidth) return "more parameters than bytes";
  const uint32_t readable = std::min<uint32_t>(count, kMaxParams);
  const uint32_t known = std::min<uint32_t>(readable, info.nparams);
  uint64_t sum = 0;
  uint32_t wrong = 0;  // not 0: a parameter has a length that its type can't have
  out.at[0] = 0;
  uint32_t i = 0;
#if defined(__SSE2__)
  if constexpr (!kWide) {
    // Nearly every event has at most eight parameters: their ends are one prefix sum, without a loop whose length the
    // processor would have to guess. (Benchmark: `state`.)
    if (count <= kLanes && room < 0x8000) [[likely]] {
      out.data = lengths + kWidth * count;
      out.nparams = static_cast<uint16_t>(count);
      return lay_out_lanes(info, lengths, room, count, out);
    }
  }
#endif
  for (; i < known; ++i) {
    const uint32_t one = length(i), want = info.sizes[i];
    wrong |= (want != 0 && one != 0) ? one ^ want : 0;
    sum += one;
    out.at[i + 1] = static_cast<uint32_t>(sum);
  }
  for (; i < readable; ++i) {
    sum += length(i);
    out.at[i + 1] = static_cast<uint32_t>(sum);
  }
  for (; i < count; ++i) sum += length(i);
  if (sum + kWidth * count != room) return "parameter lengths do not add up";
  if (wrong) return "a parameter has a size its type can't have";
  out.data = lengths + kWidth * count;
  out.nparams = static_cast<uint16_t>(readable);
  return nullptr;
}

}  // namespace detail

/// Checks the bytes of an event (header, lengths, parameters) and fills `out` but for num, offset and block.
/// `size`: the bytes there are, of which the event may use fewer; `used` is set to what it uses.
/// Returns nullptr when sound, else what contradicts (a literal). Unknown codes are sound: see is_known().
[[gnu::always_inline]] inline const char* decode(const uint8_t* bytes, size_t size, HeaderKind kind, RawEvent& out, size_t& used) {
  const size_t header = kind == HeaderKind::kV2 ? detail::kHeaderV2 : detail::kHeaderV1;
  if (size < header) return "no room for an event header";
  uint32_t len = load<uint32_t>(bytes + 16);
  out.ts = load<uint64_t>(bytes);
  out.tid = load<int64_t>(bytes + 8);
  out.code = load<uint16_t>(bytes + 20);
  used = len;
  if (len > size || len < header) return "event length beyond its block";
  out.nparams = 0;
  out.data = bytes + header;
  if (!is_known(out.code)) [[unlikely]] return nullptr;
  const EventInfo& info = info_of(out.code);
  const uint8_t* lengths = bytes + header;
  size_t room = len - header;
  if (kind == HeaderKind::kV2) {
    const uint32_t count = load<uint32_t>(bytes + 22);
    if (info.has(kLargePayload)) [[unlikely]] return detail::lay_out<true>(info, lengths, room, count, out);
    return detail::lay_out<false>(info, lengths, room, count, out);
  }
  // Two internal events were written with a length 3 too large (scap-format.md §8).
  if ((out.code == kNotificationE || out.code == kInfrastructureEventE) && room >= 3) room -= 3;
  // V1 events do not say how many parameters they have: of the counts that this code ever had, the one whose lengths
  // and data come to the event's end exactly.
  const char* why = "parameter lengths do not add up";
  for (const uint32_t count : count_history(info)) {
    why = info.has(kLargePayload) ? detail::lay_out<true>(info, lengths, room, count, out)
                                          : detail::lay_out<false>(info, lengths, room, count, out);
    if (!why) return nullptr;
  }
  return why;
}

}  // namespace scry::event
