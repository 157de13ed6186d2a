// SPDX-License-Identifier: Apache-2.0
// Captures spelled out block by block, and verbs that damage them. A test says what stands in the file and what was
// done to it; no binary file is checked in for that.
//
//   Capture c = small_machine();
//   for (int i = 0; i < 10; ++i) c.event(event::kCloseE, 1, 1000 + i, {i64(3)});
//   c.flip(c.last_block() - 4, 8);
//   ReadBack got = read_back(c.bytes());
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "capture/event/table.h"
#include "capture/scap/format.h"

namespace scry::test {

using Bytes = std::string;

template <class T>
Bytes raw(T value) {
  static_assert(std::is_trivially_copyable_v<T>);
  return Bytes(reinterpret_cast<const char*>(&value), sizeof value);
}
inline Bytes u8(uint8_t v) { return raw(v); }
inline Bytes u16(uint16_t v) { return raw(v); }
inline Bytes u32(uint32_t v) { return raw(v); }
inline Bytes i64(int64_t v) { return raw(v); }
inline Bytes u64(uint64_t v) { return raw(v); }
/// With its NUL, as in event parameters.
inline Bytes text(std::string_view v) { return Bytes(v) + '\0'; }
/// With a u16 length before, as in lists.
Bytes str16(std::string_view v);

enum class Layout : uint8_t { kV1, kV2 };      ///< of an event header

/// The bytes of one event, from its timestamp on. Lengths have the width that the code asks for.
Bytes event_bytes(unsigned code, int64_t tid, uint64_t ts, const std::vector<Bytes>& params, Layout layout = Layout::kV2);

class Capture {
 public:
  // --- what stands in it; each adds one block ---
  Capture& section(uint16_t major = 1, uint16_t minor = 2, uint32_t magic = scap::kSectionMagic, Bytes options = {});
  Capture& machine(uint32_t cpus = 2, std::string_view hostname = "testhost");
  Capture& interface(std::string_view name = "eth0");
  Capture& user(uint32_t uid, std::string_view name);
  Capture& process(int64_t tid, int64_t pid, int64_t ptid, std::string_view comm);
  Capture& file_fd(int64_t tid, int64_t fd, std::string_view path);
  Capture& event(unsigned code, int64_t tid, uint64_t ts, const std::vector<Bytes>& params, Layout layout = Layout::kV2);
  /// An event in a block that carries flags (EVF).
  Capture& flagged_event(uint32_t flags, unsigned code, int64_t tid, uint64_t ts, const std::vector<Bytes>& params,
                         Layout layout = Layout::kV2);
  Capture& block(uint32_t id, Bytes body);
  Capture& append(const Capture& other);

  // --- what was done to it; `at` is the number of a block ---
  Capture& flip(size_t at, size_t offset, uint8_t mask = 0xff);
  /// Overwrites bytes of a block, from `offset`.
  Capture& write(size_t at, size_t offset, const Bytes& bytes);
  Capture& set_length(size_t at, uint32_t length) { return write(at, 4, u32(length)); }
  Capture& set_trailer(size_t at, uint32_t length) { return write(at, blocks_[at].size() - 4, u32(length)); }
  Capture& set_id(size_t at, uint32_t id) { return write(at, 0, u32(id)); }
  /// Makes both lengths those of the bytes that the block now has.
  Capture& fix_length(size_t at);
  /// Bytes of no block, before block `at`.
  Capture& garbage(size_t at, const Bytes& bytes);
  Capture& remove_bytes(size_t at, size_t offset, size_t count);
  Capture& remove_block(size_t at);
  /// Keeps the first `size` bytes of the whole.
  Bytes truncated(size_t size) const { return bytes().substr(0, size); }

  Bytes bytes() const;
  size_t size() const { return blocks_.size(); }
  size_t last_block() const { return blocks_.size() - 1; }
  const Bytes& at(size_t number) const { return blocks_[number]; }
  /// Where block `number` begins.
  size_t offset_of(size_t number) const;

 private:
  std::vector<Bytes> blocks_;
};

/// Section, machine info, an interface, a user, processes 1 and 100 (with thread 101), two fds: seven blocks and more.
Capture small_machine();

/// Events of many kinds on a small machine, old and new layouts: a seed for fuzzing that needs no file.
Capture varied_capture();

}  // namespace scry::test
