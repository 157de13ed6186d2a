// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/watch.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>

#include "capture/base/check.h"

#if defined(__SANITIZE_ADDRESS__)
#define SCRY_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SCRY_ASAN 1
#endif
#endif
#ifdef SCRY_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

namespace scry::test {
namespace {

int g_stderr = STDERR_FILENO;
volatile uint64_t g_number = 0;
unsigned g_hang_seconds = 0;

void blame(const char* why) {
  char text[160];
  const int size = std::snprintf(text, sizeof text, "FAILED: mutant %llu: %s (repeat with --only %llu)\n",
                                 static_cast<unsigned long long>(g_number), why, static_cast<unsigned long long>(g_number));
  [[maybe_unused]] const auto wrote = ::write(g_stderr, text, static_cast<size_t>(size));
}

void on_signal(int number) {
  blame(number == SIGALRM ? "hangs" : number == SIGABRT ? "aborts" : "crashes");
  _exit(1);
}

}  // namespace

void start_watch(unsigned hang_seconds) {
  g_stderr = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  g_hang_seconds = hang_seconds;
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  CHECK(nowhere >= 0 && g_stderr >= 0, "no /dev/null");
  ::dup2(nowhere, STDOUT_FILENO);
  ::dup2(nowhere, STDERR_FILENO);
  ::close(nowhere);
  for (int number : {SIGALRM, SIGABRT}) signal(number, on_signal);
#ifdef SCRY_ASAN
  __sanitizer_set_report_fd(reinterpret_cast<void*>(static_cast<intptr_t>(g_stderr)));
  __sanitizer_set_death_callback([] { blame("a sanitizer report, see above"); });
#else
  for (int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) signal(number, on_signal);
#endif
}

void watching(uint64_t number) {
  g_number = number;
  ::alarm(g_hang_seconds);
}

void say(const std::string& text) {
  [[maybe_unused]] const auto wrote = ::write(g_stderr, text.data(), text.size());
}

}  // namespace scry::test
