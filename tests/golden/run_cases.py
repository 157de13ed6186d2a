#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the text cases of this folder: what goes in, the command, what must come out.

    run_cases.py [--accept] [NAME...]       --accept writes what came out into the cases, and shows each change

A case is sections: `--- events FILE` (see assemble.py), `--- bytes FILE` (as in a quoted text there), `--- folder NAME`,
`--- command` (for bash, in a folder with those files), then `--- stdout`, `--- stderr` and `--- status N`. A line that
ends in a space or in $ is written with a $ behind it. `# differs: NAME` names the entry of interop/differences.md.
"""
import difflib
import glob
import os
import re
import subprocess
import sys
import tempfile

from assemble import HERE, assemble, unescape

SCRY = os.path.abspath(os.environ.get("SCRY", os.path.join(HERE, "../../build/scry")))


def sections(text):
    """[(head line, body)]; the first head is empty."""
    parts = re.split(r"^--- (.*)\n", text, flags=re.M)
    return [("", parts[0])] + list(zip(parts[1::2], parts[2::2]))


def shown(output):
    text = output.decode("utf-8", "backslashreplace")
    return re.sub(r"([ $])$", r"\1$", text, flags=re.M)


def run(case):
    """The case as it is with what really came out."""
    with tempfile.TemporaryDirectory() as folder:
        bin_folder = os.path.join(folder, ".bin")
        os.mkdir(bin_folder)
        os.symlink(SCRY, os.path.join(bin_folder, "scry"))
        kept, command = [], None
        for head, body in sections(case):
            word, _, name = head.partition(" ")
            if word in ("stdout", "stderr", "status"):
                continue
            kept.append(f"--- {head}\n{body}" if head else body)
            if word == "command":
                command = body
            elif word == "folder":
                os.mkdir(os.path.join(folder, name))
            elif word in ("events", "bytes"):
                made = assemble(body) if word == "events" else unescape(body.rstrip("\n")).encode("utf-8", "surrogateescape")
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(made)
            elif word:
                raise ValueError(f"unknown section: {head}")
        environment = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8", PATH=bin_folder + ":" + os.environ["PATH"])
        done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    text = "".join(kept) + f"--- stdout\n{shown(done.stdout)}"
    text += "" if text.endswith("\n") else "\n"
    text += f"--- stderr\n{shown(done.stderr)}" if done.stderr else ""
    return text + f"--- status {done.returncode}\n"


def main():
    names = [word for word in sys.argv[1:] if word != "--accept"]
    paths = [os.path.join(HERE, name.removesuffix(".case") + ".case") for name in names] or sorted(glob.glob(os.path.join(HERE, "*.case")))
    bad = 0
    for path in paths:
        with open(path) as file:
            wanted = file.read()
        got, name = run(wanted), os.path.basename(path)
        if got == wanted:
            continue
        bad += 1
        print("".join(difflib.unified_diff(wanted.splitlines(True), got.splitlines(True), name, name + " (now)")), end="")
        if "--accept" in sys.argv:
            with open(path, "w") as file:
                file.write(got)
    print(f"{len(paths)} cases, {bad} {'accepted anew' if '--accept' in sys.argv else 'differ'}")
    sys.exit(1 if bad and "--accept" not in sys.argv else 0)


if __name__ == "__main__":
    main()
