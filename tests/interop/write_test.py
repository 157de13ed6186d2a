#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`scry -w` loses nothing, and cuts where sysdig 0.29.3 cuts.

A capture that was written anew, in each packing, prints what the first one does, in scry and in sysdig. In pieces, the
files have the names that sysdig gives them and as many events, and together they print what the whole prints. With a filter
the files hold the events and threads that sysdig's hold, and what passed can be read from them.
"""
import glob
import gzip
import json
import os
import struct
import shlex
import subprocess
import tempfile
import unittest

import interop

EVENTS = (0x204, 0x216, 0x221, 0x208, 0x217, 0x222)
CODECS = ("scap", "scap.gz", "scap.zst", "scap.lz4")
PIECES = ("X -e 1000", "X -e 1000 -W 3", "X -G 1", "X -G 1 -W 2", "x.%S -G 1", "x.%S -G 1 -W 2", "X -G 1 -e 700",
          "X -C 1", "X -W 2")

FILTERED = ("-F proc.name=bash", "proc.name=bash", "-F -n 100 proc.name=bash", "-G 1 proc.name=nosuch",
            "--filter-proclist proc.name=bash", "--filter-proclist 'fd.name contains /var'", "--filter-proclist -F 'fd.name contains log'")
EVENT = "*%evt.rawtime %evt.cpu %thread.tid %evt.dir %evt.type"  # and in whole files the arguments, whose names need the state


def count_events(path):
    with open(path, "rb") as file:
        data = file.read()
    if data.startswith(b"\x1f\x8b"):
        data = gzip.decompress(data)
    at = count = 0
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        count += kind in EVENTS
        at += size
    return count


class WriteTest(unittest.TestCase):
    def setUp(self):
        self.captures = sorted(glob.glob(os.path.join(interop.shared("captures"), "*.scap")))
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def lines(self, program, path):
        got = interop.run(program, "-r", path)
        self.assertEqual(got.returncode, 0, (program, path, got.stderr[-300:]))
        return got.stdout

    def test_written_anew(self):
        for path in self.captures:
            ours = self.lines(interop.SCRY, path)
            for codec in CODECS:
                with self.subTest(capture=os.path.basename(path), codec=codec):
                    copy = os.path.join(self.folder.name, "copy." + codec)
                    done = interop.run(interop.SCRY, "-r", path, "-w", copy)
                    self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
                    self.assertEqual(os.stat(copy).st_mode & 0o777, 0o600)
                    self.assertEqual(self.lines(interop.SCRY, copy), ours)
                    if codec in ("scap", "scap.gz"):
                        self.assertEqual(self.lines(interop.SYSDIG, copy), ours)

    def pieces(self, program, path, options):
        with tempfile.TemporaryDirectory(dir=self.folder.name) as folder:
            done = subprocess.run([program, "-r", path, "-w", *options.split()], cwd=folder, capture_output=True,
                                  env=interop.ENVIRONMENT, timeout=300)
            self.assertEqual(done.returncode, 0, done.stderr[-300:])
            return {name: count_events(os.path.join(folder, name)) for name in os.listdir(folder)}

    def test_pieces(self):
        path = interop.shared("captures", "run_as_user_0_container.scap")
        for options in PIECES:
            with self.subTest(options=options):
                theirs = self.pieces(interop.SYSDIG, path, options)
                ours = self.pieces(interop.SCRY, path, options)
                if options == "X -W 2":  # nothing is cut: the copy keeps what sysdig folds into one event
                    self.assertEqual(set(ours), set(theirs))
                else:
                    self.assertEqual(ours, theirs)

    def test_pieces_print_what_the_whole_prints(self):
        path = interop.shared("captures", "run_as_user_0_container.scap")
        whole = [line.split(b" ", 1)[1] for line in self.lines(interop.SCRY, path).splitlines()]
        base = os.path.join(self.folder.name, "X")
        interop.run(interop.SCRY, "-r", path, "-w", base, "-e", "700")
        parts = []
        for piece in range(6):
            ours = self.lines(interop.SCRY, base + str(piece))
            self.assertEqual(ours, self.lines(interop.SYSDIG, base + str(piece)))
            parts += [line.split(b" ", 1)[1] for line in ours.splitlines()]
        self.assertEqual(parts, whole)

    def filtered(self, program, path, options, folder):
        os.mkdir(folder)
        done = subprocess.run([program, "-r", path, "-w", "X", *shlex.split(options)], cwd=folder, capture_output=True,
                              env=interop.ENVIRONMENT, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr[-300:])
        return sorted(os.listdir(folder))

    def all_events(self, program, path, form=" %evt.args"):
        """Also those that only keep the state; without sysdig's own on stderr."""
        got = interop.run(program, "-r", path, "-D", "-p", EVENT + form)
        self.assertEqual(got.returncode, 0, (program, path, got.stderr[-300:]))
        return got.stdout.splitlines()

    def test_filters(self):
        path = interop.shared("captures", "run_as_user_0_container.scap")
        for number, options in enumerate(FILTERED):
            with self.subTest(options=options):
                theirs, ours = (os.path.join(self.folder.name, f"{number}-{who}") for who in ("theirs", "ours"))
                names = self.filtered(interop.SYSDIG, path, options, theirs)
                self.assertEqual(self.filtered(interop.SCRY, path, options, ours), names)
                passed = []
                for name in names:
                    pair = [os.path.join(folder, name) for folder in (theirs, ours)]
                    for program in (interop.SYSDIG, interop.SCRY):
                        wanted, got = (self.all_events(program, file) for file in pair)
                        self.assertEqual(got, wanted, (program, name))
                    passed += [line for line in self.all_events(interop.SCRY, pair[1], "") if not line.endswith(b" procinfo")]
                    wanted, got = (json.loads(interop.run(interop.SCRY, "info", "--json", file).stdout)["processes"] for file in pair)
                    self.assertEqual(got, wanted, name)
                    if "nosuch" in options:  # the tables of containers and users, and a report for each processor and second
                        self.assertEqual(count_events(os.path.join(ours, name)), 116)
                limit, text = (["-n", "100"] if "-n 100" in options else []), shlex.split(options)[-1]
                direct = interop.run(interop.SCRY, "-r", path, "-D", "-p", EVENT, *limit, text)
                self.assertEqual([line for line in direct.stdout.splitlines() if not line.endswith(b" procinfo")], passed)


if __name__ == "__main__":
    interop.need_sysdig()
    interop.shared("captures")
    unittest.main()
