#include "processor/operators/interval_join.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "processor/expr/state_bytes.h"
#include "processor/operators/due_keys.h"
#include "processor/operators/row_store.h"
#include "processor/operators/scratch_part.h"
#include "processor/operators/window_assigner.h"

namespace slipstream::sql {
namespace {

constexpr size_t kPairsPerChunk = 16 * 1024;
constexpr size_t kEmittedRows = 8192;
// Behind the join key in a row's key: its time, then its number.
constexpr size_t kTailBytes = sizeof(int64_t) + sizeof(uint64_t);
// The first byte of what is kept of a row.
constexpr char kAlone = 0;
constexpr char kHasPartner = 1;

using Entry = RowStore::Map::const_iterator;

std::string_view PartitionOf(std::string_view key) {
  return key.substr(0, key.size() - kTailBytes);
}

int64_t TimeOf(std::string_view key) {
  key.remove_prefix(key.size() - kTailBytes);
  int64_t time = 0;
  TakeSortable(key, time);
  return time;
}

// Times and bounds are within 2^62, their sums within what 64 bits hold.
int64_t Shifted(int64_t time, int64_t by) {
  return std::clamp(time, -kWindowTimeMax, kWindowTimeMax) + by;
}

}  // namespace

struct IntervalJoinOperator::State final : OperatorState {
  RowStore rows;       // by side, key, time, arrival
  DueKeys by_time[2];  // keys of rows
  uint64_t next_number = 0;

  // Where what does not fit into memory is.
  std::optional<ScratchPart> spilled_rows;
  std::optional<ScratchPart> spilled_times[2];

  void Trim() {
    rows.Trim();
    for (DueKeys& times : by_time)
      times.Trim();
  }
  // The row will not be given alone.
  void NotePartner(const Entry& row) {
    if (row->second.front() == kHasPartner) return;
    std::string bytes = row->second;
    bytes.front() = kHasPartner;
    rows.Put(row->first, std::move(bytes));
  }
};

// An incoming row's key begins with its side; without a time it counts as one without a key.
struct IntervalJoinOperator::Chunk : JoinChunk<Entry> {};

IntervalJoinOperator::IntervalJoinOperator(JoinDescription description)
    : description_(std::move(description)),
      sides_{JoinSide(description_, 0), JoinSide(description_, 1)},
      pairs_(description_) {}

std::unique_ptr<OperatorState> IntervalJoinOperator::MakeState() const {
  return std::make_unique<State>();
}

bool IntervalJoinOperator::SpillTo(OperatorState* state, ScratchSpace& space) const {
  constexpr size_t kParts = 3;
  State& mine = *static_cast<State*>(state);
  mine.rows.SpillTo(mine.spilled_rows.emplace(space, 'r', kParts));
  mine.by_time[0].SpillTo(mine.spilled_times[0].emplace(space, '0', kParts));
  mine.by_time[1].SpillTo(mine.spilled_times[1].emplace(space, '1', kParts));
  return true;
}

size_t IntervalJoinOperator::TimeColumn(size_t side) const {
  return side == 0 ? description_.join.left_time : description_.join.right_time;
}

int64_t IntervalJoinOperator::Reach(size_t side) const {
  return side == 0 ? -description_.join.lower_us : description_.join.upper_us;
}

bool IntervalJoinOperator::Keeps(size_t side) const {
  return side == 0 ? description_.join.keeps_left() : description_.join.keeps_right();
}

Status IntervalJoinOperator::Process(RowBatch rows,
                                     int64_t watermark,
                                     OperatorState* state,
                                     OperatorOutput& out) const {
  State& mine = *static_cast<State*>(state);
  const size_t side = rows.input;
  const Column& times = rows.batch.columns[TimeColumn(side)];
  // Partners are from `reach` of the other side earlier to the reach of this one later.
  const int64_t earliest = -Reach(1 - side);
  const int64_t latest = Reach(side);
  Chunk chunk;
  std::string from;
  for (uint32_t row = 0; row < rows.batch.rows; ++row) {
    Chunk::Incoming& incoming = chunk.incoming.emplace_back();
    incoming.row = row;
    incoming.key.push_back(static_cast<char>(side));
    incoming.has_key = sides_[side].EncodeKey(rows.batch, row, incoming.key) && !times.is_null(row);
    if (incoming.has_key) {
      from = incoming.key;
      from.front() = static_cast<char>(1 - side);
      mine.rows.Load(from);
      const int64_t until = Shifted(times.ints[row], latest);
      const size_t partition_bytes = from.size();
      AppendSortable(from, Shifted(times.ints[row], earliest));
      const std::string_view partition = std::string_view(from).substr(0, partition_bytes);
      for (auto entry = mine.rows.Begin(from);
           entry != mine.rows.entries().end() && entry->first.starts_with(partition) &&
           TimeOf(entry->first) <= until;
           ++entry)
        chunk.candidates.push_back(entry);
    }
    incoming.candidates_end = chunk.candidates.size();
    if (chunk.candidates.size() < kPairsPerChunk) continue;
    RETURN_IF_ERROR(Work(rows, watermark, chunk, mine, out));
    chunk = {};
    mine.Trim();
  }
  RETURN_IF_ERROR(Work(rows, watermark, chunk, mine, out));
  mine.Trim();
  return {};
}

Status IntervalJoinOperator::Work(const RowBatch& rows,
                                  int64_t watermark,
                                  const Chunk& chunk,
                                  State& state,
                                  OperatorOutput& out) const {
  const size_t side = rows.input;
  const bool is_left = side == 0;
  Batch others = MakeBatch(sides_[1 - side].schema());
  Arena& arena = others.NewArena();
  for (const Entry& candidate : chunk.candidates) {
    const std::string_view bytes = std::string_view(candidate->second).substr(1);
    RETURN_IF_ERROR(sides_[1 - side].DecodeRow(bytes, others, arena));
  }
  std::vector<uint8_t> has_failed(rows.batch.rows, 0);
  ASSIGN_OR_RETURN(const std::vector<uint8_t> holds,
                   pairs_.TestIncoming(rows, others, chunk, has_failed, out));

  RowPairs pairs;
  for (size_t i = 0; i < chunk.incoming.size(); ++i) {
    const Chunk::Incoming& incoming = chunk.incoming[i];
    if (has_failed[incoming.row] != 0) continue;
    bool has_partner = false;
    for (size_t c = chunk.CandidatesBegin(i); c < incoming.candidates_end; ++c) {
      if (holds[c] == 0) continue;
      has_partner = true;
      pairs.AddOf(side, incoming.row, static_cast<uint32_t>(c));
      if (Keeps(1 - side)) state.NotePartner(chunk.candidates[c]);
    }
    // Whether a partner may still come: one that is later than the watermark.
    const int64_t time = rows.batch.columns[TimeColumn(side)].ints[incoming.row];
    if (incoming.has_key && watermark < Shifted(time, Reach(side))) {
      KeepRow(rows, incoming.row, incoming.key, has_partner, state);
    } else if (!has_partner && Keeps(side)) {
      pairs.AddOf(side, incoming.row, RowPairs::kNone);
    }
  }
  if (pairs.size() == 0) return {};
  return out.Emit(
      {.batch = pairs_.Combine(is_left ? rows.batch : others, is_left ? others : rows.batch, pairs),
       .origins = {},
       .kinds = {}});
}

void IntervalJoinOperator::KeepRow(
    const RowBatch& rows, uint32_t row, std::string key, bool has_partner, State& state) const {
  const size_t side = rows.input;
  const int64_t time = rows.batch.columns[TimeColumn(side)].ints[row];
  state.rows.Open(key);
  AppendSortable(key, time);
  AppendSequence(key, state.next_number++);
  std::string bytes(1, has_partner ? kHasPartner : kAlone);
  sides_[side].EncodeRow(rows.batch, row, bytes);
  state.rows.Put(key, std::move(bytes));
  state.by_time[side].Add(time, key);
}

Status IntervalJoinOperator::EmitAlone(size_t side, const Batch& alone, OperatorOutput& out) const {
  if (alone.rows == 0) return {};
  const Batch none = MakeBatch(sides_[1 - side].schema());
  RowPairs pairs;
  for (uint32_t row = 0; row < alone.rows; ++row)
    pairs.AddOf(side, row, RowPairs::kNone);
  return out.Emit(
      {.batch = pairs_.Combine(side == 0 ? alone : none, side == 0 ? none : alone, pairs),
       .origins = {},
       .kinds = {}});
}

Status IntervalJoinOperator::TakeOut(size_t side,
                                     int64_t watermark,
                                     State& state,
                                     OperatorOutput& out) const {
  Batch alone = MakeBatch(sides_[side].schema());
  Arena* arena = &alone.NewArena();
  DueKeys& by_time = state.by_time[side];
  while (!by_time.empty()) {
    if (watermark != kWatermarkEnd && Shifted(by_time.first().due, Reach(side)) >= watermark) break;
    const std::string key = by_time.Pop().key;
    if (Keeps(side)) {
      const std::optional<std::string> row = state.rows.Find(PartitionOf(key), key);
      if (row && row->front() == kAlone) {
        RETURN_IF_ERROR(sides_[side].DecodeRow(row->substr(1), alone, *arena));
      }
    }
    state.rows.Erase(PartitionOf(key), key);
    if (alone.rows < kEmittedRows) continue;
    RETURN_IF_ERROR(EmitAlone(side, std::exchange(alone, MakeBatch(sides_[side].schema())), out));
    arena = &alone.NewArena();
  }
  return EmitAlone(side, alone, out);
}

Status IntervalJoinOperator::Advance(int64_t watermark,
                                     OperatorState* state,
                                     OperatorOutput& out) const {
  State& mine = *static_cast<State*>(state);
  for (size_t side = 0; side < 2; ++side)
    RETURN_IF_ERROR(TakeOut(side, watermark, mine, out));
  mine.Trim();
  return {};
}

int64_t IntervalJoinOperator::NextFiring(const OperatorState* state) const {
  const State& mine = *static_cast<const State*>(state);
  int64_t next = kWatermarkEnd;
  for (size_t side = 0; side < 2; ++side) {
    if (mine.by_time[side].empty()) continue;
    next = std::min(next, Shifted(mine.by_time[side].first().due, Reach(side)) + 1);
  }
  return next;
}

int64_t IntervalJoinOperator::WatermarkBehind(int64_t watermark) const {
  if (watermark == kWatermarkEnd || watermark == kWatermarkNone) return watermark;
  const int64_t back = std::max({Reach(0), Reach(1), int64_t{0}});
  // A row given alone may be as old as that to the microsecond, and is not to be late.
  return Shifted(watermark, -back) - 1;
}

void IntervalJoinOperator::SaveChanges(OperatorState* state, StateSink& sink) const {
  State& mine = *static_cast<State*>(state);
  mine.rows.SaveChanges(sink);
  mine.Trim();
}

Status IntervalJoinOperator::Restore(OperatorState* state,
                                     std::string_view key,
                                     std::string_view value) const {
  State& mine = *static_cast<State*>(state);
  // The store's version, then ours.
  if (key.size() < 1 + kTailBytes || static_cast<uint8_t>(key.front()) > 1 || value.size() < 2) {
    return DamagedState("row of a join");
  }
  RETURN_IF_ERROR(mine.rows.Restore(key, value));
  mine.by_time[static_cast<uint8_t>(key.front())].Add(TimeOf(key), key);
  mine.next_number = std::max(mine.next_number, SequenceOf(key) + 1);
  mine.Trim();
  return {};
}

}  // namespace slipstream::sql
