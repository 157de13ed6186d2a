#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every fuzz target for its share of the time: run_fuzzers.py [--seconds 60] FOLDER SEEDS TARGET...

FOLDER holds what was found: the corpus grows there from run to run, and inputs that broke something stay. Exits with 1
if any did.
"""
import argparse
import pathlib
import subprocess
import sys

SHARES = {"fuzz_reader": 5, "fuzz_decode": 5, "fuzz_unpack": 3, "fuzz_visible": 1, "fuzz_filter": 2, "fuzz_program": 4}  # others: 2


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("seeds", type=pathlib.Path)
    parser.add_argument("targets", nargs="+", type=pathlib.Path)
    args = parser.parse_args()
    shares = {t: SHARES.get(t.name, 2) for t in args.targets}
    broken = []
    for target, share in shares.items():
        seconds = max(1, round(args.seconds * share / sum(shares.values())))
        corpus, found = args.folder / "corpus" / target.name, args.folder / "broken" / target.name
        for folder in (corpus, found):
            folder.mkdir(parents=True, exist_ok=True)
        seeds = args.seeds / target.name
        words = pathlib.Path(__file__).parent / "filters.dict"
        dictionary = [f"-dict={words}"] if target.name in ("fuzz_filter", "fuzz_program") else []
        command = [str(target), f"-max_total_time={seconds}", "-timeout=5", "-rss_limit_mb=1024", "-max_len=65536",
                   f"-artifact_prefix={found}/", "-print_final_stats=1", str(corpus)] + dictionary + ([str(seeds)] if seeds.is_dir() else [])
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        runs = next((l.split()[-1] for l in done.stdout.splitlines() if "number_of_executed_units" in l), "?")
        print(f"{target.name}: {runs} inputs in {seconds} s: {'broken' if done.returncode else 'sound'}", flush=True)
        if done.returncode:
            broken.append(target.name)
            print("\n".join(done.stdout.splitlines()[-60:]), flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
