// SPDX-License-Identifier: Apache-2.0
// From the lists of a section to the tables of the machine.
#pragma once

#include "capture/base/loss.h"
#include "capture/scap/block_reader.h"
#include "capture/state/machine.h"

namespace scry::state {

/// Takes in a list block (anything but a section header).
void load_list(const scap::Block& block, Machine& machine, Losses& losses);

}  // namespace scry::state
