#include "processor/operators/group_aggregate.h"

#include <algorithm>
#include <utility>

#include "processor/expr/state_bytes.h"
#include "processor/operators/group_table.h"

namespace slipstream::sql {
namespace {

constexpr uint8_t kStateVersion = 1;
constexpr size_t kEmittedRows = 4096;

std::vector<DataType> TypesOf(const Schema& schema, const std::vector<size_t>& columns) {
  std::vector<DataType> types;
  types.reserve(columns.size());
  for (size_t column : columns)
    types.push_back(schema[column].type);
  return types;
}

}  // namespace

struct GroupAggregateOperator::State final : OperatorState {
  explicit State(const AggregateLayout& layout) : groups(layout) {}

  GroupTable groups;
  std::vector<Group*> changed;  // since the last save
};

GroupAggregateOperator::GroupAggregateOperator(Description description)
    : description_(std::move(description)),
      layout_(description_.aggregates),
      codec_(TypesOf(description_.input, description_.group_columns)) {}

std::unique_ptr<OperatorState> GroupAggregateOperator::MakeState() const {
  return std::make_unique<State>(layout_);
}

Status GroupAggregateOperator::Process(RowBatch rows,
                                       int64_t,
                                       OperatorState* state,
                                       OperatorOutput& out) const {
  RowErrors errors;
  AggregateLayout::Inputs inputs = layout_.Compute(rows.batch, errors);
  if (!errors.empty()) {
    ASSIGN_OR_RETURN(rows, TakeOutFailed(std::move(rows), errors, out));
    RowErrors none;
    inputs = layout_.Compute(rows.batch, none);
  }
  State& mine = *static_cast<State*>(state);
  std::vector<const Column*> key_columns;
  for (size_t column : description_.group_columns)
    key_columns.push_back(&rows.batch.columns[column]);
  std::vector<std::byte*> states;
  std::vector<uint32_t> indexes;
  std::vector<Group*> touched;
  std::string key;
  for (uint32_t row = 0; row < rows.batch.rows; ++row) {
    key.clear();
    codec_.Encode(key_columns, row, key);
    Group& group = mine.groups.Find(key);
    if (description_.gives_updates) touched.push_back(&group);
    if (!group.is_changed) {
      group.is_changed = true;
      mine.changed.push_back(&group);
    }
    states.push_back(group.state);
    indexes.push_back(row);
  }
  layout_.Update(states, indexes, inputs);
  if (!description_.gives_updates) return {};
  std::sort(touched.begin(), touched.end(), [](const Group* a, const Group* b) {
    return a->key < b->key;
  });
  touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
  return EmitGroups(touched, out);
}

Status GroupAggregateOperator::Advance(int64_t watermark,
                                       OperatorState* state,
                                       OperatorOutput& out) const {
  if (watermark != kWatermarkEnd || description_.gives_updates) return {};
  State& mine = *static_cast<State*>(state);
  if (description_.group_columns.empty()) mine.groups.Find({});
  return EmitGroups(mine.groups.Sorted(), out);
}

Status GroupAggregateOperator::EmitGroups(const std::vector<Group*>& groups,
                                          OperatorOutput& out) const {
  for (size_t first = 0; first < groups.size(); first += kEmittedRows) {
    RowBatch rows{.batch = MakeBatch(description_.output), .origins = {}};
    Arena& arena = rows.batch.NewArena();
    const size_t last = std::min(first + kEmittedRows, groups.size());
    for (size_t i = first; i < last; ++i) {
      RETURN_IF_ERROR(codec_.Decode(groups[i]->key, rows.batch.columns, 0, arena));
      layout_.Finish(
          groups[i]->state, rows.batch.columns, description_.group_columns.size(), arena);
      ++rows.batch.rows;
    }
    RETURN_IF_ERROR(out.Emit(std::move(rows)));
  }
  return {};
}

void GroupAggregateOperator::SaveChanges(OperatorState* state, StateSink& sink) const {
  State& mine = *static_cast<State*>(state);
  std::string value;
  for (Group* group : mine.changed) {
    value.assign(1, static_cast<char>(kStateVersion));
    layout_.Save(group->state, value);
    sink.Put(group->key, value);
    group->is_changed = false;
  }
  mine.changed.clear();
}

Status GroupAggregateOperator::Restore(OperatorState* state,
                                       std::string_view key,
                                       std::string_view value) const {
  uint8_t version = 0;
  if (!TakeByte(value, version)) return DamagedState("group value");
  if (version != kStateVersion) {
    return DataLoss("saved group state has version " + std::to_string(version) +
                    ", this program reads " + std::to_string(kStateVersion));
  }
  std::vector<Column> columns = MakeBatch(description_.output).columns;
  Arena arena;
  RETURN_IF_ERROR(codec_.Decode(key, columns, 0, arena));
  State& mine = *static_cast<State*>(state);
  return layout_.Restore(mine.groups.Find(key).state, value);
}

}  // namespace slipstream::sql
