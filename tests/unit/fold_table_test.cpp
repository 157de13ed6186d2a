// SPDX-License-Identifier: Apache-2.0
// Event::current() hands a parameter of one layout to code that reads it by another layout's type. That is sound only
// if both types have the same size, which no check at run time looks at.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "capture/event/event.h"

using namespace scry::event;

namespace {

unsigned size_of(const ParamStyle& style) { return type_sizes[style.type_id]; }

/// Sizes that may stand in place of `want`: the same, or none given.
bool fits(unsigned have, unsigned want) { return want == 0 || have == want; }

}  // namespace

TEST_CASE("sysdig's type of a parameter is as wide as the current one") {
  for (unsigned code = 0; code < kCodeCount; ++code)
    for (unsigned i = 0; i < info_of(code).nparams; ++i) {
      const ParamInfo& param = info_of(code).params[i];
      CAPTURE(std::string(info_of(code).ppme));
      CAPTURE(i);
      if (param.classic.type() != Type::kNone) CHECK(fits(size_of(param.current), size_of(param.classic)));
    }
}

TEST_CASE("a folded parameter is as wide as the one it becomes") {
  for (unsigned code = 0; code < kCodeCount; ++code) {
    if (code == kBpfX) continue;  // the one exception; fds and enums are read with a look at their size
    const EventInfo& info = info_of(code);
    for (unsigned count = 0; count <= info.nparams; ++count) {
      const FoldShape& shape = shape_of(info, count);
      REQUIRE(is_known(shape.code));
      const EventInfo& current = info_of(shape.code);
      CHECK(shape.count <= current.nparams);
      for (unsigned i = 0; i < shape.count && i < current.nparams; ++i) {
        CAPTURE(std::string(info.ppme));
        CAPTURE(count);
        CAPTURE(i);
        const FoldSource source = fold_sources[shape.sources_at + i];
        const unsigned want = size_of(current.params[i].current);
        if (source.from() == FoldFrom::kOwn) {
          CHECK(source.index < info.nparams);
          CHECK(fits(size_of(info.params[source.index].current), want));
        } else if (source.from() == FoldFrom::kEnterOrEmpty || source.from() == FoldFrom::kEnterOrDefault) {
          // The enter event of this exit, in any of its layouts.
          const EventInfo& enter = info_of(code - 1);
          for (unsigned enter_count = 0; enter_count <= enter.nparams; ++enter_count) {
            const FoldShape& enter_shape = shape_of(enter, enter_count);
            unsigned index = source.index;
            if (index < enter_shape.count) {
              const FoldSource inner = fold_sources[enter_shape.sources_at + index];
              if (inner.from() != FoldFrom::kOwn) continue;
              index = inner.index;
            }
            if (index < enter_count) CHECK(fits(size_of(enter.params[index].current), want));
          }
        }
      }
    }
  }
}
