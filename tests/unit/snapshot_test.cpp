// SPDX-License-Identifier: Apache-2.0
// A snapshot is a value: it stays what it was while the machine goes on, and bringing it back brings everything back.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <optional>
#include <utility>

#include "capture/pipeline.h"
#include "capture/source/file_source.h"
#include "tests/support/builder.h"
#include "tests/support/memory_file.h"

using namespace scry;
using namespace scry::test;

TEST_CASE("restoring a snapshot brings the state back, and the same events lead to the same state again") {
  const MemoryFile file(every_code().bytes());
  // The states after each event, of an undisturbed run.
  std::vector<uint64_t> hashes;
  {
    Losses losses;
    auto source = source::FileSource::open(file.path(), losses);
    REQUIRE(source);
    state::Machine machine(losses);
    Pipeline pipeline(**source, machine, losses);
    for (uint64_t i = 0; pipeline.next(); ++i)
      if (i % 64 == 0) hashes.push_back(machine.hash());
    hashes.push_back(machine.hash());
  }
  REQUIRE(hashes.size() > 50);
  // A run that goes back to a snapshot before every check: nothing may have leaked into it, and nothing be missing.
  Losses losses;
  auto source = source::FileSource::open(file.path(), losses);
  state::Machine machine(losses);
  Pipeline pipeline(**source, machine, losses);
  std::optional<state::Snapshot> before;
  size_t at = 0;
  for (uint64_t i = 0; pipeline.next(); ++i) {
    if (i % 64 != 0) continue;
    REQUIRE(machine.hash() == hashes[at++]);
    state::Snapshot now = machine.snapshot();
    if (before) {
      machine.restore(*before);
      REQUIRE(machine.hash() == hashes[at - 2]);
      machine.restore(now);
      REQUIRE(machine.hash() == hashes[at - 1]);
    }
    before = std::move(now);
  }
  CHECK(machine.hash() == hashes.back());
}
