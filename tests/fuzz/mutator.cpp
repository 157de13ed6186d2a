// SPDX-License-Identifier: Apache-2.0
// Two layers of damage. Blind: bits, bytes and lengths anywhere. Knowing: a field of an event is changed and all
// lengths around it are put right again, so that the damage gets past the checks and into the state and the printers.
#include "tests/fuzz/mutator.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "capture/base/bytes.h"
#include "capture/event/table.h"
#include "capture/scap/format.h"
#include "tests/support/pack.h"

namespace scry::test {
namespace {

using Blocks = std::vector<std::string>;

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 1) {}
  uint64_t next() {
    uint64_t v = state_ += 0x9e3779b97f4a7c15u;
    v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9u;
    v = (v ^ v >> 27) * 0x94d049bb133111ebu;
    return v ^ v >> 31;
  }
  /// 0 to limit - 1; 0 for a limit of 0.
  size_t below(size_t limit) { return limit ? next() % limit : 0; }
  bool one_in(size_t n) { return below(n) == 0; }

 private:
  uint64_t state_;
};

uint32_t get32(const std::string& s, size_t at) { return load<uint32_t>(reinterpret_cast<const uint8_t*>(s.data()) + at); }
uint16_t get16(const std::string& s, size_t at) { return load<uint16_t>(reinterpret_cast<const uint8_t*>(s.data()) + at); }

/// Overwrites `width` bytes as far as they lie in `s`.
void put(std::string& s, size_t at, uint64_t value, size_t width) {
  for (size_t i = 0; i < width && at + i < s.size(); ++i) s[at + i] = static_cast<char>(value >> (8 * i));
}

/// Values at which things go wrong; `old` is what stood there.
uint64_t edge(Random& r, uint64_t old) {
  static constexpr uint64_t kEdges[] = {0, 1, 2, 3, 4, 5, 7, 8, 11, 12, 13, 16, 20, 21, 22, 24, 25, 26, 27, 28, 40, 41, 63, 64, 100,
                                        127, 128, 254, 255, 256, 511, 1023, 1024, 4095, 4096, 32767, 32768, 65534, 65535, 65536,
                                        (1u << 20), (1u << 26), (1u << 26) + 4, 0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffffc,
                                        0xfffffffe, 0xffffffff, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff,
                                        0xffffffffffffff9c};
  if (r.one_in(2)) return kEdges[r.below(std::size(kEdges))];
  static constexpr int64_t kSteps[] = {-26, -12, -8, -4, -3, -2, -1, 1, 2, 3, 4, 8, 12, 26, 64};
  if (r.one_in(4)) return r.next();
  return old + static_cast<uint64_t>(kSteps[r.below(std::size(kSteps))]);
}

std::string noise(Random& r, size_t size) {
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>(r.next());
  return out;
}

constexpr uint32_t kIds[] = {scap::kSection, 0x201, 0x202, 0x203, 0x204, 0x205, 0x206, 0x207, 0x208, 0x209, 0x20a, 0x210, 0x211,
                             0x212, 0x213, 0x214, 0x215, 0x216, 0x217, 0x218, 0x219, 0x21a, 0x21f, 0x220, 0x221, 0x222, 0x223,
                             0x8002ABCD, 0x8011ABCD, 0x8012ABCD, 0x8000ABCD, 0x8013ABCD, 0x8014ABCD, 0x8001ABCD, 0x8010ABCD,
                             0, 1, 5, 6, 0xBAD, 0x12345678};

/// Where things stand in an event block.
struct EventView {
  size_t at = 0;      ///< of the event header
  bool v2 = false;
  size_t lengths = 0; ///< of the parameter lengths
  size_t width = 2;
  std::vector<size_t> data;  ///< where each parameter begins; one more for the end

  explicit EventView(const std::string& block) {
    const auto kind = scap::event_block(scap::modern_id(get32(block, 0)));
    at = scap::kBlockHeader + (kind.flagged ? 6 : 2);
    v2 = kind.v2;
    lengths = at + (v2 ? 26 : 22);
    if (!kind.is_event || block.size() < lengths + scap::kBlockTrailer || !v2) return;
    const unsigned code = get16(block, at + 20);
    if (event::is_known(code) && event::info_of(code).has(event::kLargePayload)) width = 4;
    const size_t count = get32(block, at + 22), end = block.size() - scap::kBlockTrailer;
    if (count > 64 || lengths + count * width > end) return;
    size_t pos = lengths + count * width;
    data.push_back(pos);
    for (size_t i = 0; i < count; ++i) {
      pos += width == 4 ? get32(block, lengths + 4 * i) : get16(block, lengths + 2 * i);
      if (pos > end) {
        data.clear();
        return;
      }
      data.push_back(pos);
    }
  }
  size_t params() const { return data.empty() ? 0 : data.size() - 1; }
};

void fix_lengths(std::string& block) {
  const auto size = static_cast<uint32_t>(block.size());
  put(block, 4, size, 4);
  put(block, size - 4, size, 4);
}

/// Gives a parameter another size, with every length around it put right.
void resize_param(std::string& block, const EventView& e, size_t index, const std::string& value) {
  const size_t begin = e.data[index], old = e.data[index + 1] - begin, end = e.data.back();
  std::string out = block.substr(0, begin) + value + block.substr(begin + old, end - begin - old);
  put(out, e.lengths + e.width * index, value.size(), e.width);
  put(out, e.at + 16, out.size() - e.at, 4);
  out.resize((out.size() + 3) / 4 * 4 + scap::kBlockTrailer);
  block = std::move(out);
  fix_lengths(block);
}

/// Changes one event block; says how.
const char* mutate_event(Random& r, std::string& block, const Blocks& events) {
  const EventView e(block);
  const size_t any = e.params() ? r.below(e.params()) : 0;
  switch (r.below(e.params() ? 14 : 9)) {
    case 0: block[r.below(block.size())] ^= static_cast<char>(1 << r.below(8)); return "bit";
    case 1: block[r.below(block.size())] = static_cast<char>(edge(r, 0)); return "byte";
    case 2: put(block, 4, edge(r, block.size()), 4); return "block length";
    case 3: put(block, block.size() - 4, edge(r, block.size()), 4); return "trailer";
    case 4: put(block, 0, kIds[r.below(std::size(kIds))], 4); return "block id";
    case 5: put(block, e.at + 16, edge(r, get32(block, e.at + 16)), 4); return "event length";
    case 6: put(block, e.at + 20, r.one_in(8) ? edge(r, 454) : r.below(460), 2); return "event code";
    case 7: put(block, r.one_in(2) ? e.at : e.at + 8, edge(r, 100), 8); return "time or tid";
    case 8: put(block, e.at + 22, edge(r, e.params()), 4); return "parameter count";
    case 9: put(block, e.lengths + e.width * any, edge(r, e.data[any + 1] - e.data[any]), e.width); return "parameter length";
    case 10: put(block, e.data[any], edge(r, 3), e.data[any + 1] - e.data[any] > 8 ? 8 : e.data[any + 1] - e.data[any]); return "parameter value";
    case 11: resize_param(block, e, any, noise(r, r.one_in(6) ? r.below(5000) : r.below(40))); return "parameter replaced";
    case 12: {  // a value that another event has
      const std::string& other = events[r.below(events.size())];
      const EventView o(other);
      if (!o.params()) return "nothing";
      const size_t from = r.below(o.params());
      resize_param(block, e, any, other.substr(o.data[from], o.data[from + 1] - o.data[from]));
      return "parameter of another event";
    }
    default: {  // the code of an event with as many parameters: a sound event of another meaning
      const std::string& other = events[r.below(events.size())];
      put(block, e.at + 20, get16(other, EventView(other).at + 20), 2);
      put(block, e.at + 8, static_cast<uint64_t>(load<int64_t>(reinterpret_cast<const uint8_t*>(other.data()) + EventView(other).at + 8)), 8);
      return "code and tid of another event";
    }
  }
}

const char* mutate_list(Random& r, std::string& block) {
  const size_t at = r.below(block.size()), body = scap::kBlockHeader + r.below(block.size() - scap::kSmallestBlock);
  switch (r.below(6)) {
    case 0: block[at] ^= static_cast<char>(1 << r.below(8)); return "list bit";
    case 1: put(block, body, edge(r, block.size()), 2); return "list u16";
    case 2: put(block, body, edge(r, block.size()), 4); return "list u32";
    case 3: put(block, 0, kIds[r.below(std::size(kIds))], 4); return "list id";
    case 4: put(block, r.one_in(2) ? 4 : block.size() - 4, edge(r, block.size()), 4); return "list length";
    default:
      block.erase(body, r.below(block.size() - body));
      block.resize((block.size() + 3) / 4 * 4 + scap::kBlockTrailer);
      fix_lengths(block);
      return "list cut short";
  }
}

/// Changes the order and number of blocks from `first` on.
const char* mutate_order(Random& r, Blocks& blocks, size_t first, const Seed& other) {
  const size_t a = first + r.below(blocks.size() - first), b = first + r.below(blocks.size() - first);
  const auto at = blocks.begin() + static_cast<ptrdiff_t>(a);
  switch (r.below(8)) {
    case 0: blocks.insert(at, blocks[b]); return "block twice";
    case 1: if (blocks.size() > first + 1) blocks.erase(at); return "block removed";
    case 2: std::swap(blocks[a], blocks[b]); return "blocks swapped";
    case 3: blocks.insert(at, noise(r, 1 + r.below(r.one_in(10) ? 300000 : 300))); return "garbage between";
    case 4: blocks.insert(at, std::string(r.below(4000), '\0')); return "zeros between";
    case 5: at->erase(r.below(at->size()), 1 + r.below(64)); return "bytes removed";
    case 6: blocks.insert(at, other.blocks[r.below(other.blocks.size())]); return "block of another capture";
    default:
      blocks.resize(a);
      blocks.insert(blocks.end(), other.blocks.begin() + static_cast<ptrdiff_t>(r.one_in(2) ? 0 : r.below(other.blocks.size())), other.blocks.end());
      if (blocks.size() > a + 600) blocks.resize(a + 600);
      return "spliced";
  }
}

/// The lists, and a stretch of events.
Blocks some_of(Random& r, const Seed& seed) {
  const size_t events = seed.blocks.size() - seed.first_event, count = std::min<size_t>(events, 20 + r.below(280));
  const auto begin = seed.blocks.begin(), from = begin + static_cast<ptrdiff_t>(seed.first_event + r.below(events - count + 1));
  Blocks out(begin, begin + static_cast<ptrdiff_t>(seed.first_event));
  out.insert(out.end(), from, from + static_cast<ptrdiff_t>(count));
  return out;
}

void note(Mutant& m, const char* what, unsigned inside = 0) {
  m.what += std::string(", ") + what;
  ++m.mutations;
  m.inside_events += inside;
}

void damage_packed(Random& r, Mutant& m, const std::string& plain, scap::Packing packing) {
  std::string& bytes = m.bytes;
  switch (r.below(6)) {
    case 0: bytes[r.below(bytes.size())] ^= static_cast<char>(1 << r.below(8)); return note(m, "packed bit");
    case 1: put(bytes, r.below(bytes.size()), edge(r, 0), 4); return note(m, "packed u32");
    case 2: bytes.resize(r.below(bytes.size())); return note(m, "packed cut off");
    case 3: bytes.erase(r.below(bytes.size()), 1 + r.below(200)); return note(m, "packed bytes removed");
    case 4: bytes.insert(r.below(bytes.size()), noise(r, 1 + r.below(200))); return note(m, "packed garbage");
    default: {
      const size_t half = r.below(plain.size());
      bytes = pack(plain.substr(0, half), packing);
      if (r.one_in(2)) bytes[r.below(bytes.size())] ^= 1;
      bytes += pack(plain.substr(half), packing);
      return note(m, "two members");
    }
  }
}

}  // namespace

Seed cut_seed(std::string name, std::string_view bytes) {
  Seed seed{std::move(name), {}, 0};
  while (bytes.size() >= scap::kSmallestBlock) {
    const std::string head(bytes.substr(0, 8));
    const size_t size = get32(head, 4);
    if (size < scap::kSmallestBlock || size > bytes.size()) break;
    if (!scap::event_block(scap::modern_id(get32(head, 0))).is_event && seed.first_event == seed.blocks.size()) ++seed.first_event;
    seed.blocks.emplace_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  if (seed.first_event == seed.blocks.size()) seed.blocks.clear();
  return seed;
}

Mutant make_mutant(const std::vector<Seed>& seeds, uint64_t number) {
  Random r(number);
  const Seed& seed = seeds[r.below(seeds.size())];
  Mutant m;
  m.what = seed.name;
  Blocks blocks = some_of(r, seed);
  const size_t first = seed.first_event;
  const Blocks events(blocks.begin() + static_cast<ptrdiff_t>(first), blocks.end());
  // Events first: the other kinds move blocks about.
  const size_t event_mutations = r.one_in(6) ? 0 : 1 + r.below(r.one_in(4) ? 40 : 4);
  for (size_t i = 0; i < event_mutations; ++i)
    note(m, mutate_event(r, blocks[first + r.below(blocks.size() - first)], events), 1);
  if (r.one_in(5)) note(m, mutate_list(r, blocks[r.below(first)]));
  if (r.one_in(4)) note(m, mutate_order(r, blocks, r.one_in(4) ? 0 : first, seeds[r.below(seeds.size())]));
  std::string plain;
  for (const auto& block : blocks) plain += block;
  if (r.one_in(6) || m.mutations == 0) {
    plain.resize(r.below(plain.size()));
    note(m, "cut off");
  }
  static constexpr scap::Packing kPackings[] = {scap::Packing::kGzip, scap::Packing::kZstd, scap::Packing::kLz4};
  if (!plain.empty() && r.one_in(3)) {
    const auto packing = kPackings[r.below(std::size(kPackings))];
    m.what += std::string(", ") + scap::name_of(packing);
    m.bytes = pack(plain, packing);
    if (r.one_in(2)) damage_packed(r, m, plain, packing);
  } else {
    m.bytes = std::move(plain);
  }
  return m;
}

}  // namespace scry::test
