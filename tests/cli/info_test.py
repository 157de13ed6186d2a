#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`scry info`, run on captures spelled out here. The program is $SCRY."""
import gzip
import hashlib
import json
import os
import subprocess
import tempfile
import unittest
from struct import pack

SCRY = os.path.abspath(os.environ.get("SCRY", "build/scry"))
SECOND = 10**9
START = 1767225660 * SECOND  # 2026-01-01 00:01:00
READ_E, READ_X, UNKNOWN = 6, 7, 60000


def pad(data):
    return data + bytes(-len(data) % 4)


def block(kind, body):
    size = len(pad(body)) + 12
    return pack("<II", kind, size) + pad(body) + pack("<I", size)


def text(data):
    return pack("<H", len(data)) + data


def option(code, value):
    return pad(pack("<HH", code, len(value)) + value)


def section(options=b""):
    return block(0x0A0D0D0A, pack("<IHHq", 0x1A2B3C4D, 1, 2, -1) + options)


def machine(name=b"tiny", boot=0, memory=1 << 30):
    return block(0x201, pack("<IQQ128sQQQQ", 2, memory, 0, name, boot, 0, 0, 0))


def processes(comm=b"cat", tid=7):
    entry = pack("<QQQQQ", tid, tid, 1, tid, tid) + text(comm) + text(comm) + text(b"") + text(b"") + text(b"/")
    entry += pack("<qIII", 1024, 0, 0, 0) + bytes(28) + text(b"") + pack("<qq", tid, tid) + text(b"") + text(b"/")
    return block(0x215, pack("<I", len(entry) + 4) + entry)


def event(code, params=(), ts=START, tid=7, flags=None, options=b""):
    lengths = b"".join(pack("<H", len(p)) for p in params)
    data = lengths + b"".join(params)
    body = pack("<QqIHI", ts, tid, 26 + len(data), code, len(params)) + data
    head = pack("<H", 0) if flags is None else pack("<HI", 0, flags)
    body = head + body
    return block(0x216 if flags is None else 0x217, (pad(body) + options) if options else body)


def read_pair(ts=START, options=b""):
    return event(READ_E, [pack("<q", 3), pack("<I", 9)], ts) + event(READ_X, [pack("<q", 1), b"x"], ts + 5, options=options)


def users():
    user = b"\0" + pack("<II", 1000, 100) + text(b"ann") + text(b"/home/ann") + text(b"/bin/sh")
    group = b"\1" + pack("<I", 100) + text(b"users")
    return block(0x220, b"".join(pack("<I", len(e) + 4) + e for e in (user, group)))


def interfaces():
    entry = pack("<HH", 1, 2) + bytes([127, 0, 0, 1, 255, 0, 0, 0, 0, 0, 0, 0]) + pack("<Q", 0) + b"lo"
    return block(0x219, pack("<I", len(entry)) + entry)


class InfoTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, data, name="a.scap"):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def run_info(self, *args, stdin=b"", env=None):
        return subprocess.run([SCRY, "info", *args], input=stdin, capture_output=True, timeout=60,
                              env=os.environ | {"TZ": "UTC"} | (env or {}))

    def info(self, data, status=0):
        """The parsed JSON of a capture."""
        run = self.run_info("--json", self.path(data))
        self.assertEqual((run.returncode, run.stderr), (status, b""))
        return json.loads(run.stdout.decode("utf8"))

    def assert_refused(self, *args, says):
        run = self.run_info(*args)
        lines = run.stderr.decode("utf8").splitlines()
        self.assertEqual((run.returncode, run.stdout, len(lines)), (1, b"", 1), run)
        self.assertTrue(lines[0].startswith("scry: "), lines[0])
        self.assertIn(says, lines[0])

    def test_says_what_is_there(self):
        data = section() + machine(boot=START - SECOND) + interfaces() + users() + processes() + read_pair()
        j = self.info(data)
        self.assertEqual((j["size_bytes"], j["unpacked_bytes"], j["packing"], j["compression_ratio"]),
                         (len(data), len(data), "plain", None))
        self.assertEqual(j["sha256"], hashlib.sha256(data).hexdigest())
        self.assertEqual(j["sections"][0]["version"], "1.2")
        m = j["sections"][0]["machine"]
        self.assertEqual((m["hostname"], m["cpus"], m["memory_bytes"]), ("tiny", 2, 1 << 30))
        self.assertEqual(m["boot"]["utc"], "2026-01-01T00:00:59.000000000Z")
        self.assertEqual(j["time"]["first"]["ns"], START)
        self.assertEqual((j["time"]["duration_ns"], j["time"]["out_of_order"]), (5, 0))
        self.assertEqual(j["events"]["numbered"], 2)
        self.assertEqual(j["events"]["by_type"],
                         [{"type": "read", "dir": "<", "count": 1}, {"type": "read", "dir": ">", "count": 1}])
        self.assertEqual(j["events"]["by_category"], [{"category": "I/O read", "count": 2}])
        self.assertEqual(j["processes"]["busiest"], [{"pid": 7, "tid": None, "comm": "cat", "events": 2}])
        self.assertEqual((j["processes"]["listed_threads"], j["processes"]["processes_at_end"]), (1, 1))
        self.assertEqual([u["name"] for u in j["users"]], ["ann"])
        self.assertEqual([g["name"] for g in j["groups"]], ["users"])
        self.assertEqual([(i["name"], i["address"], i["link_speed"]) for i in j["interfaces"]],
                         [("lo", "127.0.0.1", None)])
        self.assertIn({"id": "0x00000216", "name": "event v2", "count": 2}, j["blocks"])
        self.assertEqual(j["losses"], {"any": False, "totals": [], "notes": []})

    def test_what_is_not_there_is_null(self):
        j = self.info(section())
        self.assertIsNone(j["sections"][0]["machine"])
        self.assertEqual((j["time"]["first"], j["time"]["duration_ns"]), (None, None))
        self.assertEqual((j["users"], j["groups"], j["interfaces"]), (None, None, None))
        self.assertIsNone(j["processes"]["listed_threads"])
        self.assertIsNone(self.info(section() + machine(name=b"", memory=0))["sections"][0]["machine"]["memory_bytes"])
        self.assertIsNone(self.info(section() + machine())["sections"][0]["machine"]["boot"])
        run = self.run_info(self.path(section()))
        for line in (b"machine       not recorded", b"users         not recorded", b"interfaces    not recorded",
                     b"time          unknown: there are no events"):
            self.assertIn(line, run.stdout)

    def test_comments_and_application(self):
        options = option(1, b"about it all") + option(4, b"recorder 7") + option(0, b"")
        j = self.info(section(options) + processes() + read_pair() + read_pair(options=option(1, b"look here")))
        self.assertEqual(j["sections"][0]["comments"], ["about it all"])
        self.assertEqual(j["sections"][0]["application"], "recorder 7")
        self.assertEqual([(c["num"], c["comment"]) for c in j["events"]["comments"]], [(4, "look here")])

    def test_names_cannot_act_on_a_terminal(self):
        evil = b"\x1b[2J\xff\xe2\x80\xae"
        data = section(option(1, evil)) + machine(name=evil) + processes(evil) + read_pair(options=option(1, evil))
        safe = "\\x1b[2J\\xff\\u{202e}"
        j = self.info(data)
        self.assertEqual(j["sections"][0]["machine"]["hostname"], safe)
        self.assertEqual(j["sections"][0]["comments"], [safe])
        self.assertEqual(j["events"]["comments"][0]["comment"], safe)
        self.assertEqual(j["processes"]["busiest"][0]["comm"], safe)
        out = self.run_info(self.path(data)).stdout
        self.assertEqual([c for c in out if c != 10 and not 32 <= c < 127], [])
        self.assertEqual(out.count(safe.encode()), 4)

    def test_unknown_codes_silent_events_and_foreign_blocks_are_counted(self):
        data = section() + processes() + read_pair() + event(UNKNOWN) + event(READ_E, flags=1) + block(5, b"abcd")
        j = self.info(data)
        self.assertEqual(j["events"]["unknown_codes"], [{"code": UNKNOWN, "count": 1}])
        self.assertEqual((j["events"]["numbered"], j["events"]["silent"]), (3, 1))
        self.assertIn({"id": "0x00000005", "name": None, "count": 1}, j["blocks"])
        self.assertIn({"id": "0x00000216", "name": "event v2", "count": 3}, j["blocks"])
        self.assertFalse(j["losses"]["any"])

    def test_damage_gives_status_3(self):
        whole = section() + processes() + read_pair()
        j = self.info(whole[:-5], status=3)
        self.assertEqual([t["kind"] for t in j["losses"]["totals"]], ["cut off"])
        self.assertEqual(j["events"]["numbered"], 1)
        run = self.run_info(self.path(whole[:-5]))
        self.assertEqual(run.returncode, 3)
        self.assertIn(b"cut off: 1 time", run.stdout)

    def test_a_damaged_header_is_no_version(self):
        data = bytearray(section() + machine() + processes() + read_pair())
        data[4] ^= 0xFF  # its length
        j = self.info(bytes(data), status=3)
        self.assertEqual(j["section_count"], 1)
        self.assertIsNone(j["sections"][0]["version"])
        self.assertEqual(j["sections"][0]["machine"]["hostname"], "tiny")
        self.assertEqual(j["events"]["numbered"], 2)

    def test_packed_files_and_standard_input(self):
        data = section() + processes() + 100 * read_pair()
        packed = gzip.compress(data)
        j = self.info(packed)
        self.assertEqual((j["packing"], j["size_bytes"], j["unpacked_bytes"]), ("gzip", len(packed), len(data)))
        self.assertAlmostEqual(j["compression_ratio"], len(data) / len(packed))
        self.assertEqual(j["sha256"], hashlib.sha256(packed).hexdigest())
        run = self.run_info("--json", "-", stdin=packed)
        self.assertEqual(json.loads(run.stdout)["sha256"], j["sha256"])
        self.assertEqual(json.loads(run.stdout)["size_bytes"], len(packed))

    def test_sections_are_told_apart(self):
        one = section() + machine(b"one") + users() + processes() + read_pair(START + SECOND)
        two = section() + machine(b"two") + processes(b"dog") + read_pair(START)
        j = self.info(one + two)
        self.assertEqual(j["section_count"], 2)
        self.assertEqual([s["machine"]["hostname"] for s in j["sections"]], ["one", "two"])
        self.assertEqual([p["comm"] for p in j["processes"]["busiest"]], ["cat", "dog"])
        self.assertIsNone(j["users"])  # of the last section
        self.assertEqual((j["time"]["first"]["ns"], j["time"]["out_of_order"]), (START, 1))

    def test_local_time_is_given_besides(self):
        path = self.path(section() + read_pair())
        out = self.run_info(path, env={"TZ": "XYZ-05:30"}).stdout
        self.assertIn(b"2026-01-01 00:01:00.000000000 UTC\n", out)
        self.assertIn(b"2026-01-01 05:31:00.000000000 +0530 here\n", out)
        self.assertNotIn(b"here", self.run_info(path).stdout)

    def test_text_fits_80_columns(self):
        data = section() + machine() + interfaces() + users() + processes() + read_pair() + event(UNKNOWN)
        out = self.run_info(os.path.basename(self.path(data)), self.path(data)).stdout.decode("utf8")
        self.assertEqual([line for line in out.splitlines() if len(line) > 80 and self.folder not in line], [])

    def test_several_files_and_a_missing_one(self):
        good = self.path(section() + read_pair())
        missing = os.path.join(self.folder, "none")
        run = self.run_info("--json", good, missing, good)
        self.assertEqual((run.returncode, run.stdout.count(b"\n"), run.stderr.count(b"\n")), (1, 2, 1))
        cut = self.path((section() + read_pair())[:-4], "cut.scap")
        self.assertEqual(self.run_info(good, cut).returncode, 3)

    def test_wrong_usage_is_one_line_and_status_1(self):
        self.assert_refused(says="which capture?")
        self.assert_refused("--frob", "x", says="unknown option '--frob'")
        self.assert_refused(os.path.join(self.folder, "none"), says="No such file or directory")
        self.assert_refused(self.folder, says="is a directory")
        self.assert_refused(self.path(b"just some text\n"), says="not a scap capture")
        self.assert_refused(self.path(b""), says="empty")
        self.assert_refused("-", says="standard input")

    def test_help(self):
        run = self.run_info("--help")
        self.assertEqual((run.returncode, run.stderr), (0, b""))
        self.assertIn(b"usage: scry info", run.stdout)


if __name__ == "__main__":
    unittest.main()
