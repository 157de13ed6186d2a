// SPDX-License-Identifier: Apache-2.0
#include "capture/scap/out_file.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace scry::scap {
namespace {

std::string random_suffix() {
  constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyz234567";
  unsigned char bytes[8] = {};
  if (::getrandom(bytes, sizeof bytes, 0) < 0) bytes[0] = static_cast<unsigned char>(::getpid());  // O_EXCL guards
  std::string out;
  for (const unsigned char b : bytes) out += kLetters[b % 32];
  return out;
}

std::string why(int number) { return std::strerror(number); }

}  // namespace

Result<OutFile> OutFile::create(const std::string& path, const std::vector<std::string>& inputs) {
  OutFile file;
  file.path_ = path;
  if (path == "-") {
    if (::isatty(STDOUT_FILENO)) return fail("standard output", "a capture is not for the terminal; send it to a file or a pipe");
    file.fd_ = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (file.fd_ < 0) return fail("standard output", "can't write: " + why(errno));
    return file;
  }
  struct stat there = {};
  const bool exists = ::lstat(path.c_str(), &there) == 0;
  if (exists) {
    if (S_ISLNK(there.st_mode)) return fail(path, "is a symbolic link, which is not written through; name the file itself");
    if (S_ISDIR(there.st_mode)) return fail(path, "is a directory; name a file to write to");
    for (const std::string& input : inputs) {
      struct stat in = {};
      const int got = input == "-" ? ::fstat(STDIN_FILENO, &in) : ::stat(input.c_str(), &in);
      if (got == 0 && in.st_dev == there.st_dev && in.st_ino == there.st_ino && S_ISREG(in.st_mode))
        return fail(path, "is the capture that is being read; write to another file");
    }
    if (S_ISFIFO(there.st_mode) || S_ISCHR(there.st_mode)) {
      file.fd_ = ::open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
      if (file.fd_ < 0) return fail(path, "can't write: " + why(errno));
      return file;
    }
    if (!S_ISREG(there.st_mode)) return fail(path, "is neither a file nor a pipe");
  }
  for (int tries = 0; tries < 16 && file.fd_ < 0; ++tries) {
    file.temporary_ = path + "." + random_suffix();
    file.fd_ = ::open(file.temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file.fd_ < 0 && errno != EEXIST) break;
  }
  if (file.fd_ < 0) {
    const int number = errno;
    file.temporary_.clear();
    return fail(path, "can't create the file: " + why(number));
  }
  return file;
}

OutFile::OutFile(OutFile&& other) noexcept
    : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, {})), fd_(std::exchange(other.fd_, -1)) {}

OutFile::~OutFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

int OutFile::take_fd() { return std::exchange(fd_, -1); }

Result<void> OutFile::publish() {
  if (temporary_.empty()) return {};
  // A link put there in the meantime is replaced, not followed.
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return fail(path_, "can't create the file: " + why(errno));
  temporary_.clear();
  return {};
}

}  // namespace scry::scap
