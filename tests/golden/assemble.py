# SPDX-License-Identifier: Apache-2.0
"""A small capture out of lines of text, for the cases of this folder.

    300 open > name=/etc/passwd flags=1             thread, event, direction, parameters
    300 open < fd=60 name="/tmp/\\x1b[2J"            quoted text knows \\xNN, \\n, \\u1234
    500 connect < res=0 tuple=10.0.0.5:4->1.1.1.1:53
    500 bind < res=0 addr=0.0.0.0:53                also addr=unix:/run/x
    300 syscall_execve_16_x res=0 comm=x            a version by its name in the event table
    300 read < 4 res=3 data=abc                     with its first 4 parameters; without a number: as many as sysdig
                                                    0.29.3 knew, or up to the last one named
    +5000000                                        time goes on by so many ns; each event takes 1000
    repeat 900                                      the events so far, so often in all
    cut 5 / length 3 0x7fffffff / version 9         the last bytes gone; the length of the third event's block; the format
Threads, fds and users are those of interop/synth.py: bash (300) with one fd of each kind from 0 on, nginx (500 to 503).
"""
import csv
import os
import re
import shlex
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../interop"))
import synth  # noqa: E402

WIDTHS = {"8": "B", "16": "H", "32": "I", "64": "Q"}
START = 1_700_000_000 * 10**9  # 2023-11-14 22:13:20


class Table:
    def __init__(self):
        def rows(name):
            with open(os.path.join(synth.SPEC, name), newline="") as file:
                yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        self.by_short, self.newest, self.params, self.classic = {}, {}, {}, {}
        for row in rows("events.tsv"):
            code = int(row["code"])
            self.by_short[row["ppme"].removeprefix("PPME_").lower()] = code
            self.newest[row["name"], row["dir"]] = code
            self.classic[code] = int(row["nparams_in_0.29.3"]) if row["nparams_in_0.29.3"].isdigit() else 0
        for row in rows("params.tsv"):
            self.params.setdefault(int(row["code"]), []).append((row["name"], row["type"]))


def endpoint(words):
    address, _, port = words.rpartition(":")
    return address, int(port)


def encode(kind, words):
    if kind == "PT_SOCKADDR":
        return synth.unixaddr(words[5:]) if words.startswith("unix:") else synth.sockaddr(*endpoint(words))
    if kind == "PT_SOCKTUPLE":
        source, dest = words.split("->")
        return synth.socktuple(*endpoint(source), *endpoint(dest))
    if kind in synth.TEXT:
        return synth.text(words)
    if kind == "PT_BYTEBUF":
        return words.encode("utf-8", "surrogateescape")
    width = synth.FIXED.get(kind) or WIDTHS[re.search(r"\d+$", kind).group()]
    return synth.pack(width, int(words, 0))


def unescape(words):
    """\\xNN is a byte, whatever it makes with its neighbours."""
    def one(match):
        code = match.group(0)
        if code[1] == "x":
            return bytes([int(code[2:], 16)])
        return {"n": b"\n", "t": b"\t", "r": b"\r", "0": b"\0"}.get(code[1]) or chr(int(code[2:], 16)).encode()
    parts = re.split(r"(\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\[ntr0])", words)
    raw = b"".join(one(re.fullmatch(r".*", part, re.S)) if i % 2 else part.encode() for i, part in enumerate(parts))
    return raw.decode("utf-8", "surrogateescape")


class Assembler:
    def __init__(self):
        self.table, self.writer, self.now = Table(), synth.Writer(), START
        synth.write_start(self.writer, synth.start_processes())
        self.first = len(self.writer.out)

    def event(self, words):
        tid, name, *rest = words
        if rest and rest[0] in "<>":
            code, rest = self.table.newest[name, rest[0]], rest[1:]
        else:
            code = self.table.by_short[name]
        params = self.table.params.get(code, [])
        count = int(rest.pop(0)) if rest and rest[0].isdigit() else None
        given = dict(word.split("=", 1) for word in rest)
        assert given.keys() <= {param for param, _ in params}, f"{name}: {params}"
        if count is None:
            count = max([self.table.classic[code]] + [i + 1 for i, (param, _) in enumerate(params) if param in given])
        values = []
        for param, kind in params[:count]:
            empty = "0" if kind in synth.FIXED or re.search(r"(FLAGS|INT)\d+$", kind) else "" if kind in synth.TEXT else None
            words = unescape(given[param]) if param in given else empty
            values.append(b"" if words is None else encode(kind, words))
        self.now += 1000
        self.writer.event(0, self.now, int(tid), code, values)

    def change(self, data, verb, *numbers):
        numbers = [int(number, 0) for number in numbers]
        if verb == "cut":
            return data[:-numbers[0]]
        if verb == "length":
            at = sum(map(len, self.writer.out[:self.first + numbers[0] - 1])) + 4
        else:
            assert verb == "version", verb
            at = 12
        value = synth.pack("I" if verb == "length" else "H", numbers[-1])
        return data[:at] + value + data[at + len(value):]


def assemble(text):
    made, changes = Assembler(), []
    for line in text.splitlines():
        words = shlex.split(line.replace("\\", "\\\\"))
        if not words:
            continue
        if words[0].startswith("+"):
            made.now += int(words[0])
        elif words[0] == "repeat":
            events = made.writer.out[made.first:]
            made.writer.out += events * (int(words[1]) - 1)
        elif words[0].isdigit():
            made.event(words)
        else:
            changes.append(words)
    data = made.writer.data()
    for words in changes:
        data = made.change(data, *words)
    return data
