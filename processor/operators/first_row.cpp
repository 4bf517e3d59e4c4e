#include "processor/operators/first_row.h"

#include <set>
#include <string>
#include <utility>

#include "processor/expr/state_bytes.h"
#include "processor/operators/row_store.h"

namespace slipstream::sql {
namespace {

// A partition's entry has this sequence number; its value is the row's time and the row, or empty
// when the row was given.
constexpr uint64_t kOnly = 0;

// The key without the number.
std::string_view PartitionOf(std::string_view key) {
  return key.substr(0, key.size() - sizeof(kOnly));
}

}  // namespace

struct FirstRowOperator::State final : OperatorState {
  RowStore partitions;
  std::set<std::pair<int64_t, std::string>> waiting;  // time, key
};

FirstRowOperator::FirstRowOperator(Description description)
    : description_(std::move(description)),
      codec_(description_.input, description_.partition_columns),
      row_codec_(description_.input) {}

std::unique_ptr<OperatorState> FirstRowOperator::MakeState() const {
  return std::make_unique<State>();
}

bool FirstRowOperator::SpillTo(OperatorState* state, ScratchSpace& space) const {
  static_cast<State*>(state)->partitions.SpillTo(space);
  return true;
}

Status FirstRowOperator::Process(RowBatch rows,
                                 int64_t watermark,
                                 OperatorState* state,
                                 OperatorOutput& out) const {
  State& mine = *static_cast<State*>(state);
  const Column& times = rows.batch.columns[description_.time_column];
  std::vector<uint32_t> late;
  std::string key;
  for (size_t row = 0; row < rows.batch.rows; ++row) {
    if (times.is_null(row) || times.ints[row] <= watermark) {
      late.push_back(static_cast<uint32_t>(row));
      continue;
    }
    const int64_t time = times.ints[row];
    key.clear();
    codec_.Encode(rows.batch.columns, row, key);
    mine.partitions.Load(key);
    AppendSequence(key, kOnly);
    const auto known = mine.partitions.entries().find(key);
    if (known != mine.partitions.entries().end()) {
      std::string_view value = known->second;
      int64_t first = 0;
      if (!TakeInt64(value, first) || first <= time) continue;
      mine.waiting.erase({first, key});
    }
    std::string value;
    PutInt64(value, time);
    row_codec_.Encode(rows.batch.columns, row, value);
    mine.partitions.Put(key, std::move(value));
    mine.waiting.emplace(time, key);
  }
  mine.partitions.Trim();
  if (!late.empty()) RETURN_IF_ERROR(out.DropLate(rows, late));
  return {};
}

Status FirstRowOperator::Advance(int64_t watermark,
                                 OperatorState* state,
                                 OperatorOutput& out) const {
  State& mine = *static_cast<State*>(state);
  RowBatch rows{.batch = MakeBatch(description_.output), .origins = {}, .kinds = {}};
  Arena& arena = rows.batch.NewArena();
  while (!mine.waiting.empty() && mine.waiting.begin()->first <= watermark) {
    const std::string key = mine.waiting.begin()->second;
    mine.partitions.Load(PartitionOf(key));
    std::string_view row = mine.partitions.entries().find(key)->second;
    int64_t time = 0;
    if (!TakeInt64(row, time)) return DamagedState("first row");
    RETURN_IF_ERROR(row_codec_.Decode(row, rows.batch.columns, arena));
    if (description_.has_rank) rows.batch.columns.back().Append(int64_t{1}, arena);
    ++rows.batch.rows;
    mine.partitions.Put(key, {});
    mine.waiting.erase(mine.waiting.begin());
  }
  mine.partitions.Trim();
  return rows.batch.rows == 0 ? Status() : out.Emit(std::move(rows));
}

// A row that waits for its time is given first.
bool FirstRowOperator::Forget(OperatorState* state, std::string_view key) const {
  RowStore& partitions = static_cast<State*>(state)->partitions;
  partitions.Load(key);
  const auto known = partitions.Begin(key);
  if (known == partitions.End(key)) return true;
  if (!known->second.empty()) return false;
  partitions.Erase(known);
  return true;
}

void FirstRowOperator::SaveChanges(OperatorState* state, StateSink& sink) const {
  RowStore& partitions = static_cast<State*>(state)->partitions;
  partitions.SaveChanges(sink);
  partitions.Trim();
}

Status FirstRowOperator::Restore(OperatorState* state,
                                 std::string_view key,
                                 std::string_view value) const {
  State& mine = *static_cast<State*>(state);
  RETURN_IF_ERROR(mine.partitions.Restore(key, value));
  std::string_view row = value.substr(1);
  if (row.empty()) return {};
  int64_t time = 0;
  if (!TakeInt64(row, time)) return DamagedState("first row");
  Batch checked = MakeBatch(description_.input);
  RETURN_IF_ERROR(row_codec_.Decode(row, checked.columns, checked.NewArena()));
  mine.waiting.emplace(time, key);
  return {};
}

}  // namespace slipstream::sql
