// SPDX-License-Identifier: Apache-2.0
// Containers: which one a thread is in follows from its cgroups (state.md §5); what is known about it comes from
// container events.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "event_codes.gen.h"

namespace scry::state {

/// Numbers as in container events.
enum class ContainerType : uint16_t {
  kDocker, kLxc, kLibvirtLxc, kMesos, kRkt, kCustom, kCri, kContainerd, kCrio, kBpm, kStatic, kPodman,
  kUnknown = 0xffff
};
std::string_view name_of(ContainerType type);

/// What the JSON of a container event says beside the names. Copies of a container share it.
struct ContainerDetails {
  struct Mount {
    std::string source, dest, mode, propagation;
    bool writable = false;
  };
  /// A program that asks from time to time whether the container is well.
  struct Probe {
    bool any = false;
    std::string exe;
    std::vector<std::string> args;
  };
  using Labels = std::vector<std::pair<std::string, std::string>>;  ///< sorted
  std::string image_id, image_repository, image_tag, image_digest;
  bool has_privileged = false, privileged = false;
  bool has_mounts = false;
  std::vector<Mount> mounts;
  Probe healthcheck, liveness, readiness;
  Labels labels;
  Labels pod_labels;  ///< of the sandbox that its pod shares
};

/// Events that tell of a container.
inline bool is_container_event(unsigned code) {
  return code == event::kContainerE || code == event::kContainerJsonE || code == event::kContainerJson_2E;
}

struct Container {
  std::string id, name, image;
  ContainerType type = ContainerType::kUnknown;
  std::string json;  ///< the event's text
  std::shared_ptr<const ContainerDetails> details;  ///< null when there was no JSON
};

/// What is known of a container, in the words of a container event.
std::string to_json(const Container& container);

class Containers {
 public:
  static constexpr size_t kMax = 65536;
  /// The short id, or empty for the host. `cgroups`: "subsystem=path", NUL-separated.
  static std::string id_from_cgroups(std::string_view cgroups);
  /// Of the container that id_from_cgroups() found; kUnknown on the host.
  static ContainerType type_from_cgroups(std::string_view cgroups);

  const Container* find(std::string_view id) const;
  /// From a container or container_json event. False when the table is full or the JSON can't be read.
  bool add(Container container);
  bool add_json(std::string_view json);
  void clear() { by_id_.clear(); }
  const std::map<std::string, Container, std::less<>>& all() const { return by_id_; }

 private:
  std::map<std::string, Container, std::less<>> by_id_;
  std::map<std::string, Container, std::less<>> parsed_;  ///< by JSON text: what it said
};

}  // namespace scry::state
