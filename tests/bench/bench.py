#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What reading a large capture costs scry and sysdig: processor time, memory, events a second. Prints a markdown table.

    bench.py [--pairs N] [--long] [--folder DIR]     ($SCRY, $SYSDIG, $SCRY_SHARED as for the tests; see README.md)

The two programs run in turn, A B A B ..., so that whatever else the machine does meets both. Compared is processor time
(user and system), which other programs disturb less than the clock does.
"""
import argparse
import datetime
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SCRY = os.path.abspath(os.environ.get("SCRY", os.path.join(ROOT, "build/scry")))
SYSDIG = os.environ.get("SYSDIG", "sysdig")
SHARED = os.environ.get("SCRY_SHARED", os.path.join(ROOT, "../shared"))
ENVIRONMENT = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8")
FILTERS = {
    "evt.num=0": "evt.num=0",
    "evt.type=open": "evt.type=open",
    "proc.name=dockerd and fd.name contains /var": "proc.name=dockerd and fd.name contains /var",
    "a filter of 40 clauses with lists": """
        evt.type in (open, openat, read, write, close, execve, connect, accept)
        and (proc.name in (dockerd, containerd, runc, bash, sh, zsh, curl, wget, python, perl) or fd.name startswith /etc or
             fd.name startswith /var or fd.name startswith /usr or fd.name contains passwd or fd.name contains shadow or
             fd.name endswith .so or fd.name endswith .conf or fd.name glob '*/tmp/*' or fd.name pmatch (/opt, /srv, /home))
        and not proc.name in (sshd, systemd, cron, rsyslogd) and not fd.name contains /proc and not fd.name contains /sys
        and (evt.rawres >= 0 or evt.res in (ENOENT, EACCES, EPERM))
        and (user.uid = 0 or user.uid = 1000 or user.uid > 2000) and (proc.pid > 1 or thread.tid > 1)
        and proc.pname != init and proc.pname != nobody and (proc.aname[2] exists or proc.pname exists)
        and (fd.type in (file, directory, ipv4) or fd.num > 2 or fd.typechar = f or evt.is_io = true or evt.cpu in (0, 1, 2, 3))
        and (proc.exepath startswith /usr or proc.exe startswith / or proc.cwd startswith /home or proc.vpid > 1)
        and (evt.dir = < or evt.dir = >) and not (proc.name startswith kworker or proc.name endswith d0)
        and not (fd.l4proto = udp and fd.sport = 53) and evt.failed = false""",
}
OLD, NEW = ["run_as_user_0_container.scap"], ["--vary", "demo_2026.scap.gz"]  # how inflate.py is told


def make(folder, name, source, copies):
    """A large capture: (path, how many events)."""
    path = os.path.join(folder, name)
    words = [*source[:-1], os.path.join(SHARED, "captures", source[-1]), str(copies), path]
    said = subprocess.run([sys.executable, os.path.join(SHARED, "checks/inflate.py"), *words], check=True, capture_output=True, text=True)
    return path, int(said.stdout.split()[0])


class Cost:
    def __init__(self, command):
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)  # or Popen would wait again
        if child.returncode != 0:
            sys.exit(f"{' '.join(command)}: exit status {child.returncode}")
        self.seconds, self.peak_mb = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


class Row:
    """One way of running, by scry and perhaps by sysdig, several times."""

    def __init__(self, name, capture, events, options, pairs, with_sysdig):
        self.name, self.events, self.ours, self.theirs = name, events, [], []
        for _ in range(pairs):
            if with_sysdig:
                self.theirs.append(Cost([SYSDIG, *options, "-r", capture]))
            self.ours.append(Cost([SCRY, *options, "-r", capture]))

    @staticmethod
    def columns(costs, events):
        if not costs:
            return ["", "", ""]
        seconds = statistics.median(cost.seconds for cost in costs)
        return [f"{seconds:.2f}", f"{events / seconds / 1e6:.2f}", f"{max(cost.peak_mb for cost in costs):.0f}"]

    def print(self):
        ratios = sorted(theirs.seconds / ours.seconds for ours, theirs in zip(self.ours, self.theirs))
        ratio = f"{statistics.median(ratios):.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f})" if ratios else ""
        print("| " + " | ".join([self.name, *self.columns(self.ours, self.events), *self.columns(self.theirs, self.events), ratio]) + " |", flush=True)


def state_hash(capture, *options):
    """The last line; what is printed before it is long."""
    shown = subprocess.Popen([SCRY, "--state-hash", *options, "-r", capture], stdout=subprocess.PIPE, env=ENVIRONMENT)
    last = subprocess.run(["tail", "-n", "1"], stdin=shown.stdout, capture_output=True, text=True, check=True).stdout.strip()
    shown.stdout.close()
    shown.wait()
    return last


def processor():
    with open("/proc/cpuinfo") as file:
        return next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.machine())


def memory_of_ten_times(folder, old, new):
    """Reading on must not cost memory that grows with the file."""
    for label, source, copies, small in ("old", OLD, 6000, old), ("new", NEW, 200, new):
        path, events = make(folder, f"{label}_long.scap", source, copies)
        short, long = Cost([SCRY, "-q", "-r", small]), Cost([SCRY, "-q", "-r", path])
        print(f"{label}-era -q, ten times as long ({events} events): peak {long.peak_mb:.0f} MB instead of {short.peak_mb:.0f} MB", flush=True)
        os.remove(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5, help="how often each is run (5)")
    parser.add_argument("--long", action="store_true", help="memory with captures ten times as long, too")
    parser.add_argument("--only", nargs="*", default=[""], help="only the rows whose name holds one of these")
    parser.add_argument("--folder", help="where the large captures go, a temporary folder in here (350 MB; with --long 2 GB)")
    args = parser.parse_args()
    for needed in (SCRY, os.path.join(SHARED, "checks/inflate.py")):
        if not os.path.exists(needed):
            sys.exit(f"{needed} is not there")
    with_sysdig = shutil.which(SYSDIG) is not None
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        old, old_events = make(folder, "old.scap", OLD, 600)
        new, new_events = make(folder, "new.scap", NEW, 20)
        print(f"{datetime.date.today()}, {os.cpu_count()} x {processor()}, {platform.system()} {platform.release()}, {args.pairs} pairs")
        print(f"old: {old_events} events, {os.path.getsize(old) >> 20} MB; new: {new_events} events, {os.path.getsize(new) >> 20} MB\n")
        print("| run | scry CPU s | M events/CPU s | peak MB | sysdig CPU s | M events/CPU s | peak MB | sysdig / scry, median (range) |")
        print("|---|---|---|---|---|---|---|---|")
        for name, capture, events, options, both in (
                ("old, print to /dev/null", old, old_events, [], True), ("old, -q", old, old_events, ["-q"], True),
                ("new, print to /dev/null", new, new_events, [], False), ("new, -q", new, new_events, ["-q"], False),
                ("old, -j", old, old_events, ["-j"], True), ("new, -j", new, new_events, ["-j"], False),
                *((f"{era}, {label}", capture, events, [" ".join(text.split())], era == "old")
                  for era, capture, events in (("old", old, old_events), ("new", new, new_events)) for label, text in FILTERS.items())):
            if not any(word in name for word in args.only):
                continue
            Row(name, capture, events, options, args.pairs, both and with_sysdig).print()
        print()
        for name, capture in ("old", old), ("new", new):
            quiet, printing = state_hash(capture, "-q"), state_hash(capture)
            print(f"{name}: state after -q and after printing: {'equal' if quiet == printing else 'DIFFERENT'} ({quiet})")
        if args.long:
            memory_of_ten_times(args.folder or folder, old, new)


if __name__ == "__main__":
    main()
