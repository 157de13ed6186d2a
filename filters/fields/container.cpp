// SPDX-License-Identifier: Apache-2.0
// container.*: which container it happened in. The id follows from the thread's cgroups; the rest is what the capture's
// container events said.
#include <fnmatch.h>

#include "filters/fields/process.h"

namespace scry::fields {
namespace {

using state::Container;
using state::ContainerDetails;

bool on_host(const Ask& a) { return a.moment.thread && a.moment.thread->container_id.empty(); }

const Container* container(const Ask& a) {
  const Thread* t = a.moment.thread;
  return t && !t->container_id.empty() ? a.machine.containers().find(t->container_id) : nullptr;
}
const ContainerDetails* details(const Ask& a) {
  const Container* c = container(a);
  return c ? c->details.get() : nullptr;
}
Value unless_empty(std::string_view text) { return text.empty() ? Value::absent() : Value::text(text); }

Value id(const Ask& a) {
  if (!a.moment.thread) return Value::absent();
  return on_host(a) ? Value::text("host") : Value::text(a.moment.thread->container_id);
}
Value name(const Ask& a) {
  if (on_host(a)) return Value::text("host");
  const Container* c = container(a);
  return c ? unless_empty(c->name) : Value::absent();
}
Value image(const Ask& a) {
  const Container* c = container(a);
  return c ? unless_empty(c->image) : Value::absent();
}
/// Of a container that no event describes, the shape of its cgroup tells.
Value type(const Ask& a) {
  if (!a.moment.thread) return Value::absent();
  if (on_host(a)) return Value::text("host");
  const Container* c = container(a);
  return Value::text(name_of(c ? c->type : state::Containers::type_from_cgroups(a.moment.thread->cgroups)));
}
template <std::string ContainerDetails::*kMember>
Value detail(const Ask& a) {
  const ContainerDetails* d = details(a);
  return d ? unless_empty(d->*kMember) : Value::absent();
}
Value privileged(const Ask& a) {
  const ContainerDetails* d = details(a);
  return d && d->has_privileged ? Value::boolean(d->privileged) : Value::absent();
}

template <ContainerDetails::Probe ContainerDetails::*kProbe>
Value probe(const Ask& a) {
  const ContainerDetails* d = details(a);
  if (!d) return Value::absent();
  const auto& p = d->*kProbe;
  if (!p.any) return Value::text("NONE");
  return made_by(a, [&](Out& out) {
    out.put(p.exe);
    for (const std::string& arg : p.args) {
      out.put(' ');
      out.put(arg);
    }
  });
}

// --- mounts ---

void put_mount(Out& out, const ContainerDetails::Mount& m) {
  for (const std::string_view part : {std::string_view(m.source), std::string_view(m.dest), std::string_view(m.mode),
                                      std::string_view(m.writable ? "true" : "false")}) {
    out.put(part);
    out.put(':');
  }
  out.put(m.propagation);
}

Value mounts(const Ask& a) {
  const ContainerDetails* d = details(a);
  if (!d || !d->has_mounts) return Value::absent();
  return made_by(a, [&](Out& out) {
    bool first = true;
    for (const auto& m : d->mounts) {
      if (!first) out.put(',');
      first = false;
      put_mount(out, m);
    }
  });
}

/// The mount of that number, from 0, or the first one whose path is like the argument, * and ? standing for anything.
const ContainerDetails::Mount* mount_of(const Ask& a, std::string ContainerDetails::Mount::*path) {
  const ContainerDetails* d = details(a);
  if (!d) return nullptr;
  const std::string& wanted = a.ref.argument;
  if (!wanted.empty() && std::all_of(wanted.begin(), wanted.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return a.ref.number < d->mounts.size() && wanted.size() < 10 ? &d->mounts[a.ref.number] : nullptr;
  for (const auto& m : d->mounts)
    if (fnmatch(wanted.c_str(), (m.*path).c_str(), 0) == 0) return &m;
  return nullptr;
}

Value mount(const Ask& a) {
  const auto* m = mount_of(a, &ContainerDetails::Mount::source);
  return m ? made_by(a, [&](Out& out) { put_mount(out, *m); }) : Value::absent();
}
template <std::string ContainerDetails::Mount::*kMember, std::string ContainerDetails::Mount::*kSoughtBy>
Value mount_part(const Ask& a) {
  const auto* m = mount_of(a, kSoughtBy);
  return m ? Value::text(m->*kMember) : Value::absent();
}
Value mount_rdwr(const Ask& a) {
  const auto* m = mount_of(a, &ContainerDetails::Mount::source);
  return m ? Value::text(m->writable ? "true" : "false") : Value::absent();
}

using Mount = ContainerDetails::Mount;
constexpr Traits kText = {.format = Format::kNa};
constexpr Traits kMade = {.format = Format::kNa, .cost = Cost::kText};
constexpr Traits kMount = {.argument = Argument::kText, .format = Format::kNa, .cost = Cost::kText};

constexpr Field kFields[] = {
    {"container.id", Type::kCharbuf, id, "short id of the container; host outside of containers", kText},
    {"container.name", Type::kCharbuf, name, "name of the container; host outside of containers", kText},
    {"container.image", Type::kCharbuf, image, "image as it was asked for: nginx:latest", kText},
    {"container.image.id", Type::kCharbuf, detail<&ContainerDetails::image_id>, "id of the image", kText},
    {"container.type", Type::kCharbuf, type, "who runs it: docker, podman, cri…; host outside of containers", kText},
    {"container.privileged", Type::kBool, privileged, "whether it has all rights", kText},
    {"container.mounts", Type::kCharbuf, mounts, "all mounts as source:dest:mode:rdwr:propagation, with commas between", kMade},
    {"container.mount", Type::kCharbuf, mount, "one mount, by number or source", kMount},
    {"container.mount.source", Type::kCharbuf, mount_part<&Mount::source, &Mount::dest>, "source of a mount, by number or destination", kMount},
    {"container.mount.dest", Type::kCharbuf, mount_part<&Mount::dest, &Mount::source>, "destination of a mount, by number or source", kMount},
    {"container.mount.mode", Type::kCharbuf, mount_part<&Mount::mode, &Mount::source>, "mode of a mount, by number or source", kMount},
    {"container.mount.rdwr", Type::kCharbuf, mount_rdwr, "whether a mount may be written to, by number or source", kMount},
    {"container.mount.propagation", Type::kCharbuf, mount_part<&Mount::propagation, &Mount::source>, "propagation of a mount, by number or source", kMount},
    {"container.image.repository", Type::kCharbuf, detail<&ContainerDetails::image_repository>, "image without its tag", kText},
    {"container.image.tag", Type::kCharbuf, detail<&ContainerDetails::image_tag>, "tag of the image", kText},
    {"container.image.digest", Type::kCharbuf, detail<&ContainerDetails::image_digest>, "digest that the registry knows the image by", kText},
    {"container.healthcheck", Type::kCharbuf, probe<&ContainerDetails::healthcheck>, "command of the health check; NONE without", kMade},
    {"container.liveness_probe", Type::kCharbuf, probe<&ContainerDetails::liveness>, "command of the liveness probe; NONE without", kMade},
    {"container.readiness_probe", Type::kCharbuf, probe<&ContainerDetails::readiness>, "command of the readiness probe; NONE without", kMade},
};

}  // namespace

std::span<const Field> container_fields() { return kFields; }

}  // namespace scry::fields
