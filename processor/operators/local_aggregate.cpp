#include "processor/operators/local_aggregate.h"

#include <optional>
#include <string>
#include <utility>

#include <absl/container/flat_hash_map.h>

#include "common/check/check.h"
#include "processor/operators/group_table.h"
#include "processor/operators/window_assigner.h"

namespace slipstream::sql {
namespace {

constexpr size_t kEmittedRows = 4096;
// Of keys and states. More groups than that hardly ever meet rows of their own again.
constexpr size_t kHeldBytesMax = size_t{8} << 20;
// Of one growing state, which becomes one row: far below the 1 MB that brokers take.
constexpr size_t kGrowthBytesMax = size_t{128} << 10;
constexpr size_t kValueBytes = 16;  // that stand for a value besides a string's own

std::vector<size_t> GrowingCalls(const std::vector<AggregateCall>& calls) {
  std::vector<size_t> growing;
  for (size_t i = 0; i < calls.size(); ++i) {
    if (calls[i].is_distinct || calls[i].function->grows()) growing.push_back(i);
  }
  return growing;
}

std::optional<size_t> TimeColumn(const std::optional<WindowSpec>& window) {
  return window ? std::optional(window->time_column) : std::nullopt;
}

}  // namespace

struct LocalAggregateOperator::State final : OperatorState {
  explicit State(const AggregateLayout& layout) : groups(layout) {}

  int64_t next_row = 0;
  GroupTable groups;         // by slice, if there are windows, then group
  std::vector<Group*> held;  // all of them, in the order they came
  size_t held_bytes = 0;
  absl::flat_hash_map<const Group*, size_t> growth_bytes;  // where a state grows

  // Of the batch at hand, kept for their memory: row rows[i] counts in states[i].
  std::vector<std::byte*> states;
  std::vector<uint32_t> rows;
  std::string key;
};

LocalAggregateOperator::LocalAggregateOperator(Description description)
    : description_(std::move(description)),
      slice_us_(description_.window ? SliceWidth(*description_.window) : 0),
      layout_(description_.aggregates),
      growing_(GrowingCalls(description_.aggregates)),
      codec_(description_.input, description_.group_columns),
      output_(description_.input, description_.group_columns, TimeColumn(description_.window)) {}

std::unique_ptr<OperatorState> LocalAggregateOperator::MakeState() const {
  return std::make_unique<State>(layout_);
}

Status LocalAggregateOperator::Process(RowBatch rows,
                                       int64_t,
                                       OperatorState* state,
                                       OperatorOutput& out) const {
  State& mine = *static_cast<State*>(state);
  if (description_.orders_rows) AppendOrder(rows, mine);
  RowErrors errors;
  if (description_.window) {
    errors = CheckWindowTimes(rows.batch.columns[description_.window->time_column]);
  }
  ASSIGN_OR_RETURN(const AggregateLayout::Inputs inputs,
                   layout_.ComputeSound(rows, std::move(errors), out));
  const auto update = [&] {
    layout_.Update(mine.states, mine.rows, inputs);
    mine.states.clear();
    mine.rows.clear();
  };
  std::optional<WindowTimes> times;
  if (description_.window) {
    const WindowSpec& window = *description_.window;
    times.emplace(window.zone.get(), rows.batch.columns[window.time_column]);
  }
  for (uint32_t row = 0; row < rows.batch.rows; ++row) {
    const int64_t time = times ? (*times)[row] : 0;
    const Group& group = Hold(rows.batch, row, time, mine);
    mine.states.push_back(group.state);
    mine.rows.push_back(row);
    const size_t growth = growing_.empty() ? 0 : Grow(group, GrowthOf(inputs, row), mine);
    if (mine.held_bytes < kHeldBytesMax && growth < kGrowthBytesMax) continue;
    update();
    RETURN_IF_ERROR(Give(mine, out));
  }
  update();
  return {};
}

void LocalAggregateOperator::AppendOrder(RowBatch& rows, State& state) const {
  SLIPSTREAM_CHECK(rows.places != nullptr && rows.origins.size() == rows.batch.rows,
                   "rows that are to be ordered come from nowhere: rows={}",
                   rows.batch.rows);
  Arena& arena = rows.batch.NewArena();
  Column order(OrderType());
  std::string bytes;
  for (size_t row = 0; row < rows.batch.rows; ++row) {
    const uint32_t record = rows.origins[row];
    bytes.clear();
    AppendSortable(bytes, rows.places->times[record]);
    AppendSortable(bytes, (int64_t{rows.places->topic} << 31) + rows.places->partition);
    AppendSortable(bytes, rows.places->offsets[record]);
    // Rows of one record, as they came: only those of one epoch are ever compared by this.
    AppendSortable(bytes, state.next_row++);
    order.strings.push_back(arena.Copy(bytes));
  }
  rows.batch.columns.push_back(std::move(order));
}

size_t LocalAggregateOperator::GrowthOf(const AggregateLayout::Inputs& inputs, uint32_t row) const {
  size_t bytes = 0;
  for (const size_t call : growing_) {
    for (const Column& column : inputs.args[call]) {
      const bool is_text = column.physical() == PhysicalKind::kString;
      bytes += kValueBytes + (is_text ? column.strings[row].size() : 0);
    }
  }
  return bytes;
}

size_t LocalAggregateOperator::Grow(const Group& group, size_t bytes, State& state) {
  state.held_bytes += bytes;
  return state.growth_bytes[&group] += bytes;
}

Group& LocalAggregateOperator::Hold(const Batch& batch,
                                    uint32_t row,
                                    int64_t time,
                                    State& state) const {
  state.key.clear();
  if (description_.window) {
    AppendSortable(state.key, SliceStart(*description_.window, slice_us_, time));
  }
  codec_.Encode(batch.columns, row, state.key);
  Group& group = state.groups.Find(state.key);
  if (group.rows++ == 0) {
    state.held.push_back(&group);
    state.held_bytes += sizeof(Group) + state.key.size() + layout_.state_bytes();
  }
  return group;
}

Status LocalAggregateOperator::Advance(int64_t watermark,
                                       OperatorState* state,
                                       OperatorOutput& out) const {
  return watermark == kWatermarkEnd ? EndEpoch(state, out) : Status();
}

Status LocalAggregateOperator::EndEpoch(OperatorState* state, OperatorOutput& out) const {
  return Give(*static_cast<State*>(state), out);
}

Status LocalAggregateOperator::Give(State& state, OperatorOutput& out) const {
  std::string aggregates;
  for (size_t first = 0; first < state.held.size(); first += kEmittedRows) {
    RowBatch rows{.batch = MakeBatch(output_.schema), .origins = {}, .kinds = {}};
    std::vector<Column>& to = rows.batch.columns;
    Arena& arena = rows.batch.NewArena();
    const size_t last = std::min(first + kEmittedRows, state.held.size());
    for (size_t i = first; i < last; ++i) {
      Group& group = *state.held[i];
      std::string_view key = group.key;
      if (output_.time) {
        int64_t slice = 0;
        if (!TakeSortable(key, slice)) return Internal("a held group's slice");
        to[*output_.time].ints.push_back(slice);
      }
      RETURN_IF_ERROR(codec_.Decode(key, to, 0, arena));
      to[output_.rows].ints.push_back(group.rows);
      aggregates.clear();
      layout_.Save(group.state, aggregates);
      to[output_.aggregates].strings.push_back(arena.Copy(aggregates));
      ++rows.batch.rows;
      state.groups.Remove(group);
    }
    RETURN_IF_ERROR(out.Emit(std::move(rows)));
  }
  state.held.clear();
  state.held_bytes = 0;
  state.growth_bytes.clear();
  return {};
}

}  // namespace slipstream::sql
