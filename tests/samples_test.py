#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The samples are what their recipes make, and scry reads them without loss."""
import os
import shutil
import subprocess
import sys
import tempfile

top = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
scry = os.environ['SCRY']
if not shutil.which('zstd'):
    print('skipped: zstd is not installed')
    sys.exit(77)
with tempfile.TemporaryDirectory() as folder:
    made = os.path.join(folder, 'hello.scap')
    subprocess.run([sys.executable, os.path.join(top, 'samples', 'make_hello.py'), made], check=True)
    sample = os.path.join(top, 'samples', 'hello.scap.zst')
    kept = subprocess.run(['zstd', '-dc', sample], check=True, capture_output=True).stdout
    assert kept == open(made, 'rb').read(), 'samples/hello.scap.zst is not what samples/make_hello.py makes'
    env = dict(os.environ, TZ='UTC')
    read = subprocess.run([scry, '-r', sample], capture_output=True, env=env)
    assert read.returncode == 0 and read.stderr == b'', read.stderr
    lines = read.stdout.decode().splitlines()
    assert len(lines) == 46, len(lines)
    assert any('openat fd=-13(EACCES)' in line and '/etc/shadow' in line for line in lines)
