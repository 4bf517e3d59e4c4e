#include "processor/operators/group_aggregate.h"

#include <algorithm>
#include <utility>

#include "processor/expr/state_bytes.h"
#include "processor/operators/group_cache.h"

namespace slipstream::sql {
namespace {

constexpr size_t kEmittedRows = 4096;

}  // namespace

struct GroupAggregateOperator::State final : OperatorState {
  explicit State(const AggregateLayout& layout) : groups(layout) {}

  GroupCache groups;
  std::vector<Group*> changed;  // since the last save
};

// A group that rows of the batch at hand belong to.
struct GroupAggregateOperator::Touched {
  Group* group = nullptr;
  bool was_there = false;
  uint32_t before = 0;  // its results before the batch, if it was there: a row of the results
};

GroupAggregateOperator::GroupAggregateOperator(Description description)
    : description_(std::move(description)),
      layout_(description_.aggregates),
      partials_(PartialsOf(
          description_.merges, description_.input, description_.group_columns, std::nullopt)),
      codec_(GroupKeyCodec(partials_, description_.input, description_.group_columns)),
      result_codec_(description_.output) {}

std::unique_ptr<OperatorState> GroupAggregateOperator::MakeState() const {
  return std::make_unique<State>(layout_);
}

bool GroupAggregateOperator::SpillTo(OperatorState* state, ScratchSpace& space) const {
  static_cast<State*>(state)->groups.SpillTo(space);
  return true;
}

Status GroupAggregateOperator::Process(RowBatch rows,
                                       int64_t,
                                       OperatorState* state,
                                       OperatorOutput& out) const {
  AggregateLayout::Inputs inputs;
  if (!partials_) {
    ASSIGN_OR_RETURN(inputs, layout_.ComputeSound(rows, {}, out));
  }
  State& mine = *static_cast<State*>(state);
  std::vector<Group*> groups;
  std::string key;
  for (size_t row = 0; row < rows.batch.rows; ++row) {
    key.clear();
    codec_.Encode(rows.batch.columns, row, key);
    Group& group = mine.groups.Find(key);
    groups.push_back(&group);
    if (group.is_changed) continue;
    group.is_changed = true;
    mine.changed.push_back(&group);
  }
  mine.groups.Trim();
  if (!description_.gives_updates) {
    return Apply(groups, rows, inputs);
  }
  std::vector<Touched> touched;
  touched.reserve(groups.size());
  for (Group* group : groups)
    touched.push_back({.group = group});
  const auto by_key = [](const Touched& a, const Touched& b) {
    return a.group->key < b.group->key;
  };
  std::sort(touched.begin(), touched.end(), by_key);
  const auto is_same = [](const Touched& a, const Touched& b) { return a.group == b.group; };
  touched.erase(std::unique(touched.begin(), touched.end(), is_same), touched.end());
  Batch results = MakeBatch(description_.output);
  Arena& arena = results.NewArena();
  for (Touched& one : touched) {
    one.was_there = one.group->rows > 0;
    one.before = static_cast<uint32_t>(results.rows);
    if (one.was_there) RETURN_IF_ERROR(AppendGroup(*one.group, arena, results));
  }
  RETURN_IF_ERROR(Apply(groups, rows, inputs));
  return EmitChanges(touched, std::move(results), out);
}

Status GroupAggregateOperator::Apply(const std::vector<Group*>& groups,
                                     const RowBatch& rows,
                                     const AggregateLayout::Inputs& inputs) const {
  if (partials_) return Merge(groups, rows.batch);
  std::vector<std::byte*> added;
  std::vector<uint32_t> added_rows;
  std::vector<std::byte*> removed;
  std::vector<uint32_t> removed_rows;
  for (uint32_t row = 0; row < rows.batch.rows; ++row) {
    const bool is_addition = IsAddition(rows.kind(row));
    if (!is_addition && groups[row]->rows == 0) continue;  // it counted in what was forgotten
    groups[row]->rows += is_addition ? 1 : -1;
    (is_addition ? added : removed).push_back(groups[row]->state);
    (is_addition ? added_rows : removed_rows).push_back(row);
  }
  layout_.Update(added, added_rows, inputs);
  if (!removed.empty()) layout_.Retract(removed, removed_rows, inputs);
  return {};
}

Status GroupAggregateOperator::Merge(const std::vector<Group*>& groups,
                                     const Batch& partials) const {
  std::vector<std::byte*> states;
  std::vector<uint32_t> places;
  for (uint32_t row = 0; row < partials.rows; ++row) {
    ASSIGN_OR_RETURN(const int64_t rows, RowsOf(partials, *partials_, row));
    groups[row]->rows = AddCounts(groups[row]->rows, rows);
    states.push_back(groups[row]->state);
    places.push_back(row);
  }
  return MergePartials(layout_, *partials_, partials, states, places);
}

Status GroupAggregateOperator::EmitChanges(const std::vector<Touched>& touched,
                                           Batch results,
                                           OperatorOutput& out) const {
  Arena& arena = results.NewArena();
  std::vector<uint32_t> given;
  std::vector<RowKind> kinds;
  const auto give = [&](size_t row, RowKind kind) {
    given.push_back(static_cast<uint32_t>(row));
    kinds.push_back(kind);
  };
  std::string before;
  std::string after;
  for (const Touched& one : touched) {
    if (one.group->rows == 0) {
      if (one.was_there) give(one.before, RowKind::kDelete);
      continue;
    }
    const size_t now = results.rows;
    RETURN_IF_ERROR(AppendGroup(*one.group, arena, results));
    if (!one.was_there) {
      give(now, RowKind::kInsert);
      continue;
    }
    before.clear();
    after.clear();
    result_codec_.Encode(results.columns, one.before, before);
    result_codec_.Encode(results.columns, now, after);
    if (before == after) continue;
    give(one.before, RowKind::kUpdateBefore);
    give(now, RowKind::kUpdateAfter);
  }
  if (given.empty()) return {};
  return out.Emit({.batch = Gather(results, given), .origins = {}, .kinds = std::move(kinds)});
}

Status GroupAggregateOperator::AppendGroup(const Group& group, Arena& arena, Batch& to) const {
  RETURN_IF_ERROR(codec_.Decode(group.key, to.columns, 0, arena));
  layout_.Finish(group.state, to.columns, description_.group_columns.size(), arena);
  ++to.rows;
  return {};
}

Status GroupAggregateOperator::Advance(int64_t watermark,
                                       OperatorState* state,
                                       OperatorOutput& out) const {
  if (watermark != kWatermarkEnd || description_.gives_updates) return {};
  State& mine = *static_cast<State*>(state);
  if (description_.group_columns.empty()) mine.groups.Find({});
  RowBatch rows{.batch = MakeBatch(description_.output), .origins = {}, .kinds = {}};
  Arena* arena = nullptr;
  const auto emit = [&]() -> Status {
    if (rows.batch.rows == 0) return {};
    return out.Emit(
        std::exchange(rows, {.batch = MakeBatch(description_.output), .origins = {}, .kinds = {}}));
  };
  const auto append = [&](const Group& group) -> Status {
    if (rows.batch.rows == 0) arena = &rows.batch.NewArena();
    RETURN_IF_ERROR(AppendGroup(group, *arena, rows.batch));
    return rows.batch.rows < kEmittedRows ? Status() : emit();
  };
  RETURN_IF_ERROR(mine.groups.Visit(append));
  return emit();
}

bool GroupAggregateOperator::Forget(OperatorState* state, std::string_view key) const {
  State& mine = *static_cast<State*>(state);
  Group& group = mine.groups.Find(key);
  layout_.Destroy(group.state);
  layout_.Init(group.state);
  group.rows = 0;
  // It goes with the next save, unless a row comes before.
  if (!std::exchange(group.is_changed, true)) mine.changed.push_back(&group);
  return true;
}

void GroupAggregateOperator::SaveChanges(OperatorState* state, StateSink& sink) const {
  State& mine = *static_cast<State*>(state);
  std::string value;
  for (Group* group : mine.changed) {
    group->is_changed = false;
    if (group->rows == 0) {
      if (group->is_saved) sink.Delete(group->key);
      mine.groups.Remove(*group);
      continue;
    }
    value.clear();
    SaveGroup(layout_, *group, value);
    sink.Put(group->key, value);
    mine.groups.OnSaved(*group, value);
  }
  mine.changed.clear();
  mine.groups.Trim();
}

Status GroupAggregateOperator::Restore(OperatorState* state,
                                       std::string_view key,
                                       std::string_view value) const {
  std::vector<Column> columns = MakeBatch(description_.output).columns;
  Arena arena;
  RETURN_IF_ERROR(codec_.Decode(key, columns, 0, arena));
  return static_cast<State*>(state)->groups.Restore(key, value);
}

}  // namespace slipstream::sql
