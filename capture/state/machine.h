// SPDX-License-Identifier: Apache-2.0
// The machine as the capture describes it: threads, their fds, users, groups, containers, interfaces. Filled from the
// lists at the start of a section, then moved on by apply(), one event after the other; everyone else reads.
//
// Rules: spec/state.md. A handler is written once, against the current layout of its event; Event::current() finds the
// value in whichever event an older recorder put it.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/node_hash_map.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "capture/base/loss.h"
#include "capture/base/text.h"
#include "capture/event/event.h"
#include "capture/state/containers.h"
#include "capture/state/thread.h"

namespace scry::state {

struct MachineInfo {
  uint32_t cpus = 0;
  uint64_t memory_bytes = 0;
  uint64_t max_pid = 0;
  std::string hostname;
  Nanos boot_ts = 0;
};

struct Interface {
  bool v6 = false;
  IpAddress address, netmask, broadcast;
  uint64_t link_speed = 0;
  std::string name;
};

struct User {
  uint32_t uid = 0, gid = 0;
  std::string name, home, shell;
};

struct Group {
  uint32_t gid = 0;
  std::string name;
};

/// Who is who on the machine: changes rarely, so snapshots share it.
struct Registry : RefCounted {
  using Key = std::pair<std::string, uint32_t>;  ///< container id ("" is the host) and uid or gid
  MachineInfo info;
  std::vector<Interface> interfaces;
  absl::flat_hash_map<Key, User> users;
  absl::flat_hash_map<Key, Group> groups;
  Containers containers;
};

/// A thread in the table, with what is only bookkeeping: it can be derived or dies with the next events.
struct ThreadSlot {
  Tid tid = -1;                 ///< thread->tid
  Rc<Thread> thread;
  event::EnterEvent enter;      ///< the last enter event, until its exit
  Nanos last_enter_ts = 0;      ///< of the last enter event of any kind; 0: there was none
  Nanos latency = 0;            ///< exit minus last enter, 0 after an enter: what `-t d` shows
  uint32_t group_alive = 0;     ///< living threads of the group; kept in the leader's slot
  ThreadSlot* first_child = nullptr;  ///< by ptid
  ThreadSlot* next_sibling = nullptr;
  ThreadSlot* prev_sibling = nullptr;
  ThreadSlot* parent = nullptr;
  ThreadSlot* leader = nullptr;       ///< whose list of members this thread is in; null for leaders
  ThreadSlot* first_member = nullptr;
  ThreadSlot* next_member = nullptr;
  ThreadSlot* prev_member = nullptr;

  /// "comm (tid) ", made visible, as lines show it; kept by whoever prints. Good while `label_of` is the comm's id.
  mutable Text label;
  mutable const void* label_of = &label;

  const Thread& operator*() const { return *thread; }
  const Thread* operator->() const { return thread.get(); }
};

/// What apply() made of an event. Valid until the next call.
struct Applied {
  event::Event event;
  const Thread* thread = nullptr;    ///< null for events that belong to no thread
  const ThreadSlot* slot = nullptr;  ///< likewise
  FdNumber made_fd = -1;             ///< the last fd that the event gave a meaning, if any
  bool renamed = false;              ///< an fd that was there before has another name now
};

/// The last threads that ended: a child may be gone before its parent's side of the clone is told.
struct RecentExits {
  struct Exit {
    Tid tid = -1;
    Nanos ts = 0;
  };
  std::array<Exit, 256> ring{};
  size_t next = 0;
};

/// What switch events say about a processor.
struct CpuClock {
  Nanos last_switch = 0;  ///< 0: none yet
  Nanos ran = 0;          ///< how long that of the last switch had run
};

/// The machine at one moment. Shares with the machine, and with other snapshots, all that has not changed since.
/// Belongs to the thread that the machine belongs to (rc.h), and lives no longer than its machine's name pool.
class Snapshot {
 private:
  friend class Machine;
  struct Entry {
    Rc<Thread> thread;
    event::EnterEvent enter;
    Nanos last_enter_ts = 0, latency = 0;
  };
  Rc<Registry> registry;
  std::vector<Entry> threads;
  Tid doomed_tid = -1, reaper = 0;
  Pid doomed_pid = -1;
  FdNumber doomed_fd = -1;
  RecentExits exits;
  std::vector<CpuClock> cpus;
};

class Machine {
 public:
  static constexpr size_t kMaxThreads = 262144;
  static constexpr size_t kMaxUsers = 131072;

  explicit Machine(Losses& losses);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // --- the lists at the start of a section ---
  void reset();
  MachineInfo& info_for_change() { return registry_.mut().info; }
  const MachineInfo& info() const { return registry_->info; }
  std::vector<Interface>& interfaces_for_change() { return registry_.mut().interfaces; }
  const std::vector<Interface>& interfaces() const { return registry_->interfaces; }
  void add_user(std::string_view container, User user);
  void add_group(std::string_view container, Group group);
  void remove_user(std::string_view container, uint32_t uid);
  void remove_group(std::string_view container, uint32_t gid);
  /// A thread of the process list. Its texts should come from pool().
  void add_listed_thread(Thread thread);
  /// An fd of the fd list of thread `tid`; ignored unless `tid` is a known leader.
  void add_listed_fd(Tid tid, FdNumber number, Fd fd);
  /// After the lists, before the first event: roles of sockets, links between threads.
  void finish_lists();

  // --- events ---
  /// Moves the state on.
  void apply(const event::RawEvent& raw, Applied& out);
  /// Damage lies between the last event and the next: enter events waiting for their exit are forgotten,
  /// and who ran when.
  void gap() {
    ++epoch_;
    cpus_.clear();
  }

  /// As it is now; costs a pointer for each thread.
  Snapshot snapshot() const;
  /// As it was then. The snapshot stays good.
  void restore(const Snapshot& then);

  /// Carries out what the last event left for the moment after it (closed fds, ended threads); apply() does it too.
  void settle();

  // --- questions ---
  const ThreadSlot* find(Tid tid) const {
    const ThreadSlot* near = recent_[static_cast<size_t>(tid) % kRecent];
    if (near && near->tid == tid) return near;
    auto it = threads_.find(tid);
    return it == threads_.end() ? nullptr : it->second.get();
  }
  const Thread* thread(Tid tid) const {
    const auto* slot = find(tid);
    return slot ? slot->thread.get() : nullptr;
  }
  /// Whether the last enter event of a thread still waits for its exit.
  bool waits(const ThreadSlot& slot) const { return slot.enter.waiting && slot.enter.epoch == epoch_; }
  const Thread* leader_of(const Thread& thread) const;
  const Fd* fd(const Thread& thread, FdNumber number) const;
  const User* user(std::string_view container, uint32_t uid) const;
  const Group* group(std::string_view container, uint32_t gid) const;
  const Containers& containers() const { return registry_->containers; }
  /// Directory that relative paths of `thread` start from; ends in '/'.
  std::string_view cwd(const Thread& thread) const;
  bool is_local_address(const uint8_t* ip, bool v6) const;
  size_t thread_count() const { return threads_.size(); }
  size_t user_count() const { return registry_->users.size(); }
  size_t group_count() const { return registry_->groups.size(); }
  template <class Visit>
  void for_each_thread(Visit visit) const {
    for (const auto& [tid, slot] : threads_) visit(*slot->thread);
  }
  /// visit(const std::pair<container id, uid>&, const User&), in no order.
  template <class Visit>
  void for_each_user(Visit visit) const {
    for (const auto& [key, user] : registry_->users) visit(key, user);
  }
  template <class Visit>
  void for_each_group(Visit visit) const {
    for (const auto& [key, group] : registry_->groups) visit(key, group);
  }
  /// How long the thread that the last switch of `cpu` took off had run; 0 when that is not known.
  uint64_t ran_before_switch(unsigned cpu) const { return cpu < cpus_.size() ? cpus_[cpu].ran : 0; }
  /// Over contents only, the same for equal states however they came about.
  uint64_t hash() const;
  TextPool& pool() { return pool_; }

  // --- for the handlers (apply_*.cpp) ---
  ThreadSlot* slot(Tid tid) {
    ThreadSlot*& near = recent_[static_cast<size_t>(tid) % kRecent];
    if (near && near->tid == tid) return near;
    auto it = threads_.find(tid);
    return it == threads_.end() ? nullptr : near = it->second.get();
  }
  ThreadSlot* leader_slot(ThreadSlot& slot);
  /// Makes `thread` the one of its tid; null when the table is full.
  ThreadSlot* insert(Thread thread);
  /// For a tid of which nothing is known.
  ThreadSlot* insert_placeholder(Tid tid);
  void remove(ThreadSlot& slot, Tid reaper);
  void give_children_away(ThreadSlot& slot, Tid reaper);
  void remove_at_next_event(Tid tid, Tid reaper) { doomed_thread_ = {tid, reaper, true}; }
  /// Whether the child `tid` of `parent` exited so short a time before `now` that its clone is still to be told.
  bool exited_just_now(Tid tid, Nanos now) const;
  /// Another thread got `cpu`; returns how long the one before had it, 0 when that is not known.
  uint64_t switched(unsigned cpu, Nanos now);
  void close_at_next_event(Pid pid, FdNumber number) { doomed_fd_ = {pid, number, true}; }
  void set_parent(ThreadSlot& slot, Tid ptid);
  void mark_dead(ThreadSlot& slot, Nanos now);
  void revive(ThreadSlot& slot);
  void remove_members(ThreadSlot& leader);
  FdTable* fds_of(ThreadSlot& slot);
  Fd* fd_for_change(ThreadSlot& slot, FdNumber number);
  /// Puts `fd` under `number` in the table of the process of `slot`; returns it for further filling, or null.
  Fd* put_fd(ThreadSlot& slot, FdNumber number, Fd fd);
  void drop_fd(ThreadSlot& slot, FdNumber number);
  Text container_of(const Text& cgroups);
  Containers& containers_for_change() { return registry_.mut().containers; }
  Losses& losses() { return *losses_; }

 private:
  void link_all();
  void link(ThreadSlot& slot);
  void leave(ThreadSlot& slot);
  Tid new_parent_for_children(const ThreadSlot& slot, Tid reaper) const;
  void erase(ThreadSlot& slot);

  struct DoomedThread {
    Tid tid = -1;
    Tid reaper = 0;
    bool set = false;
  };
  struct DoomedFd {
    Pid pid = -1;
    FdNumber number = -1;
    bool set = false;
  };

  Losses* losses_;
  TextPool pool_;
  absl::flat_hash_map<Tid, std::unique_ptr<ThreadSlot>> threads_;
  Rc<Registry> registry_{new Registry};
  absl::flat_hash_map<const void*, std::pair<Text, Text>> container_ids_;  ///< by cgroups, which the value keeps alive
  static constexpr size_t kRecent = 256;
  std::array<ThreadSlot*, kRecent> recent_{};  ///< by tid: saves most searches
  uint32_t epoch_ = 0;               ///< gaps so far
  FdNumber made_fd_ = -1;            ///< by the event at hand
  FdNumber changed_fd_ = -1;         ///< likewise; not made but changed
  Text changed_fd_name_;             ///< its name before
  DoomedThread doomed_thread_;
  DoomedFd doomed_fd_;
  RecentExits exits_;
  std::vector<CpuClock> cpus_;
};

/// base and path joined and normalised as state.md §4 says; an absolute `path` stands alone.
std::string concat_path(std::string_view base, std::string_view path);

}  // namespace scry::state
