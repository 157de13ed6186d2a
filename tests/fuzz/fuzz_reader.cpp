// SPDX-License-Identifier: Apache-2.0
// A whole file, packed or not, through everything that `scry -r` does with it but printing.
#include "capture/pipeline.h"
#include "capture/source/file_source.h"
#include "tests/support/memory_file.h"

using namespace scry;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const test::MemoryFile file({reinterpret_cast<const char*>(data), size});
  Losses losses;
  auto source = source::FileSource::open(file.path(), losses);
  if (!source) return 0;
  state::Machine machine(losses);
  Pipeline pipeline(**source, machine, losses);
  while (pipeline.next()) {}
  machine.hash();
  return 0;
}
