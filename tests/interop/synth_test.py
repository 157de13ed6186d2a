#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every event that sysdig 0.29.3 knows, with values drawn from the edges of each type: both programs' lines, by number.

What may differ is what differences.md lists: a function for each entry turns sysdig's line into scry's. Any other
difference fails. The programs' states stay equal, because calls that change state fail here (synth.py --calm).
"""
import os
import random
import re
import tempfile
import unittest

import interop
import synth

EVENTS = 2000
PLAIN_SEEDS, ODD_SEEDS = range(1, 4), range(11, 13)
ODD_PATHS = ["a./b", "a../b", "file..", ".....", "a/b/.../c", "..a", ".a"]
HEAD = re.compile(rb"^(\d+) \d\d:\d\d:\d\d\.\d{9} \d+ ", re.M)

BASES = {"", "/etc/", "/srv/dir//", "/usr/lib/"}  # names of fds, and the slash that joins


# ------------------------------------------------------------------ the entries of differences.md

def container_json_line_end(line):
    """#control-characters: the line end within a container's JSON."""
    return line.replace(b"}}\n ", b"}}\\n ")


def openat2_on_enter(line):
    """#openat2: what a relative path leads to, is another matter on enter. Both lines are compared without."""
    return re.sub(rb"(> openat2 dirfd=.* name=.*?)\(.*\)( flags=)", rb"\1\2", line)


def long_path(line):
    """#long-paths: cut after 1023 bytes."""
    return re.sub(rb"=/L{1022} ", b"=/" + 1100 * b"L" + b" ", line)


def sysdig_path(base, text):
    """How 0.29.3 cleans: wherever the dot stands."""
    out, at = ("" if text.startswith("/") else base), 0
    while at < len(text):
        rest = text[at:]
        if rest.startswith("../") or rest == "..":
            if len(out) > 1:
                out = out[:out.rfind("/", 0, len(out) - 1) + 1]
            at += 3
        elif rest.startswith(".."):
            out, at = out + "..", at + 2
        elif rest.startswith("./") or rest == ".":
            at += 2
        elif rest[0] == "/" and out.endswith("/"):
            at += 1
        else:
            out, at = out + rest[0], at + 1
    return out[:-1] if out.endswith("/") and out != "/" else out


def right_path(base, text):
    """What the kernel makes of it, as far as names tell."""
    parts = []
    for part in (base + text).split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return ("/" if (base + text).startswith("/") else "") + "/".join(parts)


def dotted(text):
    return re.sub(rb"[^ -~]", b".", ESCAPE.sub(bytes_of, text.encode()))


def path_cleaning(theirs, ours):
    """#path-cleaning: dots at the end of a name, and directories whose name ends in a slash."""
    for text in filter(str.isprintable, synth.PATHS + ODD_PATHS):
        for bracket in re.findall(b"=" + re.escape(text.encode()) + rb"\((.*?)\) ", ours):
            right = bracket.decode()
            for base in BASES | {right[:at + 1] for at, c in enumerate(right) if c == "/"}:
                wrong = sysdig_path(base, text)
                if wrong != right and right_path(base, text) == right:
                    shown = f"={text}({wrong}) " if wrong else f"={text} "
                    theirs = theirs.replace(dotted(shown), dotted(f"={text}({right}) "))
    return theirs


ESCAPE = re.compile(rb"\\(?:([ntr])|x([0-9a-f]{2})|u\{([0-9a-f]+)\})")


def bytes_of(escape):
    letter, number, code_point = escape.groups()
    if letter:
        return {b"n": b"\n", b"t": b"\t", b"r": b"\r"}[letter]
    return bytes([int(number, 16)]) if number else chr(int(code_point, 16)).encode()


def control_characters(ours):
    """#control-characters, #utf-8: such a byte is written as it is by sysdig, or dropped, or turned into a dot."""
    raw = ESCAPE.sub(bytes_of, ours)
    return re.compile(b"".join(re.escape(bytes([c])) if 32 <= c < 127 else b"(?:" + re.escape(bytes([c])) + rb"|\.|)" for c in raw), re.S)


def same(theirs, ours):
    """Whether the two lines differ only as they may."""
    ours = openat2_on_enter(ours)
    theirs = path_cleaning(long_path(openat2_on_enter(container_json_line_end(theirs))), ours)
    return theirs == ours or control_characters(ours).fullmatch(theirs) is not None


# ------------------------------------------------------------------ the comparison

def by_number(output):
    """Number of the event: its line. A name with a line end in it may spread over several of sysdig's."""
    starts = [match.start() for match in HEAD.finditer(output)] + [len(output)]
    found = (output[a:b].removesuffix(b"\n") for a, b in zip(starts, starts[1:]))
    return {int(line.split(b" ", 1)[0]): line for line in found}


class SynthTest(unittest.TestCase):
    def compare(self, data):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "synth.scap")
            with open(path, "wb") as file:
                file.write(data)
            theirs, ours = interop.run(interop.SYSDIG, "-r", path), interop.run(interop.SCRY, "-r", path)
        self.assertEqual((theirs.returncode, ours.returncode, ours.stderr), (0, 0, b""), theirs.stderr[-200:])
        theirs, ours = by_number(theirs.stdout), by_number(ours.stdout)
        self.assertEqual(list(theirs), list(ours), "not the same events")
        self.assertGreater(len(theirs), EVENTS * 9 // 10)
        wrong = [number for number, line in theirs.items() if line != ours[number] and not same(line, ours[number])]
        if wrong:
            shown = "".join(f"\nsysdig {theirs[n]!r}\nscry   {ours[n]!r}" for n in wrong[:3])
            self.fail(f"{len(wrong)} lines differ:{shown}")
        return sum(line != ours[number] for number, line in theirs.items())

    def render(self, seed):
        writer = synth.Writer()
        synth.render(synth.Schema(synth.SPEC), random.Random(f"render {seed}"), writer, EVENTS, calm=True)
        return writer.data()

    def test_plain_values(self):
        for seed in PLAIN_SEEDS:
            with self.subTest(seed=seed):
                self.assertLess(self.compare(self.render(seed)), EVENTS // 50)

    def test_odd_names(self):
        plain = synth.CALM_NAMES, synth.CALM_PATHS
        synth.CALM_NAMES, synth.CALM_PATHS = synth.NAMES, synth.PATHS + ODD_PATHS
        try:
            for seed in ODD_SEEDS:
                with self.subTest(seed=seed):
                    self.compare(self.render(seed))
        finally:
            synth.CALM_NAMES, synth.CALM_PATHS = plain


if __name__ == "__main__":
    interop.need_sysdig()
    unittest.main()
