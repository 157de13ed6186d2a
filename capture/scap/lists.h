// SPDX-License-Identifier: Apache-2.0
// Decoders of the blocks at the start of a section: what the machine looked like. Each hands its entries one by one to
// a visitor; an entry that can't be read ends its block (or is stepped over, where entries carry their length) and is
// counted. Texts are views into the block.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "capture/base/ids.h"
#include "capture/base/loss.h"
#include "capture/scap/block_reader.h"

namespace scry::scap {

struct PcapngOption {
  uint16_t code;  ///< 1: comment, 4: user application
  std::string_view value;
};
constexpr uint16_t kOptionComment = 1, kOptionApplication = 4;
/// The options at `data`, up to the end mark or whatever can't be read.
std::vector<PcapngOption> read_options(std::string_view data);

constexpr const char* kBigEndian = "a big-endian capture; captures of little-endian machines can be read";

struct SectionEntry {
  uint16_t major = 0, minor = 0;
  std::vector<PcapngOption> options;
};

struct MachineEntry {
  uint32_t cpus = 0;
  uint64_t memory_bytes = 0, max_pid = 0;
  std::string_view hostname;
  Nanos boot_ts = 0;
};

struct InterfaceEntry {
  bool v6 = false;
  const uint8_t* address = nullptr;  ///< 4 or 16 bytes, network order; netmask and broadcast likewise
  const uint8_t* netmask = nullptr;
  const uint8_t* broadcast = nullptr;
  uint64_t link_speed = 0;
  std::string_view name;
};

struct UserEntry {
  bool is_group = false;
  uint32_t uid = 0, gid = 0;
  std::string_view name, home, shell;
};

/// Fields that a version lacks have the defaults of scap-format.md §6.
struct ProcessEntry {
  Tid tid = 0;
  Pid pid = 0;
  Tid ptid = 0;
  int64_t sid = -1, vpgid = -1, pgid = -1, vtid = -1, vpid = -1;
  std::string_view comm, exe, exepath, args, cwd, env, cgroups, root;
  int64_t fdlimit = 0;
  uint32_t flags = 0, uid = 0, gid = 0;
  uint32_t vm_size_kb = 0, vm_rss_kb = 0, vm_swap_kb = 0;
  uint64_t pf_major = 0, pf_minor = 0;
  Nanos pidns_start_ts = 0;
  uint32_t tty = 0, loginuid = 0xffffffff;
  bool has_exe_flags = false, has_caps = false;  ///< whether these were recorded
  bool exe_writable = false, exe_upper = false, exe_memfd = false, exe_lower = false;
  uint64_t cap_inheritable = 0, cap_permitted = 0, cap_effective = 0;
  uint64_t exe_ino = 0, exe_ino_ctime = 0, exe_ino_mtime = 0;
};

struct FdEntry {
  Tid tid = 0;
  FdNumber fd = 0;
  uint64_t ino = 0;
  uint8_t type = 0;  ///< scap-format.md §7; unknown ones are handed on as they are, without further fields
  const uint8_t* source = nullptr;  ///< 4 or 16 bytes
  const uint8_t* dest = nullptr;    ///< also the address of a server socket
  uint16_t sport = 0, dport = 0;
  uint8_t l4 = 0;
  uint64_t unix_source = 0, unix_dest = 0;
  std::string_view path;
  uint32_t open_flags = 0, dev = 0;
};

/// What is wrong with a section header, or null. `out` is filled either way as far as it goes.
const char* read_section(const Block& block, SectionEntry& out);
bool read_machine(const Block& block, MachineEntry& out);

void read_interfaces(const Block& block, Losses& losses, const std::function<void(const InterfaceEntry&)>& visit);
void read_users(const Block& block, Losses& losses, const std::function<void(const UserEntry&)>& visit);
void read_processes(const Block& block, Losses& losses, const std::function<void(const ProcessEntry&)>& visit);
void read_fds(const Block& block, Losses& losses, const std::function<void(const FdEntry&)>& visit);

}  // namespace scry::scap
