#include "processor/operators/session_aggregate.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "processor/expr/state_bytes.h"
#include "processor/operators/window_assigner.h"

namespace slipstream::sql {
namespace {

constexpr uint8_t kStateVersion = 1;
constexpr size_t kEmittedRows = 4096;

struct Session {
  int64_t end = 0;
  bool is_saved = false;
  std::unique_ptr<std::byte[]> aggregates;
};

}  // namespace

class SessionAggregateOperator::State final : public OperatorState {
 public:
  explicit State(const AggregateLayout& layout) : layout_(layout) {}
  ~State() override {
    for (auto& [group, sessions] : groups_) {
      for (auto& [start, session] : sessions)
        layout_.Destroy(session.aggregates.get());
    }
  }

  // The session that a row of the group at `time` belongs to, made, grown and joined as needed;
  // nullptr: it would have fired. States that `pending` rows go into may be joined: `flush` is
  // called before.
  template <class Flush>
  std::byte* Find(
      const std::string& group, int64_t time, int64_t gap, int64_t watermark, const Flush& flush);

  void Save(StateSink& sink);
  void Put(const std::string& group, int64_t start, Session session);

  // The end of the session that fires next; nullopt: there is none.
  std::optional<int64_t> NextEnd() const {
    if (ends_.empty()) return std::nullopt;
    return std::get<0>(*ends_.begin());
  }
  // Fires the sessions whose time has come: `give` is called with group, start and session.
  template <class Give>
  Status Fire(int64_t watermark, const Give& give);

 private:
  using Sessions = std::map<int64_t, Session>;  // by start; they neither overlap nor touch

  static std::string SavedKey(const std::string& group, int64_t start) {
    std::string key = group;
    AppendSortable(key, start);
    return key;
  }
  void Touch(const std::string& group, int64_t start, const Session& session) {
    touched_.try_emplace(std::pair(group, start), session.is_saved);
  }

  const AggregateLayout& layout_;
  std::map<std::string, Sessions> groups_;
  std::set<std::tuple<int64_t, std::string, int64_t>> ends_;  // end, group, start
  // Sessions that came, changed or went since the last save: whether they were saved before.
  std::map<std::pair<std::string, int64_t>, bool> touched_;
};

template <class Flush>
std::byte* SessionAggregateOperator::State::Find(
    const std::string& group, int64_t time, int64_t gap, int64_t watermark, const Flush& flush) {
  int64_t start = time;
  int64_t end = time + gap;
  Sessions& sessions = groups_[group];
  // Those that overlap or touch [time, time + gap): from the first that ends at `time` or later.
  auto first = sessions.upper_bound(time);
  if (first != sessions.begin() && std::prev(first)->second.end >= time) --first;
  auto last = first;
  for (; last != sessions.end() && last->first <= end; ++last) {
    start = std::min(start, last->first);
    end = std::max(end, last->second.end);
  }
  if (WindowMaxTime(end) <= watermark) {
    if (sessions.empty()) groups_.erase(group);
    return nullptr;
  }
  if (first == last) {
    Session session{.end = end, .aggregates = std::make_unique<std::byte[]>(layout_.state_bytes())};
    layout_.Init(session.aggregates.get());
    first = sessions.emplace(start, std::move(session)).first;
    Touch(group, start, first->second);
    ends_.emplace(std::tuple(end, group, start));
    return first->second.aggregates.get();
  }
  Touch(group, first->first, first->second);
  if (first->first == start && first->second.end == end) return first->second.aggregates.get();
  if (std::next(first) != last) flush();
  // The earliest takes the others in, and the row.
  Session joined{.end = end, .aggregates = std::move(first->second.aggregates)};
  joined.is_saved = first->first == start && first->second.is_saved;
  ends_.erase(std::tuple(first->second.end, group, first->first));
  for (auto next = sessions.erase(first); next != last;) {
    layout_.Merge(joined.aggregates.get(), next->second.aggregates.get());
    layout_.Destroy(next->second.aggregates.get());
    Touch(group, next->first, next->second);
    ends_.erase(std::tuple(next->second.end, group, next->first));
    next = sessions.erase(next);
  }
  ends_.emplace(std::tuple(end, group, start));
  Touch(group, start, joined);
  return sessions.emplace(start, std::move(joined)).first->second.aggregates.get();
}

template <class Give>
Status SessionAggregateOperator::State::Fire(int64_t watermark, const Give& give) {
  while (!ends_.empty()) {
    const auto [end, group, start] = *ends_.begin();
    if (WindowMaxTime(end) > watermark) break;
    const auto sessions = groups_.find(group);
    const auto session = sessions->second.find(start);
    RETURN_IF_ERROR(give(group, start, session->second));
    Touch(group, start, session->second);
    layout_.Destroy(session->second.aggregates.get());
    sessions->second.erase(session);
    if (sessions->second.empty()) groups_.erase(sessions);
    ends_.erase(ends_.begin());
  }
  return {};
}

void SessionAggregateOperator::State::Put(const std::string& group,
                                          int64_t start,
                                          Session session) {
  ends_.emplace(std::tuple(session.end, group, start));
  groups_[group].emplace(start, std::move(session));
}

void SessionAggregateOperator::State::Save(StateSink& sink) {
  std::string value;
  for (const auto& [place, was_saved] : touched_) {
    const auto& [group, start] = place;
    const auto sessions = groups_.find(group);
    const bool is_there = sessions != groups_.end() && sessions->second.contains(start);
    if (!is_there) {
      if (was_saved) sink.Delete(SavedKey(group, start));
      continue;
    }
    Session& session = sessions->second.at(start);
    value.assign(1, static_cast<char>(kStateVersion));
    PutInt64(value, session.end);
    layout_.Save(session.aggregates.get(), value);
    sink.Put(SavedKey(group, start), value);
    session.is_saved = true;
  }
  touched_.clear();
}

SessionAggregateOperator::SessionAggregateOperator(Description description)
    : description_(std::move(description)),
      layout_(description_.aggregates),
      partials_(description_.merges ? std::optional<PartialSchema>(std::in_place,
                                                                   description_.input,
                                                                   description_.group_columns,
                                                                   description_.window.time_column)
                                    : std::nullopt),
      time_column_(partials_ ? *partials_->time : description_.window.time_column),
      codec_(partials_ ? RowKeyCodec(partials_->schema, partials_->groups)
                       : RowKeyCodec(description_.input, description_.group_columns)) {}

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
  const std::optional<int64_t> end = static_cast<const State*>(state)->NextEnd();
  return end ? WindowMaxTime(*end) : kWatermarkEnd;
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
