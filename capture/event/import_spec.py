#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Refresh data/*.tsv from the project's spec folder (facts about the scap event schema).

  import_spec.py SPEC_DIR

The spec tables carry columns that only people need; the build needs the ones kept here. Run it when the
spec moves to a newer schema, look at `git diff data/`, and let generate.py and the tests judge.
"""
import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
KEEP = {
    'events.tsv': ['code', 'ppme', 'name', 'dir', 'category', 'flags', 'nparams', 'status', 'nparams_history',
                   'status_in_0.29.3', 'nparams_in_0.29.3', 'category_in_0.29.3', 'fd_param'],
    'params.tsv': ['code', 'index', 'name', 'type', 'fmt', 'table', 'since',
                   'name_in_0.29.3', 'type_in_0.29.3', 'fmt_in_0.29.3', 'table_in_0.29.3'],
    'valuetables.tsv': ['table', 'symbol', 'value', 'same_in_0.29.3'],
    'conversions.tsv': ['code', 'nparams', 'action', 'new_type', 'new_params'],
    'dynparams.tsv': ['table', 'index', 'type', 'fmt'],
    'types.tsv': ['id', 'type', 'wire_size'],
    'syscalls.tsv': ['ppm_sc', 'name'],
}


def main():
    spec = sys.argv[1]
    for name, keep in KEEP.items():
        lines = open(os.path.join(spec, name), encoding='utf8').read().split('\n')
        head = lines[0].split('\t')
        at = [head.index(column) for column in keep]
        with open(os.path.join(here, 'data', name), 'w', encoding='utf8') as out:
            out.write('\t'.join(keep) + '\n')
            for line in lines[1:]:
                if line:
                    cells = line.split('\t')
                    out.write('\t'.join(cells[i] for i in at) + '\n')


main()
