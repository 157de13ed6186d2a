#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""count_tests.py REPORT...: names the tests that failed or were skipped in ctest's JUnit reports, and counts them all.

A test that could not be started has failed, whatever ctest calls it. A missing report is a failure too."""
import os
import sys
import xml.etree.ElementTree as ET

passed, failed, skipped = 0, [], []
for report in sys.argv[1:]:
    build = os.path.basename(os.path.dirname(report))
    try:
        cases = ET.parse(report).getroot().iter("testcase")
    except (OSError, ET.ParseError) as error:
        failed.append(f"{build}: no report of the tests ({error})")
        continue
    for case in cases:
        name = f"{build}: {case.get('name')}"
        skip = case.find("skipped")
        message = skip.get("message", "") if skip is not None else ""
        if case.get("status") == "run":
            passed += 1
        elif message.startswith("SKIP_") or case.get("status") == "disabled":
            output = case.findtext("system-out") or ""
            why = [line.removeprefix("skipped: ") for line in output.splitlines() if line.startswith("skipped: ")]
            skipped.append(f"{name}: {'; '.join(why) or 'no reason given'}")
        else:
            failed.append(name + (f" ({message})" if message else ""))

for name in skipped:
    print(f"skipped: {name}")
for name in failed:
    print(f"failed: {name}")
print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
sys.exit(1 if failed or not passed else 0)
