#include "processor/operators/session_aggregate.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <utility>

#include <absl/container/flat_hash_map.h>

#include "processor/expr/state_bytes.h"
#include "processor/operators/window_assigner.h"

namespace slipstream::sql {
namespace {

constexpr uint8_t kStateVersion = 1;
constexpr size_t kEmittedRows = 4096;

struct Session {
  int64_t end = 0;
  int64_t due = 0;          // of its timer: its end, or an earlier one
  bool is_saved = false;    // there is a saved key for its group and start
  bool is_touched = false;  // it has changed since the last save
  std::unique_ptr<std::byte[]> aggregates;
};

using Sessions = std::map<int64_t, Session>;  // by start; they neither overlap nor touch

struct Group {
  std::string key;
  Sessions sessions;
  size_t holds = 0;  // how many timers and notes point here; it stays until there are none
};

// When to look at a session again. One that grows keeps its timer, which is set anew when its time
// has come: rows are many, timers few. One that has gone leaves its timer behind.
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

}  // namespace

class SessionAggregateOperator::State final : public OperatorState {
 public:
  explicit State(const AggregateLayout& layout) : layout_(layout) {}
  ~State() override {
    for (auto& [key, group] : groups_) {
      for (auto& [start, session] : group->sessions)
        layout_.Destroy(session.aggregates.get());
    }
  }

  // The session that a row of the group at `time` belongs to, made, grown and joined as needed;
  // nullptr: it would have fired. States that `pending` rows go into may be joined: `flush` is
  // called before.
  template <class Flush>
  std::byte* Find(
      const std::string& key, int64_t time, int64_t gap, int64_t watermark, const Flush& flush);

  void Save(StateSink& sink);
  void Put(const std::string& key, int64_t start, Session session);

  // When to look for sessions to fire next: no later than the first of them ends; nullopt: there is
  // none.
  std::optional<int64_t> NextDue() const {
    if (timers_.empty()) return std::nullopt;
    return timers_.top().due;
  }
  // Fires the sessions whose time has come: `give` is called with group, start and session.
  template <class Give>
  Status Fire(int64_t watermark, const Give& give);

 private:
  // A session, or one that was saved and has gone.
  struct Note {
    Group* group = nullptr;
    int64_t start = 0;
  };

  static std::string SavedKey(const Note& note) {
    std::string key = note.group->key;
    AppendSortable(key, note.start);
    return key;
  }

  Group& GroupOf(const std::string& key);
  void DropIfUnused(Group& group);
  void Schedule(Group& group, int64_t start, Session& session);
  void Touch(Group& group, int64_t start, Session& session);
  // The session is about to go from its group.
  void Forget(Group& group, int64_t start, const Session& session);
  // Of the sessions [first, last) one, from `start` to `end`.
  std::byte* Join(
      Group& group, Sessions::iterator first, Sessions::iterator last, int64_t start, int64_t end);

  const AggregateLayout& layout_;
  absl::flat_hash_map<std::string_view, std::unique_ptr<Group>> groups_;  // by Group::key
  std::priority_queue<Timer, std::vector<Timer>, IsLater> timers_;
  std::vector<Note> touched_;
  std::vector<Note> gone_;  // whose saved keys are to be deleted
};

Group& SessionAggregateOperator::State::GroupOf(const std::string& key) {
  const auto found = groups_.find(key);
  if (found != groups_.end()) return *found->second;
  auto group = std::make_unique<Group>();
  group->key = key;
  const std::string_view name = group->key;
  return *groups_.emplace(name, std::move(group)).first->second;
}

void SessionAggregateOperator::State::DropIfUnused(Group& group) {
  if (group.sessions.empty() && group.holds == 0) groups_.erase(groups_.find(group.key));
}

void SessionAggregateOperator::State::Schedule(Group& group, int64_t start, Session& session) {
  session.due = session.end;
  ++group.holds;
  timers_.push({.due = session.due, .group = &group, .start = start});
}

void SessionAggregateOperator::State::Touch(Group& group, int64_t start, Session& session) {
  if (session.is_touched) return;
  session.is_touched = true;
  ++group.holds;
  touched_.push_back({.group = &group, .start = start});
}

void SessionAggregateOperator::State::Forget(Group& group, int64_t start, const Session& session) {
  if (!session.is_saved) return;
  ++group.holds;
  gone_.push_back({.group = &group, .start = start});
}

template <class Flush>
std::byte* SessionAggregateOperator::State::Find(
    const std::string& key, int64_t time, int64_t gap, int64_t watermark, const Flush& flush) {
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
    return nullptr;
  }
  if (first == last) {
    Session session{.end = end, .aggregates = std::make_unique<std::byte[]>(layout_.state_bytes())};
    layout_.Init(session.aggregates.get());
    first = sessions.emplace(start, std::move(session)).first;
    Schedule(group, start, first->second);
  } else if (std::next(first) != last) {
    flush();
    return Join(group, first, last, start, end);
  } else if (first->first != start) {
    return Join(group, first, last, start, end);
  }
  first->second.end = end;
  Touch(group, start, first->second);
  return first->second.aggregates.get();
}

std::byte* SessionAggregateOperator::State::Join(
    Group& group, Sessions::iterator first, Sessions::iterator last, int64_t start, int64_t end) {
  // The earliest takes the others in, and the row.
  const bool keeps_start = first->first == start;
  if (!keeps_start) Forget(group, first->first, first->second);
  Session joined{.end = end,
                 .due = first->second.due,
                 .is_saved = keeps_start && first->second.is_saved,
                 .is_touched = keeps_start && first->second.is_touched,
                 .aggregates = std::move(first->second.aggregates)};
  for (auto next = group.sessions.erase(first); next != last;) {
    layout_.Merge(joined.aggregates.get(), next->second.aggregates.get());
    layout_.Destroy(next->second.aggregates.get());
    Forget(group, next->first, next->second);
    next = group.sessions.erase(next);
  }
  Session& session = group.sessions.emplace(start, std::move(joined)).first->second;
  if (!keeps_start) Schedule(group, start, session);
  Touch(group, start, session);
  return session.aggregates.get();
}

template <class Give>
Status SessionAggregateOperator::State::Fire(int64_t watermark, const Give& give) {
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
      RETURN_IF_ERROR(give(group.key, timer.start, session));
      Forget(group, timer.start, session);
      layout_.Destroy(session.aggregates.get());
      group.sessions.erase(found);
    }
    DropIfUnused(group);
  }
  return {};
}

void SessionAggregateOperator::State::Put(const std::string& key, int64_t start, Session session) {
  Group& group = GroupOf(key);
  Schedule(group, start, group.sessions.emplace(start, std::move(session)).first->second);
}

void SessionAggregateOperator::State::Save(StateSink& sink) {
  // Before what has come since in the same place is saved.
  for (const Note& note : gone_) {
    if (!note.group->sessions.contains(note.start)) sink.Delete(SavedKey(note));
  }
  std::string value;
  for (const Note& note : touched_) {
    const auto found = note.group->sessions.find(note.start);
    if (found == note.group->sessions.end() || !found->second.is_touched) continue;
    Session& session = found->second;
    value.assign(1, static_cast<char>(kStateVersion));
    PutInt64(value, session.end);
    layout_.Save(session.aggregates.get(), value);
    sink.Put(SavedKey(note), value);
    session.is_saved = true;
    session.is_touched = false;
  }
  for (std::vector<Note>* notes : {&gone_, &touched_}) {
    for (const Note& note : *notes) {
      --note.group->holds;
      DropIfUnused(*note.group);
    }
    notes->clear();
  }
}

SessionAggregateOperator::SessionAggregateOperator(Description description)
    : description_(std::move(description)),
      layout_(description_.aggregates),
      partials_(PartialsOf(description_.merges,
                           description_.input,
                           description_.group_columns,
                           description_.window.time_column)),
      time_column_(partials_ ? *partials_->time : description_.window.time_column),
      codec_(GroupKeyCodec(partials_, description_.input, description_.group_columns)) {}

std::unique_ptr<OperatorState> SessionAggregateOperator::MakeState() const {
  return std::make_unique<State>(layout_);
}

Status SessionAggregateOperator::Process(RowBatch rows,
                                         int64_t watermark,
                                         OperatorState* state,
                                         OperatorOutput& out) const {
  RowErrors errors = CheckWindowTimes(rows.batch.columns[time_column_]);
  AggregateLayout::Inputs inputs;
  if (!partials_) {
    ASSIGN_OR_RETURN(inputs, layout_.ComputeSound(rows, std::move(errors), out));
  } else if (!errors.empty()) {
    return DamagedState("time of a partial row");
  }
  State& mine = *static_cast<State*>(state);
  const std::vector<int64_t>& times = rows.batch.columns[time_column_].ints;
  std::vector<std::byte*> states;
  std::vector<uint32_t> counted;
  Status merged;
  const auto flush = [&] {
    if (!partials_) {
      layout_.Update(states, counted, inputs);
    } else if (merged.ok()) {
      merged = MergePartials(layout_, *partials_, rows.batch, states, counted);
    }
    states.clear();
    counted.clear();
  };
  std::vector<uint32_t> late;
  std::string key;
  for (uint32_t row = 0; row < rows.batch.rows; ++row) {
    key.clear();
    codec_.Encode(rows.batch.columns, row, key);
    std::byte* const session =
        mine.Find(key, times[row], description_.window.size_us, watermark, flush);
    if (session == nullptr) {
      late.push_back(row);
      continue;
    }
    states.push_back(session);
    counted.push_back(row);
  }
  flush();
  RETURN_IF_ERROR(merged);
  return DropLateRows(rows, late, partials_, out);
}

Status SessionAggregateOperator::Advance(int64_t watermark,
                                         OperatorState* state,
                                         OperatorOutput& out) const {
  RowBatch rows;
  Arena* arena = nullptr;
  const auto clear = [&] {
    rows = {.batch = MakeBatch(description_.output), .origins = {}, .kinds = {}};
    arena = &rows.batch.NewArena();
  };
  clear();
  const auto give = [&](const std::string& group, int64_t start, const Session& session) -> Status {
    std::vector<Column>& to = rows.batch.columns;
    RETURN_IF_ERROR(codec_.Decode(group, to, 0, *arena));
    layout_.Finish(session.aggregates.get(), to, description_.group_columns.size(), *arena);
    size_t column = description_.group_columns.size() + description_.aggregates.size();
    for (const WindowProperty property : description_.properties) {
      const int64_t time = property == WindowProperty::kStart ? start
                           : property == WindowProperty::kEnd ? session.end
                                                              : WindowMaxTime(session.end);
      to[column++].Append(time, *arena);
    }
    if (++rows.batch.rows < kEmittedRows) return {};
    RowBatch full = std::move(rows);
    clear();
    return out.Emit(std::move(full));
  };
  RETURN_IF_ERROR(static_cast<State*>(state)->Fire(watermark, give));
  return rows.batch.rows == 0 ? Status() : out.Emit(std::move(rows));
}

int64_t SessionAggregateOperator::NextFiring(const OperatorState* state) const {
  const std::optional<int64_t> due = static_cast<const State*>(state)->NextDue();
  return due ? WindowMaxTime(*due) : kWatermarkEnd;
}

// Saved key: the group's key, then the session's start, sortable. Value: version, end, aggregates.
void SessionAggregateOperator::SaveChanges(OperatorState* state, StateSink& sink) const {
  static_cast<State*>(state)->Save(sink);
}

Status SessionAggregateOperator::Restore(OperatorState* state,
                                         std::string_view key,
                                         std::string_view value) const {
  constexpr size_t kTimeBytes = 8;
  uint8_t version = 0;
  if (key.size() < kTimeBytes || !TakeByte(value, version)) return DamagedState("session");
  if (version != kStateVersion) {
    return DataLoss("saved session state has version " + std::to_string(version) +
                    ", this program reads " + std::to_string(kStateVersion));
  }
  const std::string group(key.substr(0, key.size() - kTimeBytes));
  key.remove_prefix(group.size());
  std::vector<Column> columns = MakeBatch(description_.output).columns;
  Arena arena;
  RETURN_IF_ERROR(codec_.Decode(group, columns, 0, arena));
  int64_t start = 0;
  Session session{.end = 0,
                  .is_saved = true,
                  .aggregates = std::make_unique<std::byte[]>(layout_.state_bytes())};
  if (!TakeSortable(key, start) || !TakeInt64(value, session.end)) return DamagedState("session");
  layout_.Init(session.aggregates.get());
  Status status = layout_.Restore(session.aggregates.get(), value);
  static_cast<State*>(state)->Put(group, start, std::move(session));
  return status;
}

}  // namespace slipstream::sql
