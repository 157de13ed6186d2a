// SPDX-License-Identifier: Apache-2.0
// fd.*: what the event works on.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "filters/fields/parts.h"

namespace scry::fields {

using state::Fd;
using state::FdKind;

namespace {

EventFd find_fd(const Ask& a) {
  const auto& e = a.moment.event;
  EventFd out;
  if (!a.moment.thread) return out;
  const auto& info = e.is_enter() ? e.info() : e.current_info();
  const bool classic = a.classic();
  if ((classic ? has_flag(a, event::kUsesFd) : info.has(event::kUsesFd)) && info.fd_param >= 0) {
    const auto index = static_cast<unsigned>(info.fd_param);
    const event::Param p = e.is_enter() ? e.param(index) : e.current(index);
    // An exit event that doesn't say, of a call whose enter event didn't: that is number -1.
    if (!p.present()) {
      out.any = !e.is_enter();
      return out;
    }
    out.number = p.integer(-1);
    out.any = true;
  } else if (info.has(event::kCreatesFd) && (e.is_enter() ? classic : e.raw().nparams > 0)) {
    out.any = true;  // to be made, or not made: number -1
  }
  if (a.moment.made_fd >= 0) {
    out.number = a.moment.made_fd;
    out.any = true;
  }
  if (out.any) out.fd = a.machine.fd(*a.moment.thread, out.number);
  return out;
}

}  // namespace

EventFd fd_of(const Ask& a) {
  if (!a.fd) return find_fd(a);
  if (!*a.fd) *a.fd = find_fd(a);
  return **a.fd;
}

std::string resolve_path(const Ask& a, int64_t dirfd, std::string_view path) {
  if (!a.moment.thread) return state::concat_path({}, path);
  if (dirfd == kAtCwd || path.starts_with('/')) return state::concat_path(a.machine.cwd(*a.moment.thread), path);
  // A directory that nobody told of.
  const Fd* directory = a.machine.fd(*a.moment.thread, dirfd);
  return state::concat_path(std::string(directory ? directory->name.view() : "<UNKNOWN>") + "/", path);
}

namespace {

Value number(const Ask& a) {
  const EventFd f = fd_of(a);
  return f.any ? Value::integer(f.number) : Value::absent();
}

Value type(const Ask& a) {
  const EventFd f = fd_of(a);
  if (!f.fd) return Value::absent();
  const auto name = state::type_name(f.fd->kind);
  return name.empty() ? Value::absent() : Value::text(name);
}

/// The path that a call tried to open, as it named it. False for other events.
bool asked_path(const Ask& a, std::string_view& name, int64_t& dirfd) {
  namespace p = event::p;
  const auto& e = a.moment.event;
  if (e.is_enter()) return false;
  dirfd = kAtCwd;
  switch (e.current_code()) {
    case event::kOpenX: name = e.current(p::open_x::name).text(); break;
    case event::kCreatX: name = e.current(p::creat_x::name).text(); break;
    case event::kOpenat_2X:
      name = e.current(p::openat_2_x::name).text();
      dirfd = e.current(p::openat_2_x::dirfd).integer(kAtCwd);
      break;
    case event::kOpenat2X:
      name = e.current(p::openat2_x::name).text();
      dirfd = e.current(p::openat2_x::dirfd).integer(kAtCwd);
      break;
    default: return false;
  }
  return name != "<NA>";
}

/// Of a file that became no fd: the path, made whole.
bool opened_path(const Ask& a, const EventFd& f, std::string& path) {
  std::string_view name;
  int64_t dirfd;
  if (f.fd || !a.moment.thread || !asked_path(a, name, dirfd)) return false;
  std::string base;
  if (dirfd == kAtCwd) base = a.machine.cwd(*a.moment.thread);
  else if (const Fd* directory = a.machine.fd(*a.moment.thread, dirfd)) base = std::string(directory->name.view()) + "/";
  path = state::concat_path(base, name);
  return true;
}

/// What a call makes when it succeeds.
char made_kind(const Ask& a) {
  switch (code_of(a)) {
    case event::kOpenE: case event::kOpenX: case event::kOpenatE: case event::kOpenatX: case event::kOpenat_2E:
    case event::kOpenat_2X: case event::kOpenat2E: case event::kOpenat2X: case event::kCreatE: case event::kCreatX:
      return 'f';
    case event::kSocketE: case event::kSocketX: case event::kAcceptE: case event::kAcceptX: case event::kAccept4E:
    case event::kAccept4X: case event::kAccept_5E: case event::kAccept_5X: case event::kAccept4_5E: case event::kAccept4_5X:
      return '4';
    case event::kPipeE: case event::kPipeX: return 'p';
    case event::kEventfdE: case event::kEventfdX: return 'e';
    case event::kSignalfdE: case event::kSignalfdX: return 's';
    case event::kTimerfdCreateE: case event::kTimerfdCreateX: return 't';
    case event::kInotifyInitE: case event::kInotifyInitX: return 'i';
    default: return 'o';
  }
}

Value typechar(const Ask& a) {
  const EventFd f = fd_of(a);
  if (!f.any) return Value::absent();
  a.scratch.put(f.fd ? state::type_char(f.fd->kind) : made_kind(a));
  return Value::text(a.scratch.view().substr(a.scratch.size() - 1));
}

/// Before a call is done, an fd that nobody told of has no name; after it, sysdig and Falco call it "".
bool has_name(const Ask& a, const EventFd& f) { return f.any && (f.fd || !a.moment.event.is_enter()); }

bool failed_connect(const Ask& a) {
  int64_t result;
  return result_of(a, result) && result < 0;
}

Value name(const Ask& a) {
  const EventFd f = fd_of(a);
  if (!has_name(a, f)) return Value::absent();
  if (a.classic() && a.moment.event.raw().code == event::kConnectX && failed_connect(a)) {
    // sysdig names what couldn't be reached by what the call wanted.
    const size_t at = a.scratch.size();
    put_socket_tuple(a.scratch, a.moment.event.param(event::p::connect_x::tuple));
    return Value::made(a.scratch.view().substr(at));
  }
  if (f.fd && a.renderer.options().service_names && state::is_ip(f.fd->kind)) {
    const size_t at = a.scratch.size();
    a.scratch.put(f.fd->name.view());
    a.renderer.name_ports(a.scratch, at, f.fd->l4);
    return Value::text(a.scratch.view().substr(at));
  }
  if (f.fd) return Value::text(f.fd->name);
  if (std::string path; opened_path(a, f, path)) return keep(a, path);
  return Value::text(std::string_view());
}

/// The path as the call that opened the file named it.
Value nameraw(const Ask& a) {
  const EventFd f = fd_of(a);
  if (!has_name(a, f)) return Value::absent();
  std::string_view asked;
  int64_t dirfd;
  if (asked_path(a, asked, dirfd)) return Value::text(asked);
  return f.fd ? Value::text(f.fd->raw_name.empty() ? f.fd->name : f.fd->raw_name) : Value::text(std::string_view());
}

bool is_file(const EventFd& f) { return f.fd && state::is_regular(f.fd->kind); }
bool has_path(const EventFd& f) { return f.fd && (state::is_regular(f.fd->kind) || f.fd->kind == FdKind::kDirectory); }

Value directory(const Ask& a) {
  const EventFd f = fd_of(a);
  if (!has_name(a, f)) return Value::absent();
  if (f.fd && !has_path(f)) return Value::absent();
  if (f.fd && f.fd->kind == FdKind::kDirectory) return Value::text(f.fd->name.view());
  std::string attempted;
  opened_path(a, f, attempted);
  const auto path = f.fd ? f.fd->name.view() : std::string_view(attempted);
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || slash == 0) return Value::text("/");
  return keep(a, path.substr(0, slash));
}

Value filename(const Ask& a) {
  const EventFd f = fd_of(a);
  if (!f.fd || !state::is_regular(f.fd->kind)) return Value::absent();
  const auto path = f.fd->name.view();
  const size_t slash = path.rfind('/');
  return Value::text(slash == std::string_view::npos ? std::string_view("/") : path.substr(slash + 1));
}

/// `value` behind the container's id: names in different containers mean different files.
Value in_container(const Ask& a, const Value& value) {
  if (!value.present()) return value;
  const std::string text(value.as_text());  // it may lie in the scratch
  a.scratch.clear();
  if (a.moment.thread) a.scratch.put(a.moment.thread->container_id.view());
  a.scratch.put(':');
  a.scratch.put(text);
  return Value::text(a.scratch.view());
}
Value containername(const Ask& a) { return in_container(a, name(a)); }
Value containerdirectory(const Ask& a) { return in_container(a, directory(a)); }

Value uid(const Ask& a) {
  const EventFd f = fd_of(a);
  if (!f.any) return Value::absent();
  const size_t at = a.scratch.size();
  a.scratch.put_i64(a.moment.event.raw().tid);
  a.scratch.put_i64(f.number);
  return Value::made(a.scratch.view().substr(at));
}

/// Calls that make an fd with a name of its own.
bool makes_named(const Ask& a) {
  switch (a.moment.event.current_code()) {
    case event::kOpenX: case event::kCreatX: case event::kOpenat_2X: case event::kOpenat2X: case event::kOpenByHandleAtX:
    case event::kAcceptX: case event::kAccept4X: case event::kAccept_5X: case event::kAccept4_5X: case event::kAccept4_6X:
      return a.moment.made_fd >= 0;
    default: return false;
  }
}

Value name_changed(const Ask& a) {
  const EventFd f = fd_of(a);
  return f.fd ? Value::boolean(a.moment.renamed || (makes_named(a) && !f.fd->name.empty())) : Value::absent();
}

/// A file's device; 0: nobody told, but current libraries say it all the same, of any fd.
template <uint32_t (*part)(uint32_t)>
Value dev(const Ask& a) {
  const EventFd f = fd_of(a);
  return f.fd && (!a.classic() || (has_path(f) && f.fd->dev)) ? Value::integer(static_cast<int32_t>(part(f.fd->dev))) : Value::absent();
}
uint32_t whole_dev(uint32_t dev) { return dev; }
uint32_t major(uint32_t dev) { return dev >> 8 & 0xfff; }
uint32_t minor(uint32_t dev) { return (dev & 0xff) | (dev >> 12 & 0xfff00); }

Value ino(const Ask& a) {
  const EventFd f = fd_of(a);
  return has_path(f) && f.fd->ino ? Value::integer(static_cast<int64_t>(f.fd->ino)) : Value::absent();
}

template <uint8_t bit>
Value layer(const Ask& a) {
  const EventFd f = fd_of(a);
  return f.fd ? Value::boolean(is_file(f) && f.fd->has(bit)) : Value::absent();
}

/// The kinds of fds that the process has, each once; with a number, the kind of that fd.
void kinds(const Ask& a, Values& out) {
  const state::Thread* leader = a.moment.thread ? a.machine.leader_of(*a.moment.thread) : nullptr;
  if (!leader || !fd_of(a).any) return;
  if (a.ref.has_argument) {
    const Fd* fd = a.ref.number <= INT64_MAX ? a.machine.fd(*leader, static_cast<FdNumber>(a.ref.number)) : nullptr;
    if (fd) out.push_back(Value::text(state::type_name(fd->kind)));
    return;
  }
  if (!leader->fds) return;
  uint32_t seen = 0;
  for (const auto& [number, fd] : leader->fds->map) seen |= 1u << static_cast<unsigned>(fd->kind);
  for (unsigned kind = 0; kind < static_cast<unsigned>(FdKind::kCount); ++kind) {
    const auto name = seen >> kind & 1 ? state::type_name(static_cast<FdKind>(kind)) : std::string_view();
    const bool twice = std::any_of(out.begin(), out.end(), [&](const Value& v) { return v.as_text() == name; });
    if (!name.empty() && !twice) out.push_back(Value::text(name));
  }
}

Value types(const Ask& a) {
  Values all;
  kinds(a, all);
  if (all.empty()) return Value::absent();
  const size_t at = a.scratch.size();
  a.scratch.put('(');
  for (const Value& kind : all) {
    if (&kind != &all[0]) a.scratch.put(',');
    a.scratch.put(kind.as_text());
  }
  a.scratch.put(')');
  return Value::made(a.scratch.view().substr(at));
}

constexpr Traits kText{.format = Format::kNa, .cost = Cost::kFd};
constexpr Traits kMade{.format = Format::kNa, .cost = Cost::kText};
constexpr Traits kNumber{.cost = Cost::kFd};

constexpr Field kFields[] = {
    {"fd.num", Type::kInt64, number, "number of the fd", {.format = Format::kId, .cost = Cost::kFd}},
    {"fd.type", Type::kCharbuf, type, "what the fd is: file, directory, ipv4, unix, pipe…", kNumber},
    {"fd.typechar", Type::kCharbuf, typechar, "the same as one letter", kNumber},
    {"fd.types", Type::kCharbuf, types, "what fds the process has; fd.types[1]: what its standard output is",
     {.argument = Argument::kOptionalNumber, .flags = kList | kNoRightSide, .many = kinds, .cost = Cost::kWalk}},
    {"fd.name", Type::kCharbuf, name, "path, or the two ends of a connection", kText},
    {"fd.nameraw", Type::kCharbuf, nameraw, "path as the call that opened the file named it", kText},
    {"fd.directory", Type::kCharbuf, directory, "directory that holds the file", kText},
    {"fd.filename", Type::kCharbuf, filename, "file name without directory", kText},
    {"fd.containername", Type::kCharbuf, containername, "id of the container, a colon, and the name", kMade},
    {"fd.containerdirectory", Type::kCharbuf, containerdirectory, "id of the container, a colon, and the directory", kMade},
    {"fd.uid", Type::kCharbuf, uid, "thread id and fd number as one text: the same for one fd only", kMade},
    {"fd.name_changed", Type::kBool, name_changed, "whether this event gave the fd its name", kText},
    {"fd.dev", Type::kInt32, dev<whole_dev>, "device that holds the file", {.format = Format::kHex, .cost = Cost::kFd}},
    {"fd.dev.major", Type::kInt32, dev<major>, "major number of that device", kNumber},
    {"fd.dev.minor", Type::kInt32, dev<minor>, "minor number of that device", kNumber},
    {"fd.ino", Type::kInt64, ino, "inode of the file", kNumber},
    {"fd.is_upper_layer", Type::kBool, layer<Fd::kOverlayUpper>, "whether the file lies in the upper layer of an overlay", kText},
    {"fd.is_lower_layer", Type::kBool, layer<Fd::kOverlayLower>, "whether the file lies in a lower layer of an overlay", kText},
};

}  // namespace

std::span<const Field> fd_fields() {
  static const auto* all = [] {
    auto* rows = new std::vector<Field>(std::begin(kFields), std::end(kFields));
    const auto net = fd_net_fields();
    rows->insert(rows->end(), net.begin(), net.end());
    return rows;
  }();
  return *all;
}

}  // namespace scry::fields
