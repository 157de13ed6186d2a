// SPDX-License-Identifier: Apache-2.0
// The tables of the machine and how their entries hang together. What events do to them is in apply*.cpp.
#include "capture/state/machine.h"

#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <cstring>
#include <tuple>

namespace scry::state {

Machine::Machine(Losses& losses) : losses_(&losses) {}
Machine::~Machine() = default;

void Machine::reset() {
  threads_.clear();
  registry_ = Rc<Registry>(new Registry);
  recent_.fill(nullptr);
  doomed_thread_ = {};
  doomed_fd_ = {};
  exits_ = {};
  cpus_.clear();
}

// --- users and groups ---

void Machine::add_user(std::string_view container, User user) {
  if (user_count() >= kMaxUsers) return losses_->add(LossKind::kTableFull, 0, 0, "more users than the table holds");
  registry_.mut().users.insert_or_assign({std::string(container), user.uid}, std::move(user));
}

void Machine::add_group(std::string_view container, Group group) {
  if (group_count() >= kMaxUsers) return losses_->add(LossKind::kTableFull, 0, 0, "more groups than the table holds");
  registry_.mut().groups.insert_or_assign({std::string(container), group.gid}, std::move(group));
}

void Machine::remove_user(std::string_view container, uint32_t uid) {
  registry_.mut().users.erase({std::string(container), uid});
}
void Machine::remove_group(std::string_view container, uint32_t gid) {
  registry_.mut().groups.erase({std::string(container), gid});
}

namespace {
/// An entry of the thread's container, else of the host.
template <class Map>
auto find_owner(const Map& map, std::string_view container, uint32_t id) -> const typename Map::mapped_type* {
  if (!container.empty())
    if (auto it = map.find({std::string(container), id}); it != map.end()) return &it->second;
  auto it = map.find({std::string(), id});
  return it == map.end() ? nullptr : &it->second;
}
}  // namespace

const User* Machine::user(std::string_view container, uint32_t uid) const { return find_owner(registry_->users, container, uid); }
const Group* Machine::group(std::string_view container, uint32_t gid) const {
  return find_owner(registry_->groups, container, gid);
}

// --- threads ---

ThreadSlot* Machine::leader_slot(ThreadSlot& slot) {
  if (slot->is_leader()) return &slot;
  if (slot.leader) return slot.leader;
  if (slot->pid < 0) return nullptr;
  auto it = threads_.find(slot->pid);
  return it == threads_.end() ? nullptr : it->second.get();
}

const Thread* Machine::leader_of(const Thread& thread) const {
  if (thread.is_leader()) return &thread;
  return thread.pid < 0 ? nullptr : this->thread(thread.pid);
}

std::string_view Machine::cwd(const Thread& thread) const {
  const Thread* leader = leader_of(thread);
  return leader ? leader->cwd.view() : std::string_view();
}

ThreadSlot* Machine::insert(Thread thread) {
  auto it = threads_.find(thread.tid);
  if (it != threads_.end()) {
    ThreadSlot& slot = *it->second;  // keeps its children and members
    leave(slot);
    slot.enter.forget();
    slot.label_of = &slot.label;
    slot.thread = Rc<Thread>(new Thread(std::move(thread)));
    link(slot);
    return &slot;
  }
  if (threads_.size() >= kMaxThreads) {
    losses_->add(LossKind::kTableFull, 0, 0, "more threads than the table holds");
    return nullptr;
  }
  auto slot = std::make_unique<ThreadSlot>();
  ThreadSlot* out = slot.get();
  const Tid tid = out->tid = thread.tid;
  slot->thread = Rc<Thread>(new Thread(std::move(thread)));
  threads_.emplace(tid, std::move(slot));
  link(*out);
  return out;
}

ThreadSlot* Machine::insert_placeholder(Tid tid) {
  Thread thread;
  thread.tid = thread.pid = tid;
  thread.bits = Thread::kPlaceholder;
  thread.comm = thread.exe = pool_.intern("<NA>");
  return insert(std::move(thread));
}

/// Hangs a thread under its parent and its leader, where these are known.
void Machine::link(ThreadSlot& slot) {
  if (slot->is_leader()) {
    slot.group_alive = slot->has(Thread::kDead) ? 0 : 1;
    for (const ThreadSlot* m = slot.first_member; m; m = m->next_member) ++slot.group_alive;
  } else if (slot->pid >= 0) {
    if (auto it = threads_.find(slot->pid); it != threads_.end() && it->second.get() != &slot) {
      ThreadSlot& leader = *it->second;
      slot.leader = &leader;
      slot.prev_member = nullptr;
      slot.next_member = leader.first_member;
      if (leader.first_member) leader.first_member->prev_member = &slot;
      leader.first_member = &slot;
      ++leader.group_alive;
    }
  }
  set_parent(slot, slot->ptid);
}

void Machine::set_parent(ThreadSlot& slot, Tid ptid) {
  if (slot.parent) {
    (slot.prev_sibling ? slot.prev_sibling->next_sibling : slot.parent->first_child) = slot.next_sibling;
    if (slot.next_sibling) slot.next_sibling->prev_sibling = slot.prev_sibling;
    slot.parent = slot.next_sibling = slot.prev_sibling = nullptr;
  }
  if (slot->ptid != ptid) slot.thread.mut().ptid = ptid;
  auto it = threads_.find(ptid);
  if (ptid <= 0 || it == threads_.end() || it->second.get() == &slot) return;
  ThreadSlot& parent = *it->second;
  slot.parent = &parent;
  slot.next_sibling = parent.first_child;
  if (parent.first_child) parent.first_child->prev_sibling = &slot;
  parent.first_child = &slot;
}

/// Takes a thread out of its parent's and its leader's lists.
void Machine::leave(ThreadSlot& slot) {
  set_parent(slot, 0);
  if (slot.leader) {
    (slot.prev_member ? slot.prev_member->next_member : slot.leader->first_member) = slot.next_member;
    if (slot.next_member) slot.next_member->prev_member = slot.prev_member;
    if (!slot->has(Thread::kDead) && slot.leader->group_alive > 0) --slot.leader->group_alive;
    slot.leader = slot.next_member = slot.prev_member = nullptr;
  }
}

void Machine::erase(ThreadSlot& slot) {
  if (ThreadSlot*& near = recent_[static_cast<size_t>(slot->tid) % kRecent]; near == &slot) near = nullptr;
  leave(slot);
  while (slot.first_child) {
    ThreadSlot* child = slot.first_child;
    slot.first_child = child->next_sibling;
    child->parent = child->next_sibling = child->prev_sibling = nullptr;
  }
  while (slot.first_member) {
    ThreadSlot* member = slot.first_member;
    slot.first_member = member->next_member;
    member->leader = member->next_member = member->prev_member = nullptr;
  }
  threads_.erase(slot->tid);
}

void Machine::mark_dead(ThreadSlot& slot, Nanos now) {
  exits_.ring[exits_.next++ % exits_.ring.size()] = {slot->tid, now};
  if (slot->has(Thread::kDead)) return;
  slot.thread.mut().bits |= Thread::kDead;
  ThreadSlot* leader = slot->is_leader() ? &slot : slot.leader;
  if (leader && leader->group_alive > 0) --leader->group_alive;
}

void Machine::revive(ThreadSlot& slot) {
  if (!slot->has(Thread::kDead)) return;
  slot.thread.mut().bits &= static_cast<uint8_t>(~Thread::kDead);
  ThreadSlot* leader = slot->is_leader() ? &slot : slot.leader;
  if (leader) ++leader->group_alive;
}

bool Machine::exited_just_now(Tid tid, Nanos now) const {
  constexpr Nanos kShort = 2'000'000'000;
  return std::any_of(exits_.ring.begin(), exits_.ring.end(),
                     [&](const RecentExits::Exit& e) { return e.tid == tid && e.ts + kShort > now; });
}

/// state.md §2, "Reparenting": the kernel's choice, else a living thread of the group, else the nearest reaper above.
Tid Machine::new_parent_for_children(const ThreadSlot& slot, Tid reaper) const {
  if (reaper > 0 && find(reaper)) return reaper;
  const ThreadSlot* leader = slot->is_leader() ? &slot : slot.leader;
  auto living_in = [&](const ThreadSlot& group) -> const ThreadSlot* {
    if (&group != &slot && !group->has(Thread::kDead)) return &group;
    for (const ThreadSlot* m = group.first_member; m; m = m->next_member)
      if (m != &slot && !m->thread->has(Thread::kDead)) return m;
    return nullptr;
  };
  if (leader && leader->group_alive > 0)
    if (const auto* alive = living_in(*leader)) return alive->thread->tid;
  auto in_pidns = [](const Thread& t) { return t.vtid >= 0 && t.tid != t.vtid; };
  int steps = 0;
  for (const ThreadSlot* up = slot.parent; up && steps < 4096; up = up->parent, ++steps) {
    const ThreadSlot* group = up->thread->is_leader() ? up : up->leader;
    if (in_pidns(*up->thread) != in_pidns(*slot.thread)) break;
    if (!group) continue;
    const Thread& t = *group->thread;
    if (t.pid == 1 || t.vpid == 1 || t.has(Thread::kReaper))
      if (const auto* alive = living_in(*group)) return alive->thread->tid;
  }
  return 0;
}

uint64_t Machine::switched(unsigned cpu, Nanos now) {
  if (cpu >= cpus_.size()) cpus_.resize(cpu + 1);  // at most 65536, numbers have 16 bits
  CpuClock& clock = cpus_[cpu];
  clock.ran = clock.last_switch && now > clock.last_switch ? now - clock.last_switch : 0;
  clock.last_switch = now;
  return clock.ran;
}

void Machine::give_children_away(ThreadSlot& slot, Tid reaper) {
  if (!slot.first_child) return;
  Tid heir = new_parent_for_children(slot, reaper);
  if (heir == slot->tid) heir = 0;
  // A chain of parents that end one after the other, each with all the children of the one before, must not take
  // time without end: beyond so many the rest become nobody's.
  constexpr int kMostMoved = 4096;
  for (int moved = 0; slot.first_child; ++moved) set_parent(*slot.first_child, moved < kMostMoved ? heir : 0);
  if (auto* heir_slot = heir > 0 ? this->slot(heir) : nullptr)
    if (auto* group = leader_slot(*heir_slot); group && !(*group)->has(Thread::kReaper))
      group->thread.mut().bits |= Thread::kReaper;
}

void Machine::remove(ThreadSlot& slot, Tid reaper) {
  give_children_away(slot, reaper);
  if (slot->is_leader() && slot.group_alive > 0) return;  // stays until the last of the group is gone
  ThreadSlot* leader = slot.leader;
  erase(slot);
  if (leader && leader->group_alive == 0 && (*leader)->has(Thread::kDead)) erase(*leader);
}

void Machine::remove_members(ThreadSlot& leader) {
  while (leader.first_member) {
    ThreadSlot& member = *leader.first_member;
    while (member.first_child) set_parent(*member.first_child, leader->tid);
    erase(member);
  }
}

void Machine::settle() {
  if (doomed_fd_.set) {
    doomed_fd_.set = false;
    auto it = threads_.find(doomed_fd_.pid);
    if (it != threads_.end()) drop_fd(*it->second, doomed_fd_.number);
  }
  if (doomed_thread_.set) {
    doomed_thread_.set = false;
    if (auto* found = slot(doomed_thread_.tid)) remove(*found, doomed_thread_.reaper);
  }
}

// --- fds ---

FdTable* Machine::fds_of(ThreadSlot& slot) {
  ThreadSlot* leader = leader_slot(slot);
  if (!leader) return nullptr;
  Thread& thread = leader->thread.mut();
  if (!thread.fds) thread.fds = Rc<FdTable>(new FdTable);
  if (thread.fds->refs() > 1 && FdTable::total_copied + thread.fds->map.size() > FdTable::kMaxShared) {
    losses_->add(LossKind::kTableFull, 0, 0, "more inherited fds than the tables hold");
    thread.fds = Rc<FdTable>(new FdTable);
  }
  return &thread.fds.mut();
}

const Fd* Machine::fd(const Thread& thread, FdNumber number) const {
  const Thread* leader = leader_of(thread);
  if (!leader || !leader->fds) return nullptr;
  auto it = leader->fds->map.find(number);
  return it == leader->fds->map.end() ? nullptr : it->second.get();
}

Fd* Machine::fd_for_change(ThreadSlot& slot, FdNumber number) {
  ThreadSlot* leader = leader_slot(slot);
  if (!leader || !(*leader)->fds || !(*leader)->fds->map.contains(number)) return nullptr;
  Fd& fd = fds_of(slot)->map.find(number)->second.mut();
  changed_fd_ = number;
  changed_fd_name_ = fd.name;
  return &fd;
}

Fd* Machine::put_fd(ThreadSlot& slot, FdNumber number, Fd fd) {
  FdTable* table = fds_of(slot);
  if (!table) return nullptr;
  made_fd_ = number;
  auto it = table->map.find(number);
  if (it != table->map.end()) {
    it->second = Rc<Fd>(new Fd(std::move(fd)));
    return &it->second.mut();
  }
  if (table->map.size() >= FdTable::kMaxFds) {
    losses_->add(LossKind::kTableFull, 0, 0, "more fds in a process than the table holds");
    return nullptr;
  }
  auto put = table->map.emplace(number, Rc<Fd>(new Fd(std::move(fd)))).first;
  return &put->second.mut();
}

void Machine::drop_fd(ThreadSlot& slot, FdNumber number) {
  ThreadSlot* leader = leader_slot(slot);
  if (!leader || !(*leader)->fds || !(*leader)->fds->map.contains(number)) return;
  fds_of(slot)->map.erase(number);
}

// --- the lists ---

void Machine::add_listed_thread(Thread thread) { insert(std::move(thread)); }

void Machine::add_listed_fd(Tid tid, FdNumber number, Fd fd) {
  ThreadSlot* owner = slot(tid);
  if (owner && (*owner)->is_leader()) put_fd(*owner, number, std::move(fd));
}

void Machine::link_all() {
  // Entries come in any order: now that all are there, hang them together.
  for (auto& [tid, slot] : threads_) {
    slot->parent = slot->first_child = slot->next_sibling = slot->prev_sibling = nullptr;
    slot->leader = slot->first_member = slot->next_member = slot->prev_member = nullptr;
    slot->group_alive = 0;
  }
  for (bool leaders : {true, false})
    for (auto& [tid, slot] : threads_)
      if (slot->thread->is_leader() == leaders) link(*slot);
}

void Machine::finish_lists() {
  link_all();
  // An ipv4 socket whose source port somebody listens on is the server's end (state.md §4).
  absl::flat_hash_set<uint16_t> served;
  for (const auto& [tid, slot] : threads_)
    if (slot->thread->fds)
      for (const auto& [number, fd] : slot->thread->fds->map)
        if (fd->kind == FdKind::kIpv4Server) served.insert(fd->tuple.dport);
  for (auto& [tid, slot] : threads_) {
    if (!slot->thread->fds) continue;
    for (auto& [number, fd] : slot->thread.mut().fds.mut().map) {
      if (fd->kind != FdKind::kIpv4) continue;
      Fd& socket = fd.mut();
      if (served.contains(socket.tuple.sport)) {
        std::swap(socket.tuple.source, socket.tuple.dest);
        std::swap(socket.tuple.sport, socket.tuple.dport);
        socket.role = Role::kServer;
      } else {
        socket.role = Role::kClient;
      }
      socket.name = Text(tuple_text(socket.kind, socket.l4, socket.tuple, Ports::kAlways));
    }
  }
}

// --- snapshots ---

Snapshot Machine::snapshot() const {
  Snapshot now;
  now.registry = registry_;
  now.threads.reserve(threads_.size());
  for (const auto& [tid, slot] : threads_) {
    // What was forgotten at a gap is no part of the state.
    event::EnterEvent enter = waits(*slot) ? slot->enter.copy() : event::EnterEvent();
    now.threads.push_back({slot->thread, std::move(enter), slot->last_enter_ts, slot->latency});
  }
  if (doomed_thread_.set) std::tie(now.doomed_tid, now.reaper) = std::pair(doomed_thread_.tid, doomed_thread_.reaper);
  if (doomed_fd_.set) std::tie(now.doomed_pid, now.doomed_fd) = std::pair(doomed_fd_.pid, doomed_fd_.number);
  now.exits = exits_;
  now.cpus = cpus_;
  return now;
}

void Machine::restore(const Snapshot& then) {
  reset();
  registry_ = then.registry;
  for (const Snapshot::Entry& entry : then.threads) {
    auto slot = std::make_unique<ThreadSlot>();
    slot->tid = entry.thread->tid;
    slot->thread = entry.thread;
    slot->enter = entry.enter.copy();
    slot->enter.epoch = epoch_;
    slot->last_enter_ts = entry.last_enter_ts;
    slot->latency = entry.latency;
    threads_.emplace(slot->tid, std::move(slot));
  }
  link_all();
  exits_ = then.exits;
  cpus_ = then.cpus;
  if (then.doomed_tid >= 0) doomed_thread_ = {then.doomed_tid, then.reaper, true};
  if (then.doomed_pid >= 0) doomed_fd_ = {then.doomed_pid, then.doomed_fd, true};
}

// --- the rest ---

bool Machine::is_local_address(const uint8_t* ip, bool v6) const {
  return std::any_of(interfaces().begin(), interfaces().end(), [&](const Interface& i) {
    return i.v6 == v6 && std::memcmp(i.address.bytes, ip, v6 ? 16 : 4) == 0;
  });
}

Text Machine::container_of(const Text& cgroups) {
  if (cgroups.empty()) return {};
  constexpr size_t kRemembered = 1024;
  if (container_ids_.size() >= kRemembered) container_ids_.clear();
  auto [it, fresh] = container_ids_.try_emplace(cgroups.id());
  if (fresh) it->second = {cgroups, pool_.intern(Containers::id_from_cgroups(cgroups))};
  return it->second.second;
}

std::string concat_path(std::string_view base, std::string_view path) {
  constexpr size_t kLimit = 1024;
  if (!path.empty() && path[0] == '/') base = {};
  if (base.empty() && path.empty()) return {};
  if (base.size() + path.size() > kLimit) return "/DIR_TOO_LONG/FILENAME_TOO_LONG";
  std::string out;
  out.reserve(base.size() + path.size() + 1);
  const bool absolute = (base.empty() ? path : base)[0] == '/';
  if (absolute) out = '/';
  auto add = [&](std::string_view part) {
    size_t at = 0;
    while (at < part.size()) {
      size_t slash = part.find('/', at);
      if (slash == std::string_view::npos) slash = part.size();
      std::string_view name = part.substr(at, slash - at);
      at = slash + 1;
      if (name.empty() || name == ".") continue;
      if (name == "..") {
        size_t cut = out.rfind('/');
        out.resize(cut == std::string::npos ? 0 : cut == 0 ? (absolute ? 1 : 0) : cut);
        continue;
      }
      if (!out.empty() && out.back() != '/') out += '/';
      out += name;
    }
  };
  add(base);
  add(path);
  return out;
}

}  // namespace scry::state
