#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cuts seeds for the fuzz targets out of captures: cut_seeds.py FOLDER CAPTURE...

Makes one folder per target. A seed is the first blocks of a capture and some stretches from further on, small enough
that a fuzzer gets through thousands a second.
"""
import gzip
import pathlib
import struct
import subprocess
import sys

EVENT_IDS = {0x204: (2, 1), 0x208: (6, 1), 0x216: (2, 0), 0x217: (6, 0), 0x221: (2, 0), 0x222: (6, 0)}  # header, V1?
LIST_BYTES, EVENTS, STRETCHES = 4000, 30, 6


def blocks_of(path):
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    at = 0
    while at + 12 <= len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if size < 12 or at + size > len(data):
            return
        yield kind, data[at:at + size]
        at += size


def event_of(kind, block):
    head = 8 + EVENT_IDS[kind][0]
    (size,) = struct.unpack_from("<I", block, head + 16)
    return block[head:head + size]


def main(folder, captures):
    def put(target, name, data):
        where = folder / target
        where.mkdir(parents=True, exist_ok=True)
        (where / name).write_bytes(data)

    put("fuzz_visible", "words", "plain \x1b[31mred\x07 \u202eright to left\u202c caf\u00e9 \x9b".encode() + b"\xff\xc0\xaf")
    for number, line in enumerate((pathlib.Path(__file__).parent / "filters.txt").read_bytes().splitlines()):
        put("fuzz_filter", str(number), line)
        put("fuzz_program", str(number), bytes([number % 2]) + line)
    formats = ["*%evt.num %evt.outputtime %evt.cpu %proc.name (%thread.tid) %evt.dir %evt.type %evt.info", "%20proc.name|%3evt.type\\t%fd.name",
               "%toupper(basename(fd.name)) %len(evt.args) %proc.aname[2] %evt.arg.fd", "%b64(proc.name)%proc.env[\"X\"]"]
    for number, text in enumerate(formats):
        for style in range(8):
            put("fuzz_format", f"{number}.{style}", bytes([style]) + text.encode())
    for path in map(pathlib.Path, captures):
        blocks = list(blocks_of(path))
        lists = [b for k, b in blocks if k not in EVENT_IDS and len(b) <= LIST_BYTES][:12]
        events = [(k, b) for k, b in blocks if k in EVENT_IDS and len(b) <= LIST_BYTES]
        step = max(1, len(events) // STRETCHES)
        for number, at in enumerate(range(0, len(events), step)):
            some = events[at:at + EVENTS]
            name = f"{path.name.split('.')[0]}.{number}"
            whole = b"".join(lists) + b"".join(b for _, b in some)
            put("fuzz_reader", name, whole)
            layout = EVENT_IDS[some[0][0]][1]
            alike = b"".join(event_of(k, b) for k, b in some if EVENT_IDS[k][1] == layout)
            put("fuzz_decode", name, bytes([layout | number % 5 * 2]) + alike)
            if number:
                continue
            for which, tool in enumerate((["gzip", "-c"], ["zstd", "-qc"], ["lz4", "-qc"])):
                try:
                    packed = subprocess.run(tool, input=whole, stdout=subprocess.PIPE, check=True).stdout
                except OSError:
                    continue  # the library is what is tested; without the tool there is one seed less
                put("fuzz_unpack", name + tool[0], bytes([which, 40, 60]) + packed)
                put("fuzz_reader", name + tool[0], packed)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2:])
