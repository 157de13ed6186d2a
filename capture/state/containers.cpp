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
  ContainerType type;
};

/// In the order in which the engines are tried (state.md §5).
constexpr HexRule kHexRules[] = {
    {"/libpod-", ".scope/container", false, ContainerType::kPodman},
    {"/libpod-", ".scope", false, ContainerType::kPodman},
    {"/libpod-", "", true, ContainerType::kPodman},
    {"/docker-", ".scope", false, ContainerType::kDocker},
    {"/crio-", "", false, ContainerType::kCrio},
    {"/cri-containerd-", ".scope", false, ContainerType::kContainerd},
    {":cri-containerd:", "", true, ContainerType::kContainerd},
    {"/", "", true, ContainerType::kDocker}};

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

using Json = nlohmann::json;

std::string text_in(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

ContainerDetails::Labels labels_in(const Json& object, const char* key) {
  ContainerDetails::Labels out;
  if (const auto it = object.find(key); it != object.end() && it->is_object())
    for (const auto& [name, value] : it->items())
      if (value.is_string()) out.emplace_back(name, value.get<std::string>());
  return out;  // objects are kept sorted
}

ContainerDetails::Probe probe_in(const Json& object, const char* key) {
  ContainerDetails::Probe out;
  const auto it = object.find(key);
  if (it == object.end() || !it->is_object()) return out;
  out.any = true;
  out.exe = text_in(*it, "exe");
  if (const auto args = it->find("args"); args != it->end() && args->is_array())
    for (const Json& arg : *args)
      if (arg.is_string()) out.args.push_back(arg.get<std::string>());
  return out;
}

std::shared_ptr<const ContainerDetails> details_of(const Json& json) {
  auto out = std::make_shared<ContainerDetails>();
  out->image_id = text_in(json, "imageid");
  out->image_repository = text_in(json, "imagerepo");
  out->image_tag = text_in(json, "imagetag");
  out->image_digest = text_in(json, "imagedigest");
  auto flag = [](const Json& object, const char* key, bool& value) {
    const auto it = object.find(key);
    if (it == object.end() || !it->is_boolean()) return false;
    value = it->get<bool>();
    return true;
  };
  out->has_privileged = flag(json, "privileged", out->privileged);
  if (const auto mounts = json.find("Mounts"); mounts != json.end() && mounts->is_array()) {
    out->has_mounts = true;
    for (const Json& entry : *mounts) {
      if (!entry.is_object()) continue;
      auto& mount = out->mounts.emplace_back(ContainerDetails::Mount{text_in(entry, "Source"), text_in(entry, "Destination"),
                                                                     text_in(entry, "Mode"), text_in(entry, "Propagation")});
      flag(entry, "RW", mount.writable);
    }
  }
  out->healthcheck = probe_in(json, "Healthcheck");
  out->liveness = probe_in(json, "LivenessProbe");
  out->readiness = probe_in(json, "ReadinessProbe");
  out->labels = labels_in(json, "labels");
  out->pod_labels = labels_in(json, "pod_sandbox_labels");
  return out;
}

/// What the first rule that fits makes of cgroups.
struct Found {
  std::string id;
  ContainerType type = ContainerType::kUnknown;
};

Found find_in(std::string_view cgroups) {
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
    if (auto id = for_each_path([&](std::string_view path) { return match(rule, path); })) return {*id, rule.type};
  if (auto id = for_each_path(lxc_id)) return {*id, ContainerType::kLxc};
  if (auto id = for_each_path(containerd_id)) return {*id, ContainerType::kContainerd};
  return {};
}

}  // namespace

std::string_view name_of(ContainerType type) {
  static constexpr std::string_view kNames[] = {"docker", "lxc",        "libvirt-lxc", "mesos", "rkt",    "custom",
                                                "cri",    "containerd", "cri-o",       "bpm",   "static", "podman"};
  const auto number = static_cast<size_t>(type);
  return number < std::size(kNames) ? kNames[number] : std::string_view("unknown");
}

std::string Containers::id_from_cgroups(std::string_view cgroups) { return find_in(cgroups).id; }
ContainerType Containers::type_from_cgroups(std::string_view cgroups) { return find_in(cgroups).type; }

const Container* Containers::find(std::string_view id) const {
  auto it = by_id_.find(id);
  return it == by_id_.end() ? nullptr : &it->second;
}

std::string to_json(const Container& c) {
  const Json json = {{"container", {{"id", c.id}, {"name", c.name}, {"image", c.image}, {"type", static_cast<uint16_t>(c.type)}}}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
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
  Container c{text_in(*found, "id"), text_in(*found, "name"), text_in(*found, "image"), ContainerType::kUnknown,
              std::string(text), details_of(*found)};
  if (auto type = found->find("type"); type != found->end() && type->is_number_unsigned())
    c.type = static_cast<ContainerType>(type->get<uint64_t>());
  if (parsed_.size() >= kRemembered) parsed_.clear();
  parsed_.emplace(c.json, c);
  return add(std::move(c));
}

}  // namespace scry::state
