// SPDX-License-Identifier: Apache-2.0
// A capture that a test put together, ready to be read event by event.
#pragma once

#include <memory>
#include <stdexcept>
#include <string_view>

#include "capture/pipeline.h"
#include "capture/source/file_source.h"
#include "tests/support/memory_file.h"

namespace scry::test {

struct Replayed {
  explicit Replayed(std::string_view bytes) : file(bytes) {
    auto opened = source::FileSource::open(file.path(), losses);
    if (!opened) throw std::runtime_error(opened.error().message());
    source = std::move(*opened);
    pipeline = std::make_unique<Pipeline>(*source, machine, losses);
  }
  const Moment* next() { return pipeline->next(); }

  MemoryFile file;
  Losses losses;
  state::Machine machine{losses};
  std::unique_ptr<source::FileSource> source;
  std::unique_ptr<Pipeline> pipeline;
};

}  // namespace scry::test
