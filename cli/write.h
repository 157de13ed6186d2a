// SPDX-License-Identifier: Apache-2.0
// -w: makes a capture out of what is read.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "capture/capture_writer.h"
#include "capture/source/file_source.h"
#include "cli/options.h"

namespace scry::cli {

/// plain, gzip, zstd, lz4.
std::optional<scap::Packing> packing_of_codec(std::string_view name);

/// `filtered`: there is a filter. `keep_thread` answers for --filter-proclist, and is asked only with it.
Result<std::unique_ptr<CaptureWriter>> start_writing(const Options& options, bool filtered,
                                                     std::function<bool(const state::Thread&, const state::Machine&)> keep_thread = {});

/// What is read from `source` from here on goes through `writer`.
void connect(CaptureWriter& writer, source::FileSource& source, Pipeline& pipeline, state::Machine& machine);

}  // namespace scry::cli
