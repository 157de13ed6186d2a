// SPDX-License-Identifier: Apache-2.0
#include "cli/write.h"

#include <signal.h>

namespace scry::cli {
namespace {

struct CodecRow {
  std::string_view name, suffix;
  scap::Packing packing;
};
constexpr CodecRow kCodecs[] = {{"plain", "", scap::Packing::kPlain},
                                {"gzip", ".gz", scap::Packing::kGzip},
                                {"zstd", ".zst", scap::Packing::kZstd},
                                {"lz4", ".lz4", scap::Packing::kLz4}};

/// What is said outright counts, then the name.
scap::Packing packing_of(const WriteOptions& write) {
  if (!write.codec.empty()) return packing_of_codec(write.codec).value_or(scap::Packing::kPlain);
  if (write.compress) return scap::Packing::kGzip;
  for (const CodecRow& row : kCodecs)
    if (!row.suffix.empty() && write.path.ends_with(row.suffix)) return row.packing;
  return scap::Packing::kPlain;
}

}  // namespace

std::optional<scap::Packing> packing_of_codec(std::string_view name) {
  for (const CodecRow& row : kCodecs)
    if (row.name == name) return row.packing;
  return {};
}

Result<std::unique_ptr<CaptureWriter>> start_writing(const Options& options, bool filtered,
                                                     std::function<bool(const state::Thread&, const state::Machine&)> keep_thread) {
  const WriteOptions& write = options.write;
  signal(SIGXFSZ, SIG_IGN);  // a file at its size limit is an error of write()
  WriteRules rules;
  rules.path = write.path;
  rules.inputs = options.files;
  rules.packing = packing_of(write);
  rules.megabytes = write.megabytes;
  rules.seconds = write.seconds;
  rules.events = write.events;
  rules.keep = write.keep;
  rules.fat = write.fat;
  rules.filtered = filtered;
  rules.users = !options.exclude_users;
  if (write.filter_proclist) rules.keep_thread = std::move(keep_thread);
  return CaptureWriter::create(std::move(rules));
}

void connect(CaptureWriter& writer, source::FileSource& source, Pipeline& pipeline, state::Machine& machine) {
  writer.listen(pipeline, machine);
  source.on_unknown_event = [&writer](const scap::Block& block) { writer.unknown_event(block); };
}

}  // namespace scry::cli
