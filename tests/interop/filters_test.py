#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Filters made up at random match the same events in scry and in sysdig 0.29.3, on real captures.

Only what both languages read alike is made up (differences.md, "filters"): one word between brackets at a time, constants
of plain letters, operators that both have. Values are those that the fields have in the capture. $COUNT and $SEED make
more, and others.
"""
import collections
import concurrent.futures
import functools
import os
import random
import re
import subprocess
import unittest

import fields_test
import interop

CAPTURES = "cat_write connect_localhost curl_google libs_sample run_as_user_0_container test_ipv6_client".split()
COUNT = int(os.environ.get("COUNT", "60"))  # filters for each capture
SEED = int(os.environ.get("SEED", "1"))
TEXT, NUMBER, BYTES = ("CHARBUF",), ("INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "PORT", "ABSTIME", "RELTIME"), ("BYTEBUF",)
OPS = {
    "text": "= = != != contains contains icontains startswith endswith glob in in pmatch exists".split(),
    "number": "= = != < <= > >= in exists".split(),
    "bytes": "= contains startswith exists".split(),
    "bool": "= = != exists".split(),
    "address": "= = != in exists".split(),
    "other": ["exists"],
}
STAND_INS = {"proc.aname": "proc.aname[1]", "proc.apid": "proc.apid[1]"}  # can't be printed without a number
BESIDE = ("evt.num", "evt.type", "evt.dir", "fd.typechar", "thread.tid", "thread.ismain", "proc.name", "proc.cmdline", "user.loginuid")
PLAIN = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:<>+@%*? =,()")
BARE = PLAIN - set(" =,()")


Differing = collections.namedtuple("Differing", "capture text ours theirs")  # what ran where, and the events each matched


# --- permitted differences: functions named after entries of differences.md; each holds for every event that differs ---

def fields_of(text):
    return [STAND_INS.get(name, name) for name in dict.fromkeys(re.findall(r"(?<![^( ])[a-z0-9]+(?:\.[a-z0-9_]+)+(?:\[\d+\])?", text))]


@functools.cache
def printed(program, capture, name):
    return fields_test.values(program, capture, list(dict.fromkeys((name, *BESIDE))))[1]


def each(d, holds):
    """Whether one of the filter's fields explains each event that only one of the programs matched."""
    if isinstance(d.ours, str) or isinstance(d.theirs, str):
        return False
    names = fields_of(d.text)
    return all(any(holds(name, number.decode()) for name in names) for number in d.ours ^ d.theirs)


def fields(d):
    """Events at which the field itself differs, for the reasons that fields_test.py knows."""
    def differs(name, number):
        entry, rule = fields_test.PERMITTED.get(name, (None, None))
        if not rule:
            return False
        theirs, ours = (printed(program, d.capture, name)[number] for program in (interop.SYSDIG, interop.SCRY))
        return ours[name] != theirs[name] and rule(ours[name], theirs[name], theirs)
    return each(d, differs)


def before(events, number):
    """The thread's earlier events, the last one first."""
    tid = events[number]["thread.tid"]
    return [n for n, event in reversed(events.items()) if int(n) < int(number) and event["thread.tid"] == tid]


def filters_before_events(d):
    """sysdig asks before it takes in what the event says: the field was another at the thread's event before."""
    def changes(name, number):
        events = printed(interop.SYSDIG, d.capture, name)
        earlier = before(events, number)
        return (events[number]["evt.dir"] == "<" or events[number]["evt.type"] == "switch") and (
            not earlier or events[earlier[0]][name] != events[number][name])
    return each(d, changes)


def forgotten_calls(d):
    """sysdig doesn't take in what the filter left out: a call's fd for its return, a switch's counters for what follows."""
    def forgotten(name, number):
        events = printed(interop.SYSDIG, d.capture, name)
        earlier = before(events, number)
        if re.match(r"thread\.(pf|vm)|proc\.vm", name):
            changed = next((n for n, old in zip([number] + earlier, earlier) if events[n][name] != events[old][name]), None)
            return changed is not None and changed.encode() not in d.theirs
        return (re.match(r"evt\.(buf|io_dir|is_io|category|count|arg|info)|fd", name) is not None and events[number]["evt.dir"] == "<"
                and earlier and earlier[0].encode() not in d.theirs)
    return each(d, forgotten)


def lists_of_ancestors(d):
    """proc.apid with `in` matches nothing in sysdig."""
    return re.search(r"\bproc\.apid(\[\d+\])? in \(", d.text) is not None and not isinstance(d.theirs, str) and not isinstance(d.ours, str)


def names_of_addresses(d):
    """sysdig asks the name service of today; what it can't name is != anything; other operators end it."""
    if not re.search(r"\bfd\.[cslr]ip\.name ", d.text) or isinstance(d.ours, str):
        return False
    return "only supports" in d.theirs if isinstance(d.theirs, str) else re.search(r"ip\.name !=", d.text) is not None


def crashes(d):
    """A list for a number of syslog's ends sysdig with a signal, times on a processor with an exception."""
    return not isinstance(d.ours, str) and ("syslog." in d.text and d.theirs == "refused: "
                                            or "exect" in d.text and "invalid thread state" in d.theirs)


def asked_again(d):
    """evt.deltatime depends on how often sysdig has been asked for it."""
    return re.search(r"\bevt\.deltatime[.a-z]* in \([^)]*,", d.text) is not None and not isinstance(d.ours, str) and d.ours < d.theirs


def wrapped_numbers(d):
    """proc.tty had a sign then."""
    return re.search(r"\bproc\.tty (in|[<>=!]+) [('\"]*-", d.text) is not None and not isinstance(d.ours, str)


PERMITTED = [fields, filters_before_events, forgotten_calls, lists_of_ancestors, names_of_addresses, crashes, asked_again, wrapped_numbers]


def kind_of(kind):
    return ("text" if kind in TEXT else "number" if kind in NUMBER else "bytes" if kind in BYTES else "bool" if kind == "BOOL"
            else "address" if kind in ("IPADDR", "IPNET") else "other")


def table():
    """Rows of fields.tsv that sysdig 0.29.3 has and a filter can ask for."""
    with open(interop.shared("spec/fields.tsv")) as file:
        head = file.readline().rstrip("\n").split("\t")
        for line in file:
            row = dict(zip(head, line.rstrip("\n").split("\t")))
            if row["in_sysdig_0.29.3"] == "yes" and "PRINT_ONLY" not in row["flags_0.29.3"]:
                yield row


def arguments(row):
    name = row["name"]
    if row["argument_0.29.3"] == "none":
        return [name]
    if row["argument_0.29.3"].startswith("optional"):
        return [name, name + "[1]", name + "[2]"]
    known = {"evt.arg": ["evt.arg.fd", "evt.arg.name", "evt.arg.res", "evt.arg[0]", "evt.arg[1]"], "evt.rawarg": ["evt.rawarg.res", "evt.rawarg.fd"],
             "evt.type.is": ["evt.type.is.open", "evt.type.is.read"], "thread.cgroup": ["thread.cgroup.cpuset", "thread.cgroup.memory"],
             "evt.abspath": ["evt.abspath.src"]}
    return known.get(name, [])


def fields_to_ask_for():
    """The fields to ask for, with their types, and how many scry doesn't have yet."""
    taken, skipped = [], 0
    for row in table():
        for name in arguments(row):
            if name.startswith("n"):
                continue  # read as "not" by sysdig
            run = interop.run(interop.SCRY, "-r", interop.shared("captures", "cat_write.scap"), "-q", name + " exists")
            if b"unknown field" in run.stderr:
                skipped += 1
            else:
                taken.append((name, kind_of(row["type_0.29.3"]), row["type_0.29.3"], row["flags_0.29.3"]))
    return taken, skipped


def values(capture, names):
    """What each field is in the capture, as sysdig prints it."""
    out = collections.defaultdict(list)
    printable = [f[0] for f in names if "FILTER_ONLY" not in f[3] and f[0] not in STAND_INS and not f[0].startswith("evt.type.is")]
    mark = "\x1f"
    run = interop.run(interop.SYSDIG, "-r", capture, "-p", "*" + mark.join("%" + n for n in printable))
    for line in run.stdout.decode("utf8", "replace").splitlines():
        for name, value in zip(printable, line.split(mark)):
            if value and value != "<NA>" and len(value) < 120 and set(value) <= PLAIN and value not in out[name]:
                out[name].append(value)
    return out


class Maker:
    def __init__(self, seed, names, seen):
        self.random, self.seen = random.Random(seed), seen
        self.by_kind = collections.defaultdict(list)
        for name in names:
            self.by_kind[name[1]].append(name)

    def check(self):
        r = self.random
        kind = r.choices(list(self.by_kind), [{"text": 10, "number": 6}.get(k, 2) for k in self.by_kind])[0]
        name, _, kind_name, flags = r.choice(self.by_kind[kind])
        op = r.choice(OPS[kind])
        if op == "exists" and "FILTER_ONLY" in flags:
            op = "="
        if kind == "other" or op == "exists":
            return f"{name} exists"
        have = self.seen.get(name) or self.stand_in(name, kind)
        fallback = {"text": "x", "bytes": "x", "bool": "true", "address": "127.0.0.1"}.get(kind, "1")
        pick = lambda: r.choice(have) if have else fallback
        quoted = lambda v: r.choice(('"%s"', "'%s'") if op[0] not in "<>" and (not v or set(v) - BARE or r.random() < .5) else ("%s",)) % v
        if name == "evt.type" and op not in ("=", "!=", "in"):
            op = "="  # others want a known name too
        if kind_name == "IPNET" and have:
            return f"{name}={pick().rsplit('.', 1)[0]}.0/{r.choice((8, 16, 24, 32))}"
        if op in ("in", "pmatch"):
            listed = [pick() for _ in range(r.randint(1, 4))]
            if op == "pmatch":
                listed = [v[:r.randint(1, len(v))] if r.random() < .3 else v.rsplit("/", 1)[0] or v for v in listed if not set(v) & set("*?")] or ["/etc"]
            return f"{name} {op} ({', '.join(map(quoted, listed))})"
        value = pick()
        if kind == "number" and r.random() < .3 and value.lstrip("-").isdigit():
            value = str(int(value) + r.choice((-1, 1, 10)))
        if op in ("contains", "icontains", "startswith", "endswith"):
            a, b = sorted((r.randint(0, len(value)), r.randint(0, len(value))))
            value = {"startswith": value[:b], "endswith": value[a:]}.get(op, value[a:b]) or value
            if op == "icontains":
                value = value.swapcase()
        if op == "glob" and value:
            at = r.randrange(len(value))
            value = value[:at] + r.choice("*?") + value[at + r.randint(0, 3):]
        return f"{name} {op} {quoted(value)}"

    def stand_in(self, name, kind):
        if name in ("fd.ip", "fd.net", "fd.cnet", "fd.snet", "fd.lnet", "fd.rnet"):
            return [v for n in ("fd.cip", "fd.sip") for v in self.seen.get(n, []) if ":" not in v] or ["127.0.0.1"]
        if name in STAND_INS:
            return self.seen.get(STAND_INS[name], [])
        if name.startswith("evt.type.is"):
            return ["0", "1"]
        if name == "fd.port":
            return self.seen.get("fd.cport", []) + self.seen.get("fd.sport", [])
        return []

    def filter(self, depth=2):
        r = self.random
        if depth == 0 or r.random() < .35:
            return self.check()
        if r.random() < .25:
            return f"not ({self.filter(depth - 1)})"
        word = r.choice((" and ", " or "))
        return word.join(f"({self.filter(depth - 1)})" for _ in range(r.randint(2, 3)))


def numbers(program, capture, text):
    try:
        run = interop.run(program, "-r", capture, "-p", "%evt.num", text, timeout=60)
    except subprocess.TimeoutExpired:
        return "takes too long"
    return set(run.stdout.split()) if run.returncode == 0 else "refused: " + run.stderr.decode("utf8", "replace").strip()


class FiltersTest(unittest.TestCase):
    def test_entries_exist(self):
        with open(os.path.join(interop.HERE, "differences.md")) as file:
            headings = {heading.lower().replace("-", "_") for heading in re.findall(r"^#+ (\S+)$", file.read(), re.M)}
        self.assertEqual({rule.__name__ for rule in PERMITTED} - headings, set())

    def test_filters_match_the_same_events(self):
        names, skipped = fields_to_ask_for()
        print(f"{len(names)} fields, {skipped} skipped that scry doesn't have yet")
        self.assertGreater(len(names), 30)
        jobs = []
        for number, name in enumerate(CAPTURES):
            capture = interop.shared("captures", name + ".scap")
            maker = Maker(SEED * 1000 + number, names, values(capture, names))
            jobs += [(capture, maker.filter()) for _ in range(COUNT)]
        differences, used, telling, refused = [], set(), 0, 0
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for (capture, text), theirs, ours in pool.map(lambda j: (j, numbers(interop.SYSDIG, *j), numbers(interop.SCRY, *j)), jobs):
                refused += isinstance(theirs, str)
                telling += not isinstance(theirs, str) and len(theirs) > 0
                if ours == theirs or (isinstance(ours, str) and isinstance(theirs, str)):
                    continue
                reason = next((rule for rule in PERMITTED if rule(Differing(capture, text, ours, theirs))), None)
                used.add(reason)
                if reason is None:
                    differences.append(f"{os.path.basename(capture)} [{text}]: " + explain(theirs, ours))
        blamed = collections.Counter(n[0] for d in differences for n in names if re.search(rf"(^|[( \[]){re.escape(n[0])}[^\w.\[]", d))
        if blamed:
            print("fields in filters that differ:", ", ".join(f"{n} {c}" for n, c in blamed.most_common(20)))
        print(f"{len(jobs)} filters, {telling} match something, {refused} refused by sysdig; permitted: {sorted(r.__name__ for r in used if r)}")
        self.assertEqual(differences, [], f"{len(differences)} differ:\n" + "\n".join(differences[:20]))
        self.assertGreater(telling, len(jobs) // 3)
        self.assertLess(refused, len(jobs) // 10)


def explain(theirs, ours):
    if isinstance(ours, str) or isinstance(theirs, str):
        return f"sysdig {theirs if isinstance(theirs, str) else len(theirs)}, scry {ours if isinstance(ours, str) else len(ours)}"
    only = lambda a, b: sorted((int(n) for n in a - b))[:4]
    return f"sysdig {len(theirs)} events, scry {len(ours)}; only sysdig {only(theirs, ours)}, only scry {only(ours, theirs)}"


if __name__ == "__main__":
    interop.need_sysdig()
    interop.shared("captures")
    unittest.main()
