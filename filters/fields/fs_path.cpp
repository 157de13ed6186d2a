// SPDX-License-Identifier: Apache-2.0
// fs.path.*: the paths that a call works on, whatever the call names its parameters.
#include <array>

#include "filters/fields/parts.h"

namespace scry::fields {

using event::Param;

namespace {

/// A path among the parameters of the current layout, and the directory that it starts from; -1: the working directory.
struct Where {
  int path = -1, dirfd = -1;
};

/// Calls with one path. creat is not among them in current libraries.
Where one_path(unsigned code) {
  namespace p = event::p;
  switch (code) {
    case event::kOpenX: return {p::open_x::name};
    case event::kOpenat_2X: return {p::openat_2_x::name, p::openat_2_x::dirfd};
    case event::kOpenat2X: return {p::openat2_x::name, p::openat2_x::dirfd};
    case event::kOpenByHandleAtX: return {p::open_by_handle_at_x::path};
    case event::kMkdir_2X: return {p::mkdir_2_x::path};
    case event::kMkdiratX: return {p::mkdirat_x::path, p::mkdirat_x::dirfd};
    case event::kRmdir_2X: return {p::rmdir_2_x::path};
    case event::kUnlink_2X: return {p::unlink_2_x::path};
    case event::kUnlinkat_2X: return {p::unlinkat_2_x::name, p::unlinkat_2_x::dirfd};
    case event::kChmodX: return {p::chmod_x::filename};
    case event::kFchmodatX: return {p::fchmodat_x::filename, p::fchmodat_x::dirfd};
    case event::kChownX: return {p::chown_x::path};
    case event::kLchownX: return {p::lchown_x::path};
    case event::kFchownatX: return {p::fchownat_x::pathname, p::fchownat_x::dirfd};
    case event::kMknodX: return {p::mknod_x::path};
    case event::kMknodatX: return {p::mknodat_x::path, p::mknodat_x::dirfd};
    case event::kQuotactlX: return {p::quotactl_x::special};
    case event::kUmountX: return {p::umount_x::name};
    case event::kUmount_1X: return {p::umount_1_x::name};
    case event::kUmount2X: return {p::umount2_x::name};
    default: return {};
  }
}

/// Calls with two: what is renamed, linked or mounted, and where it goes.
struct Two {
  unsigned code;
  Where source, target;
};
constexpr auto kTwo = [] {
  namespace p = event::p;
  return std::to_array<Two>({
      {event::kRenameX, {p::rename_x::oldpath}, {p::rename_x::newpath}},
      {event::kRenameatX, {p::renameat_x::oldpath, p::renameat_x::olddirfd}, {p::renameat_x::newpath, p::renameat_x::newdirfd}},
      {event::kRenameat2X, {p::renameat2_x::oldpath, p::renameat2_x::olddirfd}, {p::renameat2_x::newpath, p::renameat2_x::newdirfd}},
      {event::kLink_2X, {p::link_2_x::oldpath}, {p::link_2_x::newpath}},
      {event::kLinkat_2X, {p::linkat_2_x::oldpath, p::linkat_2_x::olddir}, {p::linkat_2_x::newpath, p::linkat_2_x::newdir}},
      {event::kSymlinkX, {p::symlink_x::linkpath}, {p::symlink_x::target}},
      {event::kSymlinkatX, {p::symlinkat_x::linkpath, p::symlinkat_x::linkdirfd}, {p::symlinkat_x::target}},
      {event::kMountX, {p::mount_x::dev}, {p::mount_x::dir}},
  });
}();

template <Where Two::*which>
Where of_two(unsigned code) {
  for (const Two& row : kTwo)
    if (row.code == code) return row.*which;
  return {};
}

using Find = Where (*)(unsigned code);
enum class Form : uint8_t { kWhole, kRaw };

template <Find find, Form form>
Value path(const Ask& a) {
  const auto& e = a.moment.event;
  if (e.is_enter()) return Value::absent();
  const Where where = find(e.current_code());
  if (where.path < 0) return Value::absent();
  const Param p = e.current(static_cast<unsigned>(where.path));
  const auto text = p.text();
  if (!p.present() || text == "<NA>") return Value::absent();
  // What couldn't be opened was meant to be; other calls that failed worked on nothing.
  int64_t result;
  if (!e.current_info().has(event::kCreatesFd) && result_of(a, result) && result < 0) return Value::absent();
  if (form == Form::kRaw) return Value::text(text);
  const int64_t dirfd = where.dirfd < 0 ? kAtCwd : e.current(static_cast<unsigned>(where.dirfd)).integer(kAtCwd);
  return keep(a, resolve_path(a, dirfd, text));
}

constexpr Traits kRaw{.format = Format::kNa, .cost = Cost::kHeader};
constexpr Traits kMade{.format = Format::kNa, .cost = Cost::kText};

constexpr Field kFields[] = {
    {"fs.path.name", Type::kCharbuf, path<one_path, Form::kWhole>, "full path of a call that works on one", kMade},
    {"fs.path.nameraw", Type::kCharbuf, path<one_path, Form::kRaw>, "the same as the call named it", kRaw},
    {"fs.path.source", Type::kCharbuf, path<of_two<&Two::source>, Form::kWhole>, "full path of what is renamed, linked or mounted; of symlink, the link", kMade},
    {"fs.path.sourceraw", Type::kCharbuf, path<of_two<&Two::source>, Form::kRaw>, "the same as the call named it", kRaw},
    {"fs.path.target", Type::kCharbuf, path<of_two<&Two::target>, Form::kWhole>, "full path of where it goes; of symlink, what the link leads to", kMade},
    {"fs.path.targetraw", Type::kCharbuf, path<of_two<&Two::target>, Form::kRaw>, "the same as the call named it", kRaw},
};

}  // namespace

std::span<const Field> fs_path_fields() { return kFields; }

}  // namespace scry::fields
