// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "capture/base/visible.h"
#include "cli/info_print.h"

namespace scry::cli {
namespace {

using Json = nlohmann::ordered_json;

Json text_or_null(const std::optional<std::string>& text) { return text ? Json(visible(*text)) : Json(); }
/// For numbers and names where the format has 0 or nothing for "unknown".
Json unless_zero(uint64_t number) { return number ? Json(number) : Json(); }
Json unless_empty(const std::string& text) { return text.empty() ? Json() : Json(visible(text)); }

/// As ISO 8601 has it: "2018-04-18T15:21:01.123456789Z", "...+02:00".
std::string iso_text(Nanos ts, Zone zone) {
  std::string text = date_text(ts, zone);
  text[text.find(' ')] = 'T';
  if (zone == Zone::kUtc) return text + "Z";
  text.erase(text.find(' '), 1);
  return text.insert(text.size() - 2, 1, ':');
}

Json time_json(Nanos ts) {
  return {{"ns", ts}, {"utc", iso_text(ts, Zone::kUtc)}, {"local", iso_text(ts, Zone::kLocal)}};
}

Json section_json(const SectionInfo& section) {
  Json machine;
  if (const auto& m = section.machine)
    machine = {{"hostname", unless_empty(m->hostname)},
               {"cpus", unless_zero(m->cpus)},
               {"memory_bytes", unless_zero(m->memory_bytes)},
               {"boot", m->boot_ts ? time_json(m->boot_ts) : Json()}};
  Json comments = Json::array();
  for (const auto& comment : section.comments) comments.push_back(visible(comment));
  return {{"version", section.version ? Json(fmt::format("{}.{}", section.version->major, section.version->minor)) : Json()},
          {"application", text_or_null(section.application)},
          {"hardware", text_or_null(section.hardware)},
          {"system", text_or_null(section.os)},
          {"comments", comments},
          {"machine", machine}};
}

Json blocks_json(const scap::BlockTally& blocks) {
  Json out = Json::array();
  for (const auto& [id, count] : blocks.by_id()) {
    const auto name = scap::block_name(id);
    out.push_back({{"id", fmt::format("0x{:08X}", id)}, {"name", name.empty() ? Json() : Json(name)}, {"count", count}});
  }
  return out;
}

Json time_span_json(const CaptureInfo& info) {
  return {{"first", info.first ? time_json(*info.first) : Json()},
          {"last", info.last ? time_json(*info.last) : Json()},
          {"duration_ns", info.first ? Json(*info.last - *info.first) : Json()},
          {"out_of_order", info.backwards}};
}

Json events_json(const CaptureInfo& info) {
  Json unknown = Json::array(), types = Json::array(), categories = Json::array(), comments = Json::array();
  for (const auto& [code, count] : info.unknown_codes) unknown.push_back({{"code", code}, {"count", count}});
  for (const auto& t : info.by_type)
    types.push_back({{"type", t.type}, {"dir", t.enter ? ">" : "<"}, {"count", t.count}});
  for (const auto& [name, count] : info.by_category) categories.push_back({{"category", name}, {"count", count}});
  for (const auto& c : info.comments)
    comments.push_back({{"num", unless_zero(c.num)}, {"offset", c.offset}, {"comment", visible(c.text)}});
  return {{"numbered", info.numbered},
          {"unnumbered", info.unnumbered},
          {"silent", info.silent},
          {"internal", info.internal},
          {"recorder_drops", info.drop_events},
          {"unknown_codes", unknown},
          {"by_type", types},
          {"by_category", categories},
          {"comment_count", info.comment_count},
          {"comments", comments}};
}

Json processes_json(const CaptureInfo& info) {
  Json busiest = Json::array();
  for (const auto& p : info.busiest)
    busiest.push_back({{"pid", p.pid ? Json(*p.pid) : Json()},
                       {"tid", p.pid ? Json() : Json(p.tid)},
                       {"comm", p.pid ? Json(visible(p.comm)) : Json()},
                       {"events", p.events}});
  return {{"listed_threads", info.listed_threads ? Json(*info.listed_threads) : Json()},
          {"threads_at_end", info.threads},
          {"processes_at_end", info.processes},
          {"unknown_threads_at_end", info.unknown_threads},
          {"with_events", info.process_count},
          {"events_of_no_process", info.events_of_no_process},
          {"events_not_told_apart", info.events_of_other_processes},
          {"busiest", busiest}};
}

Json users_json(const CaptureInfo& info) {
  if (!info.users) return {};
  Json out = Json::array();
  for (const auto& [container, user] : *info.users)
    out.push_back({{"uid", user.uid},
                   {"gid", user.gid},
                   {"name", visible(user.name)},
                   {"home", visible(user.home)},
                   {"shell", visible(user.shell)},
                   {"container", unless_empty(container)}});
  return out;
}

Json groups_json(const CaptureInfo& info) {
  if (!info.groups) return {};
  Json out = Json::array();
  for (const auto& [container, group] : *info.groups)
    out.push_back({{"gid", group.gid}, {"name", visible(group.name)}, {"container", unless_empty(container)}});
  return out;
}

Json interfaces_json(const CaptureInfo& info) {
  if (!info.interfaces) return {};
  Json out = Json::array();
  for (const auto& i : *info.interfaces)
    out.push_back({{"name", visible(i.name)},
                   {"address", address_text(i.address, i.v6)},
                   {"netmask", address_text(i.netmask, i.v6)},
                   {"broadcast", address_text(i.broadcast, i.v6)},
                   {"link_speed", unless_zero(i.link_speed)}});
  return out;
}

Json containers_json(const CaptureInfo& info) {
  Json out = Json::array();
  for (const auto& c : info.containers)
    out.push_back({{"id", visible(c.id)},
                   {"type", name_of(c.type)},
                   {"name", unless_empty(c.name)},
                   {"image", unless_empty(c.image)}});
  return out;
}

Json losses_json(const Losses& losses) {
  Json totals = Json::array(), notes = Json::array();
  for (size_t i = 0; i < static_cast<size_t>(LossKind::kCount); ++i) {
    const auto& total = losses.total(static_cast<LossKind>(i));
    if (total.count)
      totals.push_back({{"kind", describe(static_cast<LossKind>(i))}, {"count", total.count}, {"bytes", total.bytes}});
  }
  for (const auto& note : losses.notes())
    notes.push_back(
        {{"kind", describe(note.kind)}, {"offset", note.offset}, {"bytes", note.bytes}, {"why", visible(note.why)}});
  return {{"any", losses.any()}, {"totals", totals}, {"notes", notes}};
}

}  // namespace

std::string info_as_json(const CaptureInfo& info) {
  Json sections = Json::array();
  for (const auto& section : info.sections) sections.push_back(section_json(section));
  const bool packed = info.packing != scap::Packing::kPlain && info.file_bytes > 0;
  const Json out = {
      {"file", visible(info.name)},
      {"size_bytes", info.file_bytes},
      {"sha256", info.sha256},
      {"packing", scap::name_of(info.packing)},
      {"unpacked_bytes", info.unpacked_bytes},
      {"compression_ratio",
       packed ? Json(static_cast<double>(info.unpacked_bytes) / static_cast<double>(info.file_bytes)) : Json()},
      {"section_count", info.section_count},
      {"sections", sections},
      {"blocks", blocks_json(info.blocks)},
      {"blocks_of_other_kinds", info.blocks.others()},
      {"time", time_span_json(info)},
      {"events", events_json(info)},
      {"processes", processes_json(info)},
      {"users", users_json(info)},
      {"groups", groups_json(info)},
      {"interfaces", interfaces_json(info)},
      {"containers", containers_json(info)},
      {"losses", losses_json(info.losses)}};
  return out.dump() + "\n";
}

}  // namespace scry::cli
