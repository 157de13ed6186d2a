// SPDX-License-Identifier: Apache-2.0
// k8s.*: the pod that a container belongs to, as far as the container's labels tell. What only a cluster's server knows
// (deployments, services, replica sets…) is in no capture: these rows are there so that old filters and formats load.
#include "filters/fields/process.h"

namespace scry::fields {
namespace {

using Labels = state::ContainerDetails::Labels;

const state::ContainerDetails* details(const Ask& a) {
  const Thread* t = a.moment.thread;
  if (!t || t->container_id.empty()) return nullptr;
  const auto* c = a.machine.containers().find(t->container_id);
  return c ? c->details.get() : nullptr;
}

Value find(const Labels& labels, std::string_view key) {
  const auto it = std::lower_bound(labels.begin(), labels.end(), key, [](const auto& label, std::string_view k) { return label.first < k; });
  return it != labels.end() && it->first == key ? Value::text(it->second) : Value::absent();
}

constexpr char kPodName[] = "io.kubernetes.pod.name", kNamespace[] = "io.kubernetes.pod.namespace",
               kPodUid[] = "io.kubernetes.pod.uid";

/// The container's own label, else that of the sandbox that its pod shares.
template <const char* kLabel>
Value by_label(const Ask& a) {
  const auto* d = details(a);
  if (!d) return Value::absent();
  const Value own = find(d->labels, kLabel);
  return own.present() ? own : find(d->pod_labels, kLabel);
}

Value pod_label(const Ask& a) {
  const auto* d = details(a);
  return d ? find(d->pod_labels, a.ref.argument) : Value::absent();
}
Value pod_labels(const Ask& a) {
  const auto* d = details(a);
  if (!d || d->pod_labels.empty()) return Value::absent();
  return made_by(a, [&](Out& out) {
    bool first = true;
    for (const auto& [key, value] : d->pod_labels) {
      if (!first) out.put(", ");
      first = false;
      out.put(key);
      out.put(':');
      out.put(value);
    }
  });
}

Value absent(const Ask&) { return Value::absent(); }

constexpr Traits kText = {.format = Format::kNa};
constexpr Traits kMade = {.format = Format::kNa, .cost = Cost::kText};
constexpr Traits kLabel = {.argument = Argument::kText, .format = Format::kNa};
constexpr Traits kGone = {.flags = kDead, .format = Format::kNa, .cost = Cost::kHeader};
constexpr Traits kGoneLabel = {.argument = Argument::kText, .flags = kDead, .format = Format::kNa, .cost = Cost::kHeader};
constexpr Type kC = Type::kCharbuf;

constexpr Field kFields[] = {
    {"k8s.pod.name", kC, by_label<kPodName>, "name of the pod", kText},
    {"k8s.pod.id", kC, by_label<kPodUid>, "uid of the pod", kText},
    {"k8s.pod.label", kC, pod_label, "one label of the pod", kLabel},
    {"k8s.pod.labels", kC, pod_labels, "all labels of the pod as key:value, with commas between", kMade},
    {"k8s.ns.name", kC, by_label<kNamespace>, "namespace of the pod", kText},
    {"k8s.ns.id", kC, absent, "uid of the namespace; in no capture", kGone},
    {"k8s.ns.label", kC, absent, "one label of the namespace; in no capture", kGoneLabel},
    {"k8s.ns.labels", kC, absent, "all labels of the namespace; in no capture", kGone},
    {"k8s.rc.name", kC, absent, "name of the replication controller; in no capture", kGone},
    {"k8s.rc.id", kC, absent, "uid of the replication controller; in no capture", kGone},
    {"k8s.rc.label", kC, absent, "one label of the replication controller; in no capture", kGoneLabel},
    {"k8s.rc.labels", kC, absent, "all labels of the replication controller; in no capture", kGone},
    {"k8s.svc.name", kC, absent, "names of services; in no capture", kGone},
    {"k8s.svc.id", kC, absent, "uids of services; in no capture", kGone},
    {"k8s.svc.label", kC, absent, "one label of the services; in no capture", kGoneLabel},
    {"k8s.svc.labels", kC, absent, "all labels of the services; in no capture", kGone},
    {"k8s.rs.name", kC, absent, "name of the replica set; in no capture", kGone},
    {"k8s.rs.id", kC, absent, "uid of the replica set; in no capture", kGone},
    {"k8s.rs.label", kC, absent, "one label of the replica set; in no capture", kGoneLabel},
    {"k8s.rs.labels", kC, absent, "all labels of the replica set; in no capture", kGone},
    {"k8s.deployment.name", kC, absent, "name of the deployment; in no capture", kGone},
    {"k8s.deployment.id", kC, absent, "uid of the deployment; in no capture", kGone},
    {"k8s.deployment.label", kC, absent, "one label of the deployment; in no capture", kGoneLabel},
    {"k8s.deployment.labels", kC, absent, "all labels of the deployment; in no capture", kGone},
};

}  // namespace

std::span<const Field> k8s_fields() { return kFields; }

}  // namespace scry::fields
