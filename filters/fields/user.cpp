// SPDX-License-Identifier: Apache-2.0
// user.* and group.*: with whose rights.
#include "filters/fields/field.h"

namespace scry::fields {
namespace {

Value uid(const Ask& a) {
  return a.moment.thread ? Value::number(a.moment.thread->uid) : Value::absent();
}
Value gid(const Ask& a) {
  return a.moment.thread ? Value::number(a.moment.thread->gid) : Value::absent();
}
Value name(const Ask& a) {
  const auto* t = a.moment.thread;
  if (!t) return Value::absent();
  const auto* user = a.machine.user(t->container_id.view(), t->uid);
  return Value::text(user ? std::string_view(user->name) : std::string_view("<NA>"));
}
Value loginuid(const Ask& a) {
  const auto* t = a.moment.thread;
  return t ? Value::integer(static_cast<int32_t>(t->loginuid)) : Value::absent();
}

constexpr Field kFields[] = {
    {"user.uid", Type::kUint32, uid, "user id"},
    {"user.name", Type::kCharbuf, name, "user name"},
    {"user.loginuid", Type::kInt64, loginuid, "user id at login; -1 when unset"},
    {"group.gid", Type::kUint32, gid, "group id"},
};

}  // namespace

std::span<const Field> user_fields() { return kFields; }

}  // namespace scry::fields
