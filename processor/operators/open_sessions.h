#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <absl/container/flat_hash_map.h>

#include "common/scratch/scratch_store.h"
#include "common/status/status.h"
#include "processor/expr/state_bytes.h"
#include "processor/operators/cache_bound.h"
#include "processor/operators/due_keys.h"
#include "processor/operators/key_codec.h"
#include "processor/operators/scratch_part.h"
#include "processor/operators/window_assigner.h"

namespace slipstream::sql {

// OpenSessions: the sessions of groups that the watermark has not reached, and which of them a row
// belongs to. A session is [first row, last row + gap); those of a group neither overlap nor touch.
//
// Held        what is kept of a session. The hooks know it:
//               Held Make()                                   of a new session
//               void BeforeJoin()                             some of them are about to become one
//               void Join(Held& into, Held& other)            `other` has gone
//               void Leave(Group&, int64_t start, Held&)      it goes from its place: it fired, or
//                                                             joins another, or begins earlier now
//             and of what goes out of memory:
//               void Save(const Held&, std::string& to)
//               Status Restore(std::string_view& from, Held&) what Save wrote, cut off
// Spilling    with a space, groups that nothing happens to are out of memory once its cache is
//             full.
// Pointers    a Group stays where it is until Trim, and for as long as it is held (Hold, Release).
// Ownership   borrows the space. Threads: none of its own.
template <class Held>
class OpenSessions {
 public:
  struct Session {
    int64_t end = 0;
    Held held;
  };
  struct Group {
    std::string key;
    std::map<int64_t, Session> sessions;  // by start
    size_t holds = 0;
    size_t bytes = 0;          // about what it takes in memory
    uint32_t used = 0;         // the pass of Trim that it was used before
    bool is_in_space = false;  // some state of it
    bool has_changed = true;   // since it was put there
  };

  // Before anything else. `held_bytes`: what is held of a session takes so much at least.
  void SpillTo(ScratchSpace& space, size_t held_bytes) {
    constexpr size_t kParts = 2;
    space_ = &spilled_groups_.emplace(space, 'g', kParts);
    timers_.SpillTo(spilled_timers_.emplace(space, 't', kParts));
    session_bytes_ += held_bytes;
  }

  // The session that a row of the group at `time` belongs to, made, grown and joined as needed, and
  // its group and start; nullptr: it would have fired.
  struct Place {
    Group* group = nullptr;
    int64_t start = 0;
    Session* session = nullptr;
  };
  template <class Hooks>
  Place Find(
      std::string_view key, int64_t time, int64_t gap, int64_t watermark, const Hooks& hooks);

  // One that was saved.
  template <class Hooks>
  Place Put(std::string_view key, int64_t start, int64_t end, Held held, const Hooks& hooks) {
    return Open(GroupOf(key, hooks), start, end, std::move(held));
  }

  // Fires the sessions whose time has come, by end and then by group: `give` is called with the
  // group's key, start and session, and gives a Status. Then they leave.
  template <class Hooks, class Give>
  Status Fire(int64_t watermark, const Hooks& hooks, const Give& give);

  // When to look for sessions to fire next: no later than the first of them ends; nullopt: there is
  // none.
  std::optional<int64_t> NextDue() const {
    if (timers_.empty()) return std::nullopt;
    return timers_.first().due;
  }

  static void Hold(Group& group) { ++group.holds; }
  void Release(Group& group) {
    --group.holds;
    bound_.OnSaved();
    DropIfUnused(group);
  }

  // Puts out of memory what does not fit. `release` is called with what is held there.
  template <class Hooks, class ReleaseHeld>
  void Trim(const Hooks& hooks, const ReleaseHeld& release);

  // Of what is in memory.
  template <class Visit>
  void ForEach(const Visit& visit) {
    for (auto& [key, group] : groups_) {
      for (auto& [start, session] : group->sessions)
        visit(session.held);
    }
  }

 private:
  using Sessions = std::map<int64_t, Session>;

  // What a group and a session take besides what is held: nodes, the allocator.
  static constexpr size_t kGroupBytes = sizeof(Group) + 64;
  static constexpr size_t kSessionBytes = sizeof(Session) + 64;

  // The group, made if there is none.
  template <class Hooks>
  Group& GroupOf(std::string_view key, const Hooks& hooks);
  void DropIfUnused(Group& group) {
    if (!group.sessions.empty() || group.holds > 0) return;
    if (group.is_in_space) space_->Delete(group.key);
    Drop(group);
  }
  void Drop(Group& group) {
    bytes_ -= group.bytes;
    groups_.erase(groups_.find(group.key));
  }
  void Count(Group& group, size_t bytes) {
    group.bytes += bytes;
    bytes_ += bytes;
  }
  template <class Hooks>
  void Load(Group& group, const Hooks& hooks);
  template <class Hooks>
  void PutAway(const Group& group, const Hooks& hooks);
  // When to look at a session again. One that grows keeps its timer, which is set anew when its
  // time has come: rows are many, timers few. One that has gone leaves its timer behind.
  void Schedule(const Group& group, int64_t start, int64_t due) {
    std::string timer = group.key;
    AppendSortable(timer, start);
    timers_.Add(due, timer);
  }
  Place Open(Group& group, int64_t start, int64_t end, Held held);
  // Of the sessions [first, last) one, from `start` to `end`.
  template <class Hooks>
  Place Join(Group& group,
             typename Sessions::iterator first,
             typename Sessions::iterator last,
             int64_t start,
             int64_t end,
             const Hooks& hooks);

  absl::flat_hash_map<std::string_view, std::unique_ptr<Group>> groups_;  // by Group::key
  DueKeys timers_;                                                        // groups' keys and starts
  size_t session_bytes_ = kSessionBytes;

  // Where what does not fit into memory is: of each group all its sessions.
  ScratchSpace* space_ = nullptr;
  std::optional<ScratchPart> spilled_groups_;
  std::optional<ScratchPart> spilled_timers_;
  bool is_spilling_ = false;  // some have been put there
  CacheBound bound_;
  size_t bytes_ = 0;   // of groups in memory
  uint32_t pass_ = 1;  // of Trim
};

template <class Held>
template <class Hooks>
typename OpenSessions<Held>::Group& OpenSessions<Held>::GroupOf(std::string_view key,
                                                                const Hooks& hooks) {
  const auto found = groups_.find(key);
  if (found != groups_.end()) {
    found->second->used = pass_;
    return *found->second;
  }
  auto made = std::make_unique<Group>();
  made->key = key;
  made->used = pass_;
  Group& group = *made;
  groups_.emplace(group.key, std::move(made));
  Count(group, kGroupBytes + key.size());
  if (is_spilling_) Load(group, hooks);
  return group;
}

template <class Held>
template <class Hooks>
typename OpenSessions<Held>::Place OpenSessions<Held>::Find(
    std::string_view key, int64_t time, int64_t gap, int64_t watermark, const Hooks& hooks) {
  int64_t start = time;
  int64_t end = time + gap;
  Group& group = GroupOf(key, hooks);
  Sessions& sessions = group.sessions;
  // Those that overlap or touch [time, time + gap): from the first that ends at `time` or later.
  auto first = sessions.upper_bound(time);
  if (first != sessions.begin() && std::prev(first)->second.end >= time) --first;
  auto last = first;
  for (; last != sessions.end() && last->first <= end; ++last) {
    start = std::min(start, last->first);
    end = std::max(end, last->second.end);
  }
  if (WindowMaxTime(end) <= watermark) {
    DropIfUnused(group);
    return {};
  }
  group.has_changed = true;
  if (first == last) return Open(group, start, end, hooks.Make());
  if (std::next(first) != last) {
    hooks.BeforeJoin();
    return Join(group, first, last, start, end, hooks);
  }
  if (first->first != start) return Join(group, first, last, start, end, hooks);
  first->second.end = end;
  return {.group = &group, .start = start, .session = &first->second};
}

template <class Held>
template <class Hooks>
typename OpenSessions<Held>::Place OpenSessions<Held>::Join(Group& group,
                                                            typename Sessions::iterator first,
                                                            typename Sessions::iterator last,
                                                            int64_t start,
                                                            int64_t end,
                                                            const Hooks& hooks) {
  // The earliest takes the others in, and the row.
  const bool keeps_start = first->first == start;
  if (!keeps_start) hooks.Leave(group, first->first, first->second.held);
  Session joined = std::move(first->second);
  joined.end = end;
  for (auto next = group.sessions.erase(first); next != last;) {
    hooks.Leave(group, next->first, next->second.held);
    hooks.Join(joined.held, next->second.held);
    next = group.sessions.erase(next);
    Count(group, -session_bytes_);
  }
  Session& session = group.sessions.emplace(start, std::move(joined)).first->second;
  if (!keeps_start) Schedule(group, start, end);
  return {.group = &group, .start = start, .session = &session};
}

template <class Held>
typename OpenSessions<Held>::Place OpenSessions<Held>::Open(Group& group,
                                                            int64_t start,
                                                            int64_t end,
                                                            Held held) {
  Session made{.end = end, .held = std::move(held)};
  Session& session = group.sessions.emplace(start, std::move(made)).first->second;
  Count(group, session_bytes_);
  group.has_changed = true;
  Schedule(group, start, end);
  return {.group = &group, .start = start, .session = &session};
}

template <class Held>
template <class Hooks, class Give>
Status OpenSessions<Held>::Fire(int64_t watermark, const Hooks& hooks, const Give& give) {
  while (!timers_.empty() && WindowMaxTime(timers_.first().due) <= watermark) {
    const DueKeys::Entry timer = timers_.Pop();
    const std::string_view key(timer.key.data(), timer.key.size() - sizeof(int64_t));
    std::string_view start_bytes = std::string_view(timer.key).substr(key.size());
    int64_t start = 0;
    TakeSortable(start_bytes, start);
    Group& group = GroupOf(key, hooks);
    const auto found = group.sessions.find(start);
    if (found != group.sessions.end() && found->second.end > timer.due) {
      timers_.Add(found->second.end, timer.key);
    } else if (found != group.sessions.end()) {
      RETURN_IF_ERROR(give(std::string_view(group.key), start, found->second));
      hooks.Leave(group, start, found->second.held);
      group.sessions.erase(found);
      group.has_changed = true;
      Count(group, -session_bytes_);
    }
    DropIfUnused(group);
  }
  return {};
}

// ---- What is out of memory ----

template <class Held>
template <class Hooks>
void OpenSessions<Held>::Load(Group& group, const Hooks& hooks) {
  std::string value;
  if (!space_->Get(group.key, value)) return;
  group.is_in_space = true;
  group.has_changed = false;
  std::string_view rest = value;
  while (!rest.empty()) {
    int64_t start = 0;
    Session session{.end = 0, .held = hooks.Make()};
    const Status status = TakeInt64(rest, start) && TakeInt64(rest, session.end)
                              ? hooks.Restore(rest, session.held)
                              : DamagedState("sessions");
    group.sessions.emplace(start, std::move(session));
    Count(group, session_bytes_);
    if (status.ok()) continue;
    space_->Fail(status);
    return;
  }
}

template <class Held>
template <class Hooks>
void OpenSessions<Held>::PutAway(const Group& group, const Hooks& hooks) {
  is_spilling_ = true;
  if (!group.has_changed) return;
  std::string value;
  for (const auto& [start, session] : group.sessions) {
    PutInt64(value, start);
    PutInt64(value, session.end);
    hooks.Save(session.held, value);
  }
  space_->Put(group.key, value);
}

template <class Held>
template <class Hooks, class ReleaseHeld>
void OpenSessions<Held>::Trim(const Hooks& hooks, const ReleaseHeld& release) {
  if (space_ == nullptr) return;
  timers_.Trim();
  if (bound_.IsPassed(*space_, bytes_)) {
    const size_t target = bound_.Target(*space_);
    for (const bool is_last : {false, true}) {
      for (auto at = groups_.begin(); at != groups_.end() && bytes_ > target;) {
        Group& group = *(at++)->second;
        if (group.holds > 0 || (!is_last && group.used == pass_)) continue;
        PutAway(group, hooks);
        for (auto& [start, session] : group.sessions)
          release(session.held);
        Drop(group);
      }
    }
    ++pass_;
    bound_.OnTrimmed(*space_, bytes_);
  }
  space_->SetCached(bytes_);
}

}  // namespace slipstream::sql
