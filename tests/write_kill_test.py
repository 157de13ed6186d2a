#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""write_kill_test.py [RUNS AT_ONCE]: however scry is killed while it writes, what it was given more than a second before can be
read from the file.

Two hundred runs, over all packings, at random moments: half of them fed an event now and then, half as fast as the
pipe takes them. The feeder knows what it gave when.
"""
import os
import random
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
SCRY = os.path.abspath(os.environ.get("SCRY", os.path.join(HERE, "../build/scry")))
RUNS, AT_ONCE = map(int, sys.argv[1:3] or ("200", "20"))
CODECS = ("plain", "gzip", "zstd", "lz4")
SETTLED = 1.0  # seconds


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    size = len(body) + 12
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


def beginning():
    machine = struct.pack("<IQQ128sQQQQ", 2, 1 << 30, 0, b"host", 0, 0, 0, 0)
    return block(0x0A0D0D0A, struct.pack("<IHHQ", 0x1A2B3C4D, 1, 2, 2**64 - 1)) + block(0x201, machine)


def event(number):
    """A close event whose time is its number."""
    return block(0x216, struct.pack("<HQqIHIHq", 0, number, 100, 36, 6, 1, 8, number))


class Run(threading.Thread):
    def __init__(self, folder, number):
        super().__init__()
        self.path = os.path.join(folder, str(number))
        self.codec = CODECS[number % len(CODECS)]
        self.busy = number // len(CODECS) % 2 == 1
        self.random = random.Random(number)
        self.wrong = None

    def run(self):
        try:
            self.kill_one()
        except Exception as error:  # a thread's exception would be lost
            self.wrong = repr(error)

    def kill_one(self):
        writer = subprocess.Popen([SCRY, "-r", "-", "-w", self.path, "--codec", self.codec], stdin=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL)
        given = 0
        fed = []  # (when, events until then)
        lifetime = self.random.uniform(1.2, 3.0)
        writer.stdin.write(beginning() + event(1))
        writer.stdin.flush()
        given += 1
        # What scry takes to start is nothing that it could save.
        started = time.monotonic()
        while not os.path.exists(self.path) and time.monotonic() < started + 30:
            time.sleep(0.01)
        end = time.monotonic() + lifetime
        killer = threading.Timer(lifetime, writer.kill)
        killer.start()
        try:
            while time.monotonic() < end:
                count = 300 if self.busy else 1
                writer.stdin.write(b"".join(event(given + i + 1) for i in range(count)))
                writer.stdin.flush()
                given += count
                fed.append((time.monotonic(), given))
                time.sleep(self.random.uniform(0, 0.005 if self.busy else 0.25))
        except BrokenPipeError:
            pass
        killer.join()
        killed = time.monotonic()
        writer.wait()
        try:
            writer.stdin.close()
        except BrokenPipeError:
            pass
        # The pipe between us holds what scry hadn't read; on a loaded machine it lags, so what counts is its age.
        must = max([count for when, count in fed if when < killed - SETTLED - 0.15], default=0)
        read = subprocess.run([SCRY, "-r", self.path, "-t", "a", "-p", "%evt.rawtime"], capture_output=True)
        times = [int(line) for line in read.stdout.split()]
        if times != list(range(1, len(times) + 1)) or len(times) < must or len(times) > given:
            self.wrong = f"{self.codec}, busy {self.busy}: {must} events were old enough, {len(times)} are there of {given}"
        self.checked = must


class WriteKillTest(unittest.TestCase):
    def test_killed_at_random(self):
        with tempfile.TemporaryDirectory() as folder:
            checked = 0
            for first in range(0, RUNS, AT_ONCE):
                runs = [Run(folder, number) for number in range(first, first + AT_ONCE)]
                for run in runs:
                    run.start()
                for run in runs:
                    run.join()
                    self.assertIsNone(run.wrong)
                    checked += run.checked
            self.assertGreater(checked, RUNS)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
