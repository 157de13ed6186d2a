// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "capture/base/visible.h"
#include "cli/info_print.h"

namespace scry::cli {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr size_t kTypesShown = 12, kProcessesShown = 10, kCommentsShown = 20, kContainersShown = 20, kNotesShown = 10;

/// 1,234,567
std::string grouped(uint64_t number) {
  std::string text = std::to_string(number);
  for (size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

std::string counted(uint64_t number, const char* one, const char* many) {
  return fmt::format("{} {}", grouped(number), number == 1 ? one : many);
}

std::string memory_text(uint64_t bytes) {
  return bytes >> 30 ? fmt::format("{:.1f} GiB", static_cast<double>(bytes) / (1 << 30))
                     : fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

std::string span_text(Nanos span) {
  const uint64_t seconds = span / kSecond;
  std::string text;
  if (seconds >= 86400) text += fmt::format("{} d ", seconds / 86400);
  if (seconds >= 3600) text += fmt::format("{} h ", seconds / 3600 % 24);
  if (seconds >= 60) text += fmt::format("{} min ", seconds / 60 % 60);
  return text + fmt::format("{}.{:09} s", seconds % 60, span % kSecond);
}

class TextWriter {
 public:
  explicit TextWriter(const CaptureInfo& info) : info_(info) {}

  std::string write() {
    text_ = visible(info_.name) + "\n";
    file();
    for (size_t i = 0; i < info_.sections.size(); ++i) section(info_.sections[i], i);
    if (info_.section_count > info_.sections.size())
      line("", fmt::format("and {} more sections", info_.section_count - info_.sections.size()));
    time();
    events();
    state();
    tables();
    comments();
    losses();
    return std::move(text_);
  }

 private:
  /// A label in the left margin, or none for further lines under it.
  void line(std::string_view label, std::string_view what) { text_ += fmt::format("  {:<12}  {}\n", label, what); }
  void gap() { text_ += '\n'; }
  /// A row of a table: a number, and what it counts.
  void row(uint64_t count, std::string_view what) { text_ += fmt::format("  {:>12}  {}\n", grouped(count), what); }
  void more(size_t shown, uint64_t all, const char* what) {
    if (all > shown) line("", fmt::format("and {} more {}", grouped(all - shown), what));
  }

  void file() {
    std::string size = counted(info_.file_bytes, "byte", "bytes");
    if (info_.packing == scap::Packing::kPlain) {
      size += ", not compressed";
    } else {
      size += fmt::format(", {}; {} unpacked", scap::name_of(info_.packing), grouped(info_.unpacked_bytes));
      if (info_.file_bytes)
        size += fmt::format(", {:.1f} times as many",
                            static_cast<double>(info_.unpacked_bytes) / static_cast<double>(info_.file_bytes));
    }
    line("file", size);
    line("sha256", info_.sha256);
  }

  void section(const SectionInfo& section, size_t index) {
    if (info_.section_count > 1) gap();
    std::string format = section.version ? fmt::format("scap {}.{}", section.version->major, section.version->minor)
                                         : "unknown: the section header is damaged";
    if (info_.section_count > 1) format += fmt::format(", section {} of {}", index + 1, grouped(info_.section_count));
    line("format", format);
    if (section.application) line("written by", visible(*section.application));
    if (section.hardware) line("hardware", visible(*section.hardware));
    if (section.os) line("system", visible(*section.os));
    for (const auto& comment : section.comments) line("comment", visible(comment));
    if (!section.machine) return line("machine", "not recorded");
    const auto& m = *section.machine;
    line("machine", fmt::format("{}, {}, {}", m.hostname.empty() ? "no host name recorded" : visible(m.hostname),
                                m.cpus ? counted(m.cpus, "cpu", "cpus") : "number of cpus not recorded",
                                m.memory_bytes ? memory_text(m.memory_bytes) + " memory" : "memory not recorded"));
    if (m.boot_ts) date("booted", m.boot_ts);
    else line("booted", "not recorded");
  }

  void date(const char* label, Nanos ts) {
    const std::string utc = date_text(ts, Zone::kUtc), local = date_text(ts, Zone::kLocal);
    line(label, utc + " UTC");
    if (!local.starts_with(utc)) line("", local + " here");
  }

  void time() {
    gap();
    if (!info_.first) return line("time", "unknown: there are no events");
    date("first event", *info_.first);
    date("last event", *info_.last);
    line("duration", span_text(*info_.last - *info_.first));
    if (info_.backwards)
      line("order", counted(info_.backwards, "event is older than the one before it",
                            "events are older than the one before them"));
  }

  void events() {
    gap();
    line("events", fmt::format("{} numbered", grouped(info_.numbered)));
    if (info_.internal)
      line("", fmt::format("{} of them about the recording itself (shown with -D)", grouped(info_.internal)));
    if (const uint64_t silent = info_.silent - info_.unnumbered)
      line("", fmt::format("{} of them only tell the state of things (never shown)", grouped(silent)));
    if (info_.unnumbered)
      line("", counted(info_.unnumbered, "more, unnumbered, is an entry of the user or group table",
                       "more, unnumbered, are entries of the user and group tables"));
    for (const auto& [code, count] : info_.unknown_codes)
      line("", fmt::format("{} passed over: code {}, unknown to this program", grouped(count), code));
    if (info_.drop_events)
      line("", counted(info_.drop_events, "time the recorder says that it let events go",
                       "times the recorder says that it let events go"));
  }

  void state() {
    gap();
    line("processes",
         fmt::format("{} with {} at the end", grouped(info_.processes), counted(info_.threads, "thread", "threads")));
    line("", info_.listed_threads ? counted(*info_.listed_threads, "thread", "threads") + " in the list at the start"
                                  : "no list at the start was recorded");
    if (info_.unknown_threads)
      line("", counted(info_.unknown_threads, "more thread is known by its number only",
                       "more threads are known by their numbers only"));
    if (info_.users)
      line("users", fmt::format("{}, groups {}", grouped(info_.users->size()), grouped(info_.groups->size())));
    else line("users", "not recorded, nor groups");
    if (!info_.interfaces) {
      line("interfaces", "not recorded");
    } else if (info_.interfaces->empty()) {
      line("interfaces", "none");
    } else {
      const char* label = "interfaces";
      for (const auto& i : *info_.interfaces) {
        line(std::exchange(label, ""), fmt::format("{:<15}  {}", visible(i.name), address_text(i.address, i.v6)));
      }
    }
    if (info_.containers.empty()) return line("containers", "none heard of");
    const char* label = "containers";
    for (size_t i = 0; i < std::min(info_.containers.size(), kContainersShown); ++i) {
      const auto& c = info_.containers[i];
      line(std::exchange(label, ""), fmt::format("{:<15}  {} {}", visible(c.id), name_of(c.type), visible(c.name)) +
                                         (c.image.empty() ? "" : fmt::format(" ({})", visible(c.image))));
    }
    more(kContainersShown, info_.containers.size(), "containers");
  }

  void heading(std::string_view first, std::string_view second) {
    gap();
    text_ += fmt::format("  {:>12}  {}\n", first, second);
  }

  void tables() {
    if (!info_.by_type.empty()) {
      heading("events", "type");
      for (size_t i = 0; i < std::min(info_.by_type.size(), kTypesShown); ++i) {
        const auto& t = info_.by_type[i];
        row(t.count, fmt::format("{} {}", t.enter ? '>' : '<', t.type));
      }
      more(kTypesShown, info_.by_type.size(), "types");
      heading("events", "category");
      for (const auto& [name, count] : info_.by_category) row(count, name);
    }
    if (!info_.busiest.empty()) {
      heading("events", fmt::format("{:>8}  process", "pid"));
      for (size_t i = 0; i < std::min(info_.busiest.size(), kProcessesShown); ++i) {
        const auto& p = info_.busiest[i];
        if (p.pid) row(p.events, fmt::format("{:>8}  {}", *p.pid, visible(p.comm)));
        else row(p.events, fmt::format("{:>8}  unknown; its thread {}", "-", p.tid));
      }
      more(kProcessesShown, info_.process_count, "processes");
      if (info_.events_of_no_process) row(info_.events_of_no_process, fmt::format("{:>8}  events of no process", ""));
      if (info_.events_of_other_processes)
        row(info_.events_of_other_processes, fmt::format("{:>8}  of processes not told apart", ""));
    }
    heading("blocks", "id          kind");
    for (const auto& [id, count] : info_.blocks.by_id()) {
      const auto name = scap::block_name(id);
      row(count, fmt::format("0x{:08X}  {}", id, name.empty() ? "not of scap, passed over" : name));
    }
    if (info_.blocks.others()) row(info_.blocks.others(), "            of other kinds");
  }

  void comments() {
    if (info_.comments.empty()) return;
    heading("event", "comment");
    for (size_t i = 0; i < std::min(info_.comments.size(), kCommentsShown); ++i) {
      const auto& c = info_.comments[i];
      if (c.num) text_ += fmt::format("  {:>12}  {}\n", c.num, visible(c.text));
      else text_ += fmt::format("  {:>12}  {} (at byte {})\n", "unnumbered", visible(c.text), c.offset);
    }
    more(kCommentsShown, info_.comment_count, "comments");
  }

  void losses() {
    gap();
    const Losses& losses = info_.losses;
    if (!losses.any()) return line("losses", "none; the capture was read whole");
    const char* label = "losses";
    for (size_t i = 0; i < static_cast<size_t>(LossKind::kCount); ++i) {
      const auto kind = static_cast<LossKind>(i);
      const auto& total = losses.total(kind);
      if (total.count == 0) continue;
      std::string what = fmt::format("{}: {}", describe(kind), counted(total.count, "time", "times"));
      if (total.bytes) what += fmt::format(", {}", counted(total.bytes, "byte", "bytes"));
      line(std::exchange(label, ""), what);
    }
    for (size_t i = 0; i < std::min(losses.notes().size(), kNotesShown); ++i) {
      const auto& note = losses.notes()[i];
      line("", fmt::format("at byte {}: {}", grouped(note.offset), visible(note.why)));
    }
    if (losses.notes().size() > kNotesShown) line("", "and more");
  }

  const CaptureInfo& info_;
  std::string text_;
};

}  // namespace

std::string date_text(Nanos ts, Zone zone) {
  const auto seconds = static_cast<time_t>(ts / kSecond);
  struct tm parts = {};
  if (zone == Zone::kUtc) gmtime_r(&seconds, &parts);
  else localtime_r(&seconds, &parts);
  char date[64] = {}, offset[16] = {};
  strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &parts);
  if (zone == Zone::kLocal) strftime(offset, sizeof offset, " %z", &parts);
  return fmt::format("{}.{:09}{}", date, ts % kSecond, offset);
}

std::string address_text(const state::IpAddress& address, bool v6) {
  std::string text;
  state::append_ip(text, address.bytes, v6);
  return text;
}

std::string info_as_text(const CaptureInfo& info) { return TextWriter(info).write(); }

}  // namespace scry::cli
