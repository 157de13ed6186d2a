#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The events that filters match on the real captures, against counts measured on sysdig 0.29.3 and on Falco's libraries.

A row of ../shared/golden/filters.tsv is engine, capture, ok or error, count, internal events, message, filter. Rows of the
libraries are run with --fold-enter. Rows that differ on purpose have a function below, named after its entry in
differences.md. With SCRY_FIELDS_LATER=1, rows that fail only for a field that scry doesn't have yet are counted and left
out.
"""
import collections
import concurrent.futures
import os
import re
import subprocess
import unittest

import interop

LATER = bool(os.environ.get("SCRY_FIELDS_LATER"))
Row = collections.namedtuple("Row", "engine file status count internal message text")
Got = collections.namedtuple("Got", "status count why")


# --- permitted differences: what `got` must be for the reason to hold, not only that it differs ---

def recorded_numbers(row, got):
    """evt.num stays the recorded number; the libraries count what they deliver."""
    return row.engine == "libs-HEAD" and "evt.num" in row.text and got.status == 0 and row.status == "ok"


def empty_filter(row, got):
    """A filter of nothing, or of blanks, is none on the command line, as in sysdig."""
    return row.engine == "libs-HEAD" and row.status == "error" and not row.text.strip(" \t\r\n\b") and got.status == 0


def first_of_a_list(row, got):
    """The libraries compare fields of both ends with the first value of a list only."""
    return (row.engine == "libs-HEAD" and row.status == "ok" and got.status == 0 and got.count >= int(row.count)
            and re.search(r"\bfd\.(ip|net|port|proto)\s*(in|intersects|=\s*anyof)\s*\([^)]*,", row.text) is not None)


def escapes_of_the_table(row, got):
    """A row that was measured with a backslash and a letter where the table means a tab: scry refuses that text too."""
    return "\\t" in row.text and row.status == "error" and run(row, as_it_stands=True).status == 1


def other_family(row, got):
    """No IPv6 address lies in an IPv4 network; in sysdig some lie in 0.0.0.0/0."""
    return row.engine == "sysdig-0.29.3" and re.fullmatch(r"fd\.[a-z]?net=[0-9.]+/0", row.text) is not None and got.count < int(row.count)


def without(row, text):
    """How many events `row` matches besides those that `text` does."""
    return run(row._replace(text=f"({row.text}) and not ({text})")).count


def libraries_differ(row, got, fields):
    return (row.engine == "libs-HEAD" and row.status == "ok" and got.status == 0 and row.file.startswith("demo_2026")
            and any(field in row.text for field in fields))


def opens_below_a_directory(row, got):
    """The libraries take the directory's fd for that of a file opened below it: those 273 events may be counted or not."""
    fields = "fd.name fd.type fd.filename fd.directory fd.l4proto fd.dev fd.cip.name fd.sip.name".split()
    if not libraries_differ(row, got, fields):
        return False
    others = without(row, "evt.type=openat and evt.rawarg.dirfd>=0 and not fd.nameraw startswith /")
    return others <= int(row.count) <= others + 273


def paths_below_the_root(row, got):
    """In the libraries, they don't begin with one slash."""
    below = "evt.type=openat and fd.name=/etc and fd.nameraw=etc"
    return libraries_differ(row, got, ["evt.abspath", "fs.path.name"]) and without(row, below) == int(row.count) < got.count


def nothing_to_accept(row, got):
    """An accept that found no connection has a name in the libraries."""
    if not libraries_differ(row, got, ["fd.name!=''"]):
        return False
    none = run(row._replace(text="evt.type=accept4 and evt.failed=true and fd.name=''")).count
    return none > 0 and got.count + none == int(row.count)


def new_ipv6_sockets(row, got):
    """They are servers in the libraries before they are anything."""
    if "fd.is_server=true" not in row.text:
        return False
    new = run(row._replace(text=row.text.replace("fd.is_server=true", "fd.type=ipv6 and fd.name=''"))).count
    return libraries_differ(row, got, ["fd.is_server"]) and new > 0 and got.count + new == int(row.count)


def exectime_in_current_libraries(row, got):
    """They count no time on a processor."""
    return row.engine == "libs-HEAD" and row.text == "thread.exectime>0" and row.count == "0" and got.count > 0


def filters_of_flags(row, got):
    """In sysdig's filters, fields that print true or 1 may match nothing."""
    return (row.engine == "sysdig-0.29.3" and row.text in ("fd.name_changed=true", "evt.count.error.file=1") and row.count == "0"
            and got.count > 0)


def newer_process_lists(row, got):
    """sysdig reads neither terminals nor login names from lists that are newer than itself."""
    return (row.engine == "sysdig-0.29.3" and row.file == "libs_sample.scap" and row.text in ("proc.tty>0", "user.loginname exists")
            and row.count == "0" and got.count > 0)


PERMITTED = [recorded_numbers, empty_filter, first_of_a_list, escapes_of_the_table, other_family, nothing_to_accept,
             opens_below_a_directory, paths_below_the_root, new_ipv6_sockets,
             exectime_in_current_libraries, filters_of_flags, newer_process_lists]


def rows():
    with open(interop.shared("golden/filters.tsv")) as file:
        lines = file.read().split("\n")[1:]
    for line in lines:
        cells = line.split("\t")
        if len(cells) >= 7:
            yield Row(*cells[:7])


def run(row, as_it_stands=False):
    text = row.text
    if not as_it_stands and '"' not in text and "'" not in text:  # the table's own escapes
        text = text.replace("\\t", "\t").replace("\\n", "\n")
    command = [interop.SCRY, "-r", interop.shared("captures", row.file), "-p", "%evt.num"] + ["--fold-enter"] * (row.engine == "libs-HEAD")
    try:
        done = interop.run(*command, text, timeout=60)
    except subprocess.TimeoutExpired:
        return Got(None, 0, "takes too long")
    return Got(done.returncode, done.stdout.count(b"\n"), done.stderr.decode("utf8", "replace").strip())


def agrees(row, got):
    if got.status is None or got.status < 0:
        return False
    return got.status == 0 and str(got.count) == row.count if row.status == "ok" else got.status != 0


class GoldenTest(unittest.TestCase):
    def test_every_row(self):
        table = list(rows())
        self.assertGreater(len(table), 3000)
        good, permitted, later, differences = 0, collections.Counter(), 0, []
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for row, got in zip(table, pool.map(run, table)):
                if agrees(row, got):
                    good += 1
                    continue
                if LATER and row.status == "ok" and "unknown field" in got.why:
                    later += 1
                    continue
                reason = next((rule for rule in PERMITTED if rule(row, got)), None)
                if reason:
                    permitted[reason.__name__] += 1
                    continue
                differences.append(f"{row.engine} {row.file} [{row.text}]: wanted {row.count if row.status == 'ok' else 'a refusal: ' + row.message[:60]}, "
                                   f"got {got.count}, status {got.status} {got.why[:120]}")
        print(f"{good} of {len(table)} rows agree; permitted: {dict(permitted)}; fields to come: {later}")
        self.assertEqual(differences, [], f"{len(differences)} rows differ:\n" + "\n".join(differences[:40]))
        if not LATER:
            unused = [rule.__name__ for rule in PERMITTED if rule.__name__ not in permitted]
            self.assertEqual(unused, [], "a permitted difference that is no longer there")


if __name__ == "__main__":
    interop.shared("golden/filters.tsv")
    interop.shared("captures")
    unittest.main()
