// SPDX-License-Identifier: Apache-2.0
// The event table against what it is made from, and against the rules and renderers that it needs.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <fstream>
#include <set>
#include <string>

#include "capture/event/table.h"
#include "capture/state/handlers.h"

using namespace scry;
using namespace scry::event;

namespace {

size_t rows_of(const std::string& name) {
  std::ifstream in(std::string(SCRY_EVENT_DATA) + "/" + name);
  REQUIRE(in.good());
  size_t rows = 0;
  for (std::string line; std::getline(in, line);) rows += !line.empty();
  return rows - 1;  // the head
}

}  // namespace

TEST_CASE("every row of the data is in the table") {
  CHECK(rows_of("events.tsv") == kCodeCount);
  CHECK(kCodeCount == 454);
  size_t params = 0, values = 0, calls = 0;
  for (const EventInfo& info : event_infos) params += info.nparams;
  for (int i = 0; i < value_table_count; ++i) values += value_tables[i].rows().size();
  for (unsigned i = 0; i < syscall_count; ++i) calls += !syscall_names[i].empty();
  CHECK(params == rows_of("params.tsv"));
  CHECK(params == 1345);
  CHECK(values == rows_of("valuetables.tsv"));
  CHECK(values == 775);
  CHECK(calls == rows_of("syscalls.tsv"));
  CHECK(calls == 453);
  CHECK(rows_of("types.tsv") == static_cast<size_t>(Type::kCount) + 1);  // and the end mark PT_MAX
}

TEST_CASE("enter and exit stand side by side, and every count of parameters has a meaning") {
  for (unsigned code = 0; code < kCodeCount; ++code) {
    const EventInfo& info = info_of(code);
    CAPTURE(info.ppme);
    for (unsigned count = 0; count <= info.nparams; ++count) {
      const FoldShape& shape = shape_of(info, count);
      CHECK(is_known(shape.code));
      // What goes on to be delivered is an event of today.
      if (shape.action() == FoldAction::kPass && !info.has(kUnused)) CHECK(!info_of(shape.code).has(kUnused));
    }
    for (const uint8_t count : count_history(info)) CHECK(count <= info.nparams);
    if (info.fd_param >= 0) CHECK(info.fd_param < info.nparams);
    if (info.in_classic) CHECK(info.nparams_classic <= info.nparams);
  }
}

TEST_CASE("every event that state.md names has a rule") {
  const Code kNamed[] = {
      kClone_20X, kClone3X, kFork_20X, kVfork_20X, kExecve_19X, kExecveatX, kProcexit_1E, kSetsidX, kChdirX, kFchdirX,
      kGetcwdX, kChrootX, kSetuidX, kSetreuidX, kSetresuidX, kSetgidX, kSetregidX, kSetresgidX, kCapsetX, kUnshareX,
      kSetnsX, kGetrlimitX, kSetrlimitX, kPrlimitX, kPrctlX, kSchedswitch_6E, kBrk_4X, kMmapX, kMmap2X, kMunmapX,
      kUserAddedE, kUserDeletedE, kGroupAddedE, kGroupDeletedE, kContainerJsonE, kContainerJson_2E, kOpenX, kCreatX,
      kOpenat_2X, kOpenat2X, kOpenByHandleAtX, kCloseX, kCloseRangeX, kDup_1X, kDup2X, kDup3X, kFcntlX, kPipeX, kPipe2X,
      kSocketX, kSocketpairX, kBindX, kConnectX, kAccept_5X, kAccept4_6X, kRecvfromX, kRecvmsgX, kRecvX, kRecvmmsgX,
      kSendX, kSendtoX, kSendmsgX, kSendmmsgX, kEventfdX, kEventfd2X, kSignalfdX, kSignalfd4X, kTimerfdCreateX,
      kInotifyInitX, kInotifyInit1X, kEpollCreateX, kEpollCreate1X, kBpf_2X, kUserfaultfdX, kIoUringSetupX,
      kMemfdCreateX, kPidfdOpenX, kPidfdGetfdX};
  for (const Code code : kNamed) {
    CAPTURE(info_of(code).ppme);
    CHECK(state::has_rule(code));
  }
}

TEST_CASE("current events that change the state and have no rule are these") {
  // Each with its reason: state.md says that libraries track nothing for them, or the enter event alone has the flag.
  const std::set<std::string> kWithout = {
      "PPME_SYSCALL_OPEN_E",      // what it says is kept for the exit
      "PPME_SYSCALL_CREAT_E",     // likewise
      "PPME_SYSCALL_OPENAT_2_E",  // likewise
      "PPME_SYSCALL_OPENAT2_E",   // likewise
      "PPME_SYSCALL_EXECVE_19_E", // likewise
      "PPME_SYSCALL_EXECVEAT_E",  // likewise
      "PPME_SYSCALL_SETPGID_X",   // not tracked (state.md §2)
      "PPME_SOCKET_SHUTDOWN_X",   // status of the connection only
      "PPME_SOCKET_GETSOCKOPT_X", // likewise
      "PPME_CPU_HOTPLUG_E",       // ends a live capture
      "PPME_SYSCALL_MOUNT_X",     // mounts are not tracked
      "PPME_SYSCALL_UMOUNT_1_X",  // likewise
      "PPME_SYSCALL_UMOUNT2_X",   // likewise
  };
  std::set<std::string> found;
  for (unsigned code = 0; code < kCodeCount; ++code) {
    const EventInfo& info = info_of(code);
    // Iterator events never leave the machine that they were made on.
    if (info.groups & kGroupIter) continue;
    if (info.is_current && info.has(kModifiesState) && !info.has(kUnused) && !state::has_rule(code)) found.insert(info.ppme);
  }
  for (const auto& name : found) {
    CAPTURE(name);
    CHECK(kWithout.contains(name));
  }
}
