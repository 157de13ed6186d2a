// SPDX-License-Identifier: Apache-2.0
// Damage in a capture costs what was damaged and nothing else, and is told.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <set>

#include "cli/replay.h"
#include "tests/support/builder.h"
#include "tests/support/pack.h"
#include "tests/support/read_back.h"

using namespace scry;
using namespace scry::test;

namespace {

constexpr uint64_t kFirst = 1000;  ///< timestamp of event 0; the next has one more
constexpr size_t kEvents = 20;
const size_t kLists = small_machine().size();  ///< number of the first event block

/// Pairs of close events, each with a timestamp of its own.
Capture with_events(size_t count = kEvents, Layout layout = Layout::kV2, uint64_t first = kFirst) {
  Capture c = small_machine();
  for (size_t i = 0; i < count; ++i) {
    if (i % 2 == 0) c.event(event::kCloseE, 100, first + i, {i64(9)}, layout);
    else c.event(event::kCloseX, 100, first + i, {i64(0)}, layout);
  }
  return c;
}

/// The timestamps of with_events() but for the events `lost`.
std::vector<uint64_t> all_but(std::set<size_t> lost, size_t count = kEvents, uint64_t first = kFirst) {
  std::vector<uint64_t> out;
  for (size_t i = 0; i < count; ++i)
    if (!lost.contains(i)) out.push_back(first + i);
  return out;
}

void loses(const Capture& c, std::set<size_t> lost) {
  const ReadBack got = read_back(c.bytes());
  CHECK(got.error == "");
  CHECK(got.times == all_but(lost));
  CHECK(got.losses.any());
  CHECK(got.status == cli::kLossy);
}

/// Where to do damage: near the lists, in the middle, and where fewer than three sound blocks follow.
const size_t kPlaces[] = {0, 1, 10, 16, 17, 18, 19};

constexpr size_t kLenAt = 8 + 2 + 16, kCodeAt = kLenAt + 4, kCountAt = kCodeAt + 2;  ///< in a V2 event block

/// Whether the last exit event found the enter event that it pairs with.
bool exit_knows_enter(const Bytes& bytes) { return read_back(bytes).last_exit_paired; }

Bytes noise(size_t size) {
  Bytes out(size, '\0');
  uint32_t v = 12345;
  for (char& c : out) c = static_cast<char>((v = v * 1664525 + 1013904223) >> 24);
  return out;
}

}  // namespace

TEST_CASE("an undamaged capture loses nothing") {
  for (const Layout layout : {Layout::kV1, Layout::kV2}) {
    const ReadBack got = read_back(with_events(kEvents, layout).bytes());
    CHECK(got.error == "");
    CHECK(got.times == all_but({}));
    CHECK(got.numbers.back() == kEvents);
    CHECK_FALSE(got.losses.any());
    CHECK(got.status == cli::kFine);
    CHECK(got.threads == 3);
  }
}

TEST_CASE("one damaged event costs that event") {
  const Bytes odd_size = u16(1) + event_bytes(event::kCloseE, 100, kFirst, {Bytes("\1\2\3", 3)});
  const Bytes odd_block = Capture().block(scap::kEvent2, odd_size).at(0);
  for (const size_t place : kPlaces) {
    CAPTURE(place);
    const size_t at = kLists + place;
    loses(with_events().write(at, kLenAt, u32(0xffff)), {place});
    loses(with_events().write(at, kLenAt, u32(3)), {place});
    loses(with_events().write(at, kCountAt, u32(7)), {place});
    loses(with_events().write(at, kCountAt + 4, u16(60000)), {place});
    loses(with_events().remove_block(at).garbage(at, odd_block), {place});
  }
}

TEST_CASE("one damaged block costs that block") {
  for (const size_t place : kPlaces) {
    CAPTURE(place);
    const size_t at = kLists + place;
    const auto size = static_cast<uint32_t>(with_events().at(at).size());
    for (const uint32_t wrong : {0u, 4u, 8u, 11u, size - 4, size + 4, 2 * size, size + 1, 0x10000u, 0x3fffffcu, 0x7fffffffu, 0xfffffffcu}) {
      CAPTURE(wrong);
      loses(with_events().set_length(at, wrong), {place});
      loses(with_events().set_trailer(at, wrong), {place});
      loses(with_events().set_length(at, wrong).set_trailer(at, wrong), {place});
    }
    for (const uint32_t wrong : {0x12345678u, 0u, 0x7fffffffu}) loses(with_events().set_id(at, wrong), {place});
    loses(with_events().write(at, 0, noise(size)), {place});
    loses(with_events().write(at, 0, Bytes(size, '\0')), {place});
    loses(with_events().write(at, 0, Bytes(size, '\xff')), {place});
  }
}

TEST_CASE("bytes removed from a block cost that block") {
  for (const size_t place : kPlaces)
    for (const size_t offset : {0u, 1u, 5u, 8u, 20u, 40u})
      for (const size_t count : {1u, 2u, 3u, 4u, 7u}) {
        CAPTURE(place);
        CAPTURE(offset);
        CAPTURE(count);
        loses(with_events().remove_bytes(kLists + place, offset, count), {place});
      }
}

TEST_CASE("bytes between blocks cost nothing but themselves") {
  for (const size_t place : kPlaces)
    for (const size_t size : {1u, 2u, 3u, 4u, 5u, 11u, 12u, 100u, 4096u, 131071u, 131072u, 131073u, 262144u, 1000003u}) {
      CAPTURE(place);
      CAPTURE(size);
      for (const Bytes& bytes : {noise(size), Bytes(size, '\0'), Bytes(size, '\xff')}) {
        loses(with_events().garbage(kLists + place, bytes), {});
        const ReadBack got = read_back(with_events().garbage(kLists + place, bytes).bytes());
        CHECK(got.losses.total(LossKind::kDamagedBytes).bytes == size);
      }
    }
}

TEST_CASE("bytes behind the last block") {
  for (const size_t size : {1u, 4u, 11u, 12u, 100u, 300000u}) {
    CAPTURE(size);
    loses(with_events().garbage(kLists + kEvents, noise(size)), {});
  }
}

TEST_CASE("several damaged blocks, far enough from each other") {
  loses(with_events().set_length(kLists + 2, 1).set_trailer(kLists + 8, 77).set_id(kLists + 14, 0x12345678), {2, 8, 14});
}

TEST_CASE("a damaged list costs its entries, not the events") {
  for (size_t at = 0; at < kLists; ++at) {
    CAPTURE(at);
    loses(with_events().set_trailer(at, 0), {});
    loses(with_events().remove_bytes(at, 8, 1), {});
    if (at > 0) loses(with_events().set_length(at, 0), {});
  }
}

TEST_CASE("long lists are found again behind damage") {
  Capture c = Capture().section().machine();
  Bytes body;
  for (int i = 0; i < 30000; ++i) {
    const Bytes one = Capture().process(1000 + i, 1000 + i, 1, "worker").at(0);
    body += one.substr(8, load<uint32_t>(reinterpret_cast<const uint8_t*>(one.data()) + 8));
  }
  c.block(scap::kProcesses9, body);
  REQUIRE(c.at(c.last_block()).size() > (4u << 20));
  c.event(event::kCloseE, 1000, kFirst, {i64(1)}).event(event::kCloseX, 1000, kFirst + 1, {i64(0)});
  CHECK(read_back(c.bytes()).threads == 30000);
  c.set_trailer(1, 0);
  const ReadBack got = read_back(c.bytes());
  CHECK(got.threads == 30000);
  CHECK(got.times == all_but({}, 2));
}

TEST_CASE("a file cut off anywhere delivers every whole event") {
  const Capture c = with_events();
  const Bytes whole = c.bytes();
  for (size_t size = c.offset_of(kLists); size < whole.size(); ++size) {
    CAPTURE(size);
    size_t there = 0;
    while (there < kEvents && c.offset_of(kLists + there + 1) <= size) ++there;
    const ReadBack got = read_back(c.truncated(size));
    CHECK(got.error == "");
    CHECK(got.times == all_but({}, there));
    const bool between = c.offset_of(kLists + there) == size;
    CHECK(got.losses.any() == !between);
    CHECK((got.losses.total(LossKind::kCutOff).count > 0) == !between);
    CHECK(got.status == (between ? cli::kFine : cli::kLossy));
  }
}

TEST_CASE("a file cut off among its lists is a capture without events") {
  const Capture c = with_events();
  for (size_t size = c.offset_of(1); size < c.offset_of(kLists); size += 7) {
    const ReadBack got = read_back(c.truncated(size));
    CHECK(got.error == "");
    CHECK(got.times.empty());
  }
}

TEST_CASE("damage right before the cut") {
  Capture c = with_events().set_trailer(kLists + 17, 0);
  const Bytes whole = c.bytes();
  const ReadBack got = read_back(whole.substr(0, whole.size() - 5));
  CHECK(got.times == all_but({17, 19}));
}

TEST_CASE("blocks of unknown kinds are passed over") {
  for (const uint32_t id : {5u, 6u, 0xBADu, 0x21au, 0x21fu, 0x2f0u, 0x80000001u}) {
    CAPTURE(id);
    for (const size_t at : {kLists, kLists + 10, size_t{3}}) {
      Capture c = with_events();
      c.garbage(at, Capture().block(id, noise(400)).at(0));
      const ReadBack got = read_back(c.bytes());
      CHECK(got.error == "");
      CHECK(got.times == all_but({}));
      CHECK(got.unknown_blocks == 1);
      CHECK_FALSE(got.losses.any());
      CHECK(got.threads == 3);
    }
  }
}

TEST_CASE("events of unknown kinds are passed over and not counted") {
  Capture c = with_events();
  c.event(60000, 100, 5, {u32(1)}).event(event::kCloseE, 100, kFirst + kEvents, {i64(9)});
  const ReadBack got = read_back(c.bytes());
  CHECK(got.times == all_but({}, kEvents + 1));
  CHECK(got.numbers.back() == kEvents + 1);
  CHECK(got.unknown_events == 1);
  CHECK_FALSE(got.losses.any());
}

TEST_CASE("what is no capture, or not one of ours, is refused") {
  auto refused = [](const Bytes& bytes, const char* why) {
    const ReadBack got = read_back(bytes);
    CAPTURE(why);
    CHECK(got.error.find(why) != std::string::npos);
    CHECK(got.times.empty());
    CHECK(got.status == cli::kCouldNot);
  };
  refused(Capture().section(1, 2, scap::kSwappedMagic).bytes(), "big-endian");
  refused(Capture().section(2, 0).append(with_events()).bytes(), "newer format");
  refused(Capture().section(1, 2, 0x12345678).bytes(), "magic");
  refused("", "empty");
  refused("abc", "empty or too short");
  refused("#!/bin/sh\necho this is a script\n", "not a scap capture");
  refused(noise(10000), "not a scap capture");
  refused(pack("some text that is long enough, packed", scap::Packing::kGzip), "not a scap capture");
}

TEST_CASE("section headers carry options") {
  const Bytes options = u16(1) + u16(5) + Bytes("hello\0\0\0", 8) + u16(0) + u16(0);
  Capture c = Capture().section(1, 2, scap::kSectionMagic, options).machine();
  c.event(event::kCloseE, 1, kFirst, {i64(3)});
  CHECK(read_back(c.bytes()).times == all_but({}, 1));
}

TEST_CASE("captures one after the other") {
  const Capture both = with_events().append(with_events(kEvents, Layout::kV1, kFirst + kEvents));
  const ReadBack got = read_back(both.bytes());
  CHECK(got.times == all_but({}, 2 * kEvents));
  CHECK(got.numbers.back() == 2 * kEvents);
  CHECK(got.threads == 3);
  CHECK_FALSE(got.losses.any());

  Capture damaged = both;
  const size_t second = kLists + kEvents;
  const ReadBack partly = read_back(damaged.set_trailer(second, 0).bytes());
  CHECK(partly.times == all_but({}, 2 * kEvents));
  CHECK(partly.losses.any());
}

TEST_CASE("what waits for its exit is forgotten at damage") {
  auto capture = [] {
    Capture c = small_machine().event(event::kReadE, 100, 1, {i64(5), u32(64)});
    for (uint64_t ts = 2; ts < 5; ++ts) c.event(event::kCloseE, 101, ts, {i64(9)});
    for (uint64_t ts = 5; ts < 8; ++ts) c.event(event::kCloseE, 101, ts, {i64(9)});
    return c.event(event::kReadX, 100, 8, {i64(1), "x"});
  };
  auto enter_known = [](const Capture& c) { return exit_knows_enter(c.bytes()); };
  CHECK(enter_known(capture()));
  const size_t middle = kLists + 3;
  CHECK_FALSE(enter_known(capture().set_trailer(middle, 0)));
  CHECK_FALSE(enter_known(capture().garbage(middle, "garbage")));
  CHECK_FALSE(enter_known(capture().write(middle, kLenAt, u32(3))));
  // An event that is passed over right behind the damage must not make it forgotten.
  const Bytes unknown = Capture().event(600, 100, 5, {}).at(0);
  CHECK_FALSE(enter_known(capture().set_trailer(middle, 0).garbage(middle + 1, unknown)));
  // Frames that end where blocks end: the hole shows in the packing alone.
  for (const auto packing : {scap::Packing::kGzip, scap::Packing::kZstd, scap::Packing::kLz4}) {
    const Capture c = capture();
    const Bytes plain = c.bytes();
    const size_t from = c.offset_of(middle), to = c.offset_of(middle + 1);
    Bytes hole = pack(plain.substr(from, to - from), packing);
    for (char& byte : hole) byte = static_cast<char>(byte ^ 0x5a);
    CHECK_FALSE(exit_knows_enter(pack(plain.substr(0, from), packing) + hole + pack(plain.substr(to), packing)));
    CHECK(exit_knows_enter(pack(plain.substr(0, from), packing) + pack(plain.substr(from), packing)));
  }
}

namespace {
constexpr scap::Packing kPackings[] = {scap::Packing::kGzip, scap::Packing::kZstd, scap::Packing::kLz4};
constexpr size_t kMany = 20000;
}  // namespace

TEST_CASE("packed files") {
  const Bytes plain = with_events(kMany).bytes();
  for (const auto packing : kPackings) {
    CAPTURE(std::string(scap::name_of(packing)));
    const Bytes packed = pack(plain, packing);
    const ReadBack whole = read_back(packed);
    CHECK(whole.times == all_but({}, kMany));
    CHECK_FALSE(whole.losses.any());

    const ReadBack half = read_back(packed.substr(0, packed.size() / 2));
    CHECK(half.error == "");
    CHECK(half.status == cli::kLossy);
    CHECK(half.times.size() > kMany / 5);
    CHECK(half.times == all_but({}, half.times.size()));

    const ReadBack without_last_byte = read_back(packed.substr(0, packed.size() - 1));
    constexpr size_t kInLastBlock = 128 * 1024 / 50;  // zstd's blocks are read whole or not at all
    CHECK(without_last_byte.times.size() >= kMany - (packing == scap::Packing::kZstd ? kInLastBlock : 0));
    CHECK(without_last_byte.times == all_but({}, without_last_byte.times.size()));
    CHECK(without_last_byte.status == cli::kLossy);

    const ReadBack garbage_behind = read_back(packed + noise(1000));
    CHECK(garbage_behind.times == all_but({}, kMany));
    CHECK(garbage_behind.status == cli::kLossy);
  }
}

TEST_CASE("a damaged member costs nothing before and behind it") {
  constexpr size_t kOne = 5000, kTwo = 10000;
  const Capture c = with_events(kMany);
  const Bytes plain = c.bytes();
  const size_t from = c.offset_of(kLists + kOne), to = c.offset_of(kLists + kTwo);
  for (const auto packing : kPackings) {
    CAPTURE(std::string(scap::name_of(packing)));
    const Bytes first = pack(plain.substr(0, from), packing), middle = pack(plain.substr(from, to - from), packing),
                last = pack(plain.substr(to), packing);
    for (const size_t at : {size_t{0}, size_t{4}, size_t{12}, middle.size() / 2, middle.size() - 40, middle.size() - 8}) {
      CAPTURE(at);
      Bytes bad = middle;
      for (size_t i = at; i < std::min(at + 30, bad.size()); ++i) bad[i] = static_cast<char>(bad[i] ^ 0xa5);
      const ReadBack got = read_back(first + bad + last);
      CHECK(got.status == cli::kLossy);
      const std::set<uint64_t> times(got.times.begin(), got.times.end());
      size_t missing_before = 0, missing_behind = 0;
      for (size_t i = 0; i < kOne; ++i) missing_before += !times.contains(kFirst + i);
      for (size_t i = kTwo; i < kMany; ++i) missing_behind += !times.contains(kFirst + i);
      CHECK(missing_before == 0);
      CHECK(missing_behind == 0);
    }
  }
}

TEST_CASE("damage late in a member: what was packed before it is there") {
  Capture c = small_machine();  // not so regular that one block of the packer holds it all
  for (size_t i = 0; i < kMany; ++i) c.event(event::kReadX, 100, kFirst + i, {i64(3), noise(100 + i % 50).substr(i % 40)});
  const Bytes plain = c.bytes();
  for (const auto packing : kPackings) {
    CAPTURE(std::string(scap::name_of(packing)));
    Bytes bad = pack(plain, packing);
    for (size_t at = bad.size() * 9 / 10; at < bad.size() * 9 / 10 + 200; ++at) bad[at] = static_cast<char>(bad[at] ^ 0x55);
    const ReadBack got = read_back(bad);
    CHECK(got.status == cli::kLossy);
    CHECK(got.times.size() > kMany * 8 / 10);
  }
}
