#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every field that sysdig 0.29.3 can print has the value there that it has here, event by event.

The fields come from the table in ../shared/spec; what may differ is in PERMITTED, by the entry of differences.md that says
why. A permitted difference that is no longer there fails the test too.
"""
import csv
import glob
import os
import re
import subprocess
import tempfile
import unittest

import interop

MARK, BAR = "@#@", "|~|"  # in no capture
UNREADABLE = {"curl_google_comments", "demo_2026", "attack_2026"}  # by sysdig, see replay_test.py
ARGUMENTS = {  # of fields that need one
    "evt.abspath": ["", ".src", ".dst"],
    "evt.arg": ["[0]", "[1]", ".addr", ".args", ".comm", ".data", ".fd", ".flags", ".mode", ".name", ".path", ".pid", ".res",
                ".size", ".tuple"],
    "evt.rawarg": [".data", ".name", ".path", ".pid", ".res"],  # of others, sysdig has no value or ends
    "evt.type.is": [".open"],
    "proc.aname": ["", "[2]"], "proc.apid": ["", "[2]"], "proc.env": ["", "[PATH]"], "thread.cgroup": [".cpu"],
    **{"container.mount" + part: ["[0]"] for part in ("", ".dest", ".mode", ".propagation", ".rdwr", ".source")},
}
# Dead systems: in sysdig they ask services that are gone.
DEAD = re.compile(r"^(mesos|marathon|k8s|span|evtin|tracers?|jevt|ka|ct|json)\b")
# Names of synthetic captures' fields that don't depend on what the state was before: states differ, see differences.md.
STATELESS = """evt.num evt.dir evt.type evt.cpu evt.time evt.time.s evt.time.iso8601 evt.datetime evt.datetime.s evt.rawtime
    evt.rawtime.s evt.rawtime.ns evt.reltime evt.reltime.s evt.reltime.ns evt.deltatime evt.deltatime.s evt.deltatime.ns
    evt.outputtime evt.is_wait evt.is_open_read evt.is_open_write evt.is_open_exec evt.count evt.count.exit evt.arg.flags
    evt.arg.mode evt.arg.size evt.arg.addr evt.arg.pid evt.arg.uid evt.arg.gid evt.arg.domain evt.arg.cmd evt.arg.whence
    evt.arg.sig evt.arg.interval evt.arg.timeout evt.arg.prot evt.arg.how evt.arg.request evt.arg.resource evt.arg.tuple
    evt.arg.sigmask evt.arg.comm evt.arg.next evt.arg.egid evt.arg.dirfd evt.arg.op fdlist.nums thread.tid""".split()


def gone(ours, theirs, event):
    """Of a socket without ports: sysdig says 0, "" or what was in memory."""
    return ours == "<NA>" and event["fd.typechar"] in "u4"


def no_device(ours, theirs, event):
    """sysdig says 0 or what was in memory."""
    return ours == "<NA>" and (event["fd.typechar"] != "f" or theirs == "0")


def of_switch(ours, theirs, event):
    return event["evt.type"] == "switch"


def other_peer(ours, theirs, event):
    return event["fd.typechar"] in "46"


def beginning(ours, theirs, event):
    """Bytes: sysdig prints them up to the first NUL and as they are."""
    return len(ours) >= len(theirs) and event["evt.dir"] == "<"


def is_number(ours, theirs, event):
    return ours in ("0", "1")


def false_here(ours, theirs, event):
    return (ours, theirs) == ("false", "true")


def changed(ours, theirs, event):
    return (ours, theirs) == ("true", "false") and event["evt.type"] in ("connect", "sendto")


def closed_by_exec(ours, theirs, event):
    return ours.isdigit() and theirs.isdigit() and int(ours) < int(theirs)


def line_end(ours, theirs, event):
    return ours == theirs.replace("\n", "")


def woken(ours, theirs, event):
    """The first event of a thread, which returns from a call that began before the recording."""
    return event["evt.type"] == "read" and theirs in ("<NA>", "unknown")


def no_argument(ours, theirs, event):
    """What sysdig takes for a field and text behind it."""
    return theirs.startswith("<NA>proc.a") or theirs.endswith("[PATH]")


def escaped(ours, theirs, event):
    short = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return ours != theirs and ours == re.sub(r"[\0-\x1f\x7f]", lambda c: short.get(c[0], f"\\x{ord(c[0]):02x}"), theirs)


def before_it_was_recorded(ours, theirs, event):
    return (ours, theirs) == ("<NA>", "false")


def unknown_process(ours, theirs, event):
    return ours == "<NA>" and theirs in ("-1", "0.0")


def low_half(ours, theirs, event):
    return int(theirs) != int(ours) == int(theirs) % 2**32


def own_name(ours, theirs, event):
    """sysdig takes a thread's process for its parent."""
    return event["thread.ismain"] == "false" and theirs in (event["proc.name"], event["proc.cmdline"])


def of_another_value(ours, theirs, event):
    return event["user.loginuid"] == "-420151296" and theirs in ("-420151296", "<NA>", "0")


PERMITTED = {  # field: (entry of differences.md, what the difference is)
    **{f"evt.latency{part}": ("latency-of-switches", of_switch) for part in ("", ".ns", ".human", ".quantized")},
    **{f"evt.buflen{part}": ("returns-without-call", woken) for part in ("", ".file", ".in", ".file.in")},
    "evt.category": ("returns-without-call", woken),
    "evt.rawarg.data": ("raw-arguments", beginning),
    "evt.type.is.open": ("type-is", is_number),
    **{f"fd.{name}": ("ports-of-unix-sockets", gone) for name in ("cport", "cproto")},
    **{f"fd.dev{part}": ("devices", no_device) for part in ("", ".major", ".minor")},
    **{f"fd.{name}": ("kept", other_peer) for name in ("containername", "name", "rip", "rport", "rproto", "sip", "sport", "sproto")},
    "fd.name_changed": ("kept", changed),
    "proc.fdopencount": ("exec", closed_by_exec),
    "fd.is_server": ("servers", false_here),
    "fd.connected": ("connected", false_here),
    "fdlist.names": ("socket-names", line_end),
    **{name: ("ancestors-without-number", no_argument) for name in ("proc.aname", "proc.apid")},
    "proc.env": ("control-characters", escaped),
    "proc.env[PATH]": ("one-variable", no_argument),
    "proc.is_exe_writable": ("exe-flags", before_it_was_recorded),
    **{f"proc.{name}": ("unknown-processes", unknown_process) for name in ("fdlimit", "fdusage", "ppid")},
    "group.gid": ("group-gid", low_half),
    **{f"proc.{name}": ("parent-of-threads", own_name) for name in ("pcmdline", "pname")},
    **{name: ("newer-process-lists", of_another_value) for name in ("proc.tty", "user.loginname", "user.loginuid")},
}


def fields():
    with open(interop.shared("spec/fields.tsv"), newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    names = []
    for row in rows:
        printable = row["in_sysdig_0.29.3"] == "yes" and "FILTER_ONLY" not in row["flags_0.29.3"]
        if printable and not DEAD.match(row["name"]):
            names += [row["name"] + argument for argument in ARGUMENTS.get(row["name"], [""])]
    return names


def values(program, capture, names):
    """evt.num -> the fields' values."""
    text = "*" + MARK + "%evt.num" + "".join(BAR + "%" + name for name in names)
    run = interop.run(program, "-r", capture, "-p", text)
    events = {}
    for record in run.stdout.decode("utf-8", "surrogateescape").split(MARK)[1:]:
        number, *rest = record[:-1].split(BAR)
        events[number] = dict(zip(names, rest))
    return run, events


class FieldsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # What neither program has yet, or sysdig can't print, is nothing to compare.
        cls.known, cls.unknown = [], []
        capture = interop.shared("captures/cat_write.scap")
        for name in fields():
            run = interop.run(interop.SCRY, "-r", capture, "-n", "1", "-p", "%" + name)
            (cls.known if run.returncode == 0 else cls.unknown).append(name)

    def differences(self, capture, names):
        theirs, wanted = values(interop.SYSDIG, capture, names)
        ours, got = values(interop.SCRY, capture, names)
        self.assertEqual((theirs.returncode, ours.returncode), (0, 0), (capture, theirs.stderr[-200:], ours.stderr[-200:]))
        self.assertEqual(list(wanted), list(got), capture)
        for number, event in wanted.items():
            for name, value in event.items():
                if got[number][name] != value:
                    yield number, name, got[number][name], value, event

    def test_real_captures(self):
        compared, wrong, used = 0, [], set()
        for capture in sorted(glob.glob(interop.shared("captures") + "/*.scap*")):
            if os.path.basename(capture).split(".")[0] in UNREADABLE:
                continue
            compared += 1
            for number, name, ours, theirs, event in self.differences(capture, self.known):
                entry, rule = PERMITTED.get(name, (None, None))
                if rule and rule(ours, theirs, event):
                    used.add(name)
                else:
                    wrong.append(f"{os.path.basename(capture)} {number} {event['evt.type']} {name}: sysdig {theirs!r}, scry {ours!r}")
        self.assertEqual(compared, 6)
        self.assertGreater(len(self.known), 120)
        self.assertEqual(wrong[:10], [], f"{len(wrong)} values differ")
        self.assertEqual(set(PERMITTED) & set(self.known) - used, set(), "permitted differences that are no longer there")

    def test_every_field_is_there(self):
        self.assertEqual(self.unknown, [])

    def test_entries_exist(self):
        with open(os.path.join(interop.HERE, "differences.md")) as file:
            headings = set(re.findall(r"^#+ (\S+)$", file.read(), re.M))
        self.assertEqual({entry for entry, _ in PERMITTED.values()} - headings, set())

    def test_values_from_the_edges_of_each_type(self):
        with tempfile.TemporaryDirectory() as folder:
            for seed in range(1, 4):
                capture = os.path.join(folder, f"{seed}.scap")
                subprocess.run([os.path.join(interop.HERE, "synth.py"), "--kind", "render", "--calm", "--seed", str(seed), "--events",
                                "2000", "-o", capture], check=True)
                wrong = [found[:4] for found in self.differences(capture, STATELESS)]
                self.assertEqual(wrong[:10], [], f"seed {seed}: {len(wrong)} values differ")


if __name__ == "__main__":
    interop.need_sysdig()
    interop.shared("captures")
    unittest.main()
