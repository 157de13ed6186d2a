// SPDX-License-Identifier: Apache-2.0
// Fields of processes and containers: what the captures at hand don't show.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "capture/pipeline.h"
#include "capture/source/file_source.h"
#include "filters/fields/format.h"
#include "tests/support/builder.h"
#include "tests/support/replayed.h"

using namespace scry;
using namespace scry::test;

namespace {

using Lines = std::vector<std::string>;

/// What `format` prints for each event.
Lines ask(const Capture& capture, const std::string& format, fields::Dialect dialect = fields::Dialect::kCurrent) {
  Replayed replayed(capture.bytes());
  fields::Renderer renderer({.dialect = dialect});
  auto formatter = fields::Formatter::parse('*' + format, fields::Formatter::Style::kText);
  REQUIRE(formatter);
  Lines lines;
  Out line;
  while (const Moment* moment = replayed.next()) {
    line.clear();
    formatter->print(line, *moment, replayed.machine, renderer);
    line.shrink(line.size() - 1);
    if (!moment->silent) lines.push_back(line.str());
  }
  return lines;
}

/// All values of a field that stands for a set, at the last event.
Lines all_values(const Capture& capture, const std::string& name, const std::optional<std::string>& argument = {}) {
  Replayed replayed(capture.bytes());
  fields::Renderer renderer({.dialect = fields::Dialect::kCurrent});
  auto ref = fields::bind_field(name, argument);
  REQUIRE(ref);
  const fields::ExtractMany many = ref->field->traits.many;
  if (!many) FAIL("no set of values");
  Lines out;
  Out scratch, text;
  while (const Moment* moment = replayed.next()) {
    out.clear();
    scratch.clear();
    fields::Values values;
    many({*moment, replayed.machine, renderer, *ref, scratch}, values);
    for (const auto& value : values) {
      text.clear();
      fields::put_value(text, *ref->field, value);
      out.push_back(text.str());
    }
  }
  return out;
}

namespace x = event::p::execve_19_x;

/// An exec with the values given; all others are empty, as recorders leave what they can't tell.
Capture& exec(Capture& c, int64_t tid, uint64_t ts, const std::vector<std::pair<unsigned, Bytes>>& given) {
  std::vector<Bytes> params(x::gid + 1);
  params[0] = i64(0);
  for (const auto& [index, bytes] : given) params[index] = bytes;
  return c.event(event::kExecve_19X, tid, ts, params);
}

Capture close_by(Capture c, int64_t tid) { return c.event(event::kCloseX, tid, 9'000'000'000, {i64(0)}); }

const std::string kId64(64, 'c');

Capture with_container(const std::string& json) {
  Capture c = small_machine();
  c.event(event::kCloseE, 100, 1, {i64(0)});
  c.event(event::kContainerJsonE, 100, 2, {text(json)});
  exec(c, 100, 3, {{x::exe, text("/bin/check")}, {x::comm, text("check")}, {x::args, Bytes("-a\0b c\0", 7)},
                   {x::cgroups, Bytes("cpu=/docker/" + kId64) + '\0'}});
  return c;
}

std::string last_of(const Capture& c, const std::string& format, fields::Dialect dialect = fields::Dialect::kCurrent) {
  const Lines lines = ask(c, format, dialect);
  REQUIRE(!lines.empty());
  return lines.back();
}

}  // namespace

TEST_CASE("ancestors that close on themselves end") {
  Capture c;
  c.section().machine().process(10, 10, 12, "a").process(11, 11, 10, "bsh").process(12, 12, 11, "c");
  const Capture all = close_by(c, 10);
  const Lines names = all_values(all, "proc.aname");
  CHECK(names.size() >= 2);
  CHECK(names.size() < 16);
  CHECK(names[0] == "c");
  CHECK(names[1] == "bsh");
  CHECK(last_of(all, "%proc.aname[0] %proc.aname[1] %proc.apid[2] %proc.loginshellid") == "a c 11 11");
  CHECK(last_of(all, "%proc.aname[99999999999]") == "<NA>");
  CHECK(all_values(all, "proc.aname", "2") == Lines{"bsh"});
}

TEST_CASE("a long line of ancestors has an end") {
  Capture c;
  c.section().machine();
  for (int64_t tid = 1; tid <= 3000; ++tid) c.process(tid, tid, tid - 1, "p");
  const Lines names = all_values(close_by(c, 3000), "proc.aname");
  CHECK(names.size() > 500);
  CHECK(names.size() <= 1024);
}

TEST_CASE("sets of texts that are made keep each their own") {
  Capture c;
  c.section().machine().process(1, 1, 0, "init").process(2, 2, 1, "sh").process(3, 3, 2, "cat");
  exec(c, 2, 1, {{x::exe, text("sh")}, {x::comm, text("sh")}, {x::args, Bytes("-c\0", 3) + std::string(3000, 'x') + '\0'}});
  CHECK(all_values(close_by(c, 3), "proc.acmdline") == Lines{"sh -c " + std::string(3000, 'x'), "init"});
}

TEST_CASE("arguments and variables by number and name") {
  Capture c = small_machine();
  exec(c, 100, 1, {{x::exe, text("/bin/ls")}, {x::comm, text("ls")}, {x::args, Bytes("-l\0\0a b\0", 8)},
                   {x::env, Bytes("HOMES=1\0HOME= /root \0E=\0\0\0", 26)}});
  CHECK(last_of(c, "[%proc.args] [%proc.args[0]] [%proc.args[1]] [%proc.args[2]] [%proc.args[3]]") == "[-l  a b] [-l] [] [a b] [<NA>]");
  CHECK(last_of(c, "%proc.cmdnargs %proc.cmdlenargs [%proc.exeline]") == "3 5 [/bin/ls -l  a b]");
  CHECK(last_of(c, "[%proc.env] [%proc.env[HOME]] [%proc.env[E]] [%proc.env[HOM]]") == "[HOMES=1 HOME= /root  E=] [/root] [] []");
  CHECK(all_values(c, "proc.aenv", "HOME") == Lines{"/root"});
}

TEST_CASE("capabilities by name, absent when nobody recorded them") {
  Capture c = small_machine();
  c.event(event::kCloseX, 100, 1, {i64(0)});
  exec(c, 100, 2, {{x::comm, text("a")}, {x::cap_inheritable, u64(0)}, {x::cap_permitted, u64(1ull | 1ull << 21 | 1ull << 40)},
                   {x::cap_effective, u64(1ull << 63)}});
  const Lines lines = ask(c, "%thread.cap_permitted,%thread.cap_inheritable,%thread.cap_effective");
  CHECK(lines[0] == "<NA>,<NA>,<NA>");
  CHECK(lines.at(1) == "CAP_CHOWN CAP_SYS_ADMIN CAP_CHECKPOINT_RESTORE,,");
}

TEST_CASE("what is not known of the program is absent") {
  Capture c = small_machine();
  exec(c, 100, 1, {{x::comm, text("a")}, {x::flags, u32(1 | 4)}, {x::exe_ino, u64(7)}, {x::exe_ino_ctime, u64(50)}});
  CHECK(last_of(c, "%proc.is_exe_writable %proc.is_exe_upper_layer %proc.is_exe_from_memfd %proc.is_exe_lower_layer") == "true false true false");
  CHECK(last_of(c, "%proc.exe_ino %proc.exe_ino.ctime %proc.exe_ino.mtime %proc.exe_ino.ctime_duration_proc_start") == "7 50 <NA> <NA>");
  exec(c, 100, 2, {{x::comm, text("b")}});
  CHECK(last_of(c, "%proc.is_exe_writable %proc.is_exe_upper_layer") == "<NA> <NA>");
}

TEST_CASE("a container's mounts, probes and pod") {
  const Capture c = with_container(
      R"({"container":{"id":"cccccccccccc","name":"web","image":"nginx:1","type":0,"imagerepo":"nginx","privileged":true,)"
      R"("Mounts":[{"Source":"/srv/a","Destination":"/a","Mode":"ro","RW":false,"Propagation":"rprivate"},7,)"
      R"({"Source":"/srv/b","Destination":"/b","Mode":"","RW":true,"Propagation":"rshared"}],)"
      R"("labels":{"io.kubernetes.pod.name":"shop-1","io.kubernetes.pod.namespace":"prod","n":5},)"
      R"("pod_sandbox_labels":{"io.kubernetes.pod.uid":"u1","app":"shop"},)"
      R"("Healthcheck":{"exe":"/bin/check","args":["-a","b c"]}}})");
  CHECK(last_of(c, "%container.id %container.name %container.image %container.type %container.privileged") == "cccccccccccc web nginx:1 docker true");
  CHECK(last_of(c, "%container.image.repository %container.image.tag") == "nginx <NA>");
  CHECK(last_of(c, "%container.mounts") == "/srv/a:/a:ro:false:rprivate,/srv/b:/b::true:rshared");
  CHECK(last_of(c, "%container.mount[1] %container.mount[2] %container.mount[/srv/a]") == "/srv/b:/b::true:rshared <NA> /srv/a:/a:ro:false:rprivate");
  CHECK(last_of(c, "%container.mount[18446744073709551616] %container.mount.source[/b] %container.mount.dest[/srv/?]") == "<NA> /srv/b /a");
  CHECK(last_of(c, "%container.mount.mode[0] %container.mount.rdwr[1] %container.mount.propagation[/srv/b]") == "ro true rshared");
  CHECK(last_of(c, "%container.healthcheck,%container.liveness_probe") == "/bin/check -a b c,NONE");
  CHECK(last_of(c, "%proc.is_container_healthcheck %proc.is_container_readiness_probe") == "true false");
  CHECK(last_of(c, "%k8s.pod.name %k8s.ns.name %k8s.pod.id %k8s.pod.label.app %k8s.pod.labels") ==
        "shop-1 prod u1 shop app:shop, io.kubernetes.pod.uid:u1");
  CHECK(ask(c, "%container.id %container.name %container.image %k8s.pod.name %container.healthcheck")[0] == "host host <NA> <NA> <NA>");
}

TEST_CASE("a container that nothing describes") {
  const Capture c = with_container("{\"container\":{\"id\":\"other\"}}");
  CHECK(last_of(c, "%container.id %container.type %container.name %container.privileged %container.mounts %container.healthcheck") ==
        "cccccccccccc docker <NA> <NA> <NA> <NA>");
}

TEST_CASE("time on a processor") {
  Capture c = small_machine();
  auto away = [&](int64_t tid, uint64_t ts) { c.event(event::kSchedswitch_6E, tid, ts, {i64(1), u64(0), u64(0), u32(0), u32(0), u32(0)}); };
  away(1, 1000);
  away(100, 1500);
  c.event(event::kCloseX, 100, 1600, {i64(0)});
  away(1, 1700);
  away(100, 2000);
  CHECK(ask(c, "%thread.exectime %thread.totexectime") == Lines{"0 0", "500 500", "0 500", "200 200", "300 800"});
}

TEST_CASE("percent of a processor, from the second report on") {
  Capture c = small_machine();
  auto report = [&](uint64_t user, uint64_t system) { c.event(event::kProcinfoE, 100, 1, {u64(user), u64(system)}); };
  report(100, 50);
  report(130, 55);
  c.event(event::kCloseX, 100, 2, {i64(0)});
  report(1130, 55);
  report(7, 3);
  CHECK(ask(c, "%thread.cpu %thread.cpu.user %thread.cpu.system") ==
        Lines{"<NA> <NA> <NA>", "35.0 30.0 5.0", "<NA> <NA> <NA>", "100.0 100.0 0.0", "<NA> <NA> <NA>"});
}

TEST_CASE("names of cgroup subsystems") {
  Capture c = small_machine();
  exec(c, 100, 1, {{x::comm, text("a")}, {x::cgroups, Bytes("io=/u\0cpu_cgroup=/v\0odd", 23)}});
  CHECK(last_of(c, "%thread.cgroups,%thread.cgroup.blkio,%thread.cgroup[cpu],%thread.cgroup.io") == "blkio=/u cpu=/v odd,/u,/v,<NA>");
}

TEST_CASE("fields of systems that are gone exist and are absent") {
  const Capture c = close_by(small_machine(), 100);
  CHECK(last_of(c, "%span.id %span.tag[1] %evtin.span.m.args %mesos.task.label[x] %marathon.app.name %k8s.rc.name") ==
        "<NA> <NA> <NA> <NA> <NA> <NA>");
  CHECK(fields::find_row("span.count.fortag")->has(fields::kTableOnly));
}
