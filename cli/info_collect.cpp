// SPDX-License-Identifier: Apache-2.0
#include "cli/info_collect.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "capture/base/check.h"
#include "capture/pipeline.h"
#include "capture/source/file_source.h"
#include "cli/line_printer.h"
#include "cli/progress.h"
#include "filters/fields/arguments.h"

namespace scry::cli {
namespace {

constexpr uint16_t kOptionHardware = 2, kOptionOs = 3;  // of pcapng's section header

/// Hashes and counts what goes by.
class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new()) {
    CHECK(context_ && EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) == 1, "SHA-256 can't start");
  }
  ~Sha256() { EVP_MD_CTX_free(context_); }
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(const uint8_t* bytes, size_t size) {
    EVP_DigestUpdate(context_, bytes, size);
    bytes_ += size;
  }
  std::string finish() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_DigestFinal_ex(context_, digest, &size);
    return fmt::format("{:02x}", fmt::join(digest, digest + size, ""));
  }
  uint64_t bytes() const { return bytes_; }

 private:
  EVP_MD_CTX* context_;
  uint64_t bytes_ = 0;
};

/// Events by process: a pid that is used again, or in another section, is another process.
class Processes {
 public:
  void add(const Moment& moment, const state::Machine& machine, uint64_t section) {
    if (!moment.thread) {
      ++of_none_;
      return;
    }
    const state::Thread* leader = machine.leader_of(*moment.thread);
    const state::Thread& process = leader ? *leader : *moment.thread;
    const Key key{section, process.is_unknown() ? -1 : process.pid, process.is_unknown() ? process.tid : 0,
                  leader ? leader->clone_ts : 0};
    if (last_ == kNone || !(key == last_key_)) {
      last_key_ = key;
      last_ = find(key);
      if (last_ == kNone) {
        ++of_others_;
        return;
      }
    }
    Row& row = rows_[last_];
    ++row.events;
    if (row.comm.id() != process.comm.id()) row.comm = process.comm;
  }

  void finish(CaptureInfo& out) {
    out.process_count = rows_.size();
    out.events_of_other_processes = of_others_;
    out.events_of_no_process = of_none_;
    std::stable_sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) { return a.events > b.events; });
    for (const Row& row : rows_) {
      if (out.busiest.size() == CaptureInfo::kBusiestKept) break;
      out.busiest.push_back(
          {row.pid < 0 ? std::nullopt : std::optional(row.pid), row.tid, std::string(row.comm.view()), row.events});
    }
  }

 private:
  struct Key {
    uint64_t section = 0;
    Pid pid = -1;
    Tid tid = 0;  ///< of a thread whose process is unknown
    Nanos start = 0;
    bool operator==(const Key&) const = default;
    template <class H>
    friend H AbslHashValue(H h, const Key& k) {
      return H::combine(std::move(h), k.section, k.pid, k.tid, k.start);
    }
  };
  struct Row {
    Pid pid;
    Tid tid;
    Text comm;
    uint64_t events = 0;
  };
  static constexpr size_t kNone = SIZE_MAX;

  size_t find(const Key& key) {
    auto it = index_.find(key);
    if (it != index_.end()) return it->second;
    if (rows_.size() >= CaptureInfo::kMaxProcesses) return kNone;
    rows_.push_back({key.pid, key.pid < 0 ? key.tid : key.pid, {}, 0});
    index_.emplace(key, rows_.size() - 1);
    return rows_.size() - 1;
  }

  absl::flat_hash_map<Key, size_t> index_;
  std::vector<Row> rows_;
  Key last_key_;
  size_t last_ = kNone;  ///< of last_key_: events come in runs of one process
  uint64_t of_none_ = 0, of_others_ = 0;
};

class Collector {
 public:
  Collector(CaptureInfo& out, state::Machine& machine) : out_(out), machine_(machine) {}

  void section(const scap::SectionEntry& section) {
    begin_section();
    if (out_.section_count > out_.sections.size()) return;
    SectionInfo& info = out_.sections.back();
    info.version = {section.major, section.minor};
    for (const auto& option : section.options) {
      std::string text(option.value);
      if (option.code == scap::kOptionComment) info.comments.push_back(std::move(text));
      else if (option.code == scap::kOptionApplication) info.application = std::move(text);
      else if (option.code == kOptionHardware) info.hardware = std::move(text);
      else if (option.code == kOptionOs) info.os = std::move(text);
    }
  }

  void block(const scap::Block& block) {
    if (out_.section_count == 0) begin_section();  // its header is damaged
    out_.blocks.add(load<uint32_t>(block.start));
    switch (block.id) {
      case scap::kSection: break;
      case scap::kMachineInfo:
        if (out_.section_count == out_.sections.size()) out_.sections.back().machine = machine_.info();
        break;
      case scap::kInterfaces1:
      case scap::kInterfaces2: interfaces_seen_ = true; break;
      case scap::kUsers1:
      case scap::kUsers2: users_seen_ = true; break;
      case scap::kFds1:
      case scap::kFds2: break;
      default: out_.listed_threads = machine_.thread_count();
    }
  }

  void event(const Moment& moment) {
    const auto& raw = moment.event.raw();
    if (out_.section_count == 0) [[unlikely]]
      begin_section();
    out_.blocks.add(load<uint32_t>(raw.block));
    if (raw.num == 0) {
      ++out_.unnumbered;
      users_seen_ = true;  // that is what unnumbered events tell of
    }
    if (moment.silent) ++out_.silent;
    else if (moment.internal) ++out_.internal;
    if (raw.code == event::kDropE || raw.code == event::kDropX) ++out_.drop_events;
    if (!moment.silent) time(raw.ts);
    if (raw.code <= event::kGenericX) ++by_call_[{fields::classic_type(moment.event), moment.event.is_enter()}];
    else ++by_code_[raw.code];
    ++by_category_[static_cast<size_t>(moment.event.info().category)];
    if (!moment.silent && !moment.internal) processes_.add(moment, machine_, out_.section_count);
    comments(raw);
  }

  void finish() {
    auto counts = by_call_;
    for (unsigned code = 0; code < event::kCodeCount; ++code)
      if (by_code_[code]) counts[{event::info_of(code).name(), event::is_enter(code)}] += by_code_[code];
    for (const auto& [key, count] : counts) out_.by_type.push_back({std::string(key.first), key.second, count});
    std::stable_sort(out_.by_type.begin(), out_.by_type.end(),
                     [](const TypeCount& a, const TypeCount& b) { return a.count > b.count; });
    for (size_t i = 0; i < by_category_.size(); ++i)
      if (by_category_[i]) out_.by_category.emplace_back(name_of(static_cast<event::Category>(i)), by_category_[i]);
    std::stable_sort(out_.by_category.begin(), out_.by_category.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    processes_.finish(out_);
    tables();
  }

 private:
  void begin_section() {
    ++out_.section_count;
    out_.listed_threads.reset();
    users_seen_ = interfaces_seen_ = false;
    if (out_.sections.size() < CaptureInfo::kSectionsKept) out_.sections.emplace_back();
  }

  void time(Nanos ts) {
    if (!out_.first || ts < *out_.first) out_.first = ts;
    if (!out_.last || ts > *out_.last) out_.last = ts;
    if (ts < previous_) ++out_.backwards;
    previous_ = ts;
  }

  /// pcapng options may follow an event, from the next multiple of four on.
  void comments(const event::RawEvent& raw) {
    const uint32_t from = (raw.used + 3) & ~3u, to = raw.block_size - scap::kBlockTrailer;
    if (from + 4 > to) [[likely]]
      return;
    const std::string_view rest(reinterpret_cast<const char*>(raw.block) + from, to - from);
    for (const auto& option : scap::read_options(rest)) {
      if (option.code != scap::kOptionComment) continue;
      ++out_.comment_count;
      if (out_.comments.size() < CaptureInfo::kCommentsKept)
        out_.comments.push_back({raw.num, raw.offset, std::string(option.value)});
    }
  }

  void tables() {
    absl::flat_hash_set<Pid> pids;
    machine_.for_each_thread([&](const state::Thread& thread) {
      if (thread.is_unknown()) {
        ++out_.unknown_threads;
      } else if (!thread.has(state::Thread::kDead)) {
        ++out_.threads;
        pids.insert(thread.pid);
      }
    });
    out_.processes = pids.size();
    if (users_seen_) {
      auto& users = out_.users.emplace();
      machine_.for_each_user([&](const auto& key, const auto& user) { users.emplace_back(key.first, user); });
      std::sort(users.begin(), users.end(), [](const auto& a, const auto& b) {
        return std::tie(a.first, a.second.uid) < std::tie(b.first, b.second.uid);
      });
      auto& groups = out_.groups.emplace();
      machine_.for_each_group([&](const auto& key, const auto& group) { groups.emplace_back(key.first, group); });
      std::sort(groups.begin(), groups.end(), [](const auto& a, const auto& b) {
        return std::tie(a.first, a.second.gid) < std::tie(b.first, b.second.gid);
      });
    }
    if (interfaces_seen_) out_.interfaces = machine_.interfaces();
    for (const auto& [id, container] : machine_.containers().all()) out_.containers.push_back(container);
  }

  CaptureInfo& out_;
  state::Machine& machine_;
  std::map<std::pair<std::string_view, bool>, uint64_t> by_call_;
  std::array<uint64_t, event::kCodeCount> by_code_{};
  std::array<uint64_t, static_cast<size_t>(event::Category::kInternal) + 1> by_category_{};
  Processes processes_;
  Nanos previous_ = 0;
  bool users_seen_ = false, interfaces_seen_ = false;
};

}  // namespace

Result<CaptureInfo> collect_info(const std::string& path) {
  constexpr uint64_t kEventsPerUpdate = 4096;
  CaptureInfo out;
  Sha256 hash;
  auto source =
      source::FileSource::open(path, out.losses, [&](const uint8_t* bytes, size_t size) { hash.add(bytes, size); });
  if (!source) return tl::unexpected<Error>(source.error());
  state::Machine machine(out.losses);
  Pipeline pipeline(**source, machine, out.losses);
  Collector collector(out, machine);
  pipeline.on_section = [&](const scap::SectionEntry& section) { collector.section(section); };
  pipeline.on_block = [&](const scap::Block& block) { collector.block(block); };
  Progress progress((*source)->file_size());
  for (uint64_t seen = 0; const Moment* moment = pipeline.next(); ++seen) {
    collector.event(*moment);
    if (seen % kEventsPerUpdate == 0) progress.update((*source)->file_position());
  }
  if (pipeline.error()) return tl::unexpected<Error>(*pipeline.error());
  collector.finish();
  out.name = (*source)->name();
  out.packing = (*source)->packing();
  out.unpacked_bytes = (*source)->unpacked_position();
  out.file_bytes = hash.bytes();
  out.sha256 = hash.finish();
  out.numbered = pipeline.events();
  out.unknown_codes = (*source)->unknown_events();
  out.blocks.add((*source)->blocks_passed_over());
  return out;
}

}  // namespace scry::cli
