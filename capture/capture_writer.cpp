// SPDX-License-Identifier: Apache-2.0
#include "capture/capture_writer.h"

#include <unistd.h>

#include <ctime>

#include "capture/base/bytes.h"
#include "capture/scap/out_file.h"

#include <utility>

namespace scry {
namespace {

using namespace scap;

constexpr uint64_t kNanosPerSecond = 1'000'000'000;

bool is_users(uint32_t id) { return id == kUsers1 || id == kUsers2; }

bool is_processes(uint32_t id) {
  return id == kProcesses1 || id == kProcesses2 || id == kProcesses3 || (id >= kProcesses4 && id <= kProcesses9);
}

/// What sysdig counts for -C: the blocks as it would have written them, in the steps in which they reach its file.
class SizeModel {
 public:
  void reset() { bytes_ = 0; }
  void add(uint64_t bytes) { bytes_ += bytes; }
  void add_event(const event::RawEvent& raw, bool flagged) {
    const auto kind = event_block(load<uint32_t>(raw.block));
    uint64_t size = raw.used + (kind.v2 ? 0 : 4) + (flagged && !kind.flagged ? 4 : 0);
    bytes_ += (size + 3) / 4 * 4 + kBlockTrailer;
  }
  /// Its container texts always name these.
  void add_container(const state::Container& c) {
    for (const std::string_view key : {R"("cpuset_cpu_count":0,)", R"("created_time":0,)", R"("full_id":"",)", R"("lookup_state":1,)"})
      if (c.json.find(key.substr(0, key.find(':'))) == std::string::npos) bytes_ += key.size();
    bytes_ = (bytes_ + 3) / 4 * 4;
  }
  uint64_t in_file() const { return bytes_ ? (bytes_ - 1) / kBuffer * kBuffer : 0; }

 private:
  static constexpr uint64_t kBuffer = 8192;
  uint64_t bytes_ = 0;
};

}  // namespace

// --- Rotation ---

Rotation::Why Rotation::why(uint64_t count, Nanos ts, uint64_t size) const {
  if (rules_->events && count % rules_->events == 0) return Why::kEvents;
  if (rules_->megabytes && size > rules_->megabytes * 1'000'000) return Why::kSize;
  const auto second = static_cast<int64_t>(ts / kNanosPerSecond);
  if (rules_->seconds && since_ && second - *since_ >= static_cast<int64_t>(rules_->seconds)) return Why::kTime;
  return Why::kNot;
}

bool Rotation::due(Nanos ts, uint64_t size) {
  const Why found = why(++count_, ts, size);
  if (!since_ || found == Why::kTime) since_ = static_cast<int64_t>(ts / kNanosPerSecond);
  return found != Why::kNot;
}

std::string Rotation::next_name(Nanos ts) {
  const std::string& path = rules_->path;
  if (!rules_->in_pieces()) return path;
  const uint64_t piece = pieces_++;
  const std::string index = std::to_string(rules_->keep ? piece % rules_->keep : piece);
  const bool by_time = rules_->seconds && path.find('%') != std::string::npos;
  // The time of the first event is not known yet: what sysdig calls this piece, it is called here.
  if (by_time && piece == 0) return "first_dump.scap";
  if (rules_->events) return path + index;
  std::string padded = index;
  if (rules_->keep) {
    const size_t width = std::to_string(rules_->keep).size();
    padded.insert(0, width - std::min(width, padded.size()), '0');
  }
  if (!rules_->seconds) return path + padded;
  std::string name = path + index;
  if (by_time) {
    const auto second = static_cast<time_t>(ts / kNanosPerSecond);
    struct tm local = {};
    localtime_r(&second, &local);
    std::string text(path.size() + 4096, '\0');
    text.resize(strftime(text.data(), text.size(), path.c_str(), &local));
    name = text.empty() ? path + index : text;
    if (!rules_->megabytes) by_time_.push_back(name);
  }
  return rules_->megabytes ? name + padded : name;
}

std::string Rotation::outdated() {
  if (rules_->keep == 0 || by_time_.size() <= rules_->keep) return {};
  std::string oldest = std::move(by_time_.front());
  by_time_.pop_front();
  for (const std::string& name : by_time_)
    if (name == oldest) return {};  // the clock came round to this name again
  return oldest;
}

// --- CaptureWriter ---

namespace {

/// Events that -F keeps. setpgid changes nothing that current libraries track, but sysdig keeps it.
bool carries_state(unsigned code) {
  return event::info_of(code).has(event::kModifiesState) || code == event::kSetpgidE || code == event::kSetpgidX;
}

}  // namespace

struct CaptureWriter::Piece {
  Piece(OutFile out, std::string name, Packing packing) : file(std::move(out)), packer(file.take_fd(), std::move(name), packing) {}
  OutFile file;
  Packer packer;
  bool published = false;
  SizeModel size;
};

CaptureWriter::CaptureWriter(WriteRules rules)
    : rules_(std::move(rules)),
      rotation_(rules_),
      exact_(!rules_.in_pieces() && !rules_.fat && !rules_.filtered && !rules_.keep_thread) {}

CaptureWriter::~CaptureWriter() = default;

Result<std::unique_ptr<CaptureWriter>> CaptureWriter::create(WriteRules rules) {
  std::unique_ptr<CaptureWriter> writer(new CaptureWriter(std::move(rules)));
  if (auto opened = writer->open(0); !opened) return tl::unexpected<Error>(opened.error());
  return writer;
}

Result<void> CaptureWriter::open(Nanos ts) {
  const std::string name = rotation_.next_name(ts);
  auto file = OutFile::create(name, rules_.inputs);
  if (!file) return tl::unexpected<Error>(file.error());
  piece_ = std::make_unique<Piece>(std::move(*file), name == "-" ? "standard output" : name, rules_.packing);
  return {};
}

void CaptureWriter::listen(Pipeline& pipeline, state::Machine& machine) {
  machine_ = &machine;
  pipeline.on_block = [this](const Block& block) { list(block); };
  pipeline.before_event = [this](const event::RawEvent& raw) { before(raw); };
}

void CaptureWriter::put(const uint8_t* bytes, size_t size) {
  if (error_) return;
  if (!piece_->packer.put(bytes, size)) error_ = piece_->packer.error();
}

void CaptureWriter::begin_section() {
  if (std::exchange(any_section_, true)) return;
  // The input's own was damaged: a capture begins with one all the same.
  scratch_.clear();
  state::append_section(scratch_);
  put(scratch_);
}

void CaptureWriter::list(const Block& block) {
  if (block.id == kSection) {
    events_begun_ = false;
    tail_ = state::ProcessTail::kFull;
    any_section_ = any_section_ || !rules_.keep_thread;
  } else if (!rules_.keep_thread) {
    begin_section();
  }
  any_input_ = true;
  if (is_processes(block.id)) note_tail(block);
  if (!rules_.users && is_users(block.id)) return;
  if (rules_.keep_thread) return;  // written from the state, once all is known
  if (block.id == kSection && block.body_size() > kSectionBody) {
    // sysdig 0.29.3 can't read on after options here.
    scratch_.assign(reinterpret_cast<const char*>(block.start), kBlockHeader + kSectionBody);
    const uint32_t size = kSmallestBlock + kSectionBody;
    std::memcpy(scratch_.data() + 4, &size, sizeof size);
    scratch_.append(reinterpret_cast<const char*>(&size), sizeof size);
    return put(scratch_);
  }
  put(block.start, block.size);
}

/// How much the recorder knew of processes: later pieces say as much, so that who could read the first can read them.
void CaptureWriter::note_tail(const Block& block) {
  tail_ = state::ProcessTail::kClassic;
  if (block.id != kProcesses9) return;
  ByteReader all(block.body(), block.body_size());
  const auto length = all.get<uint32_t>();
  if (length < 4 || length - 4 > all.left()) return;
  ByteReader r(all.position(), length - 4);
  r.skip(5 * 8);
  for (int i = 0; i < 5; ++i) r.str16();
  r.skip(8 + 6 * 4 + 2 * 8);
  r.str16();
  r.skip(2 * 8);
  r.str16();
  r.str16();
  constexpr size_t kClassicTail = 5, kCapsTail = 29;
  if (r.left() > kClassicTail) tail_ = r.left() > kCapsTail ? state::ProcessTail::kFull : state::ProcessTail::kCaps;
}

uint64_t CaptureWriter::piece_size() const {
  return rules_.packing == Packing::kPlain ? piece_->size.in_file() : piece_->packer.written();
}

void CaptureWriter::count_tables(Nanos ts) {
  if (!rules_.megabytes || rules_.packing != Packing::kPlain) return;
  scratch_.clear();
  state::append_lists(scratch_, *machine_, {state::ProcessTail::kClassic, rules_.users, rules_.keep_thread, true});
  state::append_containers(scratch_, *machine_, ts);
  piece_->size.add(scratch_.size());
  for (const auto& [id, container] : machine_->containers().all()) piece_->size.add_container(container);
}

/// What stands before the first event, other than the lists as they came.
void CaptureWriter::begin_events(const event::RawEvent& raw) {
  events_begun_ = true;
  if (!rules_.keep_thread) begin_section();
  if (exact_) return publish();
  scratch_.clear();
  if (rules_.keep_thread) state::append_lists(scratch_, *machine_, {tail_, rules_.users, rules_.keep_thread});
  state::append_containers(scratch_, *machine_, raw.ts);
  put(scratch_);
  count_tables(raw.ts);
  publish();
}

void CaptureWriter::publish() {
  if (piece_->published || error_) return;
  piece_->published = true;
  if (!piece_->packer.flush()) error_ = piece_->packer.error();
  else if (auto named = piece_->file.publish(); !named) error_ = named.error();
}

void CaptureWriter::next_piece(Nanos ts) {
  if (error_) return;
  if (auto closed = piece_->packer.close(); !closed) {
    error_ = closed.error();
    return;
  }
  if (auto opened = open(ts); !opened) {
    error_ = opened.error();
    return;
  }
  scratch_.clear();
  state::append_lists(scratch_, *machine_, {tail_, rules_.users, rules_.keep_thread});
  if (rules_.users) state::append_container_users(scratch_, *machine_, ts);
  state::append_containers(scratch_, *machine_, ts);
  put(scratch_);
  publish();
  if (const std::string old = rotation_.outdated(); !old.empty()) ::unlink(old.c_str());
}

/// Where every event is written, a piece can begin with the state from before its first event. With a filter nobody
/// knows yet whether this event will be in it; then the state has seen it already, as it has in sysdig's pieces.
void CaptureWriter::before(const event::RawEvent& raw) {
  if (!events_begun_) [[unlikely]] {
    if (!exact_ && state::is_container_event(raw.code)) return;  // leads the section
    begin_events(raw);
  }
  if (!rules_.in_pieces() || rules_.filtered || raw.num == 0) return;
  fresh_piece_ = rotation_.due(raw.ts, piece_size());
  if (!fresh_piece_) return;
  machine_->settle();
  next_piece(raw.ts);
}

bool CaptureWriter::event(const Moment& moment, bool matches) {
  const event::RawEvent& raw = moment.event.raw();
  const uint16_t code = raw.code;
  if (error_) return false;
  if (exact_) {
    put_event(raw, false);
    return !error_;
  }
  if (!events_begun_) return true;  // a leading container event: written with the others once all are known
  const bool hidden_already = (raw.flags & event::kFlagStateOnly) != 0;
  bool hidden = false;
  if (!matches && !hidden_already && !moment.internal && !state::is_container_event(code) && raw.num != 0) {
    if (!rules_.fat || !carries_state(code)) return true;
    hidden = true;
  }
  if (rules_.in_pieces() && raw.num != 0) {
    if (rules_.filtered && rotation_.due(raw.ts, piece_size())) {
      next_piece(raw.ts);
      fresh_piece_ = true;
    }
    if (fresh_piece_) count_tables(raw.ts);  // sysdig's tables know the first event already
    fresh_piece_ = false;
  }
  put_event(raw, hidden);
  return !error_;
}

bool CaptureWriter::unknown_event(const Block& block) {
  if (exact_) put(block.start, block.size);
  return !error_;
}

void CaptureWriter::put_event(const event::RawEvent& raw, bool hidden) {
  if (error_) return;
  piece_->size.add_event(raw, hidden);
  const auto id = load<uint32_t>(raw.block);
  if (!hidden || event_block(id).flagged) return put(raw.block, raw.block_size);
  const uint32_t flagged = id == kEventLarge ? kFlaggedLarge : id == kEvent2 ? kFlagged2 : kFlagged1;
  const uint32_t size = raw.block_size + 4, flags = event::kFlagStateOnly;
  auto word = [&](uint32_t value) { scratch_.append(reinterpret_cast<const char*>(&value), sizeof value); };
  constexpr uint32_t kCpuEnd = kBlockHeader + 2;
  scratch_.clear();
  word(flagged);
  word(size);
  scratch_.append(reinterpret_cast<const char*>(raw.block) + kBlockHeader, 2);
  word(flags);
  scratch_.append(reinterpret_cast<const char*>(raw.block) + kCpuEnd, raw.block_size - kCpuEnd - kBlockTrailer);
  word(size);
  put(scratch_);
}

Result<void> CaptureWriter::close() {
  // Without a single event the lists are all there is; without those, a file of this name is left alone.
  if (!error_ && !events_begun_ && any_input_) begin_events({});
  auto closed = piece_->packer.close();
  if (!closed && !error_) error_ = closed.error();
  if (error_) return tl::unexpected<Error>(*error_);
  return {};
}

}  // namespace scry
