// SPDX-License-Identifier: Apache-2.0
// user.* and group.*: with whose rights.
#include "filters/fields/process.h"

namespace scry::fields {
namespace {

const state::User* user_of(const Ask& a, uint32_t Thread::*id) {
  const Thread* t = a.moment.thread;
  return t ? a.machine.user(t->container_id.view(), t->*id) : nullptr;
}

Value uid(const Ask& a) { return a.moment.thread ? Value::number(a.moment.thread->uid) : Value::absent(); }
Value gid(const Ask& a) { return a.moment.thread ? Value::number(a.moment.thread->gid) : Value::absent(); }

/// Current libraries call users that the capture doesn't list "<NA>", and rules compare with that. To sysdig they are
/// absent.
template <std::string state::User::*kMember, uint32_t Thread::*kId>
Value of_user(const Ask& a) {
  if (!a.moment.thread) return Value::absent();
  const auto* user = user_of(a, kId);
  if (user) return Value::text(user->*kMember);
  return a.classic() ? Value::absent() : Value::text("<NA>");
}
Value group_name(const Ask& a) {
  const Thread* t = a.moment.thread;
  if (!t) return Value::absent();
  const auto* group = a.machine.group(t->container_id.view(), t->gid);
  return group ? Value::text(group->name) : Value::absent();
}
Value loginuid(const Ask& a) {
  const Thread* t = a.moment.thread;
  return t ? Value::integer(static_cast<int32_t>(t->loginuid)) : Value::absent();
}

constexpr Traits kText = {.format = Format::kNa};
constexpr Traits kId = {.format = Format::kId};

constexpr Field kUserFields[] = {
    {"user.uid", Type::kUint32, uid, "user id", kId},
    {"user.name", Type::kCharbuf, of_user<&state::User::name, &Thread::uid>, "user name", kText},
    {"user.homedir", Type::kCharbuf, of_user<&state::User::home, &Thread::uid>, "home directory of the user", kText},
    {"user.shell", Type::kCharbuf, of_user<&state::User::shell, &Thread::uid>, "shell of the user", kText},
    {"user.loginuid", Type::kInt64, loginuid, "user id at login; -1 when unset", kId},
    {"user.loginname", Type::kCharbuf, of_user<&state::User::name, &Thread::loginuid>, "user name at login", kText},
};

constexpr Field kGroupFields[] = {
    {"group.gid", Type::kUint32, gid, "group id", kId},
    {"group.name", Type::kCharbuf, group_name, "group name", kText},
};

}  // namespace

std::span<const Field> user_fields() { return kUserFields; }
std::span<const Field> group_fields() { return kGroupFields; }

}  // namespace scry::fields
