#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`scry -r` prints what sysdig 0.29.3 prints, byte for byte, for every real capture and every way of printing.

Captures that sysdig can't read to the end must be read whole: each of their events is counted here by walking the
blocks, and each that isn't about the recording itself must have its line.
"""
import csv
import glob
import gzip
import os
import re
import struct
import unittest

import interop

OPTIONS = ["", "-D", "-v", "-x", "-X", "-A", "-b", "-v -x", "-t a", "-t r", "-t d", "-t D", "-n 500", "-M 1", "-D -n 100 -t r"]
UNREADABLE = {"curl_google_comments": 1221, "demo_2026": 124436, "attack_2026": 265412}  # by sysdig: lines in scry
EVENT_BLOCKS = {0x204: 2, 0x216: 2, 0x221: 2}  # where the event starts in the block's body
STATE_ONLY_BLOCKS = {0x208: 6, 0x217: 6, 0x222: 6}


def internal_codes():
    """Events about the recording itself: without -D, neither program shows them."""
    with open(os.path.join(interop.ROOT, "capture/event/data/events.tsv"), newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {int(row["code"]) for row in rows if "EC_INTERNAL" in row["category"]}


def events(path):
    """The code of each event of a capture that isn't state-only, from nothing but block headers."""
    with open(path, "rb") as file:
        data = file.read()
    if data.startswith(b"\x1f\x8b"):
        data = gzip.decompress(data)
    at = 0
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        assert size >= 12 and size % 4 == 0, f"block at {at}"
        start = EVENT_BLOCKS.get(kind, STATE_ONLY_BLOCKS.get(kind))
        if start is not None:
            flags = struct.unpack_from("<I", data, at + 10)[0] if kind in STATE_ONLY_BLOCKS else 0
            if not flags & 1:
                yield struct.unpack_from("<H", data, at + 8 + start + 20)[0]
        at += size


def summary(data):
    """-S: a head, then rows whose order within one count is left to chance."""
    rows = data.split(b"\n")
    head, rows = rows[:3], rows[3:]
    counts = [int(re.search(rb"\d+$", row[16:]).group()) for row in rows if row]
    return head, counts, sorted(rows)


class ReplayTest(unittest.TestCase):
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.captures = sorted(glob.glob(os.path.join(interop.shared("captures"), "*.scap*")))
        cls.readable = [path for path in cls.captures if cls.name(path) not in UNREADABLE]

    @staticmethod
    def name(path):
        return os.path.basename(path).split(".")[0]

    def both(self, *options):
        ours, theirs = interop.run(interop.SCRY, *options), interop.run(interop.SYSDIG, *options)
        self.assertEqual((theirs.returncode, ours.returncode), (0, 0), (options, theirs.stderr[-300:], ours.stderr[-300:]))
        return ours, theirs

    def assert_same(self, *options):
        ours, theirs = self.both(*options)
        if ours.stdout != theirs.stdout:
            self.fail(f"{options}: " + interop.first_difference(ours.stdout, theirs.stdout))
        return ours, theirs

    def test_every_way_of_printing(self):
        self.assertGreaterEqual(len(self.readable), 6)
        for path in self.readable:
            for options in OPTIONS:
                with self.subTest(capture=self.name(path), options=options):
                    self.assert_same("-r", path, *options.split())

    def test_several_files(self):
        several = [word for path in self.readable for word in ("-r", path)]
        self.assert_same(*several)
        self.assert_same(*several, "-n", "7", "-t", "r")

    def test_summary_tables(self):
        # Several files, of one age: sysdig gives each version of an event a row of its own (differences.md, #summary).
        several = [word for path in self.readable if self.name(path) in ("curl_google", "connect_localhost") for word in ("-r", path)]
        for files in [["-r", path] for path in self.readable] + [several]:
            with self.subTest(files=files):
                ours, theirs = self.both("-q", "-S", *files)
                self.assertEqual(summary(ours.stdout), summary(theirs.stdout))

    def test_how_many_were_captured(self):
        for path in self.readable:
            counts = [re.search(rb"Captured Events: (\d+),", run.stderr) for run in self.both("-q", "-v", "-r", path)]
            self.assertEqual(counts[0].group(1), counts[1].group(1), path)

    def test_what_sysdig_cannot_read_is_read_whole(self):
        internal = internal_codes()
        found = {self.name(path) for path in self.captures}
        self.assertLessEqual(set(UNREADABLE), found)
        for path in set(self.captures) - set(self.readable):
            with self.subTest(capture=self.name(path)):
                theirs = interop.run(interop.SYSDIG, "-r", path)
                self.assertNotEqual(theirs.returncode, 0, "sysdig reads it after all: compare the lines")
                codes = list(events(path))
                shown = sum(code not in internal for code in codes)
                self.assertEqual(shown, UNREADABLE[self.name(path)])
                for options, wanted in ([], shown), (["-D"], len(codes)):
                    ours = interop.run(interop.SCRY, "-r", path, *options)
                    self.assertEqual((ours.returncode, ours.stderr, ours.stdout.count(b"\n")), (0, b"", wanted))


if __name__ == "__main__":
    interop.need_sysdig()
    interop.shared("captures")
    unittest.main()
