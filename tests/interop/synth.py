#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes synthetic scap captures that sysdig 0.29.3 reads to the end.

    synth.py --kind render|state|v1 [--calm] --seed N --events N -o FILE [--spec DIR]

render  every event of the 0.29.3 table, parameters drawn per type with edge values: tests the text of arguments
state   plausible call sequences per thread, interleaved, with lost events and failures: tests fd names, comm, cwd
v1      like state, in the blocks and event versions that old sysdigs wrote
--calm  (render) calls that change state fail, names are plain: what remains must be equal to the letter

The event table comes from scry's own (capture/event/data/{events,params,valuetables}.tsv), so the generator
knows no event by heart except those whose sequence matters.
"""
import argparse, collections, csv, os, random, struct

# ---------------------------------------------------------------- the event table, as 0.29.3 knew it

SPEC = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../capture/event/data')
LARGE = {322, 324}                     # events whose parameter lengths are u32
LAST_CODE = 335                        # 0.29.3 skips anything above
SYSCALLS = 329                         # system-call ids above crash 0.29.3
# Inputs that stop sysdig 0.29.3 or make its text depend on memory outside the file.
# k8s and mesos (JSON of their own); tracer enter and exit (parameters are pointers); pluginevent (needs a plugin)
AVOID = {260, 270, 268, 269, 322}
FIXED = {'PT_INT8': 'b', 'PT_INT16': 'h', 'PT_INT32': 'i', 'PT_INT64': 'q', 'PT_UINT8': 'B', 'PT_UINT16': 'H', 'PT_UINT32': 'I',
         'PT_UINT64': 'Q', 'PT_ERRNO': 'q', 'PT_FD': 'q', 'PT_PID': 'q', 'PT_SYSCALLID': 'H', 'PT_SIGTYPE': 'B', 'PT_RELTIME': 'Q',
         'PT_FLAGS8': 'B', 'PT_FLAGS16': 'H', 'PT_FLAGS32': 'I', 'PT_UID': 'I', 'PT_GID': 'I', 'PT_SIGSET': 'I', 'PT_MODE': 'I'}
EDGY = {'PT_ERRNO', 'PT_FD', 'PT_PID', 'PT_UID', 'PT_GID', 'PT_SIGTYPE', 'PT_SIGSET', 'PT_RELTIME', 'PT_SYSCALLID'}
TEXT = {'PT_CHARBUF', 'PT_FSPATH', 'PT_FSRELPATH'}

Param = collections.namedtuple('Param', 'name type table')


class Event:
    def __init__(self, row):
        self.code, self.short, self.name, self.params = int(row['code']), row['ppme'].removeprefix('PPME_').lower(), row['name'], []
        history = [int(item.split('@')[0]) for item in row['nparams_history'].split(';')]
        self.older_counts = [n for n in history if n < int(row['nparams_in_0.29.3'])]


class Schema:
    def __init__(self, folder):
        def rows(name):
            with open(os.path.join(folder, name), newline='') as f:
                yield from csv.DictReader(f, delimiter='\t', quoting=csv.QUOTE_NONE)
        self.events = {}
        for row in rows('events.tsv'):
            if int(row['code']) <= LAST_CODE and row['status_in_0.29.3'] != 'unused':
                event = Event(row)
                self.events[event.code] = event
        for row in rows('params.tsv'):
            if int(row['code']) in self.events and row['name_in_0.29.3'] != '-':
                self.events[int(row['code'])].params.append(Param(*(row[c + '_in_0.29.3'] for c in ('name', 'type', 'table'))))
        self.by_short = {event.short: event for event in self.events.values()}
        self.tables = {}
        for row in rows('valuetables.tsv'):
            self.tables.setdefault(row['table'], []).append(int(row['value']))


# ---------------------------------------------------------------- encoding of values

def pack(fmt, value):
    """value in little endian, cut to the width of fmt"""
    size = struct.calcsize('<' + fmt)
    return (value & ((1 << (8 * size)) - 1)).to_bytes(size, 'little')


def text(value):
    return value.encode('utf-8', 'surrogateescape') + b'\0'


def ipv4(value):
    return bytes(map(int, value.split('.')))


def ipv6(value):
    if value.startswith('::ffff:') and '.' in value:
        return bytes(10) + b'\xff\xff' + ipv4(value[7:])
    left, _, right = value.partition('::')
    head = [int(x, 16) for x in left.split(':') if x]
    tail = [int(x, 16) for x in right.split(':') if x]
    return struct.pack('>8H', *(head + [0] * (8 - len(head) - len(tail)) + tail))


def endpoint(address, port):
    return (ipv6 if ':' in address else ipv4)(address) + pack('H', port)


def sockaddr(address, port):
    return (b'\x0a' if ':' in address else b'\x02') + endpoint(address, port)


def socktuple(sip, sport, dip, dport):
    return sockaddr(sip, sport) + endpoint(dip, dport)


def unixaddr(path):
    return b'\x01' + text(path)


def unixtuple(source, dest, path):
    return b'\x01' + pack('Q', source) + pack('Q', dest) + text(path)


def fdlist(items):
    return pack('H', len(items)) + b''.join(pack('q', fd) + pack('h', flags) for fd, flags in items)


def encode(kind, value):
    """bytes of a Python value for a parameter type; bytes pass through, None is an absent (zero length) parameter"""
    if value is None:
        return b''
    if isinstance(value, bytes):
        return value
    if kind in FIXED:
        return pack(FIXED[kind], value)
    assert kind in TEXT or kind == 'PT_BYTEBUF', f'{kind} takes bytes, not {value!r}'
    return text(value) if kind in TEXT else value.encode()


# ---------------------------------------------------------------- blocks

def string(value):
    data = value.encode('utf-8', 'surrogateescape')
    return pack('H', len(data)) + data


class Writer:
    """Blocks of one capture. version 2: the *_V2 blocks; version 1: the older ones, process list pl_version 1..8."""

    def __init__(self, version=2, pl_version=9):
        self.version, self.pl_version = version, pl_version
        self.out = []

    def block(self, kind, body):
        body += bytes(-len(body) % 4)
        size = pack('I', len(body) + 12)
        self.out.append(pack('I', kind) + size + body + size)

    def entry(self, body):
        """entries of UL_V2, PL_V9 and FDL_V2: length including itself"""
        return pack('I', len(body) + 4) + body if self.version == 2 else body

    def header(self):
        self.block(0x0A0D0D0A, struct.pack('<IHHQ', 0x1A2B3C4D, 1, 2 if self.version == 2 else 1, (1 << 64) - 1))

    def machine(self, cpus=4):
        self.block(0x201, struct.pack('<IQQ128sQQQQ', cpus, 8 << 30, 0, b'synth', 0, 0, 0, 0))

    def interfaces(self, v4, v6):
        body = b''
        for name, ip, mask, bcast in v4 + v6:
            address = ipv6 if ':' in ip else ipv4
            item = pack('H', 2 if ':' in ip else 1) + pack('H', len(name))
            item += address(ip) + address(mask) + address(bcast) + pack('Q', 1000) + name.encode()
            body += pack('I', len(item)) + item if self.version == 2 else item
        self.block(0x219 if self.version == 2 else 0x205, body)

    def users(self, users, groups):
        body = b''
        for uid, gid, name, home, shell in users:
            body += self.entry(b'\0' + pack('I', uid) + pack('I', gid) + string(name) + string(home) + string(shell))
        for gid, name in groups:
            body += self.entry(b'\1' + pack('I', gid) + string(name))
        self.block(0x220 if self.version == 2 else 0x206, body)

    def process_entry(self, p):
        v = self.pl_version
        args = b''.join(text(a) for a in p.args)
        env = b'PATH=/usr/bin:/bin\0HOME=/root\0'
        out = pack('Q', p.tid) + pack('Q', p.pid) + pack('Q', p.ptid)
        out += pack('Q', p.sid) if v >= 6 else b''
        out += pack('Q', p.pid) if v >= 8 else b''
        out += string(p.comm) + string(p.exe)
        out += string('/usr/bin/' + p.comm) if v >= 7 else b''
        out += pack('H', len(args)) + args + string(p.cwd) + pack('q', 1024)
        out += pack('I', p.flags) + pack('I', p.uid) + pack('I', p.gid)
        out += struct.pack('<IIIQQ', 1000, 200, 0, 3, 400) if v >= 2 else b''
        out += pack('H', len(env)) + env if v >= 3 else b''
        out += pack('q', p.tid) + pack('q', p.pid) + string('cpuset=/\0cpu=/user.slice\0') if v >= 4 else b''
        out += string('/') if v >= 5 else b''
        out += pack('I', p.uid) if v >= 9 else b''                # loginuid; nothing more, see scap-format.md §6
        return self.entry(out)

    def processes(self, processes):
        kinds = {1: 0x202, 2: 0x207, 3: 0x209, 4: 0x210, 5: 0x211, 6: 0x212, 7: 0x213, 8: 0x214, 9: 0x215}
        self.block(kinds[self.pl_version], b''.join(self.process_entry(p) for p in processes))

    def fds(self, tid, fds):
        """fds: (number, inode, type, encoded rest)"""
        body = pack('Q', tid)
        for number, inode, kind, rest in fds:
            body += self.entry(pack('q', number) + pack('Q', inode) + pack('B', kind) + rest)
        self.block(0x218 if self.version == 2 else 0x203, body)

    def event(self, cpu, ts, tid, code, params, state_only=False):
        width = 'I' if code in LARGE else 'H'
        data = b''.join(pack(width, len(p)) for p in params) + b''.join(params)
        header = pack('Q', ts) + pack('q', tid) + pack('I', len(data) + (26 if self.version == 2 else 22)) + pack('H', code)
        header += pack('I', len(params)) if self.version == 2 else b''
        flags = pack('I', 1) if state_only else b''
        if self.version == 1:
            kind = 0x208 if state_only else 0x204
        elif code in LARGE:
            kind = 0x222 if state_only else 0x221
        else:
            kind = 0x217 if state_only else 0x216
        self.block(kind, pack('H', cpu) + flags + header + data)

    def data(self):
        return b''.join(self.out)


# ---------------------------------------------------------------- the machine at the start of the capture

class Process:
    """One thread. fds: number -> what it is, shared by the threads of a process; only as exact as plausible calls need."""

    def __init__(self, tid, pid, ptid, comm, cwd='/', uid=0, flags=0):
        self.tid, self.pid, self.ptid, self.comm, self.cwd = tid, pid, ptid, comm, cwd
        self.exe, self.args, self.sid, self.uid, self.gid, self.flags = '/bin/' + comm, ['-x', 'two words'], ptid, uid, uid, flags
        self.fds = {}


USERS = [(0, 0, 'root', '/root', '/bin/bash'), (33, 33, 'www-data', '/var/www', '/usr/sbin/nologin'),
         (1000, 1000, 'alice', '/home/alice', '/bin/zsh')]
GROUPS = [(0, 'root'), (33, 'www-data'), (1000, 'alice'), (27, 'sudo')]
THREAD_FLAGS = 0x1 | 0x2 | 0x2000 | 0x8000               # CLONE_FILES | CLONE_FS | CLONE_THREAD | CLONE_VM


def start_processes():
    shells = [Process(1, 1, 0, 'init'), Process(300, 300, 1, 'bash', '/home/alice', 1000), Process(410, 410, 300, 'cat', '/tmp/a/b', 1000)]
    server = [Process(500, 500, 1, 'nginx', '/var/www', 33)]
    server += [Process(tid, 500, 1, 'nginx' if tid == 501 else 'pool worker', '/var/www', 33, THREAD_FLAGS) for tid in (501, 502, 503)]
    java = [Process(600, 600, 1, 'java', '/opt/app/')] + [Process(601, 600, 1, 'GC', '/opt/app/', 0, THREAD_FLAGS)]
    return shells + server + java + [Process(700, 700, 1, 'sleepy', '')]


def start_fds(file_v2=True, with_dev=True):
    """one fd of each type the format knows, plus sockets of every protocol: 0, 1, 2 ... in this order"""
    def ip(sip, sport, dip, dport, l4):
        address = ipv6 if ':' in sip else ipv4
        return address(sip) + address(dip) + pack('H', sport) + pack('H', dport) + pack('B', l4)
    rows = [
        (1, string('/dev/pts/0')), (1, string('/var/log/with space')), (1, string('')), (2, string('/etc')), (2, string('/srv/dir/')),
        (3, ip('10.0.0.5', 40000, '93.184.216.34', 80, 2)), (3, ip('10.0.0.5', 53000, '8.8.8.8', 53, 3)),
        (3, ip('10.0.0.5', 0, '8.8.8.8', 0, 4)), (3, ip('0.0.0.0', 0, '0.0.0.0', 0, 5)), (3, ip('1.2.3.4', 1, '5.6.7.8', 65535, 0)),
        (4, ip('2001:db8::1', 40001, '2001:db8::2', 443, 2)), (4, ip('::ffff:10.0.0.5', 40002, '::ffff:1.1.1.1', 443, 2)),
        (4, ip('::', 0, '::', 0, 3)), (5, ipv4('0.0.0.0') + pack('H', 8080) + b'\2'), (5, ipv4('127.0.0.1') + pack('H', 53) + b'\3'),
        (6, ipv6('::') + pack('H', 8443) + b'\2'), (6, ipv6('::1') + pack('H', 9) + b'\3'), (7, string('pipe:[1234]')),
        (8, pack('Q', 0xffff8800aabbccdd) + pack('Q', 0) + string('/run/app.sock')),
        (8, pack('Q', 0x1) + pack('Q', 0x2) + string('')), (9, string('[eventfd]')), (10, string('weird')), (11, string('[signalfd]')),
        (12, string('[eventpoll]')), (13, string('inotify')), (14, string('[timerfd]')), (15, string('socket:[77]')),
    ]
    if file_v2:
        dev = pack('I', 0x803) if with_dev else b''
        rows += [(16, pack('I', 4097) + string('/usr/bin/v2') + dev), (16, pack('I', 1025) + string('/usr/lib') + dev)]
    return [(number, 1000 + number, kind, rest) for number, (kind, rest) in enumerate(rows)]


def write_start(writer, processes):
    writer.header()
    writer.machine()
    writer.interfaces([('lo', '127.0.0.1', '255.0.0.0', '127.255.255.255'), ('eth0', '10.0.0.5', '255.255.255.0', '10.0.0.255')],
                      [('lo', '::1', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '::')])
    writer.users(USERS, GROUPS)
    writer.processes(processes)
    every = start_fds(writer.pl_version >= 7, writer.version == 2)
    for p in processes:
        few = [row for row in every if row[0] % 5 == p.pid % 5 or row[0] < 3]
        writer.fds(p.tid, [] if p.tid != p.pid else every if p.pid in (300, 500) else few)


# ---------------------------------------------------------------- drawing values per type (kind render)

CALM_NAMES = ['', '(NULL)', 'x', 'hello world', 'a=b;c', 'q"uote\\slash', 'e' * 79, 'f' * 80, 'g' * 81, 'long ' * 60, '<NA>', 'trailing ']
NAMES = CALM_NAMES + ['tab\there', 'nl\nhere', 'bell\x07esc\x1b[31mred', 'caf\u00e9', '\udcff\udcfe raw']
CALM_PATHS = ['', '(NULL)', '/', '.', '..', '/etc/passwd', '/a/../b/./c', '//x//y/', 'rel', 'rel/dir/', './here', '../up', '../../../../../../top',
              '/..', '/../..', 'a/../../b', 'sp ace', 'r' * 100, '<NA>', '/trail/', 'a//b', '~', 'with(bracket)']
PATHS = CALM_PATHS + ['/caf\u00e9/\u00fc', '/ctl\x01\x1b[0m\nend', '/' + 'd/' * 60 + 'f', '/' + 'L' * 1100, '...', '/\udcff\udcfe']
V4S = ['0.0.0.0', '127.0.0.1', '10.0.0.5', '8.8.8.8', '255.255.255.255']
V6S = ['::', '::1', '2001:db8::1', 'fe80::1:2:3:4', '::ffff:10.0.0.5', '::ffff:0.0.0.0', '1:2:3:4:5:6:7:8', '1:0:0:2::3', '64:ff9b::1', '::5']
PORTS = [0, 1, 22, 53, 80, 443, 8080, 40000, 65535]


class Drawer:
    def __init__(self, schema, rnd, tids, calm=False):
        self.schema, self.rnd, self.tids = schema, rnd, tids
        self.names, self.paths = (CALM_NAMES, CALM_PATHS) if calm else (NAMES, PATHS)

    def integer(self, fmt):
        bits = 8 * struct.calcsize(fmt)
        edges = [0, 1, 7, 8, 255, 1000, -1, (1 << (bits - 1)) - 1, 1 << (bits - 1), (1 << bits) - 2, 0x80000000, 0xdeadbeef]
        return self.rnd.choice(edges + [self.rnd.getrandbits(bits), self.rnd.getrandbits(bits // 2)])

    def flags(self, fmt, table):
        values = [v for v in self.schema.tables.get(table, [0]) if v < 1 << (8 * struct.calcsize(fmt))] or [0]
        exact, joined = self.rnd.choice(values), 0
        for v in self.rnd.sample(values, min(len(values), self.rnd.randrange(1, 5))):
            joined |= v
        return self.rnd.choice([exact, exact, 0, self.integer(fmt), joined, joined])

    def buffer(self):
        rnd = self.rnd
        size = rnd.choice([0, 1, 2, 3, 7, 15, 16, 17, 31, 32, 33, 60, 79, 80, 81, 100, 160, 300, 1000])
        mixed, plain = (bytes(rnd.choice(alphabet) for _ in range(size)) for alphabet in (b'abc xyz~!\x7f\x80\0\n\t\r', b'abcdefghijklmnop'))
        http, args = (b'GET / HTTP/1.1\r\nHost: example.org\r\n\r\n' * 30)[:size], (b'-v\0--name=value\0two words\0' * 50)[:size]
        return rnd.choice([rnd.randbytes(size), mixed, plain, http, args])

    def address(self):
        rnd = self.rnd
        return rnd.choice([None, sockaddr(rnd.choice(V4S), rnd.choice(PORTS)), sockaddr(rnd.choice(V4S), rnd.choice(PORTS)),
                           sockaddr(rnd.choice(V6S), rnd.choice(PORTS)), unixaddr(rnd.choice(self.names + self.paths)), unixaddr('/run/x.sock'),
                           pack('B', rnd.choice([0, 3, 16, 17, 255]))])

    def tuple(self):
        rnd = self.rnd
        v6 = rnd.choice([('::ffff:10.0.0.5', '::ffff:1.2.3.4'), ('::', '::'), ('::ffff:1.2.3.4', '2001:db8::1'), None])
        v6 = v6 or (rnd.choice(V6S), rnd.choice(V6S))
        return rnd.choice([None, socktuple(rnd.choice(V4S), rnd.choice(PORTS), rnd.choice(V4S), rnd.choice(PORTS)),
                           socktuple(v6[0], rnd.choice(PORTS), v6[1], rnd.choice(PORTS)),
                           unixtuple(rnd.getrandbits(64), rnd.getrandbits(32), rnd.choice(['', '/run/x.sock', '@abstract', 'a b'])),
                           pack('B', rnd.choice([0, 3, 16, 17, 255]))])

    def draw(self, param):
        rnd, kind = self.rnd, param.type
        if kind in FIXED:
            fmt = FIXED[kind]
            if kind in ('PT_FLAGS8', 'PT_FLAGS16', 'PT_FLAGS32', 'PT_MODE'):
                return pack(fmt, self.flags(fmt, param.table))
            return pack(fmt, rnd.choice(self.edges(kind)) if kind in EDGY else self.integer(fmt))
        if kind in TEXT:                                           # never of length 0: 0.29.3 then reads what follows
            return text(rnd.choice(self.names * 2 + self.paths if kind == 'PT_CHARBUF' else self.paths))
        if kind == 'PT_FDLIST':
            return fdlist([(rnd.choice([rnd.randrange(30), 77, -1, 1 << 33]), rnd.choice([0, 1, 4, 0x7fff, -1, rnd.getrandbits(11)]))
                           for _ in range(rnd.choice([0, 1, 2, 3, 12, 40]))])
        if kind == 'PT_DYN':
            return self.dynamic(param.table)
        return {'PT_BYTEBUF': self.buffer, 'PT_SOCKADDR': self.address, 'PT_SOCKTUPLE': self.tuple}[kind]() or b''

    def edges(self, kind):
        rnd = self.rnd
        ids = [0, 33, 1000, 27, 4242, 0xffffffff, 0x80000000]
        known_errno, signal, fd = -rnd.choice(self.schema.tables['@errno']), rnd.randrange(32), rnd.randrange(30)
        return {
            'PT_ERRNO': [0, 1, 3, 4096] + [known_errno] * 3 + [-41, -58, -126, -511, -4095, -(1 << 63), (1 << 63) - 1, 1 << 32],
            'PT_FD': [fd] * 3 + [77, -1, -2, -100, -99, -41, -1000, 1 << 33, 0xffffffff, -(1 << 63)],
            'PT_PID': self.tids + [0, 99999, -1, -2, 1 << 40, 0xffffffff],
            'PT_UID': ids, 'PT_GID': ids,
            'PT_SIGTYPE': [signal, signal, 0, 32, 64, 128, 255],
            'PT_SIGSET': [0, 1, 0x80000000, 0xffffffff, rnd.getrandbits(32), 1 << signal],
            'PT_RELTIME': [0, 1, 4, 999, 1000, 123456, 10**6, 10**9, 10**9 + 1, 123456789012, 1234567890123456789, (1 << 64) - 1, 1 << 63,
                           rnd.getrandbits(40), 10**10, 10**15, 60 * 10**9, 1500000000],
            'PT_SYSCALLID': [rnd.randrange(SYSCALLS)],
        }[kind]

    def dynamic(self, table):
        kinds = {'dyn:sockopt_dynamic_param': ['PT_BYTEBUF', 'PT_ERRNO', 'PT_UINT32', 'PT_UINT64', 'PT_RELTIME'],
                 'dyn:ptrace_dynamic_param': ['PT_UINT64', 'PT_SIGTYPE'], 'dyn:bpf_dynamic_param': ['PT_FD', 'PT_ERRNO']}[table]
        index = self.rnd.randrange(len(kinds) + 1)
        if index == len(kinds):
            return pack('B', self.rnd.choice([index, 200, 255])) + bytes(8)
        return pack('B', index) + self.draw(Param('', kinds[index], '-'))


# ---------------------------------------------------------------- kind render

class Clock:
    """Event times: mostly small steps, sometimes equal, sometimes over a second, minute and hour boundary."""

    def __init__(self, rnd):
        self.rnd, self.now = rnd, 1700000000 * 10**9 + rnd.randrange(10**9)

    def tick(self):
        self.now += self.rnd.choice([0, 1, 99, 1000, 12345, 1000000, 250000000] + [self.rnd.randrange(50000)] * 12)
        if self.rnd.randrange(500) == 0:
            self.now += self.rnd.choice([10**9, 61 * 10**9, 3600 * 10**9])
        return self.now


def container_json(rnd):
    name = rnd.choice(['web', 'db-1', 'a b'])
    return text('{"container":{"Mounts":[],"env":[],"id":"%012x","image":"img:1","imagedigest":"","imageid":"","imagerepo":"",'
                '"imagetag":"","ip":"172.17.0.2","is_pod_sandbox":false,"labels":{},"memory_limit":0,"metadata_deadline":0,"name":"%s",'
                '"port_mappings":[],"privileged":false,"swap_limit":0,"type":%d}}\n' % (rnd.getrandbits(48), name, rnd.choice([0, 1, 6, 7])))


CHANGES_STATE = set('clone fork vfork clone3 execve execveat chdir fchdir chroot open openat openat2 creat socket socketpair pipe dup bind connect accept '
                    'eventfd signalfd timerfd_create inotify_init fcntl close setsid sendto recvfrom sendmsg recvmsg userfaultfd bpf'.split())


def render(schema, rnd, writer, wanted, calm=False):
    processes, clock = start_processes(), Clock(rnd)
    write_start(writer, processes)
    drawer = Drawer(schema, rnd, [p.tid for p in processes], calm)
    codes = [code for code in sorted(schema.events) if code not in AVOID]
    written = 0

    def emit(tid, event):
        nonlocal written
        count = len(event.params)
        if event.older_counts and rnd.randrange(6) == 0:
            count = rnd.choice(event.older_counts)
        params = [drawer.draw(p) for p in event.params[:count]]
        if event.short == 'syscall_execveat_e':                  # with a relative path 0.29.3 crashes in the exit
            params[1] = text('/bin/' + rnd.choice(['a', 'b c']))
        if event.name == 'container' and event.params[0].name == 'json':
            params = [container_json(rnd)]
        if calm and event.short in ('socket_sendto_e', 'socket_connect_e'):
            return                                               # they change fds
        if calm and event.name in CHANGES_STATE and event.code % 2 and params and len(params[0]) == 8:
            params[0] = pack('q', -rnd.choice([1, 2, 9, 13, 22, 104, 999]))
        if calm and event.short in ('syscall_bpf_x', 'bpf_x') and params:
            params[0] = b'\1' + pack('q', -22)                  # scry names the fds that bpf makes
        writer.event(rnd.randrange(4), clock.tick(), tid, event.code, params)
        written += 1

    while written < wanted:
        rnd.shuffle(codes)
        for code in codes:
            event, pair = schema.events[code], schema.events.get(code + 1)
            if event.short == 'syscall_openat_x' or written >= wanted:   # without its enter event 0.29.3 crashes
                continue
            tid = rnd.choice([300, 300, 500, 500, 501, 502, 600, 700, 410, 4040])
            if event.name == 'procexit':
                tid = rnd.choice([4040, 4041, 503, 601])
            emit(tid, event)
            if code % 2 == 0 and pair and pair.code not in AVOID and rnd.randrange(4):
                emit(tid, pair)


# ---------------------------------------------------------------- kinds state and v1

CLONE_FILES, CLONE_VFORK, CLONE_CHILD_CLEARTID = 0x1, 0x8000000, 0x800000
CLONES = {'state': ['clone_20', 'clone_20', 'clone_20', 'clone3', 'fork_20', 'vfork_20', 'clone_17', 'clone_16'],
          'v1': ['clone_11', 'clone_16', 'clone_17', 'clone_20', 'fork', 'fork_17', 'fork_20', 'vfork', 'vfork_17', 'vfork_20']}
EXECS = {'state': ['execve_19'] * 4 + ['execveat', 'execve_18', 'execve_17', 'execve_16', 'execve_15', 'execve_14', 'execve_13', 'execve_8'],
         'v1': ['execve_8', 'execve_13', 'execve_14', 'execve_15', 'execve_16', 'execve_17', 'execve_18', 'execve_19']}
ACCEPTS = {'state': ['accept_5', 'accept4_5', 'accept_5', 'accept'], 'v1': ['accept', 'accept4', 'accept_5', 'accept4_5']}
OPENS = {'state': ['open', 'openat_2', 'openat_2', 'openat2', 'creat', 'openat'], 'v1': ['open', 'open', 'openat', 'creat', 'openat_2']}
COMMS = ['sh', 'ls', 'grep', 'python3', 'a b', 'fifteen_chars_x', 'kworker/0:1', 'make', 'cc1']
FILES = ['/etc/passwd', '/tmp/out.txt', 'notes.txt', '../shared/x', './here', 'dir/../y', '/var//log/syslog', '/usr/lib/libc.so.6', 'a./b',
         '/tmp/caf\u00e9', '/', '.', '', '/tmp/.hidden', '/proc/1/../2/stat']
# Calls that move no fd or directory: text, identity, memory counters
PLAIN = ['syscall_read', 'syscall_write', 'syscall_pread', 'syscall_pwrite', 'syscall_readv', 'syscall_writev', 'syscall_lseek', 'syscall_fstat',
         'syscall_stat', 'syscall_access', 'syscall_mmap', 'syscall_munmap', 'syscall_brk_4', 'syscall_mprotect', 'syscall_futex', 'syscall_poll',
         'syscall_ppoll', 'syscall_select', 'syscall_epollwait', 'syscall_nanosleep', 'syscall_kill', 'syscall_getdents64', 'syscall_ioctl_3',
         'syscall_getrlimit', 'syscall_setrlimit', 'syscall_prlimit', 'syscall_unlink_2', 'syscall_rename', 'syscall_mkdir_2', 'syscall_sendfile',
         'syscall_splice', 'syscall_getuid', 'syscall_flock', 'socket_getsockopt', 'socket_setsockopt', 'socket_shutdown', 'socket_listen',
         'syscall_getcwd', 'syscall_chmod', 'syscall_setns', 'syscall_unshare', 'generic', 'syscall_ptrace', 'syscall_bpf', 'syscall_seccomp',
         'syscall_setuid', 'syscall_setgid', 'syscall_setresuid', 'syscall_setresgid', 'syscall_setsid', 'syscall_setpgid']


class State:
    """Runs made-up threads. Each step either starts a call of a thread (enter event) or ends its pending one (exit event)."""

    def __init__(self, schema, rnd, writer, kind):
        self.schema, self.rnd, self.writer, self.kind = schema, rnd, writer, kind
        self.clock, self.count, self.next_tid = Clock(rnd), 0, 2000
        self.threads, self.pending = start_processes(), {}
        write_start(writer, self.threads)
        types = {3: 'in', 4: 'in6', 5: 'in', 6: 'in6', 8: 'un', 2: 'dir'}
        for p in self.threads:
            leader = next(q for q in self.threads if q.tid == p.pid)
            p.fds = leader.fds
            if p is leader:
                rows = [row for row in start_fds() if p.pid in (300, 500) or row[0] % 5 == p.pid % 5 or row[0] < 3]
                p.fds.update({row[0]: types.get(row[2], 'other') for row in rows})
        self.drawer = Drawer(schema, rnd, [p.tid for p in self.threads])
        calls = [(14, self.plain), (6, self.open), (4, self.close), (3, self.dup), (3, self.clone), (2, self.execve), (1, self.procexit),
                 (3, self.socket), (2, self.bind), (3, self.connect), (2, self.accept), (4, self.transfer), (2, self.two_fds),
                 (2, self.nameless), (4, self.move), (3, self.switch), (1, self.meta)]
        self.calls = [call for weight, call in calls for _ in range(weight)]

    def chance(self, one_in): return self.rnd.randrange(one_in) == 0

    def some_fd(self, t, *kinds):
        good = [fd for fd, kind in t.fds.items() if not kinds or kind in kinds]
        if not good or self.chance(15):
            return self.rnd.choice(list(t.fds) + [77, 200, -1, -9])
        return self.rnd.choice(good)

    def new_fd(self, t):
        if self.chance(12):
            return -self.rnd.choice([2, 13, 24, 11])
        fd = next(n for n in range(3, 10000) if n not in t.fds)
        return fd if not self.chance(20) else self.rnd.randrange(30)          # now and then a close was lost

    def value(self, t, param):
        """a sensible value for a parameter that the call doesn't care about"""
        rnd, kind = self.rnd, param.type
        if kind == 'PT_FD':
            return self.some_fd(t) if param.name != 'dirfd' else -100
        if kind == 'PT_FDLIST':
            return fdlist([(self.some_fd(t), rnd.choice([1, 4, 5])) for _ in range(rnd.randrange(4))])
        plain = {'PT_ERRNO': [0, 0, 0, 1, 100, -2, -11, -13], 'PT_PID': [q.tid for q in self.threads], 'PT_CHARBUF': ['/srv/app', 'x', 'two words'],
                 'PT_FSPATH': FILES, 'PT_FSRELPATH': FILES}
        if kind in plain:
            return rnd.choice(plain[kind])
        if kind in FIXED and kind.startswith(('PT_UINT', 'PT_INT')):
            return rnd.choice([0, 1, 64, 4096, 100000])
        return self.drawer.draw(param)

    def emit(self, t, short, values, tid=None):
        event = self.schema.by_short[short]
        count = len(event.params)
        if event.older_counts and self.chance(3 if self.kind == 'v1' else 10):
            count = self.rnd.choice(event.older_counts)
        params = [encode(p.type, values[p.name] if p.name in values else self.value(t, p)) for p in event.params[:count]]
        self.writer.event(self.rnd.randrange(4), self.clock.tick(), t.tid if tid is None else tid, event.code, params, self.chance(300))
        self.count += 1

    def call(self, t, base, enter, leave, done=None):
        """queues the exit of a call after writing its enter; either may be lost"""
        if base == 'syscall_openat' or not self.chance(40):                   # the old openat exit needs its enter
            self.emit(t, base + '_e', enter)
        if not self.chance(60):
            self.pending[t.tid] = (base + '_x', leave, done)
        elif done:
            done()

    def step(self):
        t = self.rnd.choice(self.threads)
        if t.tid in self.pending:
            short, values, done = self.pending.pop(t.tid)
            self.emit(t, short, values)
            if done:
                done()
        else:
            self.rnd.choice(self.calls)(t)

    def add_fd(self, t, fd, kind):
        if fd >= 0:
            t.fds[fd] = kind

    def plain(self, t):
        self.call(t, self.rnd.choice(PLAIN), {}, {})

    def open(self, t):
        rnd, base = self.rnd, self.rnd.choice(OPENS[self.kind])
        name, fd = rnd.choice(FILES), self.new_fd(t)
        flags = rnd.choice([1, 3, 4097, 0x100 | 4 | 2, 1025, 4097 | 1024, 8192 | 3])
        common = {'name': name, 'flags': flags, 'mode': 0o644, 'dirfd': rnd.choice([-100, -100, self.some_fd(t, 'dir')])}
        other = dict(common, name=rnd.choice(FILES)) if self.chance(20) else common       # the path changed under the call
        self.call(t, 'syscall_' + base, common, dict(other, fd=fd), lambda: self.add_fd(t, fd, 'dir' if flags & 1024 else 'other'))

    def close(self, t):
        fd, failed = self.some_fd(t), self.chance(12)
        self.call(t, 'syscall_close', {'fd': fd}, {'res': -9 if failed else 0}, lambda: failed or t.fds.pop(fd, None))

    def dup(self, t):
        fd, new = self.some_fd(t), self.new_fd(t)

        def copied():
            self.add_fd(t, new, t.fds.get(fd, 'other'))
        if self.chance(2):
            self.call(t, 'syscall_dup', {'fd': fd}, {'res': new}, copied)
        else:
            cmd = self.rnd.choice([1, 26, 2, 3, 4, 5])
            copies = cmd in (1, 26)
            self.call(t, 'syscall_fcntl', {'fd': fd, 'cmd': cmd}, {'res': new if copies else 0}, copied if copies else None)

    def identity_of(self, t, **changes):
        values = {'exe': t.exe, 'args': b''.join(text(a) for a in t.args), 'tid': t.tid, 'pid': t.pid, 'ptid': t.ptid, 'cwd': '', 'fdlimit': 1024,
                  'pgft_maj': 1, 'pgft_min': 50, 'vm_size': 4000, 'vm_rss': 800, 'vm_swap': 0, 'comm': t.comm, 'cgroups': b'cpuset=/\0cpu=/x\0',
                  'env': b'PATH=/bin\0HOME=/\0', 'flags': 0, 'uid': t.uid, 'gid': t.gid, 'vtid': t.tid, 'vpid': t.pid, 'tty': 34816, 'pgid': t.pid,
                  'loginuid': t.uid}
        return dict(values, **changes)

    def clone(self, t):
        if len(self.threads) > 40:
            return self.procexit(t)
        rnd, base = self.rnd, self.rnd.choice(CLONES[self.kind])
        if self.chance(12):
            return self.call(t, 'syscall_' + base, {}, self.identity_of(t, res=-11))
        self.next_tid += rnd.choice([1, 1, 3])
        thread = base.startswith('clone') and self.chance(3)
        flags = THREAD_FLAGS if thread else CLONE_VFORK if base.startswith('vfork') else rnd.choice([0, CLONE_FILES, CLONE_CHILD_CLEARTID])
        child = Process(self.next_tid, t.pid if thread else self.next_tid, t.ptid if thread else t.pid, t.comm, t.cwd, t.uid, flags)
        child.exe, child.args, child.fds = t.exe, t.args, t.fds if thread else dict(t.fds)
        namespaced = self.chance(10)
        parent_side = self.identity_of(t, res=child.tid if not namespaced else 7, flags=flags, **({'vtid': 5, 'vpid': 5} if namespaced else {}))
        child_side = self.identity_of(child, res=0, flags=flags, **({'vtid': 7, 'vpid': 7} if namespaced else {}))
        first = rnd.choice(['parent', 'child'])

        def born():
            self.threads.append(child)
            if first == 'parent' and not self.chance(8):
                self.emit(child, 'syscall_' + base + '_x', child_side)
        if first == 'child' and not self.chance(8):
            self.emit(child, 'syscall_' + base + '_x', child_side)
        self.call(t, 'syscall_' + base, {}, parent_side, born)

    def execve(self, t):
        rnd, base = self.rnd, self.rnd.choice(EXECS[self.kind])
        comm = rnd.choice(COMMS)
        path = rnd.choice(['/usr/bin/', '/bin/'] + ([] if base == 'execveat' else ['./', '', '../x/'])) + comm   # execveat: see render
        enter = {'filename': path, 'pathname': path, 'dirfd': rnd.choice([-100, 5]), 'flags': 0}
        before, failed = (t.comm, t.exe, t.args), self.chance(5)
        t.comm, t.exe, t.args = comm, path, rnd.choice([[], ['-l'], ['a b', '--x=y'], ['long argument'] * 9])
        values = self.identity_of(t, res=-2 if failed else 0, cwd=rnd.choice([t.cwd, '/new/cwd', '']), flags=rnd.choice([0, 1]))
        t.comm, t.exe, t.args = before if failed else (t.comm, t.exe, t.args)
        self.call(t, 'syscall_' + base, enter, values)

    def procexit(self, t):
        if len(self.threads) < 5 or t.tid in (1, 300, 500):
            return
        self.emit(t, 'procexit_e' if self.kind == 'v1' and self.chance(2) else 'procexit_1_e', {'status': 0, 'ret': 0, 'sig': 9, 'core': 0})
        self.threads.remove(t)
        self.pending.pop(t.tid, None)

    def address(self, kind):
        pick = self.rnd.choice
        return unixaddr(pick(['/run/app.sock', '@abstract', ''])) if kind == 'un' else sockaddr(pick(V6S if kind == 'in6' else V4S), pick(PORTS))

    def tuple_of(self, kind):
        rnd = self.rnd
        if kind == 'un':
            return unixtuple(rnd.getrandbits(48), rnd.getrandbits(48), rnd.choice(['/run/app.sock', '']))
        if kind == 'in6' and self.chance(3):
            return socktuple('::ffff:10.0.0.5', rnd.choice(PORTS), '::ffff:8.8.8.8', rnd.choice(PORTS))
        ips = V6S if kind == 'in6' else V4S
        return socktuple(rnd.choice(ips), rnd.choice(PORTS), rnd.choice(ips), rnd.choice(PORTS))

    def socket(self, t):
        domain, fd = self.rnd.choice([1, 2, 2, 10, 16, 17]), self.new_fd(t)
        enter = {'domain': domain, 'type': self.rnd.choice([1, 2, 3, 2 | 0x80000]), 'proto': self.rnd.choice([0, 0, 1, 6, 17, 255])}
        self.call(t, 'socket_socket', enter, {'fd': fd}, lambda: self.add_fd(t, fd, {1: 'un', 2: 'in', 10: 'in6'}.get(domain, 'other')))

    def bind(self, t):
        fd = self.some_fd(t, 'in', 'in6', 'un')
        self.call(t, 'socket_bind', {'fd': fd}, {'res': self.rnd.choice([0, 0, 0, -98]), 'addr': self.address(t.fds.get(fd, 'in'))})

    def connect(self, t):
        fd = self.some_fd(t, 'in', 'in6', 'un')
        kind = t.fds.get(fd, 'in')
        leave = {'res': self.rnd.choice([0, 0, 0, -115, -111]), 'tuple': self.tuple_of(kind)}
        self.call(t, 'socket_connect', {'fd': fd, 'addr': self.address(kind)}, leave)

    def accept(self, t):
        kind, fd = self.rnd.choice(['in', 'in', 'in6', 'un']), self.new_fd(t)
        pair = None if fd < 0 else self.tuple_of(kind)
        self.call(t, 'socket_' + self.rnd.choice(ACCEPTS[self.kind]), {'flags': 0}, {'fd': fd, 'tuple': pair}, lambda: self.add_fd(t, fd, kind))

    def transfer(self, t):
        base = self.rnd.choice(['send', 'sendto', 'sendmsg', 'recv', 'recvfrom', 'recvmsg'])
        fd = self.some_fd(t, 'in', 'in6', 'un')
        pair = self.tuple_of(t.fds.get(fd, 'in')) if not self.chance(3) else None
        self.call(t, 'socket_' + base, {'fd': fd, 'tuple': pair}, {'res': self.rnd.choice([10, 100, 0, -11, -104]), 'tuple': pair})

    def two_fds(self, t):
        fd = self.new_fd(t)
        base, kind = self.rnd.choice([('socket_socketpair', 'un'), ('syscall_pipe', 'other')])
        leave = {'res': 0 if fd >= 0 else fd, 'fd1': fd, 'fd2': fd + 1}
        self.call(t, base, {'domain': 1, 'type': 1, 'proto': 0}, leave, lambda: [self.add_fd(t, n, kind) for n in (fd, fd + 1)])

    def nameless(self, t):
        base, fd = self.rnd.choice(['eventfd', 'signalfd', 'timerfd_create', 'inotify_init', 'userfaultfd']), self.new_fd(t)
        self.call(t, 'syscall_' + base, {'fd': -1}, {'res': fd}, lambda: self.add_fd(t, fd, 'other'))

    def move(self, t):
        path, res = self.rnd.choice(['/tmp', '..', 'sub', '/a/b/', '.', '/', './x/../y', '/srv/www']), self.rnd.choice([0, 0, 0, -2])
        base = self.rnd.choice(['chdir', 'chdir', 'fchdir', 'chroot'])
        self.call(t, 'syscall_' + base, {'fd': self.some_fd(t, 'dir')}, {'res': res, 'path': path})

    def switch(self, t):
        self.emit(t, 'schedswitch_1_e' if self.kind == 'v1' and self.chance(3) else 'schedswitch_6_e', {'next': self.rnd.choice(self.threads).tid})

    def meta(self, t):
        short = self.rnd.choice(['procinfo_e', 'drop_e', 'drop_x', 'signaldeliver_e', 'container_json_e', 'unknown thread'])
        if short == 'unknown thread':
            short = self.rnd.choice(['syscall_read_e', 'syscall_read_x', 'syscall_open_x', 'syscall_close_e'])
            return self.emit(t, short, {}, tid=self.rnd.choice([0, 9001]))
        self.emit(t, short, {'json': container_json(self.rnd)})


# ---------------------------------------------------------------- main

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--kind', choices=['render', 'state', 'v1'], required=True)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--events', type=int, default=2000)
    parser.add_argument('--calm', action='store_true')
    parser.add_argument('--spec', default=SPEC)
    parser.add_argument('-o', required=True, dest='output')
    args = parser.parse_args()
    schema, rnd = Schema(args.spec), random.Random(f'{args.kind} {args.seed}')
    writer = Writer(1, 1 + args.seed % 8) if args.kind == 'v1' else Writer()
    if args.kind == 'render':
        render(schema, rnd, writer, args.events, args.calm)
    else:
        state = State(schema, rnd, writer, args.kind)
        while state.count < args.events:
            state.step()
    with open(args.output, 'wb') as f:
        f.write(writer.data())


if __name__ == '__main__':
    main()
