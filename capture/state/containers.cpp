// SPDX-License-Identifier: Apache-2.0
#include "capture/state/containers.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

namespace scry::state {
namespace {

constexpr size_t kIdHex = 64, kShortId = 12;

bool is_hex(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

/// `prefix` 64 hex digits `suffix`, anywhere from the right; `suffix` at the end of the path when `at_end`.
struct HexRule {
  std::string_view prefix, suffix;
  bool at_end;
};

/// In the order in which the engines are tried (state.md §5).
constexpr HexRule kHexRules[] = {
    {"/libpod-", ".scope/container", false}, {"/libpod-", ".scope", false}, {"/libpod-", "", true},
    {"/docker-", ".scope", false},           {"/crio-", "", false},         {"/cri-containerd-", ".scope", false},
    {":cri-containerd:", "", true},          {"/", "", true}};

std::optional<std::string> match(const HexRule& rule, std::string_view path) {
  const size_t at = path.rfind(rule.prefix);
  if (at == std::string_view::npos) return {};
  std::string_view rest = path.substr(at + rule.prefix.size());
  if (rest.size() < kIdHex || !is_hex(rest.substr(0, kIdHex))) return {};
  std::string_view tail = rest.substr(kIdHex);
  if (rule.at_end ? !(tail == rule.suffix) : !tail.starts_with(rule.suffix)) return {};
  return std::string(rest.substr(0, kShortId));
}

std::optional<std::string> lxc_id(std::string_view path) {
  for (std::string_view prefix : {"/lxc/", "/lxc.payload/", "/lxc.payload."}) {
    const size_t at = path.find(prefix);
    if (at == std::string_view::npos) continue;
    std::string_view rest = path.substr(at + prefix.size());
    rest = rest.substr(0, rest.find('/'));
    if (!rest.empty()) return std::string(rest);
  }
  if (constexpr std::string_view kSuffix = ".libvirt-lxc"; path.ends_with(kSuffix)) {
    path.remove_suffix(kSuffix.size());
    return std::string(path.substr(path.rfind('/') + 1));
  }
  if (constexpr std::string_view kPrefix = "/libvirt/lxc/"; path.find(kPrefix) != std::string_view::npos)
    return std::string(path.substr(path.find(kPrefix) + kPrefix.size()));
  return {};
}

std::optional<std::string> containerd_id(std::string_view path) {
  constexpr std::string_view kPrefix = "/default/";
  if (!path.starts_with(kPrefix)) return {};
  std::string_view id = path.substr(kPrefix.size());
  if (id.empty() || id.size() > kIdHex || id.find('/') != std::string_view::npos) return {};
  for (std::string_view unit : {".service", ".slice", ".scope"})
    if (id.ends_with(unit)) return {};
  return std::string(id.substr(0, kShortId));
}

}  // namespace

std::string_view name_of(ContainerType type) {
  static constexpr std::string_view kNames[] = {"docker", "lxc",        "libvirt-lxc", "mesos", "rkt",    "custom",
                                                "cri",    "containerd", "cri-o",       "bpm",   "static", "podman"};
  const auto number = static_cast<size_t>(type);
  return number < std::size(kNames) ? kNames[number] : std::string_view("unknown");
}

std::string to_json(const Container& c) {
  const nlohmann::json json = {{"container", {{"id", c.id}, {"name", c.name}, {"image", c.image},
                                              {"type", static_cast<uint16_t>(c.type)}}}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string Containers::id_from_cgroups(std::string_view cgroups) {
  auto for_each_path = [&](auto&& rule) -> std::optional<std::string> {
    for (size_t at = 0; at < cgroups.size();) {
      size_t end = cgroups.find('\0', at);
      if (end == std::string_view::npos) end = cgroups.size();
      std::string_view entry = cgroups.substr(at, end - at);
      at = end + 1;
      const size_t equals = entry.find('=');
      if (equals == std::string_view::npos || equals + 2 >= entry.size()) continue;
      if (auto id = rule(entry.substr(equals + 1))) return id;
    }
    return {};
  };
  for (const HexRule& rule : kHexRules)
    if (auto id = for_each_path([&](std::string_view path) { return match(rule, path); })) return *id;
  if (auto id = for_each_path(lxc_id)) return *id;
  if (auto id = for_each_path(containerd_id)) return *id;
  return {};
}

const Container* Containers::find(std::string_view id) const {
  auto it = by_id_.find(id);
  return it == by_id_.end() ? nullptr : &it->second;
}

bool Containers::add(Container container) {
  if (container.id.empty() || (by_id_.size() >= kMax && !by_id_.contains(container.id))) return false;
  std::string id = container.id;
  by_id_.insert_or_assign(std::move(id), std::move(container));
  return true;
}

bool Containers::add_json(std::string_view text) {
  // Recorders repeat themselves: the same few texts come again and again.
  constexpr size_t kRemembered = 64;
  if (auto it = parsed_.find(text); it != parsed_.end()) return add(it->second);
  const auto json = nlohmann::json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return false;
  const auto found = json.find("container");
  if (found == json.end() || !found->is_object()) return false;
  auto text_of = [&](const char* key) {
    auto it = found->find(key);
    return it != found->end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  Container c{text_of("id"), text_of("name"), text_of("image"), ContainerType::kUnknown, std::string(text)};
  if (auto type = found->find("type"); type != found->end() && type->is_number_unsigned())
    c.type = static_cast<ContainerType>(type->get<uint64_t>());
  if (parsed_.size() >= kRemembered) parsed_.clear();
  parsed_.emplace(c.json, c);
  return add(std::move(c));
}

}  // namespace scry::state
