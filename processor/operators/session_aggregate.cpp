#include "processor/operators/session_aggregate.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "processor/expr/state_bytes.h"
#include "processor/operators/open_sessions.h"
#include "processor/operators/window_assigner.h"

namespace slipstream::sql {
namespace {

constexpr uint8_t kStateVersion = 1;
constexpr size_t kEmittedRows = 4096;

// What is kept of a session.
struct Totals {
  bool is_saved = false;    // there is a saved key for its group and start
  bool is_touched = false;  // it has changed since the last save
  std::unique_ptr<std::byte[]> aggregates;
};

using Sessions = OpenSessions<Totals>;
using Session = Sessions::Session;

}  // namespace

class SessionAggregateOperator::State final : public OperatorState {
 public:
  explicit State(const AggregateLayout& layout) : layout_(layout) {}
  ~State() override {
    sessions_.ForEach([this](const Totals& totals) { layout_.Destroy(totals.aggregates.get()); });
  }

  // The aggregates of the session that a row of the group at `time` belongs to; nullptr: it would
  // have fired. Two may be joined, whose rows so far have to be in them: `flush` is called before.
  template <class Flush>
  std::byte* Find(
      const std::string& key, int64_t time, int64_t gap, int64_t watermark, const Flush& flush) {
    const auto place = sessions_.Find(key, time, gap, watermark, Hooks<Flush>{*this, flush});
    if (place.session == nullptr) return nullptr;
    Touch(place);
    return place.session->held.aggregates.get();
  }

  // Fires the sessions whose time has come: `give` is called with group, start and session.
  template <class Give>
  Status Fire(int64_t watermark, const Give& give) {
    return sessions_.Fire(
        watermark, Idle(), [&](std::string_view group, int64_t start, const Session& session) {
          RETURN_IF_ERROR(give(group, start, session));
          layout_.Destroy(session.held.aggregates.get());
          return Status();
        });
  }
  // When to look for sessions to fire next; nullopt: there is none.
  std::optional<int64_t> NextDue() const { return sessions_.NextDue(); }

  void SpillTo(ScratchSpace& space) {
    sessions_.SpillTo(space, sizeof(Totals) + layout_.state_bytes());
  }
  void Trim() {
    sessions_.Trim(Idle(), [this](Totals& totals) { layout_.Destroy(totals.aggregates.get()); });
  }

  void Save(StateSink& sink);
  void Put(std::string_view key, int64_t start, int64_t end, Totals totals) {
    sessions_.Put(key, start, end, std::move(totals), Idle());
  }

 private:
  // A session, or one that was saved and has gone.
  struct Note {
    Sessions::Group* group = nullptr;
    int64_t start = 0;
  };

  // As OpenSessions asks for them.
  template <class Flush>
  struct Hooks {
    State& state;
    const Flush& flush;

    Totals Make() const {
      Totals made{.aggregates = std::make_unique<std::byte[]>(state.layout_.state_bytes())};
      state.layout_.Init(made.aggregates.get());
      return made;
    }
    void BeforeJoin() const { flush(); }
    void Join(Totals& into, Totals& other) const {
      state.layout_.Merge(into.aggregates.get(), other.aggregates.get());
      state.layout_.Destroy(other.aggregates.get());
    }
    void Leave(Sessions::Group& group, int64_t start, Totals& totals) const {
      totals.is_touched = false;
      if (!std::exchange(totals.is_saved, false)) return;
      Sessions::Hold(group);
      state.gone_.push_back({.group = &group, .start = start});
    }
    // Nothing is out of memory that was touched.
    void Save(const Totals& totals, std::string& to) const {
      PutByte(to, totals.is_saved ? 1 : 0);
      std::string aggregates;
      state.layout_.Save(totals.aggregates.get(), aggregates);
      PutText(to, aggregates);
    }
    Status Restore(std::string_view& from, Totals& totals) const {
      uint8_t is_saved = 0;
      std::string_view aggregates;
      if (!TakeByte(from, is_saved) || !TakeText(from, aggregates)) {
        return DamagedState("session");
      }
      totals.is_saved = is_saved != 0;
      return state.layout_.Restore(totals.aggregates.get(), aggregates);
    }
  };
  struct Nothing {
    void operator()() const {}
  };
  // Where no rows are on their way into a session.
  Hooks<Nothing> Idle() { return {*this, nothing_}; }

  void Touch(const Sessions::Place& place) {
    if (std::exchange(place.session->held.is_touched, true)) return;
    Sessions::Hold(*place.group);
    touched_.push_back({.group = place.group, .start = place.start});
  }

  static std::string SavedKey(const Note& note) {
    std::string key = note.group->key;
    AppendSortable(key, note.start);
    return key;
  }

  const AggregateLayout& layout_;
  const Nothing nothing_{};
  Sessions sessions_;
  std::vector<Note> touched_;
  std::vector<Note> gone_;  // whose saved keys are to be deleted
};

void SessionAggregateOperator::State::Save(StateSink& sink) {
  // Before what has come since in the same place is saved.
  for (const Note& note : gone_) {
    if (!note.group->sessions.contains(note.start)) sink.Delete(SavedKey(note));
  }
  std::string value;
  for (const Note& note : touched_) {
    const auto found = note.group->sessions.find(note.start);
    if (found == note.group->sessions.end() || !found->second.held.is_touched) continue;
    Totals& totals = found->second.held;
    value.assign(1, static_cast<char>(kStateVersion));
    PutInt64(value, found->second.end);
    layout_.Save(totals.aggregates.get(), value);
    sink.Put(SavedKey(note), value);
    totals.is_saved = true;
    totals.is_touched = false;
  }
  for (std::vector<Note>* notes : {&gone_, &touched_}) {
    for (const Note& note : *notes)
      sessions_.Release(*note.group);
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

bool SessionAggregateOperator::SpillTo(OperatorState* state, ScratchSpace& space) const {
  static_cast<State*>(state)->SpillTo(space);
  return true;
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
  // Those of partial rows are local already.
  const WindowTimes times(partials_ ? nullptr : description_.window.zone.get(),
                          rows.batch.columns[time_column_]);
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
  mine.Trim();
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
  const auto give = [&](std::string_view group, int64_t start, const Session& session) -> Status {
    std::vector<Column>& to = rows.batch.columns;
    RETURN_IF_ERROR(codec_.Decode(group, to, 0, *arena));
    layout_.Finish(session.held.aggregates.get(), to, description_.group_columns.size(), *arena);
    size_t column = description_.group_columns.size() + description_.aggregates.size();
    for (const WindowProperty property : description_.properties) {
      const int64_t time = PropertyOf(description_.window, property, start, session.end);
      to[column++].Append(time, *arena);
    }
    if (++rows.batch.rows < kEmittedRows) return {};
    RowBatch full = std::move(rows);
    clear();
    return out.Emit(std::move(full));
  };
  State& mine = *static_cast<State*>(state);
  RETURN_IF_ERROR(mine.Fire(watermark, give));
  mine.Trim();
  return rows.batch.rows == 0 ? Status() : out.Emit(std::move(rows));
}

int64_t SessionAggregateOperator::NextFiring(const OperatorState* state) const {
  const std::optional<int64_t> due = static_cast<const State*>(state)->NextDue();
  return due ? WindowMaxTime(*due) : kWatermarkEnd;
}

// Saved key: the group's key, then the session's start, sortable. Value: version, end, aggregates.
void SessionAggregateOperator::SaveChanges(OperatorState* state, StateSink& sink) const {
  State& mine = *static_cast<State*>(state);
  mine.Save(sink);
  mine.Trim();
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
  int64_t end = 0;
  if (!TakeSortable(key, start) || !TakeInt64(value, end)) return DamagedState("session");
  Totals totals{.is_saved = true,
                .aggregates = std::make_unique<std::byte[]>(layout_.state_bytes())};
  layout_.Init(totals.aggregates.get());
  Status status = layout_.Restore(totals.aggregates.get(), value);
  State& mine = *static_cast<State*>(state);
  mine.Put(group, start, end, std::move(totals));
  mine.Trim();
  return status;
}

}  // namespace slipstream::sql
