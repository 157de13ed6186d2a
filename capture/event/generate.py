#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turn data/*.tsv into the event table that the program is compiled with.

  generate.py DATA_DIR OUT_DIR     writes event_codes.gen.h and event_tables.gen.cpp

What is computed here rather than looked up at run time:
* fold shapes: for every (event code, number of parameters in the file) the whole chain of conversions.tsv
  composed into one row: the current event it means, and for each of its parameters where the value comes
  from (a parameter of this event, a parameter of the thread's remembered enter event, or a constant);
* for every parameter, how sysdig 0.29.3 knew it ("classic") beside how current libraries do.
"""
import os
import sys

data, out_dir = sys.argv[1], sys.argv[2]
FOLDED_SINCE = {'libs-0.20.0', 'libs-0.21.0', 'libs-0.22.0', 'libs-0.23.0', 'libs-0.24.0', 'libs-0.25.0'}
MAX_ROUNDS = 50
VALUES_IN_CODE = {'clone_flags', 'file_flags', 'fcntl_commands', 'socket_families', 'execve_flags', 'rlimit_resources',
                  'prctl_options', 'close_range_flags'}


def rows(name):
    lines = open(os.path.join(data, name), encoding='utf8').read().split('\n')
    head = lines[0].split('\t')
    return [dict(zip(head, line.split('\t'))) for line in lines[1:] if line]


events = rows('events.tsv')
params = rows('params.tsv')
types = {r['type']: int(r['id']) for r in rows('types.tsv')}
types['-'] = 0
sizes = {int(r['id']): r['wire_size'] for r in rows('types.tsv')}
by_code = {int(e['code']): e for e in events}
code_of = {e['ppme']: int(e['code']) for e in events}
params_of = {}
for p in params:
    params_of.setdefault(int(p['code']), []).append(p)
conversions = {(int(r['code']), int(r['nparams'])): r for r in rows('conversions.tsv')}
values = rows('valuetables.tsv')
table_names = []
for v in values:
    if v['table'] not in table_names:
        table_names.append(v['table'])
classic_names = {(r['what'], int(r['number'])): r['name'] for r in rows('classic_names.tsv')}
dyn_rows = rows('dynparams.tsv')
dyn_names = []
for d in dyn_rows:
    if d['table'] not in dyn_names:
        dyn_names.append(d['table'])

FORMATS = ['PF_NA', 'PF_DEC', 'PF_HEX', 'PF_10_PADDED_DEC', 'PF_ID', 'PF_DIR', 'PF_OCT', '-']
fmt_of = lambda f: FORMATS.index(f) if f in FORMATS[:-1] else 0


def c_string(s):
    return '"' + s.replace('\\', '\\\\').replace('"', '\\"') + '"'


def table_ref(cell, kind, index):
    """-> (value table index or -1, dynamic table index or -1, index of the dirfd parameter or -1)"""
    if kind == 'PT_FSRELPATH':
        # The table leaves it out for enter events, and for openat2's names the path itself: the first parameter it is.
        dirfd = int(cell.split(':')[1]) if cell.startswith('dirfd_param:') else 0
        return -1, -1, dirfd if dirfd != index else 0
    if cell.startswith('dyn:'):
        return -1, dyn_names.index(cell[4:]), -1
    return (table_names.index(cell) if cell in table_names else -1), -1, -1


def fold(code, nparams):
    """Compose the conversion chain of (code, nparams): (action, final code, [(kind, index)])."""
    sources = [('old', i) for i in range(nparams)]
    used_enter, passed = False, False
    for _ in range(MAX_ROUNDS):
        event = by_code[code]
        flags = event['flags'].split('|')
        if 'EF_UNUSED' in flags:
            return 'drop', code, sources
        managed, old = 'EF_CONVERTER_MANAGED' in flags, 'EF_OLD_VERSION' in flags
        is_exit = event['dir'] == '<'
        if not managed:
            return ('drop' if old and not is_exit else 'pass'), code, sources
        row = conversions.get((code, len(sources)))
        if is_exit:
            if len(sources) > int(event['nparams']):
                return 'pass', code, sources
            if not old and len(sources) == int(event['nparams']):
                return 'pass', code, sources
        if row is None:
            return ('drop' if not is_exit else 'pass'), code, sources
        action = row['action']
        if action == 'PASS':
            return 'pass', code, sources
        if action == 'STORE':
            return 'store', code, sources
        if action == 'STORE_AND_PASS':
            return 'store_pass', code, sources
        new, this_used = [], False
        for word in row['new_params'].split() if row['new_params'] != '-' else []:
            if word.startswith('old'):
                new.append(sources[int(word[3:])])
            elif word.startswith('enter'):
                index, fallback = word[5:].split('?')
                kind = 'enter_or_default' if fallback == 'default' else 'enter_or_empty'
                if used_enter:
                    new.append((fallback, 0))
                else:
                    new.append((kind, int(index)))
                    this_used = True
            elif word == 'json-from-fields':
                new.append(('empty', 0))
            else:
                new.append((word, 0))
        used_enter = used_enter or this_used
        if action == 'ADD_PARAMS':
            sources = sources + new
        else:
            sources, code = new, code_of[row['new_type']]
            if row['new_params'] == '-':
                sources = []
    raise SystemExit('conversion of event %d does not end' % code)


def own_kind(code, index, final, position):
    """A parameter of dynamic type that becomes a plain one (bpf) loses the byte that told its type."""
    mine, theirs = params_of.get(code, []), params_of.get(final, [])
    if index < len(mine) and position < len(theirs) and mine[index]['type'] == 'PT_DYN' != theirs[position]['type']:
        return 'old_dyn'
    return 'old'


def write_codes():
    with open(os.path.join(out_dir, 'event_codes.gen.h'), 'w', encoding='utf8') as f:
        f.write('// Made by generate.py from capture/event/data. Do not edit.\n#pragma once\n#include <cstdint>\n'
                'namespace scry::event {\n\n/// Event codes, under the short name of their row in data/events.tsv.\n'
                'enum Code : uint16_t {\n')
        for e in events:
            f.write('  k%s = %s,\n' % (camel(e), e['code']))
        f.write('  kCodeCount = %d\n};\n\n' % len(events))
        f.write('/// Parameter numbers of the current layout: p::<event>::<parameter>.\nnamespace p {\n')
        for e in events:
            mine = params_of.get(int(e['code']), [])
            if mine:
                names = ', '.join('%s = %s' % (identifier(p['name']), p['index']) for p in mine)
                f.write('namespace %s { enum : uint8_t { %s }; }\n' % (short(e), names))
        f.write('}  // namespace p\n\n/// Flag and enum values that the state rules ask about: v::<table>__<name>.\nnamespace v {\n')
        written = set()
        for v in values:
            if v['table'] in VALUES_IN_CODE and (v['table'], v['symbol']) not in written:
                written.add((v['table'], v['symbol']))
                f.write('constexpr uint32_t %s__%s = %su;\n' % (v['table'], v['symbol'], int(v['value'], 0) & 0xffffffff))
        f.write('}  // namespace v\n}  // namespace scry::event\n')


def short(e):
    s = e['ppme'].removeprefix('PPME_').removeprefix('SYSCALL_').removeprefix('SOCKET_').lower()
    return s


def camel(e):
    return ''.join('_' + w if w[0].isdigit() else w.capitalize() for w in short(e).split('_'))


KEYWORDS = {'int', 'new', 'this', 'operator', 'default', 'union'}


def identifier(name):
    s = ''.join(c if c.isalnum() else '_' for c in name)
    return s + '_' if s in KEYWORDS else s


def write_tables():
    with open(os.path.join(out_dir, 'event_tables.gen.cpp'), 'w', encoding='utf8') as f:
        f.write('// Made by generate.py from capture/event/data. Do not edit.\n#include "capture/event/table.h"\n'
                'namespace scry::event {\nnamespace {\n\n')
        # Value tables.
        for i, name in enumerate(table_names):
            mine = [v for v in values if v['table'] == name]
            f.write('constexpr ValueName kValues%d[] = {  // %s\n' % (i, name))
            for v in mine:
                f.write('  {%s, %d, %su, %d},\n' % (c_string(v['symbol']), len(v['symbol']), int(v['value'], 0) & 0xffffffff,
                                                   0 if v['same_in_0.29.3'] == 'no' else 1))
            f.write('};\n')
        # Parameters.
        f.write('\nconstexpr ParamInfo kParams[] = {\n')
        at, total = {}, 0
        for e in events:
            code = int(e['code'])
            at[code] = total
            enter_names = {p['name'] for p in params_of.get(code - 1, [])} if code % 2 else set()
            for p in params_of.get(code, []):
                t, d, r = table_ref(p['table'], p['type'], int(p['index']))
                known = p['type_in_0.29.3'] != '-'
                ct, cd, cr = table_ref(p['table_in_0.29.3'], p['type_in_0.29.3'], int(p['index']))
                classic = '{%s, %d, %d, %d, %d, %d, %d}' % (
                    c_string(p['name_in_0.29.3'] + '='), len(p['name_in_0.29.3']) + 1, types[p['type_in_0.29.3']],
                    fmt_of(p['fmt_in_0.29.3']), ct, cd, cr) if known else '{"", 0, 0, 0, -1, -1, -1}'
                folded = 2 if p['since'] in FOLDED_SINCE else 1 if p['name'] in enter_names and not known else 0
                f.write('  {{%s, %d, %d, %d, %d, %d, %d}, %s, %d},\n' % (
                    c_string(p['name'] + '='), len(p['name']) + 1, types[p['type']], fmt_of(p['fmt']), t, d, r, classic,
                    folded))
                total += 1
        f.write('};\n')
        f.write('\nconstexpr uint8_t kSizes[] = {\n')
        for e in events:
            mine = [sizes[types[p['type']]] for p in params_of.get(int(e['code']), [])]
            f.write('  %s\n' % ''.join('%s,' % (s if s.isdigit() else '0') for s in mine))
        f.write('  0};\n')
        # Counts that an event of this code ever had.
        f.write('\nconstexpr uint8_t kHistory[] = {\n')
        hist, total_h = {}, 0
        for e in events:
            counts = sorted({int(h.split('@')[0]) for h in e['nparams_history'].split(';') if h and h[0].isdigit()},
                            reverse=True)
            hist[int(e['code'])] = (total_h, len(counts))
            total_h += len(counts)
            f.write('  %s\n' % ''.join('%d,' % c for c in counts))
        f.write('};\n')
        # Fold shapes: for each code a run of shapes, one per count 0..nparams.
        f.write('\nconstexpr FoldSource kFoldSources[] = {\n')
        shapes, shape_at, n_sources = [], {}, 0
        kinds = {'old': 0, 'enter_or_empty': 1, 'enter_or_default': 2, 'empty': 3, 'default': 4, 'old_dyn': 5}
        actions = {'pass': 0, 'drop': 1, 'store': 2, 'store_pass': 3}
        for e in events:
            code = int(e['code'])
            shape_at[code] = len(shapes)
            for n in range(int(e['nparams']) + 1):
                action, final, sources = fold(code, n)
                shapes.append((final, actions[action], len(sources), n_sources))
                for position, (kind, index) in enumerate(sources):
                    if kind == 'old':
                        kind = own_kind(code, index, final, position)
                    f.write('{%d,%d},' % (kinds[kind], index))
                n_sources += len(sources)
            f.write('\n')
        f.write('{0,0}};\n\nconstexpr FoldShape kShapes[] = {\n')
        for final, action, count, start in shapes:
            f.write('  {%d, %d, %d, %d},\n' % (final, action, count, start))
        f.write('};\n}  // namespace\n\n')
        f.write('const FoldSource* const fold_sources = kFoldSources;\n')
        f.write('const FoldShape* const fold_shapes = kShapes;\nconst uint8_t* const param_count_history = kHistory;\n\n')
        f.write('const EventInfo event_infos[kCodeCount] = {\n')
        for e in events:
            code = int(e['code'])
            cat = [c for c in e['category'].split('|')]
            group = [c for c in cat if c in ('EC_SYSCALL', 'EC_TRACEPOINT', 'EC_METAEVENT', 'EC_PLUGIN', 'EC_ITER')]
            kind = [c for c in cat if c not in group] or ['EC_OTHER']
            flags = [x for x in e['flags'].split('|') if x != 'EF_NONE']
            known = e['status_in_0.29.3'] != 'absent'
            mine = params_of.get(code, [])
            n_classic = int(e['nparams_in_0.29.3']) if known else 0
            fd = int(e['fd_param']) if e['fd_param'] not in ('-', '-1') else -1
            f.write('  {%s, %s, %d, Category::%s, %s, %s, %d, %d, %d, %d, %s, %d, %d, %d, {%s}, kParams + %d, kSizes + %d},\n' % (
                c_string(e['name']), c_string(e['ppme']), len(e['name']), kind_name(kind[0]),
                ' | '.join('kGroup' + g[3:].capitalize() for g in group) or '0',
                ' | '.join('k' + ''.join(w.capitalize() for w in x[3:].split('_')) for x in flags) or '0',
                int(e['nparams']), n_classic, 1 if e['status'] == 'current' else 0, 1 if known else 0,
                fd, hist[code][0], hist[code][1], shape_at[code],
                ', '.join(s if s.isdigit() else '0' for s in [sizes[types[p['type']]] for p in mine[:8]]) or '0',
                at[code], at[code]))
            assert len(mine) == int(e['nparams']), e
        f.write('};\n\nconst ValueTable value_tables[] = {\n')
        for i, name in enumerate(table_names):
            f.write('  {%s, kValues%d, %d},\n' % (c_string(name), i, sum(v['table'] == name for v in values)))
        f.write('};\nconst int value_table_count = %d;\nconst int errno_table = %d;\nconst int signal_table = %d;\n' % (
            len(table_names), table_names.index('@errno'), table_names.index('@signal')))
        f.write('\nconst DynTable dyn_tables[] = {\n')
        for name in dyn_names:
            mine = [d for d in dyn_rows if d['table'] == name]
            f.write('  {%d, {%s}},\n' % (len(mine), ', '.join('{"", 0, %d, %d, -1, -1, -1}' % (types[d['type']], fmt_of(d['fmt']))
                                                            for d in mine)))
        f.write('};\n\n/// Wire size by type; 0: any length.\nconst uint8_t type_sizes[] = {')
        f.write(', '.join(sizes[i] if sizes[i].isdigit() else '0' for i in range(len(sizes))))
        f.write('};\n\nconst std::string_view syscall_names[] = {\n')
        calls = rows('syscalls.tsv')
        name_of = {int(c['ppm_sc']): c['name'] for c in calls}
        for number in range(max(name_of) + 1):
            f.write('  %s,\n' % c_string(name_of.get(number, '')))
        f.write('};\n\nconst std::string_view classic_syscall_names[] = {\n')
        for number in range(max(name_of) + 1):
            f.write('  %s,\n' % c_string(classic_names.get(('syscall', number), name_of.get(number, ''))))
        f.write('};\n\nconst std::string_view classic_event_names[] = {\n')
        for e in events:
            f.write('  %s,\n' % c_string(classic_names.get(('event', int(e['code'])), e['name'])))
        f.write('};\nconst unsigned syscall_count = %d;\n\n}  // namespace scry::event\n' % (max(name_of) + 1))


def kind_name(ec):
    return 'k' + ''.join(w.capitalize() for w in ec[3:].split('_'))


write_codes()
write_tables()
