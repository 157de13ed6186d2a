#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Completion in bash: what is offered for words as bash cuts them. The zsh file is checked for syntax where zsh is."""
import os
import shutil
import subprocess
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "..", "..", "cli", "completion")
SCRY = os.path.abspath(os.environ.get("SCRY", os.path.join(HERE, "../../build/scry")))
SCRIPT = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _scry 2>&1; printf "%s\\n" "${COMPREPLY[@]}"'


def offered(*words):
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(SCRY, os.path.join(folder, "scry"))
        environment = dict(os.environ, PATH=folder + ":" + os.environ["PATH"])
        run = subprocess.run(["bash", "--norc", "-c", SCRIPT, "bash", os.path.join(FOLDER, "scry.bash"), "scry", *words],
                             capture_output=True, text=True, env=environment, timeout=60)
    assert run.returncode == 0 and not run.stderr, run.stderr
    return sorted(filter(None, run.stdout.split("\n")))


class Completion(unittest.TestCase):
    def test_first_word(self):
        self.assertEqual(offered("in"), ["info"])
        self.assertEqual(offered("fi"), ["filter"])

    def test_options(self):
        self.assertEqual(offered("--fold"), ["--fold-enter"])
        self.assertEqual(offered("-r", "x", "--print-h"), ["--print-hex", "--print-hex-ascii"])
        self.assertNotIn("--cri", offered("-r", "x", "--c"), "options of later versions are not offered")
        self.assertNotIn("--complete", offered("-r", "x", "--c"))
        self.assertEqual(offered("info", "--j"), ["--json"])
        self.assertEqual(offered("filter", "--dis"), ["--disassemble"])

    def test_fields_in_formats(self):
        self.assertEqual(offered("-p", "%proc.nam"), ["%proc.name"])
        self.assertEqual(offered("-p", "*%evt.num %20proc.nam"), ["*%evt.num %20proc.name"])
        self.assertEqual(offered("-p", "'%evt.num %toupper(proc.nam"), ["%evt.num %toupper(proc.name"])
        self.assertEqual(offered("-p", "text"), [])

    def test_fields_in_filters(self):
        self.assertEqual(offered("-r", "x", "proc.nam"), ["proc.name"])
        self.assertEqual(offered("-r", "x", "'evt.num>3 and (proc.nam"), ["evt.num>3 and (proc.name"])
        self.assertIn("fd.sport", offered("filter", "fd."))

    def test_event_types(self):
        self.assertEqual(offered("-r", "x", "evt.type", "=", "open_by"), ["open_by_handle_at"])
        self.assertIn("openat", offered("-r", "x", "evt.type", "="))
        self.assertEqual(offered("-r", "x", "'proc.name=a and evt.type=open_by"), ["proc.name=a and evt.type=open_by_handle_at"])
        self.assertEqual(offered("-r", "x", "'evt.type in (close, open_by"), ["evt.type in (close, open_by_handle_at"])
        self.assertEqual(offered("-r", "x", "'evt.type=open and proc.nam"), ["evt.type=open and proc.name"])

    def test_values_of_options(self):
        self.assertEqual(offered("-t", ""), ["D", "a", "d", "h", "r"])
        self.assertEqual(offered("-r", ""), [], "file names are the shell's")

    def test_zsh_syntax(self):
        if not shutil.which("zsh"):
            self.skipTest("zsh is not installed")
        subprocess.run(["zsh", "-n", os.path.join(FOLDER, "_scry")], check=True)


if __name__ == "__main__":
    unittest.main()
