#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "common/status/status.h"
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
// Pointers    a Group stays where it is for as long as it has sessions or is held (Hold, Release).
// Threads     none of its own.
template <class Held>
class OpenSessions {
 public:
  struct Session {
    int64_t end = 0;
    int64_t due = 0;  // of its timer: its end, or an earlier one
    Held held;
  };
  struct Group {
    std::string key;
    std::map<int64_t, Session> sessions;  // by start
    size_t holds = 0;                     // timers, and those of others
  };

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
  Place Put(std::string_view key, int64_t start, int64_t end, Held held) {
    return Open(GroupOf(key), start, end, std::move(held));
  }

  // Fires the sessions whose time has come, by end and then by group: `give` is called with the
  // group's key, start and session, and gives a Status. Then they leave.
  template <class Hooks, class Give>
  Status Fire(int64_t watermark, const Hooks& hooks, const Give& give);

  // When to look for sessions to fire next: no later than the first of them ends; nullopt: there is
  // none.
  std::optional<int64_t> NextDue() const {
    if (timers_.empty()) return std::nullopt;
    return timers_.top().due;
  }

  static void Hold(Group& group) { ++group.holds; }
  void Release(Group& group) {
    --group.holds;
    DropIfUnused(group);
  }

  template <class Visit>
  void ForEach(const Visit& visit) {
    for (auto& [key, group] : groups_) {
      for (auto& [start, session] : group->sessions)
        visit(session.held);
    }
  }

 private:
  using Sessions = std::map<int64_t, Session>;

  // When to look at a session again. One that grows keeps its timer, which is set anew when its
  // time has come: rows are many, timers few. One that has gone leaves its timer behind.
  struct Timer {
    int64_t due = 0;
    Group* group = nullptr;
    int64_t start = 0;
  };
  // The queue gives the greatest first: that is the one that is due first, then by group.
  struct IsLater {
    bool operator()(const Timer& a, const Timer& b) const {
      if (a.due != b.due) return a.due > b.due;
      const int order = a.group == b.group ? 0 : a.group->key.compare(b.group->key);
      return order != 0 ? order > 0 : a.start > b.start;
    }
  };

  Group& GroupOf(std::string_view key);
  void DropIfUnused(Group& group) {
    if (group.sessions.empty() && group.holds == 0) groups_.erase(groups_.find(group.key));
  }
  void Schedule(Group& group, int64_t start, Session& session) {
    session.due = session.end;
    Hold(group);
    timers_.push({.due = session.due, .group = &group, .start = start});
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
  std::priority_queue<Timer, std::vector<Timer>, IsLater> timers_;
};

template <class Held>
typename OpenSessions<Held>::Group& OpenSessions<Held>::GroupOf(std::string_view key) {
  const auto found = groups_.find(key);
  if (found != groups_.end()) return *found->second;
  auto group = std::make_unique<Group>();
  group->key = key;
  const std::string_view name = group->key;
  return *groups_.emplace(name, std::move(group)).first->second;
}

template <class Held>
template <class Hooks>
typename OpenSessions<Held>::Place OpenSessions<Held>::Find(
    std::string_view key, int64_t time, int64_t gap, int64_t watermark, const Hooks& hooks) {
  int64_t start = time;
  int64_t end = time + gap;
  Group& group = GroupOf(key);
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
  }
  Session& session = group.sessions.emplace(start, std::move(joined)).first->second;
  if (!keeps_start) Schedule(group, start, session);
  return {.group = &group, .start = start, .session = &session};
}

template <class Held>
typename OpenSessions<Held>::Place OpenSessions<Held>::Open(Group& group,
                                                            int64_t start,
                                                            int64_t end,
                                                            Held held) {
  Session made{.end = end, .due = end, .held = std::move(held)};
  Session& session = group.sessions.emplace(start, std::move(made)).first->second;
  Schedule(group, start, session);
  return {.group = &group, .start = start, .session = &session};
}

template <class Held>
template <class Hooks, class Give>
Status OpenSessions<Held>::Fire(int64_t watermark, const Hooks& hooks, const Give& give) {
  while (!timers_.empty() && WindowMaxTime(timers_.top().due) <= watermark) {
    const Timer timer = timers_.top();
    timers_.pop();
    Group& group = *timer.group;
    --group.holds;
    const auto found = group.sessions.find(timer.start);
    if (found != group.sessions.end() && found->second.due == timer.due) {
      Session& session = found->second;
      if (session.end > timer.due) {
        Schedule(group, timer.start, session);
        continue;
      }
      RETURN_IF_ERROR(give(std::string_view(group.key), timer.start, session));
      hooks.Leave(group, timer.start, session.held);
      group.sessions.erase(found);
    }
    DropIfUnused(group);
  }
  return {};
}

}  // namespace slipstream::sql
