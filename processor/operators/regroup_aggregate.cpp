#include "processor/operators/regroup_aggregate.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "processor/operators/row_store.h"

namespace slipstream::sql {
namespace {

// One state of the aggregates, for as long as it lives.
class OneState {
 public:
  explicit OneState(const AggregateLayout& layout)
      : layout_(layout), bytes_(std::make_unique<std::byte[]>(layout.state_bytes())) {
    layout_.Init(bytes_.get());
  }
  ~OneState() { layout_.Destroy(bytes_.get()); }
  OneState(const OneState&) = delete;
  OneState& operator=(const OneState&) = delete;

  std::byte* bytes() const { return bytes_.get(); }

 private:
  const AggregateLayout& layout_;
  const std::unique_ptr<std::byte[]> bytes_;
};

}  // namespace

struct RegroupAggregateOperator::State final : OperatorState {
  RowStore rows;  // by group, then as they came
  uint64_t next_sequence = 0;
};

RegroupAggregateOperator::RegroupAggregateOperator(Description description)
    : description_(std::move(description)),
      layout_(description_.aggregates),
      codec_(description_.input, description_.group_columns),
      input_codec_(description_.input),
      result_codec_(description_.output) {}

std::unique_ptr<OperatorState> RegroupAggregateOperator::MakeState() const {
  return std::make_unique<State>();
}

bool RegroupAggregateOperator::SpillTo(OperatorState* state, ScratchSpace& space) const {
  static_cast<State*>(state)->rows.SpillTo(space);
  return true;
}

Status RegroupAggregateOperator::Process(RowBatch rows,
                                         int64_t,
                                         OperatorState* state,
                                         OperatorOutput& out) const {
  RowErrors errors;
  layout_.Compute(rows.batch, errors);
  ASSIGN_OR_RETURN(rows, TakeOutFailed(std::move(rows), errors, out));
  State& mine = *static_cast<State*>(state);
  Places before;
  Batch results = MakeBatch(description_.output);
  for (size_t row = 0; row < rows.batch.rows; ++row) {
    std::string group;
    codec_.Encode(rows.batch.columns, row, group);
    if (!before.contains(group)) {
      mine.rows.Load(group);
      ASSIGN_OR_RETURN(before[group], Compute(mine, group, results));
    }
    std::string encoded;
    input_codec_.Encode(rows.batch.columns, row, encoded);
    if (IsAddition(rows.kind(row))) {
      AppendSequence(group, mine.next_sequence++);
      mine.rows.Put(group, std::move(encoded));
      continue;
    }
    // The last one that is equal is taken back.
    const auto begin = mine.rows.Begin(group);
    for (auto entry = mine.rows.End(group); entry != begin;) {
      if ((--entry)->second != encoded) continue;
      mine.rows.Erase(entry);
      break;
    }
  }
  RETURN_IF_ERROR(EmitChanges(mine, before, std::move(results), out));
  mine.rows.Trim();
  return {};
}

Result<std::optional<uint32_t>> RegroupAggregateOperator::Compute(const State& state,
                                                                  const std::string& group,
                                                                  Batch& to) const {
  const auto end = state.rows.End(group);
  auto entry = state.rows.Begin(group);
  if (entry == end) return std::optional<uint32_t>();
  Batch input = MakeBatch(description_.input);
  Arena& arena = input.NewArena();
  for (; entry != end; ++entry, ++input.rows)
    RETURN_IF_ERROR(input_codec_.Decode(entry->second, input.columns, arena));
  const OneState aggregates(layout_);
  std::vector<uint32_t> rows(input.rows);
  std::iota(rows.begin(), rows.end(), 0U);
  RowErrors none;  // rows that fail were taken out when they came
  layout_.Update(
      std::vector<std::byte*>(input.rows, aggregates.bytes()), rows, layout_.Compute(input, none));
  Arena& kept = to.NewArena();
  RETURN_IF_ERROR(codec_.Decode(group, to.columns, 0, kept));
  layout_.Finish(aggregates.bytes(), to.columns, description_.group_columns.size(), kept);
  return std::optional<uint32_t>(static_cast<uint32_t>(to.rows++));
}

Status RegroupAggregateOperator::EmitChanges(const State& state,
                                             const Places& before,
                                             Batch results,
                                             OperatorOutput& out) const {
  std::vector<uint32_t> given;
  std::vector<RowKind> kinds;
  const auto give = [&](uint32_t row, RowKind kind) {
    given.push_back(row);
    kinds.push_back(kind);
  };
  const auto bytes = [&](uint32_t row) {
    std::string encoded;
    result_codec_.Encode(results.columns, row, encoded);
    return encoded;
  };
  for (const auto& [group, was] : before) {
    ASSIGN_OR_RETURN(const std::optional<uint32_t> is, Compute(state, group, results));
    if (was && is && bytes(*was) == bytes(*is)) continue;
    if (was) give(*was, is ? RowKind::kUpdateBefore : RowKind::kDelete);
    if (is) give(*is, was ? RowKind::kUpdateAfter : RowKind::kInsert);
  }
  if (given.empty()) return {};
  return out.Emit({.batch = Gather(results, given), .origins = {}, .kinds = std::move(kinds)});
}

bool RegroupAggregateOperator::Forget(OperatorState* state, std::string_view key) const {
  RowStore& rows = static_cast<State*>(state)->rows;
  rows.Load(key);
  rows.EraseAll(key);
  return true;
}

void RegroupAggregateOperator::SaveChanges(OperatorState* state, StateSink& sink) const {
  RowStore& rows = static_cast<State*>(state)->rows;
  rows.SaveChanges(sink);
  rows.Trim();
}

Status RegroupAggregateOperator::Restore(OperatorState* state,
                                         std::string_view key,
                                         std::string_view value) const {
  State& mine = *static_cast<State*>(state);
  RETURN_IF_ERROR(mine.rows.Restore(key, value));
  Batch row = MakeBatch(description_.input);
  RETURN_IF_ERROR(input_codec_.Decode(value.substr(1), row.columns, row.NewArena()));
  mine.next_sequence = std::max(mine.next_sequence, SequenceOf(key) + 1);
  return {};
}

}  // namespace slipstream::sql
