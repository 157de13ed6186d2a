// SPDX-License-Identifier: Apache-2.0
// The event table: one row for every event code that a scap file can hold. The rows are made at build time by
// generate.py from data/*.tsv; nothing else in the program lists events, parameters or value names.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "event_codes.gen.h"

namespace scry::event {

/// Parameter types with the ids of data/types.tsv (the order is the schema's).
enum class Type : uint8_t {
  kNone, kInt8, kInt16, kInt32, kInt64, kUint8, kUint16, kUint32, kUint64, kCharbuf, kBytebuf, kErrno, kSockaddr,
  kSocktuple, kFd, kPid, kFdlist, kFspath, kSyscallid, kSigtype, kReltime, kAbstime, kPort, kL4proto, kSockfamily,
  kBool, kIpv4addr, kDyn, kFlags8, kFlags16, kFlags32, kUid, kGid, kDouble, kSigset, kCharbufarray,
  kCharbufPairArray, kIpv4net, kIpv6addr, kIpv6net, kIpaddr, kIpnet, kMode, kFsrelpath, kEnumflags8, kEnumflags16,
  kEnumflags32, kFd32, kPid32, kCount
};

/// How a number is written. Order as in generate.py.
enum class Format : uint8_t { kNa, kDec, kHex, kPaddedDec, kId, kDir, kOct };

/// What an event is about; one per event.
enum class Category : uint8_t {
  kUnknown, kOther, kFile, kNet, kIpc, kMemory, kProcess, kSleep, kSystem, kSignal, kUser, kTime, kIoRead, kIoWrite,
  kIoOther, kWait, kScheduler, kInternal
};
std::string_view name_of(Category category);

/// Where an event comes from; bits of EventInfo::groups.
enum : uint8_t { kGroupSyscall = 1, kGroupTracepoint = 2, kGroupMetaevent = 4, kGroupPlugin = 8, kGroupIter = 16 };

/// Event flags with the names of the schema; bits of EventInfo::flags.
enum : uint16_t {
  kCreatesFd = 1, kDestroysFd = 2, kUsesFd = 4, kReadsFromFd = 8, kWritesToFd = 16, kModifiesState = 32,
  kUnused = 64, kWaits = 128, kSkipparsereset = 256, kOldVersion = 512, kLargePayload = 1024,
  kConverterManaged = 2048, kDropSimpleCons = 4096
};

struct ValueName {
  const char* name;
  uint8_t name_len;
  uint32_t value;
  uint8_t classic;  ///< 1 if sysdig 0.29.3 has it too
  std::string_view text() const { return {name, name_len}; }
};

struct ValueTable {
  const char* name;
  const ValueName* values;  ///< in the order in which flags are matched
  int count;
  std::span<const ValueName> rows() const { return {values, static_cast<size_t>(count)}; }
};

/// How one parameter is named and written.
struct ParamStyle {
  char label[24];  ///< name with a trailing '='; padded, so that it can be copied whole
  uint8_t label_len;
  uint8_t type_id;
  uint8_t format_id;
  int8_t values;  ///< index into value_tables, or -1
  int8_t dyn;     ///< index into dyn_tables, or -1
  int8_t dirfd;   ///< for relative paths: number of the parameter that holds the directory's fd, or -1
  Type type() const { return static_cast<Type>(type_id); }
  Format format() const { return static_cast<Format>(format_id); }
  std::string_view label_text() const { return {label, label_len}; }
  std::string_view name() const { return {label, static_cast<size_t>(label_len ? label_len - 1 : 0)}; }
};

/// A parameter as current libraries know it, and as sysdig 0.29.3 did (type kNone: it did not).
struct ParamInfo {
  ParamStyle current;
  ParamStyle classic;
  uint8_t folded;  ///< 1: repeats a parameter of the enter event; 2: exists since enter events were folded away
};

/// One row, one cache line: every event looks at its row.
struct alignas(64) EventInfo {
  const char* name_text;  ///< evt.type
  const char* ppme;
  uint8_t name_len;
  Category category;
  uint8_t groups;
  uint16_t flags;
  uint8_t nparams;
  uint8_t nparams_classic;
  uint8_t is_current;   ///< still written by current recorders
  uint8_t in_classic;   ///< known to sysdig 0.29.3
  int8_t fd_param;      ///< which parameter names the fd the event works on, or -1
  uint16_t history_at;  ///< into param_count_history
  uint8_t history_count;
  uint16_t shapes_at;   ///< into fold_shapes: one row per parameter count 0..nparams
  uint8_t first_sizes[8];  ///< the first eight of `sizes`; parameters that there are not count as of any length
  const ParamInfo* params;
  const uint8_t* sizes;    ///< wire size of each parameter; 0: any length

  std::string_view name() const { return {name_text, name_len}; }
  bool has(uint16_t flag) const { return (flags & flag) != 0; }
};

/// Where a parameter of the current layout comes from, for an event of an older layout.
enum class FoldFrom : uint8_t { kOwn, kEnterOrEmpty, kEnterOrDefault, kEmpty, kDefault, kOwnDynamic };
struct FoldSource {
  uint8_t from_id;
  uint8_t index;
  FoldFrom from() const { return static_cast<FoldFrom>(from_id); }
};

/// What becomes of an event in the view of current libraries (spec/scap-format.md §13).
enum class FoldAction : uint8_t { kPass, kDrop, kStore, kStoreAndPass };
struct FoldShape {
  uint16_t code;  ///< the current event that this one means
  uint8_t action_id;
  uint8_t count;  ///< parameters of the current layout that can be answered
  uint16_t sources_at;
  FoldAction action() const { return static_cast<FoldAction>(action_id); }
};

struct DynTable {
  uint8_t count;
  ParamStyle choices[5];
};

extern const EventInfo event_infos[kCodeCount];
extern const FoldSource* const fold_sources;
extern const FoldShape* const fold_shapes;
extern const uint8_t* const param_count_history;
extern const ValueTable value_tables[];
extern const int value_table_count;
extern const int errno_table;
extern const int signal_table;
extern const DynTable dyn_tables[];
extern const uint8_t type_sizes[];
extern const std::string_view syscall_names[];
/// What sysdig 0.29.3 calls them (data/classic_names.tsv has those that differ, read off its output).
extern const std::string_view classic_syscall_names[];
extern const std::string_view classic_event_names[kCodeCount];
extern const unsigned syscall_count;

inline bool is_known(unsigned code) { return code < kCodeCount; }
/// `code` must be known.
inline const EventInfo& info_of(unsigned code) { return event_infos[code]; }
inline bool is_enter(unsigned code) { return (code & 1) == 0; }

/// The shape of an event with `nparams` parameters; counts beyond the table's are those of the newest layout.
inline const FoldShape& shape_of(const EventInfo& info, unsigned nparams) {
  return fold_shapes[info.shapes_at + (nparams < info.nparams ? nparams : info.nparams)];
}

/// The parameter counts that events of this code had over time, largest first.
inline std::span<const uint8_t> count_history(const EventInfo& info) {
  return {param_count_history + info.history_at, info.history_count};
}

/// "ENOENT" for 2; empty when unknown.
std::string_view errno_name(int64_t number);
/// The system call of that number on x86-64; empty when unknown.
std::string_view native_call_name(unsigned number);
/// "SIGIO" for 29; empty when unknown.
std::string_view signal_name(unsigned number);

}  // namespace scry::event
