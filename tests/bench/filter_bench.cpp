// SPDX-License-Identifier: Apache-2.0
// What one check costs, by kind: nanoseconds for each event of a capture, without reading it and without the state.
//
//     filter_bench CAPTURE [ROUNDS]
//
// Every filter is asked ROUNDS times about each event, one time after the other while the event is at hand; the table
// gives the mean over all events, and how many of a hundred events match.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>

#include "capture/source/file_source.h"
#include "filters/vm/compile.h"
#include "filters/vm/matcher.h"

namespace {

using namespace scry;
using Clock = std::chrono::steady_clock;

struct Kind {
  const char* name;
  const char* filter;
};
constexpr Kind kKinds[] = {
    {"number of the header", "evt.num > 100"},
    {"kind of event, decided before", "evt.type = open"},
    {"kind of event, at most events", "evt.type != switch"},
    {"direction", "evt.dir = <"},
    {"number of the thread", "proc.pid = 1234"},
    {"text of the thread, =", "proc.name = dockerd"},
    {"text of the thread, in 3", "proc.name in (dockerd, containerd, runc)"},
    {"text of the thread, in 100",
     "proc.name in (a0,a1,a2,a3,a4,a5,a6,a7,a8,a9,b0,b1,b2,b3,b4,b5,b6,b7,b8,b9,c0,c1,c2,c3,c4,c5,c6,c7,c8,c9,d0,d1,d2,d3,d4,d5,d6,"
     "d7,d8,d9,e0,e1,e2,e3,e4,e5,e6,e7,e8,e9,f0,f1,f2,f3,f4,f5,f6,f7,f8,f9,g0,g1,g2,g3,g4,g5,g6,g7,g8,g9,h0,h1,h2,h3,h4,h5,h6,h7,h8,"
     "h9,i0,i1,i2,i3,i4,i5,i6,i7,i8,i9,j0,j1,j2,j3,j4,j5,j6,j7,j8,j9)"},
    {"text, startswith", "proc.exepath startswith /usr/bin"},
    {"text, contains", "proc.exepath contains docker"},
    {"text, icontains", "proc.exepath icontains DOCKER"},
    {"text, glob", "proc.exepath glob '/usr/*/docker*'"},
    {"text, regex", "proc.exepath regex '/usr/(s?bin)/docker.*'"},
    {"path, pmatch", "proc.exepath pmatch (/usr/bin, /usr/local/*/x, /opt)"},
    {"name of the fd, startswith", "fd.name startswith /var"},
    {"name of the fd, contains", "fd.name contains /var"},
    {"address, =", "fd.sip = 10.0.0.1"},
    {"network", "fd.net = 10.0.0.0/8"},
    {"ancestor, second", "proc.aname[2] = sshd"},
    {"ancestors, any", "proc.aname = sshd"},
    {"user name", "user.name = root"},
    {"put-together text", "proc.cmdline contains containerd"},
    {"parameter by name", "evt.arg.fd exists"},
    {"all parameters as text", "evt.args contains O_RDONLY"},
    {"transformer", "tolower(proc.name) = dockerd"},
    {"field with field", "proc.name = val(proc.pname)"},
    {"and of two, first fails", "proc.name = nobody and fd.name contains /var"},
    {"same part three times",
     "(proc.aname = sshd and evt.dir = <) or (proc.aname = sshd and evt.dir = >) or (proc.aname = sshd and evt.cpu = 99)"},
};

int run(const std::string& path, uint64_t rounds) {
  fmt::print("| check | filter | ns an event | match of 100 |\n|---|---|---|---|\n");
  for (const Kind& kind : kKinds) {
    filter::CompileOptions how;
    auto program = filter::compile(kind.filter, how);
    if (!program) {
      fmt::print(stderr, "{}: {}\n", kind.filter, program.error().what);
      return 1;
    }
    Losses losses;
    auto source = source::FileSource::open(path, losses);
    if (!source) {
      fmt::print(stderr, "{}\n", source.error().message());
      return 1;
    }
    state::Machine machine(losses);
    Pipeline pipeline(**source, machine, losses);
    filter::Matcher matcher(*program, {});
    std::chrono::nanoseconds spent{0};
    uint64_t events = 0, matched = 0;
    while (const Moment* moment = pipeline.next()) {
      if (moment->silent) continue;
      ++events;
      const auto began = Clock::now();
      for (uint64_t i = 0; i < rounds; ++i) matched += matcher.matches(*moment, machine);
      spent += Clock::now() - began;
    }
    const auto asked = static_cast<double>(events * rounds);
    std::string shown = kind.filter;
    if (shown.size() > 60) shown = shown.substr(0, 57) + "...";
    fmt::print("| {} | `{}` | {:.1f} | {:.0f} |\n", kind.name, shown, static_cast<double>(spent.count()) / asked, 100.0 * static_cast<double>(matched) / asked);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: filter_bench CAPTURE [ROUNDS]\n");
    return 1;
  }
  return run(argv[1], argc > 2 ? std::max<uint64_t>(1, std::strtoull(argv[2], nullptr, 10)) : 100);
}
