// SPDX-License-Identifier: Apache-2.0
// What is written is what was read: packers, lists made from the state, hidden marks, pieces.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "capture/capture_writer.h"
#include "capture/source/file_source.h"
#include "tests/support/builder.h"
#include "tests/support/memory_file.h"
#include "tests/support/pack.h"

using namespace scry;
using namespace scry::test;

namespace {

using scap::Packing;
constexpr Packing kAll[] = {Packing::kPlain, Packing::kGzip, Packing::kZstd, Packing::kLz4};

struct Folder {
  std::string path = (std::filesystem::temp_directory_path() / "scry-writer-XXXXXX").string();
  Folder() { REQUIRE(mkdtemp(path.data()) != nullptr); }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator/(const std::string& name) const { return path + "/" + name; }
};

std::string save(const Folder& folder, const std::string& name, const Bytes& bytes) {
  std::ofstream(folder / name, std::ios::binary) << bytes;
  return folder / name;
}

/// Everything of `input` that `matches`, through a writer with these rules. Gives the hash of the state at the end.
uint64_t write(const std::string& input, WriteRules rules, std::function<bool(const Moment&)> matches = {}) {
  Losses losses;
  auto source = source::FileSource::open(input, losses);
  REQUIRE(source);
  rules.inputs = {input};
  rules.filtered = matches != nullptr;
  auto writer = CaptureWriter::create(std::move(rules));
  REQUIRE(writer);
  state::Machine machine(losses);
  Pipeline pipeline(**source, machine, losses);
  (*writer)->listen(pipeline, machine);
  while (const Moment* moment = pipeline.next()) REQUIRE((*writer)->event(*moment, !matches || matches(*moment)));
  REQUIRE((*writer)->close());
  return machine.hash();
}

WriteRules to(const std::string& path, Packing packing = Packing::kPlain) {
  WriteRules rules;
  rules.path = path;
  rules.packing = packing;
  return rules;
}

struct Block {
  uint32_t id;
  Bytes bytes;
};
std::vector<Block> event_blocks(const Bytes& bytes) {
  std::vector<Block> out;
  for (size_t at = 0; at + 12 <= bytes.size();) {
    const auto* start = reinterpret_cast<const uint8_t*>(bytes.data()) + at;
    const auto id = load<uint32_t>(start), size = load<uint32_t>(start + 4);
    REQUIRE(size >= 12);
    if (scap::event_block(id).is_event) out.push_back({id, bytes.substr(at, size)});
    at += size;
  }
  return out;
}

}  // namespace

TEST_CASE("a copy has the bytes of what it is a copy of, in every packing") {
  Folder folder;
  const Bytes bytes = varied_capture().bytes();
  const std::string input = save(folder, "in", bytes);
  for (const Packing packing : kAll) {
    write(input, to(folder / "out", packing));
    CHECK(unpacked_file(folder / "out") == bytes);
    struct stat s = {};
    REQUIRE(stat((folder / "out").c_str(), &s) == 0);
    CHECK((s.st_mode & 0777) == 0600);
  }
}

TEST_CASE("more than a megabyte: several frames, each whole in itself") {
  Folder folder;
  Capture c = small_machine();
  for (int i = 0; i < 60000; ++i) c.event(event::kCloseE, 100, 1000 + static_cast<uint64_t>(i), {i64(i)});
  const Bytes bytes = c.bytes();
  const std::string input = save(folder, "in", bytes);
  for (const Packing packing : {Packing::kZstd, Packing::kLz4}) {
    write(input, to(folder / "out", packing));
    CHECK(unpacked_file(folder / "out") == bytes);
    std::ifstream file(folder / "out", std::ios::binary);
    const std::string packed{std::istreambuf_iterator<char>(file), {}};
    const std::string magic = packed.substr(0, 4);
    size_t frames = 0;
    for (size_t at = packed.find(magic); at != std::string::npos; at = packed.find(magic, at + 4)) {
      ++frames;
      save(folder, "tail", packed.substr(at));
      const std::string rest = unpacked_file(folder / "tail");
      CHECK(rest == bytes.substr(bytes.size() - rest.size()));
      CHECK(scap::is_known_block(load<uint32_t>(reinterpret_cast<const uint8_t*>(rest.data()))));
    }
    CHECK(frames >= bytes.size() >> 20);
  }
}

TEST_CASE("what a filter rejects is left out, or with -F hidden where the state follows from it") {
  Folder folder;
  Capture c = small_machine();
  c.event(event::kOpenE, 100, 1, {}, Layout::kV1).event(event::kOpenX, 100, 2, {i64(3), text("/f"), u32(1), u32(0)}, Layout::kV1);
  c.event(event::kOpenX, 100, 3, {i64(4), text("/g"), u32(1), u32(0)}).event(event::kCloseE, 100, 4, {i64(3)});
  c.event(event::kNanosleepE, 100, 5, {u64(1)});
  const std::string input = save(folder, "in", c.bytes());
  const auto only_close = [](const Moment& m) { return m.event.raw().code == event::kCloseE; };
  write(input, to(folder / "thin"), only_close);
  const auto thin = event_blocks(unpacked_file(folder / "thin"));
  REQUIRE(thin.size() == 1);
  CHECK(thin[0].id == scap::kEvent2);
  WriteRules fat = to(folder / "fat");
  fat.fat = true;
  const uint64_t before = write(input, std::move(fat), only_close);
  const auto blocks = event_blocks(unpacked_file(folder / "fat"));
  REQUIRE(blocks.size() == 4);
  CHECK(blocks[0].id == scap::kFlagged1);
  CHECK(blocks[1].id == scap::kFlagged1);
  CHECK(blocks[2].id == scap::kFlagged2);
  CHECK(blocks[3].id == scap::kEvent2);
  Capture hidden;
  hidden.flagged_event(event::kFlagStateOnly, event::kOpenX, 100, 3, {i64(4), text("/g"), u32(1), u32(0)});
  CHECK(blocks[2].bytes == hidden.at(0));
  (void)before;
}

TEST_CASE("a piece from the middle knows the machine") {
  Folder folder;
  Capture c = small_machine();
  c.event(event::kContainerJson_2E, -1, 1, {text(R"({"container":{"id":"abc","name":"n","image":"i","type":0}})")});
  for (int i = 0; i < 10; ++i)
    c.event(event::kOpenX, 100, 10 + static_cast<uint64_t>(i), {i64(20 + i), text("/f"), u32(1), u32(0)});
  WriteRules rules = to(folder / "X");
  rules.events = 4;
  write(save(folder, "in", c.bytes()), std::move(rules));
  // The first piece has one less: the event that fills it begins the next, as in sysdig's.
  size_t counts[] = {3 + 1, 4 + 1, 3 + 1};
  for (int piece = 0; piece < 3; ++piece) {
    const std::string path = folder / ("X" + std::to_string(piece));
    CHECK(event_blocks(unpacked_file(path)).size() == counts[piece]);
    Losses losses;
    auto source = source::FileSource::open(path, losses);
    REQUIRE(source);
    state::Machine machine(losses);
    Pipeline pipeline(**source, machine, losses);
    while (pipeline.next()) {}
    CHECK_FALSE(losses.any());
    CHECK(machine.thread_count() == 3);
    CHECK(machine.containers().find("abc") != nullptr);
    REQUIRE(machine.thread(100) != nullptr);
    CHECK(machine.fd(*machine.thread(100), 5)->name.view() == "/etc/passwd");
    CHECK(machine.fd(*machine.thread(100), 20)->name.view() == "/f");
  }
}

TEST_CASE("files that are not written to") {
  Folder folder;
  const std::string input = save(folder, "in", varied_capture().bytes());
  REQUIRE(symlink(input.c_str(), (folder / "link").c_str()) == 0);
  for (const std::string& path : {folder / "link", folder.path, folder / "no/file", input}) {
    WriteRules rules = to(path);
    rules.inputs = {input};
    CHECK_FALSE(CaptureWriter::create(std::move(rules)));
  }
  save(folder, "old", "precious");
  { auto writer = CaptureWriter::create(to(folder / "old")); }  // nothing was read
  std::ifstream file(folder / "old");
  CHECK(std::string{std::istreambuf_iterator<char>(file), {}} == "precious");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 3);
}
