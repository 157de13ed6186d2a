// SPDX-License-Identifier: Apache-2.0
// The second half of compiling: from the tree as written to the code that runs.
#pragma once

#include "filters/vm/program.h"

namespace scry::filter {

/// Works out what a new check knows about events and texts: by_type, may_true, may_false, remember, set.
void finish_check(Check& check, const ValueNode& value, fields::Dialect dialect);

/// Fills code, shared, memos and may_match from tree: folds constants, makes equal parts one, joins equalities of one
/// field into `in`, puts cheap parts first. None of it changes what matches: checks have no effects.
void simplify(Program& program);

}  // namespace scry::filter
