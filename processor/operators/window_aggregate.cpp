#include "processor/operators/window_aggregate.h"

#include <algorithm>
#include <map>
#include <utility>

#include "processor/expr/state_bytes.h"

namespace slipstream::sql {
namespace {

constexpr uint8_t kStateVersion = 1;
constexpr uint8_t kSlicedStateVersion = 2;
constexpr size_t kEmittedRows = 4096;
// Rows and their windows that are updated together: a row may be in thousands of windows.
constexpr size_t kPairsMax = 1 << 16;

bool IsMadeOfSlices(const WindowSpec& window) {
  if (window.size_us <= window.slide_us) return false;
  if (window.kind == WindowSpec::Kind::kHop) return window.size_us % window.slide_us == 0;
  return window.kind == WindowSpec::Kind::kCumulate;
}

}  // namespace

struct WindowAggregateOperator::Table {
  explicit Table(const AggregateLayout& layout) : groups(layout) {}
  GroupTable groups;
};

struct WindowAggregateOperator::State final : OperatorState {
  std::map<int64_t, std::unique_ptr<Table>> tables;  // by end
  int64_t fired = kWatermarkNone;                    // windows up to there have fired
  std::vector<GroupOfTable> changed;                 // since they were last saved
  std::vector<GroupOfTable> stale;                   // those to be shown early
  int64_t next_show_us = 0;                          // when, if there are any
  std::vector<std::string> deleted;                  // saved keys of tables that are gone

  // Of the batch at hand, kept for their memory: row rows[i] counts in states[i].
  std::vector<std::byte*> states;
  std::vector<uint32_t> rows;
  std::vector<uint32_t> late;  // too late for one of their windows
  std::string key;
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
  return std::make_unique<State>();
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
  Table* last_table = nullptr;
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
        std::unique_ptr<Table>& table = state.tables[end];
        if (!table) table = std::make_unique<Table>(layout_);
        last_table = table.get();
        last_end = end;
      }
      Group& group = last_table->groups.Find(state.key);
      if (!group.is_changed) {
        group.is_changed = true;
        state.changed.emplace_back(end, &group);
      }
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
  const size_t tables = mine.tables.size();
  while (!mine.tables.empty()) {
    const int64_t end = NextEnd(mine);
    if (WindowMaxTime(end) > watermark) break;
    RETURN_IF_ERROR(Fire(end, mine, out));
    mine.fired = std::max(mine.fired, WindowMaxTime(end));
    while (!mine.tables.empty() && HasFired(mine.tables.begin()->first, mine))
      DropFirst(mine);
  }
  const auto is_dropped = [&](const GroupOfTable& entry) { return HasFired(entry.first, mine); };
  if (mine.tables.size() < tables) {
    std::erase_if(mine.changed, is_dropped);
    std::erase_if(mine.stale, is_dropped);
  }
  mine.fired = std::max(mine.fired, watermark);
  return {};
}

bool WindowAggregateOperator::HasFired(int64_t table_end, const State& state) const {
  return WindowMaxTime(EndsOf(table_end).last) <= state.fired;
}

void WindowAggregateOperator::DropFirst(State& state) const {
  const auto first = state.tables.begin();
  for (const Group* group : first->second->groups.Sorted()) {
    if (!group->is_saved) continue;
    std::string key;
    AppendSortable(key, first->first);
    state.deleted.push_back(key.append(group->key));
  }
  state.tables.erase(first);
}

WindowEnds WindowAggregateOperator::EndsOf(int64_t table_end) const {
  if (!is_sliced_) return {.first = table_end, .last = table_end, .step = 1};
  return AssignWindows(description_.window, table_end - 1);
}

int64_t WindowAggregateOperator::NextEnd(const State& state) const {
  // Later tables have no earlier windows.
  const WindowEnds ends = EndsOf(state.tables.begin()->first);
  if (WindowMaxTime(ends.first) > state.fired) return ends.first;
  if (WindowMaxTime(ends.last) <= state.fired) return ends.last;
  const int64_t steps = (state.fired - WindowMaxTime(ends.first)) / ends.step + 1;
  return ends.first + steps * ends.step;
}

uint8_t WindowAggregateOperator::state_version() const {
  return is_sliced_ ? kSlicedStateVersion : kStateVersion;
}

int64_t WindowAggregateOperator::NextFiring(const OperatorState* state) const {
  const State& mine = *static_cast<const State*>(state);
  return mine.tables.empty() ? kWatermarkEnd : WindowMaxTime(NextEnd(mine));
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
  std::vector<GroupOfTable> shown = std::exchange(mine.stale, {});
  std::sort(shown.begin(), shown.end(), [](const GroupOfTable& a, const GroupOfTable& b) {
    return a.first != b.first ? a.first < b.first : a.second->key < b.second->key;
  });
  RETURN_IF_ERROR(Give(shown, out));
  for (const auto& [end, group] : shown) {
    group->is_shown = true;
    group->is_stale = false;
  }
  return {};
}

Status WindowAggregateOperator::Fire(int64_t end, const State& state, OperatorOutput& out) const {
  const Table* table = state.tables.begin()->second.get();
  Table merged(layout_);
  if (is_sliced_) {
    const auto first = state.tables.upper_bound(WindowStart(description_.window, end));
    const auto behind = state.tables.upper_bound(end);
    for (auto slice = first; slice != behind; ++slice)
      slice->second->groups.MergeInto(merged.groups);
    table = &merged;
  }
  std::vector<GroupOfTable> groups;
  for (Group* group : table->groups.Sorted()) {
    // What was shown and is the same still is known.
    if (!group->is_shown || group->is_stale) groups.emplace_back(end, group);
  }
  return Give(groups, out);
}

Status WindowAggregateOperator::Give(std::span<const GroupOfTable> groups,
                                     OperatorOutput& out) const {
  for (size_t first = 0; first < groups.size(); first += kEmittedRows) {
    RowBatch rows{.batch = MakeBatch(description_.output), .origins = {}, .kinds = {}};
    Arena& arena = rows.batch.NewArena();
    const size_t last = std::min(first + kEmittedRows, groups.size());
    for (size_t i = first; i < last; ++i) {
      const int64_t end = groups[i].first;
      const Group& group = *groups[i].second;
      if (description_.early_us > 0) {
        rows.kinds.push_back(group.is_shown ? RowKind::kUpdateAfter : RowKind::kInsert);
      }
      RETURN_IF_ERROR(codec_.Decode(group.key, rows.batch.columns, 0, arena));
      const size_t keys = description_.group_columns.size();
      layout_.Finish(group.state, rows.batch.columns, keys, arena);
      size_t column = keys + description_.aggregates.size();
      const int64_t start = WindowStart(description_.window, end);
      for (const WindowProperty property : description_.properties) {
        const int64_t time = PropertyOf(description_.window, property, start, end);
        rows.batch.columns[column++].Append(time, arena);
      }
      ++rows.batch.rows;
    }
    RETURN_IF_ERROR(out.Emit(std::move(rows)));
  }
  return {};
}

// Saved key: the table's end, sortable, then the group's key. Value: version, then the aggregates.
void WindowAggregateOperator::SaveChanges(OperatorState* state, StateSink& sink) const {
  State& mine = *static_cast<State*>(state);
  for (const std::string& key : mine.deleted)
    sink.Delete(key);
  mine.deleted.clear();
  std::string key;
  std::string value;
  for (const auto& [end, group] : mine.changed) {
    key.clear();
    AppendSortable(key, end);
    key.append(group->key);
    value.assign(1, static_cast<char>(state_version()));
    layout_.Save(group->state, value);
    sink.Put(key, value);
    group->is_changed = false;
    group->is_saved = true;
  }
  mine.changed.clear();
}

Status WindowAggregateOperator::Restore(OperatorState* state,
                                        std::string_view key,
                                        std::string_view value) const {
  State& mine = *static_cast<State*>(state);
  int64_t end = 0;
  if (!TakeSortable(key, end) || !IsWindowEnd(description_.window, end)) {
    return DamagedState("window key");
  }
  uint8_t version = 0;
  if (!TakeByte(value, version)) return DamagedState("window value");
  if (version != state_version()) {
    return DataLoss("saved window state has version " + std::to_string(version) +
                    ", this program reads " + std::to_string(state_version()));
  }
  std::unique_ptr<Table>& table = mine.tables[end];
  if (!table) table = std::make_unique<Table>(layout_);
  Group& group = table->groups.Find(key);
  // The key is checked here, not only when the window fires.
  std::vector<Column> columns = MakeBatch(description_.output).columns;
  Arena arena;
  RETURN_IF_ERROR(codec_.Decode(key, columns, 0, arena));
  group.is_saved = true;
  // Whether this was shown nobody knows.
  if (description_.early_us > 0) {
    group.is_stale = true;
    mine.stale.emplace_back(end, &group);
  }
  return layout_.Restore(group.state, value);
}

void WindowAggregateOperator::RestoreWatermark(OperatorState* state, int64_t watermark) const {
  State& mine = *static_cast<State*>(state);
  mine.fired = std::max(mine.fired, watermark);
}

}  // namespace slipstream::sql
