// SPDX-License-Identifier: Apache-2.0
#include "filters/vm/path_set.h"

#include <absl/strings/string_view.h>
#include <fnmatch.h>

namespace scry::filter {
namespace {

/// The first component of `path`, which it loses; empty at the end. Empty components do not count.
std::string_view take_component(std::string_view& path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  const auto component = path.substr(0, path.find('/'));
  path.remove_prefix(component.size());
  return component;
}

}  // namespace

bool PathSet::add(std::string_view path) {
  Component* at = &root_;
  size_t count = 0;
  for (auto part = take_component(path); !part.empty(); part = take_component(path)) {
    if (++count > kMaxComponents) return false;
    std::unique_ptr<Component>* next = nullptr;
    if (part.find_first_of("*?[") == std::string_view::npos) {
      next = &at->next[std::string(part)];
    } else {
      for (auto& [glob, component] : at->globs)
        if (glob == part) next = &component;
      if (!next) next = &at->globs.emplace_back(std::string(part), nullptr).second;
    }
    if (!*next) *next = std::make_unique<Component>();
    at = next->get();
  }
  return at->is_end = true;
}

bool PathSet::covers(std::string_view path) const { return covers(root_, path); }

bool PathSet::covers(const Component& at, std::string_view rest) {
  if (at.is_end) return true;
  const auto part = take_component(rest);
  if (part.empty()) return false;
  if (const auto it = at.next.find(absl::string_view(part.data(), part.size())); it != at.next.end() && covers(*it->second, rest)) return true;
  if (at.globs.empty()) return false;
  const std::string text(part);
  for (const auto& [glob, component] : at.globs)
    if ((glob == text || fnmatch(glob.c_str(), text.c_str(), 0) == 0) && covers(*component, rest)) return true;
  return false;
}

}  // namespace scry::filter
