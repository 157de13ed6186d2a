#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pages.py CHECK [--accept]: the manual pages say what is true.

  options   every option of `scry --help` is in scry.1
  example   the bytes in scap.5 are a capture that scry prints as scap.5 says
  sysdig    ... and that sysdig prints so too
  fields    scry-fields.7 is what the catalogue says (with --accept it is written anew)
  lint      mandoc finds nothing to complain about
The program is $SCRY. Exit status 77: skipped, with the reason."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MAN = os.path.join(HERE, "..", "..", "man")
SCRY = os.environ.get("SCRY", "build/scry")
ENV = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8")


def page(name):
    with open(os.path.join(MAN, name), encoding="utf8") as file:
        return file.read()


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def example_bytes(text):
    """The bytes of the annotated dump: each line has its offset, then up to eight bytes or `00 x COUNT`."""
    data = bytearray()
    for line in text.split("\n"):
        found = re.match(r"([0-9a-f]{4})  (?:00 x (\d+)|((?:[0-9a-f]{2} ?)+))", line)
        if not found:
            continue
        assert int(found[1], 16) == len(data), f"the offset is wrong, should be {len(data):04x}: {line}"
        data += bytes(int(found[2])) if found[2] else bytes.fromhex(found[3])
    return bytes(data)


def check_example(program):
    text = page("scap.5")
    data = example_bytes(text)
    expected = re.findall(r"^\d+ 00:01:00\..*$", text, re.MULTILINE)
    assert len(data) > 600 and len(expected) == 4, "the example is not where this test looks for it"
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "tiny.scap")
        with open(path, "wb") as file:
            file.write(data)
        run = subprocess.run([program, "-r", path], capture_output=True, text=True, env=ENV, timeout=60)
    assert run.returncode == 0, run.stderr
    printed = [line.rstrip() for line in run.stdout.splitlines()]
    assert printed == expected, "\n".join(["printed:"] + printed + ["scap.5 says:"] + expected)


def check_options():
    usage = subprocess.run([SCRY, "--help"], capture_output=True, text=True, check=True).stdout
    wanted = set(re.findall(r"(?<![\w-])(--?[a-zA-Z][\w-]*)", usage))
    documented = set()
    for line in page("scry.1").split("\n"):
        if line.startswith(".It Fl "):
            documented |= {"-" + name for name in re.findall(r"Fl (-?[\w-]+)", line)}
    missing = sorted(wanted - documented)
    assert not missing, f"not in scry.1: {' '.join(missing)}"


def check_fields():
    wanted = subprocess.run([SCRY, "--list-man"], capture_output=True, text=True, check=True).stdout
    if "--accept" in sys.argv:
        with open(os.path.join(MAN, "scry-fields.7"), "w", encoding="utf8") as file:
            file.write(wanted)
    assert page("scry-fields.7") == wanted, "man/scry-fields.7 is not of this catalogue: tests/man/pages.py fields --accept"
    names = subprocess.run([SCRY, "--complete", "fields"], capture_output=True, text=True, check=True).stdout.split()
    missing = [name for name in names if f".It Li \\&{name} Pq" not in wanted]
    assert names and not missing, f"not in scry-fields.7: {missing}"


def check_lint():
    if not shutil.which("mandoc"):
        skip("mandoc is not installed")
    complaints = []
    for name in sorted(os.listdir(MAN)):
        run = subprocess.run(["mandoc", "-Tlint", os.path.join(MAN, name)], capture_output=True, text=True)
        # Whether other pages are installed is no matter of ours.
        complaints += [line for line in run.stdout.splitlines() if "referenced manual not found" not in line]
    assert not complaints, "\n".join(complaints)


def main():
    check = sys.argv[1]
    if check == "options":
        check_options()
    elif check == "example":
        check_example(SCRY)
    elif check == "sysdig":
        if not shutil.which("sysdig"):
            skip("sysdig is not installed")
        check_example("sysdig")
    elif check == "fields":
        check_fields()
    elif check == "lint":
        check_lint()
    else:
        sys.exit(f"pages.py: no check '{check}'")


try:
    main()
except AssertionError as failure:
    sys.exit(f"failed: {failure}")
