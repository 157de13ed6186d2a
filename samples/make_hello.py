#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The recipe of hello.scap: a made-up minute on a small web server, written event by event.

  make_hello.py OUT.scap      then: zstd -19 OUT.scap -o hello.scap.zst

Nothing was recorded for it: it stands in until scry records. It is in the current way of recording (one event for
each call, when it returns) and holds what a newcomer should see at once: a shell that starts programs, files opened
and refused, a connection made and one accepted, a process that ends.
"""
import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, '..', 'tests', 'interop'))
from synth import Process, Writer, pack, sockaddr, socktuple, text  # noqa: E402

DATA = os.path.join(here, '..', 'capture', 'event', 'data')
START = 1_767_168_000_000_000_000  # 2025-12-31 08:00:00 UTC
RDONLY, CLOEXEC, WRONLY, CREAT, CWD = 1, 4096, 2, 4, -100
BASH, CAT, CURL, NGINX, SPY = 1200, 1301, 1302, 812, 1303


def codes():
    """PPME short name -> code, from the project's own event table."""
    table = {}
    with open(os.path.join(DATA, 'events.tsv'), encoding='utf8') as f:
        next(f)
        for line in f:
            code, ppme = line.split('\t')[:2]
            table[ppme.removeprefix('PPME_').removeprefix('SYSCALL_').removeprefix('SOCKET_').lower()] = int(code)
    return table


class Story:
    def __init__(self):
        self.writer, self.code, self.clock = Writer(), codes(), START

    def event(self, tid, name, *params, after_us=15):
        self.clock += after_us * 1000 + 137
        self.writer.event(tid % 2, self.clock, tid, self.code[name], list(params))

    def clone(self, parent, child, comm):
        for tid, result in ((parent, child), (child, 0)):
            self.event(tid, 'clone_20_x', q(result), text(comm), b'', q(tid), q(tid), q(parent if tid == child else 1), b'',
                       q(1024), q(0), q(30), i(4200), i(3100), i(0), text(comm), b'cpuset=/\0memory=/user.slice\0',
                       i(25165824), i(1000), i(1000), q(tid), q(tid), q(0), after_us=180)

    def execve(self, tid, path, *args):
        comm = path.rsplit('/', 1)[1]
        argv = b''.join(text(a) for a in args)
        self.event(tid, 'execve_19_x', q(0), text(path), argv, q(tid), q(tid), q(BASH), b'', q(1024), q(0), q(42), i(2600), i(900),
                   i(0), text(comm), b'cpuset=/\0memory=/user.slice\0', text('HOME=/home/alice') + text('LANG=C.UTF-8'), i(34817),
                   q(BASH), i(1000), i(0), q(0), q(0), q(0), q(131 + tid), q(START), q(START), i(1000), text(path), q(tid), i(1000),
                   text(path), after_us=420)

    def open(self, tid, result, path, flags):
        self.event(tid, 'openat_2_x', q(result), q(CWD), text(path), i(flags), i(0), i(0xfe00), q(777))

    def read(self, tid, fd, data, size=4096):
        self.event(tid, 'read_x', q(len(data)), data[:80], q(fd), i(size))

    def write(self, tid, fd, data):
        self.event(tid, 'write_x', q(len(data)), data[:80], q(fd), i(len(data)))

    def close(self, tid, fd):
        self.event(tid, 'close_x', q(0), q(fd), after_us=4)

    def exit(self, tid, status=0):
        self.event(tid, 'procexit_1_e', q(status), q(status >> 8), b'\0', b'\0', q(0), after_us=90)


def q(value):
    return pack('q', value)


def i(value):
    return pack('I', value)


def process(tid, ptid, comm, exe, cwd, uid, args=()):
    p = Process(tid, tid, ptid, comm, cwd, uid)
    p.exe, p.args, p.sid = exe, list(args), tid
    return p


def begin(story):
    w = story.writer
    w.header()
    w.machine(cpus=2)
    w.interfaces([('lo', '127.0.0.1', '255.0.0.0', '127.255.255.255'), ('eth0', '192.0.2.10', '255.255.255.0', '192.0.2.255')], [])
    w.users([(0, 0, 'root', '/root', '/bin/bash'), (33, 33, 'www-data', '/var/www', '/usr/sbin/nologin'),
             (1000, 1000, 'alice', '/home/alice', '/bin/bash')], [(0, 'root'), (33, 'www-data'), (1000, 'alice')])
    w.processes([process(1, 0, 'systemd', '/sbin/init', '/', 0), process(BASH, 1, 'bash', '-bash', '/home/alice', 1000),
                 process(NGINX, 1, 'nginx', 'nginx: worker process', '/', 33)])
    tty = pack('H', 10) + b'/dev/pts/0'
    w.fds(BASH, [(n, 3, 1, tty) for n in range(3)])
    w.fds(NGINX, [(6, 900, 5, bytes(4) + pack('H', 80) + b'\2')])


def run(story, tid, path, *args):
    story.clone(BASH, tid, 'bash')
    story.execve(tid, path, *args)
    story.open(tid, 3, '/etc/ld.so.cache', RDONLY | CLOEXEC)
    story.close(tid, 3)
    story.open(tid, 3, '/lib/x86_64-linux-gnu/libc.so.6', RDONLY | CLOEXEC)
    story.read(tid, 3, b'\x7fELF\2\1\1\3' + bytes(824), 832)
    story.close(tid, 3)


def main():
    s = Story()
    begin(s)
    run(s, CAT, '/usr/bin/cat', 'notes.txt')
    s.open(CAT, 3, 'notes.txt', RDONLY)
    s.read(CAT, 3, b'remember the milk\n', 131072)
    s.write(CAT, 1, b'remember the milk\n')
    s.read(CAT, 3, b'', 131072)
    s.close(CAT, 3)
    s.exit(CAT)
    run(s, CURL, '/usr/bin/curl', '-s', 'http://192.0.2.10/')
    s.event(CURL, 'socket_x', q(5), i(2), i(1), i(6), i(0))
    ends = ('192.0.2.10', 41514, '192.0.2.10', 80)
    s.event(CURL, 'connect_x', q(-115), socktuple(*ends), q(5), sockaddr('192.0.2.10', 80))
    s.event(NGINX, 'accept4_6_x', q(9), socktuple(*ends), b'\0', i(0), i(511), i(0), after_us=60)
    request = b'GET / HTTP/1.1\r\nHost: 192.0.2.10\r\nUser-Agent: curl/7.88.1\r\n\r\n'
    s.event(CURL, 'sendto_x', q(len(request)), request, q(5), i(len(request)), b'')
    s.event(NGINX, 'recvfrom_x', q(len(request)), request, b'', q(9), i(1024), after_us=40)
    s.open(NGINX, 10, '/var/www/html/index.html', RDONLY)
    page = b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nhello, world!\n'
    s.write(NGINX, 9, page)
    s.close(NGINX, 10)
    s.event(CURL, 'recvfrom_x', q(len(page)), page, b'', q(5), i(102400), after_us=45)
    s.write(CURL, 1, b'hello, world!\n')
    s.close(CURL, 5)
    s.exit(CURL)
    run(s, SPY, '/usr/bin/cat', '/etc/shadow')
    s.open(SPY, -13, '/etc/shadow', RDONLY)
    s.write(SPY, 2, b'cat: /etc/shadow: Permission denied\n')
    s.exit(SPY, 256)
    s.close(NGINX, 9)
    with open(sys.argv[1], "wb") as f:
        f.write(b"".join(s.writer.out))


main()
