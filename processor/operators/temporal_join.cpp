#include "processor/operators/temporal_join.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "processor/expr/state_bytes.h"
#include "processor/operators/due_keys.h"
#include "processor/operators/row_store.h"
#include "processor/operators/scratch_part.h"

namespace slipstream::sql {
namespace {

constexpr size_t kRowsTested = 8192;
constexpr size_t kSequenceBytes = sizeof(uint64_t);
// First bytes of keys: a left row is behind it by time and arrival, a version of the right side by
// join key and time.
constexpr char kLeftKey = 'l';
constexpr char kVersionKey = 'v';
// First byte of what is kept of a version.
constexpr char kIsThere = 1;
constexpr char kIsDeleted = 0;

int64_t TimeAt(std::string_view key, size_t position) {
  key.remove_prefix(position);
  int64_t time = 0;
  TakeSortable(key, time);
  return time;
}

}  // namespace

struct TemporalJoinOperator::State final : OperatorState {
  RowStore rows;
  DueKeys left_times;  // that left rows are kept of; their partitions are by time
  DueKeys versions;    // that the watermark has not passed: their partitions, by time
  uint64_t next_number = 0;

  // Where what does not fit into memory is.
  std::optional<ScratchPart> spilled_rows;
  std::optional<ScratchPart> spilled_left_times;
  std::optional<ScratchPart> spilled_versions;

  void Trim() {
    rows.Trim();
    left_times.Trim();
    versions.Trim();
  }
};

// Left rows that are due, and the versions they go with.
// NOLINTNEXTLINE(bugprone-reserved-identifier, readability-identifier-naming): the compiler's own
struct TemporalJoinOperator::Due {
  explicit Due(const JoinSide (&sides)[2]) {
    for (size_t side = 0; side < 2; ++side) {
      rows[side] = MakeBatch(sides[side].schema());
      arenas[side] = &rows[side].NewArena();
    }
  }

  Batch rows[2];
  Arena* arenas[2] = {};
  RowPairs pairs;  // one for each left row
};

TemporalJoinOperator::TemporalJoinOperator(JoinDescription description)
    : description_(std::move(description)),
      sides_{JoinSide(description_, 0), JoinSide(description_, 1)},
      pairs_(description_) {}

std::unique_ptr<OperatorState> TemporalJoinOperator::MakeState() const {
  return std::make_unique<State>();
}

bool TemporalJoinOperator::SpillTo(OperatorState* state, ScratchSpace& space) const {
  constexpr size_t kParts = 3;
  State& mine = *static_cast<State*>(state);
  mine.rows.SpillTo(mine.spilled_rows.emplace(space, 'r', kParts));
  mine.left_times.SpillTo(mine.spilled_left_times.emplace(space, 'l', kParts));
  mine.versions.SpillTo(mine.spilled_versions.emplace(space, 'v', kParts));
  return true;
}

Status TemporalJoinOperator::Process(RowBatch rows,
                                     int64_t,
                                     OperatorState* state,
                                     OperatorOutput& out) const {
  State& mine = *static_cast<State*>(state);
  const size_t side = rows.input;
  const Column& times =
      rows.batch.columns[side == 0 ? description_.join.left_time : description_.join.right_time];
  RowErrors errors;
  for (size_t row = 0; row < rows.batch.rows; ++row) {
    if (times.is_null(row)) errors.Add(row, "the event time of a temporal join is NULL");
  }
  ASSIGN_OR_RETURN(rows, TakeOutFailed(std::move(rows), errors, out));
  if (side == 1) {
    AddVersions(rows, mine);
    mine.Trim();
    return {};
  }
  std::string key;
  for (size_t row = 0; row < rows.batch.rows; ++row) {
    const int64_t time = times.ints[row];
    key.assign(1, kLeftKey);
    AppendSortable(key, time);
    mine.left_times.Add(time, {});
    mine.rows.Open(key);
    AppendSequence(key, mine.next_number++);
    std::string bytes;
    sides_[0].EncodeRow(rows.batch, row, bytes);
    mine.rows.Put(key, std::move(bytes));
  }
  mine.Trim();
  return {};
}

void TemporalJoinOperator::AddVersions(const RowBatch& rows, State& state) const {
  std::string key;
  for (size_t row = 0; row < rows.batch.rows; ++row) {
    // What replaces the row comes right behind it.
    if (rows.kind(row) == RowKind::kUpdateBefore) continue;
    key.assign(1, kVersionKey);
    if (!sides_[1].EncodeKey(rows.batch, row, key)) continue;
    const int64_t time = rows.batch.columns[description_.join.right_time].ints[row];
    state.versions.Add(time, key);
    state.rows.Load(key);
    AppendSortable(key, time);
    std::string bytes(1, IsAddition(rows.kind(row)) ? kIsThere : kIsDeleted);
    sides_[1].EncodeRow(rows.batch, row, bytes);
    state.rows.Put(key, std::move(bytes));
  }
}

std::string_view TemporalJoinOperator::FindVersion(State& state,
                                                   const std::string& key,
                                                   int64_t time) const {
  state.rows.Load(key);
  std::string bound = key;
  AppendSortable(bound, time);
  auto entry = state.rows.entries().upper_bound(bound);
  if (entry == state.rows.entries().begin()) return {};
  --entry;
  const bool is_same_key = entry->first.size() == bound.size() && entry->first.starts_with(key);
  if (!is_same_key || entry->second.front() == kIsDeleted) return {};
  return std::string_view(entry->second).substr(1);
}

Status TemporalJoinOperator::Advance(int64_t watermark,
                                     OperatorState* state,
                                     OperatorOutput& out) const {
  State& mine = *static_cast<State*>(state);
  Due due(sides_);
  std::string partition;
  std::string key;
  while (!mine.left_times.empty() && mine.left_times.first().due <= watermark) {
    const int64_t time = mine.left_times.Pop().due;
    partition.assign(1, kLeftKey);
    AppendSortable(partition, time);
    mine.rows.Load(partition);
    for (auto entry = mine.rows.Begin(partition); entry != mine.rows.End(partition);
         entry = mine.rows.Erase(entry)) {
      const auto row = static_cast<uint32_t>(due.rows[0].rows);
      RETURN_IF_ERROR(sides_[0].DecodeRow(entry->second, due.rows[0], *due.arenas[0]));
      key.assign(1, kVersionKey);
      uint32_t partner = RowPairs::kNone;
      if (sides_[0].EncodeKey(due.rows[0], row, key)) {
        if (const std::string_view version = FindVersion(mine, key, time); !version.empty()) {
          partner = static_cast<uint32_t>(due.rows[1].rows);
          RETURN_IF_ERROR(sides_[1].DecodeRow(version, due.rows[1], *due.arenas[1]));
        }
      }
      due.pairs.Add(row, partner);
      if (due.pairs.size() < kRowsTested) continue;
      RETURN_IF_ERROR(EmitDue(due, out));
      due = Due(sides_);
    }
    mine.Trim();
  }
  RETURN_IF_ERROR(EmitDue(due, out));
  ForgetVersions(watermark, mine);
  return {};
}

Status TemporalJoinOperator::EmitDue(Due& due, OperatorOutput& out) const {
  std::vector<uint8_t> holds(due.pairs.size(), 1);
  std::vector<uint8_t> has_failed(due.pairs.size(), 0);
  if (pairs_.has_condition() && due.pairs.size() > 0) {
    RowErrors errors;
    holds = pairs_.Test(due.rows[0], due.rows[1], due.pairs, errors);
    RowErrors rejected;
    for (const RowErrors::Entry& entry : errors.entries()) {
      if (due.pairs.right[entry.row] == RowPairs::kNone) continue;
      if (std::exchange(has_failed[entry.row], uint8_t{1}) == 0) {
        rejected.Add(due.pairs.left[entry.row], entry.message);
      }
    }
    if (!rejected.empty()) {
      const RowBatch left{.batch = due.rows[0], .origins = {}, .kinds = {}};
      RETURN_IF_ERROR(out.Reject(left, rejected));
    }
  }
  RowPairs given;
  for (size_t i = 0; i < due.pairs.size(); ++i) {
    if (has_failed[i] != 0) continue;
    const bool has_partner = due.pairs.right[i] != RowPairs::kNone && holds[i] != 0;
    if (has_partner) {
      given.Add(due.pairs.left[i], due.pairs.right[i]);
    } else if (description_.join.keeps_left()) {
      given.Add(due.pairs.left[i], RowPairs::kNone);
    }
  }
  if (given.size() == 0) return {};
  return out.Emit(
      {.batch = pairs_.Combine(due.rows[0], due.rows[1], given), .origins = {}, .kinds = {}});
}

// Rows that are due later are after the watermark: they ask for the newest version that it has
// passed, or for later ones.
void TemporalJoinOperator::ForgetVersions(int64_t watermark, State& state) const {
  while (!state.versions.empty() && state.versions.first().due <= watermark) {
    std::string key = state.versions.Pop().key;
    state.rows.Load(key);
    auto version = state.rows.Begin(key);
    AppendSortable(key, watermark);
    const auto behind = state.rows.entries().upper_bound(key);
    while (version != behind && std::next(version) != behind)
      version = state.rows.Erase(version);
    state.Trim();
  }
}

void TemporalJoinOperator::SaveChanges(OperatorState* state, StateSink& sink) const {
  State& mine = *static_cast<State*>(state);
  mine.rows.SaveChanges(sink);
  mine.Trim();
}

Status TemporalJoinOperator::Restore(OperatorState* state,
                                     std::string_view key,
                                     std::string_view value) const {
  State& mine = *static_cast<State*>(state);
  const bool is_left = key.starts_with(kLeftKey);
  const bool is_whole = is_left ? key.size() == 1 + sizeof(int64_t) + kSequenceBytes
                                : key.starts_with(kVersionKey) && key.size() > sizeof(int64_t);
  if (!is_whole || value.size() < 2) return DamagedState("row of a temporal join");
  RETURN_IF_ERROR(mine.rows.Restore(key, value));
  if (is_left) {
    mine.left_times.Add(TimeAt(key, 1), {});
    mine.next_number = std::max(mine.next_number, SequenceOf(key) + 1);
  } else {
    const size_t partition_bytes = key.size() - sizeof(int64_t);
    mine.versions.Add(TimeAt(key, partition_bytes), key.substr(0, partition_bytes));
  }
  mine.Trim();
  return {};
}

}  // namespace slipstream::sql
