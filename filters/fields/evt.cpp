// SPDX-License-Identifier: Apache-2.0
// evt.*: the event itself.
#include <algorithm>
#include <vector>

#include "filters/fields/arguments.h"
#include "filters/fields/parts.h"

namespace scry::fields {

using event::Category;
using event::Param;
using event::Type;

namespace {

Value num(const Ask& a) { return Value::number(a.moment.event.raw().num); }
Value cpu(const Ask& a) { return Value::integer(a.moment.event.raw().cpu); }
Value dir(const Ask& a) { return Value::text(a.moment.event.is_enter() ? ">" : "<"); }

Value type(const Ask& a) { return Value::text(event_type(a)); }

/// Only of system calls. For sysdig the end of a process and the delivery of a signal are such.
Value syscall_type(const Ask& a) {
  const unsigned code = code_of(a);
  const bool counts = a.classic() && (code == event::kProcexitE || code == event::kProcexit_1E || code == event::kSignaldeliverE);
  return counts || (info_of(a).groups & event::kGroupSyscall) ? type(a) : Value::absent();
}

Value category(const Ask& a) { return Value::text(category_of(a)); }

Value rawres(const Ask& a) {
  int64_t value;
  return result_of(a, value) ? Value::integer(value) : Value::absent();
}

Value res(const Ask& a) {
  int64_t value;
  if (!result_of(a, value)) return Value::absent();
  if (value >= 0) return Value::text("SUCCESS");
  const auto name = event::errno_name(value == INT64_MIN ? 0 : -value);
  if (!name.empty()) return Value::text(name);
  const size_t at = a.scratch.size();
  a.scratch.put_i64(value);
  return Value::text(a.scratch.view().substr(at));
}

Value failed(const Ask& a) {
  int64_t value;
  if (result_of(a, value)) return Value::boolean(value < 0);
  return a.classic() ? Value::boolean(false) : Value::absent();
}

Value args(const Ask& a) {
  const size_t at = a.scratch.size();
  a.renderer.args(a.scratch, a.moment, a.machine);
  return Value::made(a.scratch.view().substr(at));
}

/// Always: a capture has no other source of events.
Value source(const Ask& /*unused*/) { return Value::text("syscall"); }

bool is_asynchronous(const Ask& a) { return a.moment.event.raw().code == event::kAsynceventE; }
Value is_async(const Ask& a) { return Value::boolean(is_asynchronous(a)); }
Value asynctype(const Ask& a) {
  return is_asynchronous(a) ? Value::text(a.moment.event.param(event::p::asyncevent_e::name).text()) : Value::absent();
}

Value hostname(const Ask& a) {
  const std::string& name = a.machine.info().hostname;
  return name.empty() ? Value::absent() : Value::text(std::string_view(name));
}

/// Events of plugins name theirs by number; which plugin that was, and what it makes of its bytes, a file doesn't say.
Value of_plugin(const Ask& /*unused*/) { return Value::absent(); }

/// What the docker daemon told: "Event:start;ID:…;name:…;Image:…" in the description.
bool docker_event(const Ask& a) {
  return a.moment.event.raw().code == event::kInfrastructureEventE &&
         a.moment.event.param(event::p::infrastructure_event_e::source).text() == "docker";
}
Value docker_part(const Ask& a, std::string_view wanted) {
  if (!docker_event(a)) return Value::absent();
  auto trimmed = [](std::string_view text) {
    const size_t from = std::min(text.find_first_not_of(' '), text.size());
    return text.substr(from, text.find_last_not_of(' ') + 1 - from);
  };
  auto rest = a.moment.event.param(event::p::infrastructure_event_e::description).text();
  while (!rest.empty()) {
    const auto part = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    const size_t colon = part.find(':');
    if (colon != std::string_view::npos && trimmed(part.substr(0, colon)) == wanted) return Value::text(trimmed(part.substr(colon + 1)));
  }
  return Value::absent();
}
Value docker_name(const Ask& a) { return docker_part(a, "Event"); }
Value docker_container_id(const Ask& a) { return docker_part(a, "ID"); }
Value docker_container_name(const Ask& a) { return docker_part(a, "name"); }
Value docker_container_image(const Ask& a) { return docker_part(a, "Image"); }

Value util_count(const Ask& a) { return Value::number(a.count); }

constexpr Traits kHeader{.cost = Cost::kHeader};
constexpr Traits kId{.format = Format::kId, .cost = Cost::kHeader};
constexpr Traits kPlain{.format = Format::kNa, .cost = Cost::kHeader};
constexpr Traits kMade{.format = Format::kNa, .cost = Cost::kText};
constexpr Traits kView{.flags = kTableOnly, .format = Format::kNa, .cost = Cost::kText};

constexpr Field kFields[] = {
    {"evt.num", Type::kUint64, num, "number of the event in the capture, from 1", kId},
    {"evt.source", Type::kCharbuf, source, "where events come from: syscall", kPlain},
    {"evt.dir", Type::kCharbuf, dir, "> when a call begins, < when it returns",
     {.flags = kDeprecated, .format = Format::kDir, .cost = Cost::kHeader}},
    {"evt.type", Type::kCharbuf, type, "name of the call or event", kPlain},
    {"syscall.type", Type::kCharbuf, syscall_type, "name of the call; of other events there is none", kPlain},
    {"evt.category", Type::kCharbuf, category, "what the event is about: file, net, process…", {.format = Format::kNa, .cost = Cost::kFd}},
    {"evt.cpu", Type::kInt16, cpu, "processor that recorded it", kId},
    {"evt.args", Type::kCharbuf, args, "all parameters as name=value", kMade},
    {"evt.info", Type::kCharbuf, args, "all parameters as name=value", kMade},
    {"evt.res", Type::kCharbuf, res, "SUCCESS, or the name of the error", kHeader},
    {"evt.rawres", Type::kInt64, rawres, "return value as a number", kHeader},
    {"evt.failed", Type::kBool, failed, "whether the call returned an error", kPlain},
    {"evt.is_async", Type::kBool, is_async, "whether it was made beside the stream of events", kPlain},
    {"evt.asynctype", Type::kCharbuf, asynctype, "name of an event that was made beside the stream", kPlain},
    {"evt.hostname", Type::kCharbuf, hostname, "name of the machine that recorded it", kPlain},
    {"evt.pluginname", Type::kCharbuf, of_plugin, "plugin that made the event", kPlain},
    {"evt.plugininfo", Type::kCharbuf, of_plugin, "the plugin's text for the event", kPlain},
    {"evt.infra.docker.name", Type::kCharbuf, docker_name, "what a docker event says happened", kView},
    {"evt.infra.docker.container.id", Type::kCharbuf, docker_container_id, "container that a docker event is about", kView},
    {"evt.infra.docker.container.name", Type::kCharbuf, docker_container_name, "name of that container", kView},
    {"evt.infra.docker.container.image", Type::kCharbuf, docker_container_image, "image of that container", kView},
};

constexpr Field kUtilFields[] = {
    {"util.cnt", Type::kUint64, util_count, "how many events were asked about so far",
     {.flags = kTableOnly, .format = Format::kId, .cost = Cost::kHeader}},
};

}  // namespace

/// The return value: parameter 0 of the exit of a call that returns a number.
bool result_of(const Ask& a, int64_t& value) {
  const auto& e = a.moment.event;
  if (e.is_enter() || e.raw().nparams == 0 || is_generic(a)) return false;
  switch (e.info().params[0].current.type()) {
    case Type::kErrno: case Type::kFd: case Type::kPid: case Type::kInt64: case Type::kUint64: break;
    case Type::kUid: case Type::kGid:  // getuid and its kin can't fail; for sysdig they have no result
      if (a.classic()) return false;
      break;
    case Type::kDyn: {
      const Param p = e.param(0);
      if (p.size != 9) return false;
      value = Param{p.data + 1, 8}.integer();
      return true;
    }
    default: return false;
  }
  value = e.param(0).integer();
  return e.param(0).present();
}

std::string_view event_type(const Ask& a) {
  if (a.classic()) return classic_type(a.moment.event);
  if (!is_generic(a)) return info_of(a).name();
  const unsigned call = a.moment.event.param(0).as<uint16_t>();
  if (call == 0) {
    // A call that its recorder had no code for; the kernel's own number tells which.
    const auto native = event::native_call_name(a.moment.event.current(1).as<uint16_t>());
    if (!native.empty()) return native;
  }
  return call < event::syscall_count ? event::syscall_names[call] : std::string_view("<unknown>");
}

namespace {

/// What sysdig 0.29.3 takes calls without an event of their own to be about, by the number of the call; read off its
/// output. Current libraries call all of them "other".
constexpr std::string_view kCallCategories =
    "osp??fffffftffffpfotfwtf?ifff?itmp?wppif?pppsppttfffppsfffffppffsttsowss?ssmssspfspfwf???p?mmmmppppz"
    "pppzfwpggggggfppfpfuuuuuuuufuuuufuuuupmmpffffffffffffgipppp??????wwwfpttttttttzgfiiiiiiswsssppiiifff"
    "fffffffffwwpppiiipwfgtittgiw?ii??ooipofpinnnnnnnnnnnnnnnnnniiiiiiiiiiffffpoginfffffwgggsfgptfwffpig?"
    "??????????????soo???ffffssfpp";

Category category_of_call(unsigned call) {
  if (call >= kCallCategories.size()) return Category::kOther;
  switch (kCallCategories[call]) {
    case 's': return Category::kSystem;
    case 'p': return Category::kProcess;
    case '?': return Category::kUnknown;
    case 'f': return Category::kFile;
    case 't': return Category::kTime;
    case 'w': return Category::kWait;
    case 'i': return Category::kIpc;
    case 'm': return Category::kMemory;
    case 'z': return Category::kSleep;
    case 'g': return Category::kSignal;
    case 'u': return Category::kUser;
    case 'n': return Category::kNet;
    default: return Category::kOther;
  }
}

}  // namespace

uint16_t flags_of(const Ask& a) {
  constexpr uint16_t kOfFd = event::kUsesFd | event::kReadsFromFd | event::kWritesToFd;
  const uint16_t flags = info_of(a).flags;
  if (!a.classic()) return flags;
  switch (code_of(a)) {
    case event::kMmapE: case event::kMmapX: case event::kMmap2E: case event::kMmap2X: case event::kSendmmsgX:
    case event::kRecvmmsgX: case event::kSymlinkatX: case event::kUnlinkat_2X: case event::kMkdiratX: case event::kFchmodatX:
    case event::kFchmodX:
      return flags & static_cast<uint16_t>(~kOfFd);
    case event::kFstat64X: return flags | event::kUsesFd;
    default: return flags;
  }
}

std::string_view category_of(const Ask& a) {
  if (a.classic() && is_generic(a)) return event::name_of(category_of_call(a.moment.event.param(0).as<uint16_t>()));
  const Category c = info_of(a).category;
  if (c != Category::kIoRead && c != Category::kIoWrite && c != Category::kIoOther) return event::name_of(c);
  const EventFd fd = fd_of(a);
  if (!fd.fd) return "unknown";
  using state::FdKind;
  switch (fd.fd->kind) {
    case FdKind::kFile: case FdKind::kDirectory: case FdKind::kFileV2: return "file";
    case FdKind::kIpv4: case FdKind::kIpv6: return "net";
    case FdKind::kFifo: case FdKind::kUnix: case FdKind::kEvent: case FdKind::kSignal: case FdKind::kInotify: return "ipc";
    case FdKind::kTimer: return "unknown";
    default: return "other";
  }
}

std::span<const Field> evt_fields() {
  static const auto* all = [] {
    auto* rows = new std::vector<Field>(std::begin(kFields), std::end(kFields));
    for (const auto part : {evt_time_fields(), evt_arg_fields(), evt_io_fields()}) rows->insert(rows->end(), part.begin(), part.end());
    return rows;
  }();
  return *all;
}

std::span<const Field> util_fields() { return kUtilFields; }

}  // namespace scry::fields
