# SPDX-License-Identifier: Apache-2.0
"""What the tests of this folder share: where the programs and the captures are, and running the two alike."""
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SCRY = os.path.abspath(os.environ.get("SCRY", os.path.join(ROOT, "build/scry")))
SYSDIG = os.environ.get("SYSDIG", "sysdig")
SYSDIG_VERSION = "0.29.3"
ENVIRONMENT = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8")
SKIPPED = 77


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def shared(*parts):
    """A path in the folder of captures and recorded results beside the checkout."""
    folder = os.environ.get("SCRY_SHARED", os.path.join(ROOT, "../shared"))
    path = os.path.abspath(os.path.join(folder, *parts))
    if not os.path.exists(path):
        skip(f"{path} is not there ($SCRY_SHARED names the folder)")
    return path


def need_sysdig():
    if not shutil.which(SYSDIG):
        skip("sysdig is not installed (apt-get install sysdig)")
    version = run(SYSDIG, "--version").stdout.decode().split()[-1]
    if version != SYSDIG_VERSION:
        skip(f"sysdig is {version}, what scry follows is {SYSDIG_VERSION}")


def run(*command, timeout=300):
    """stdout and stderr as bytes; returncode below 0 for a signal."""
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=ENVIRONMENT, timeout=timeout)


def lines(data):
    return data.split(b"\n")


def first_difference(ours, theirs):
    """For a message: where two outputs part."""
    ours, theirs = lines(ours), lines(theirs)
    for number, (a, b) in enumerate(zip(ours, theirs), 1):
        if a != b:
            return f"line {number}:\n  sysdig {b!r}\n  scry   {a!r}"
    return f"sysdig has {len(theirs)} lines, scry {len(ours)}"
