#include "processor/operators/window_aggregate.h"

#include <algorithm>
#include <utility>

#include "processor/expr/state_bytes.h"
#include "processor/operators/window_groups.h"

namespace slipstream::sql {
namespace {

constexpr size_t kEmittedRows = 4096;
// Rows and their windows that are updated together: a row may be in thousands of windows.
constexpr size_t kPairsMax = 1 << 16;

bool IsMadeOfSlices(const WindowSpec& window) {
  if (window.size_us <= window.slide_us) return false;
  if (window.kind == WindowSpec::Kind::kHop) return window.size_us % window.slide_us == 0;
  return window.kind == WindowSpec::Kind::kCumulate;
}

}  // namespace

struct WindowAggregateOperator::State final : OperatorState {
  State(const AggregateLayout& layout, bool is_sliced) : groups(layout, is_sliced) {}

  WindowGroups groups;
  int64_t fired = kWatermarkNone;                 // windows up to there have fired
  std::vector<WindowGroups::GroupOfTable> stale;  // groups to be shown early
  int64_t next_show_us = 0;                       // when, if there are any

  // Of the batch at hand, kept for their memory: row rows[i] counts in states[i].
  std::vector<std::byte*> states;
  std::vector<uint32_t> rows;
  std::vector<uint32_t> late;  // too late for one of their windows
  std::string key;
};

// Groups of windows on their way out.
class WindowAggregateOperator::Results {
 public:
  Results(const WindowAggregateOperator& operation, OperatorOutput& out)
      : operation_(operation), out_(out) {
    Clear();
  }

  Status Add(int64_t end, const Group& group) {
    const Description& description = operation_.description_;
    std::vector<Column>& to = rows_.batch.columns;
    if (description.early_us > 0) {
      rows_.kinds.push_back(group.is_shown ? RowKind::kUpdateAfter : RowKind::kInsert);
    }
    RETURN_IF_ERROR(operation_.codec_.Decode(group.key, to, 0, *arena_));
    const size_t keys = description.group_columns.size();
    operation_.layout_.Finish(group.state, to, keys, *arena_);
    size_t column = keys + description.aggregates.size();
    const int64_t start = WindowStart(description.window, end);
    for (const WindowProperty property : description.properties)
      to[column++].Append(PropertyOf(description.window, property, start, end), *arena_);
    return ++rows_.batch.rows < kEmittedRows ? Status() : Emit();
  }
  Status Emit() {
    if (rows_.batch.rows == 0) return {};
    RowBatch rows = std::move(rows_);
    Clear();
    return out_.Emit(std::move(rows));
  }

 private:
  void Clear() {
    rows_ = {.batch = MakeBatch(operation_.description_.output), .origins = {}, .kinds = {}};
    arena_ = &rows_.batch.NewArena();
  }

  const WindowAggregateOperator& operation_;
  OperatorOutput& out_;
  RowBatch rows_;
  Arena* arena_ = nullptr;
};

WindowAggregateOperator::WindowAggregateOperator(Description description)
    : description_(std::move(description)),
      layout_(description_.aggregates),
      is_sliced_(IsMadeOfSlices(description_.window) && description_.early_us == 0 &&
                 !layout_.depends_on_order()),
      partials_(PartialsOf(description_.merges,
                           description_.input,
                           description_.group_columns,
                           description_.window.time_column)),
      time_column_(partials_ ? *partials_->time : description_.window.time_column),
      codec_(GroupKeyCodec(partials_, description_.input, description_.group_columns)) {}

std::unique_ptr<OperatorState> WindowAggregateOperator::MakeState() const {
  return std::make_unique<State>(layout_, is_sliced_);
}

bool WindowAggregateOperator::SpillTo(OperatorState* state, ScratchSpace& space) const {
  if (description_.early_us > 0) return false;
  static_cast<State*>(state)->groups.SpillTo(space);
  return true;
}

Status WindowAggregateOperator::Process(RowBatch rows,
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
  mine.fired = std::max(mine.fired, watermark);
  if (mine.stale.empty()) mine.next_show_us = rows.batch.now_us + description_.early_us;
  RETURN_IF_ERROR(AddRows(rows.batch, inputs, watermark, mine));
  mine.groups.Trim();
  return DropLateRows(rows, mine.late, partials_, out);
}

Status WindowAggregateOperator::AddRows(const Batch& batch,
                                        const AggregateLayout::Inputs& inputs,
                                        int64_t watermark,
                                        State& state) const {
  state.late.clear();
  state.states.clear();
  state.rows.clear();
  // Those of partial rows are local already.
  const WindowTimes times(partials_ ? nullptr : description_.window.zone.get(),
                          batch.columns[time_column_]);
  // Neighbouring rows mostly fall into the same table.
  int64_t last_end = INT64_MIN;
  WindowGroups::Table* last_table = nullptr;
  for (uint32_t row = 0; row < batch.rows; ++row) {
    const WindowEnds ends = AssignWindows(description_.window, times[row]);
    if (ends.first <= ends.last && WindowMaxTime(ends.first) <= watermark)
      state.late.push_back(row);
    if (WindowMaxTime(ends.last) <= watermark) continue;
    state.key.clear();
    codec_.Encode(batch.columns, row, state.key);
    const int64_t last = is_sliced_ ? ends.first : ends.last;
    for (int64_t end = ends.first; end <= last; end += ends.step) {
      if (!is_sliced_ && WindowMaxTime(end) <= watermark) continue;
      if (end != last_end || last_table == nullptr) {
        last_table = &state.groups.TableOf(end);
        last_end = end;
      }
      Group& group = state.groups.Find(*last_table, end, state.key);
      state.groups.NoteChange(end, group);
      if (description_.early_us > 0 && !group.is_stale) {
        group.is_stale = true;
        state.stale.emplace_back(end, &group);
      }
      state.states.push_back(group.state);
      state.rows.push_back(row);
    }
    if (state.rows.size() >= kPairsMax) RETURN_IF_ERROR(Count(batch, inputs, state));
  }
  return Count(batch, inputs, state);
}

Status WindowAggregateOperator::Count(const Batch& batch,
                                      const AggregateLayout::Inputs& inputs,
                                      State& state) const {
  if (partials_) {
    RETURN_IF_ERROR(MergePartials(layout_, *partials_, batch, state.states, state.rows));
  } else {
    layout_.Update(state.states, state.rows, inputs);
  }
  state.states.clear();
  state.rows.clear();
  return {};
}

Status WindowAggregateOperator::Advance(int64_t watermark,
                                        OperatorState* state,
                                        OperatorOutput& out) const {
  State& mine = *static_cast<State*>(state);
  Results results(*this, out);
  while (!mine.groups.tables().empty()) {
    const int64_t end = NextEnd(mine);
    if (WindowMaxTime(end) > watermark) break;
    RETURN_IF_ERROR(Fire(end, mine, results));
    mine.fired = std::max(mine.fired, WindowMaxTime(end));
  }
  mine.fired = std::max(mine.fired, watermark);
  mine.groups.Trim();
  return results.Emit();
}

WindowEnds WindowAggregateOperator::EndsOf(int64_t table_end) const {
  if (!is_sliced_) return {.first = table_end, .last = table_end, .step = 1};
  return AssignWindows(description_.window, table_end - 1);
}

int64_t WindowAggregateOperator::NextEnd(const State& state) const {
  // Later tables have no earlier windows.
  const WindowEnds ends = EndsOf(state.groups.tables().begin()->first);
  if (WindowMaxTime(ends.first) > state.fired) return ends.first;
  if (WindowMaxTime(ends.last) <= state.fired) return ends.last;
  const int64_t steps = (state.fired - WindowMaxTime(ends.first)) / ends.step + 1;
  return ends.first + steps * ends.step;
}

int64_t WindowAggregateOperator::NextFiring(const OperatorState* state) const {
  const State& mine = *static_cast<const State*>(state);
  return mine.groups.tables().empty() ? kWatermarkEnd : WindowMaxTime(NextEnd(mine));
}

int64_t WindowAggregateOperator::NextTick(const OperatorState* state) const {
  const State& mine = *static_cast<const State*>(state);
  return mine.stale.empty() ? kNoTick : mine.next_show_us;
}

Status WindowAggregateOperator::Tick(int64_t now_us,
                                     OperatorState* state,
                                     OperatorOutput& out) const {
  State& mine = *static_cast<State*>(state);
  if (mine.stale.empty() || now_us < mine.next_show_us) return {};
  auto shown = std::exchange(mine.stale, {});
  std::sort(shown.begin(), shown.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.second->key < b.second->key;
  });
  Results results(*this, out);
  for (const auto& [end, group] : shown)
    RETURN_IF_ERROR(results.Add(end, *group));
  RETURN_IF_ERROR(results.Emit());
  for (const auto& [end, group] : shown) {
    group->is_shown = true;
    group->is_stale = false;
  }
  return {};
}

Status WindowAggregateOperator::Fire(int64_t end, State& state, Results& results) const {
  const int64_t before = is_sliced_ ? WindowStart(description_.window, end) : end - 1;
  int64_t gone = before;
  for (const auto& [table_end, table] : state.groups.tables()) {
    if (EndsOf(table_end).last > end) break;
    gone = table_end;
  }
  std::erase_if(state.stale, [&](const auto& entry) {
    // It is given now.
    return entry.first <= gone;
  });
  return state.groups.Fire({.after = before, .last = end, .gone = gone}, [&](Group& group) {
    // What was shown and is the same still is known.
    return group.is_shown && !group.is_stale ? Status() : results.Add(end, group);
  });
}

void WindowAggregateOperator::SaveChanges(OperatorState* state, StateSink& sink) const {
  State& mine = *static_cast<State*>(state);
  mine.groups.SaveChanges(sink);
  mine.groups.Trim();
}

Status WindowAggregateOperator::Restore(OperatorState* state,
                                        std::string_view key,
                                        std::string_view value) const {
  State& mine = *static_cast<State*>(state);
  int64_t end = 0;
  if (!TakeSortable(key, end) || !IsWindowEnd(description_.window, end)) {
    return DamagedState("window key");
  }
  // The key is checked here, not only when the window fires.
  std::vector<Column> columns = MakeBatch(description_.output).columns;
  Arena arena;
  RETURN_IF_ERROR(codec_.Decode(key, columns, 0, arena));
  ASSIGN_OR_RETURN(Group* const group, mine.groups.Restore(end, key, value));
  // Whether this was shown nobody knows.
  if (description_.early_us > 0) {
    group->is_stale = true;
    mine.stale.emplace_back(end, group);
  }
  mine.groups.Trim();
  return {};
}

void WindowAggregateOperator::RestoreWatermark(OperatorState* state, int64_t watermark) const {
  State& mine = *static_cast<State*>(state);
  mine.fired = std::max(mine.fired, watermark);
}

}  // namespace slipstream::sql
