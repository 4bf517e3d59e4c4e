#include "processor/operators/interval_join.h"

#include <algorithm>
#include <map>
#include <utility>

#include "processor/expr/state_bytes.h"
#include "processor/operators/row_store.h"
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

int64_t TimeOf(const Entry& entry) {
  std::string_view key = entry->first;
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
  RowStore rows;  // by side, key, time, arrival
  std::multimap<int64_t, Entry> by_time[2];
  uint64_t next_number = 0;
};

// Some rows of an input, and those of the other side that they may go with.
struct IntervalJoinOperator::Chunk {
  struct Incoming {
    uint32_t row = 0;
    bool has_key = false;  // without one, or without a time, it has no partner
    std::string key;       // side and join key
    size_t candidates_end = 0;
  };
  std::vector<Incoming> incoming;
  std::vector<Entry> candidates;

  size_t CandidatesBegin(size_t number) const {
    return number == 0 ? 0 : incoming[number - 1].candidates_end;
  }
};

IntervalJoinOperator::IntervalJoinOperator(JoinDescription description)
    : description_(std::move(description)),
      sides_{JoinSide(description_, 0), JoinSide(description_, 1)},
      pairs_(description_) {}

std::unique_ptr<OperatorState> IntervalJoinOperator::MakeState() const {
  return std::make_unique<State>();
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
      const auto end = mine.rows.End(from);
      const int64_t until = Shifted(times.ints[row], latest);
      AppendSortable(from, Shifted(times.ints[row], earliest));
      for (auto entry = mine.rows.Begin(from); entry != end && TimeOf(entry) <= until; ++entry)
        chunk.candidates.push_back(entry);
    }
    incoming.candidates_end = chunk.candidates.size();
    if (chunk.candidates.size() < kPairsPerChunk) continue;
    RETURN_IF_ERROR(Work(rows, watermark, chunk, mine, out));
    chunk = {};
  }
  return Work(rows, watermark, chunk, mine, out);
}

Result<std::vector<uint8_t>> IntervalJoinOperator::Test(const RowBatch& rows,
                                                        const Batch& others,
                                                        const Chunk& chunk,
                                                        std::vector<uint8_t>& has_failed,
                                                        OperatorOutput& out) const {
  std::vector<uint8_t> holds(chunk.candidates.size(), 1);
  if (!pairs_.has_condition() || chunk.candidates.empty()) return holds;
  const bool is_left = rows.input == 0;
  RowPairs pairs;
  for (size_t i = 0; i < chunk.incoming.size(); ++i) {
    for (size_t c = chunk.CandidatesBegin(i); c < chunk.incoming[i].candidates_end; ++c) {
      const uint32_t row = chunk.incoming[i].row;
      const auto other = static_cast<uint32_t>(c);
      pairs.Add(is_left ? row : other, is_left ? other : row);
    }
  }
  RowErrors errors;
  holds = pairs_.Test(is_left ? rows.batch : others, is_left ? others : rows.batch, pairs, errors);
  RowErrors rejected;
  for (const RowErrors::Entry& entry : errors.entries()) {
    const uint32_t row = (is_left ? pairs.left : pairs.right)[entry.row];
    if (std::exchange(has_failed[row], uint8_t{1}) == 0) rejected.Add(row, entry.message);
  }
  if (!rejected.empty()) RETURN_IF_ERROR(out.Reject(rows, rejected));
  return holds;
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
  ASSIGN_OR_RETURN(const std::vector<uint8_t> holds, Test(rows, others, chunk, has_failed, out));

  RowPairs pairs;
  std::string bytes;
  for (size_t i = 0; i < chunk.incoming.size(); ++i) {
    const Chunk::Incoming& incoming = chunk.incoming[i];
    if (has_failed[incoming.row] != 0) continue;
    bool has_partner = false;
    for (size_t c = chunk.CandidatesBegin(i); c < incoming.candidates_end; ++c) {
      if (holds[c] == 0) continue;
      has_partner = true;
      const auto other = static_cast<uint32_t>(c);
      pairs.Add(is_left ? incoming.row : other, is_left ? other : incoming.row);
      const Entry& candidate = chunk.candidates[c];
      if (!Keeps(1 - side) || candidate->second.front() == kHasPartner) continue;
      bytes = candidate->second;
      bytes.front() = kHasPartner;
      state.rows.Put(candidate->first, std::move(bytes));
    }
    // Whether a partner may still come: one that is later than the watermark.
    const int64_t time = rows.batch.columns[TimeColumn(side)].ints[incoming.row];
    if (incoming.has_key && watermark < Shifted(time, Reach(side))) {
      std::string key = incoming.key;
      AppendSortable(key, time);
      AppendSequence(key, state.next_number++);
      bytes.assign(1, has_partner ? kHasPartner : kAlone);
      sides_[side].EncodeRow(rows.batch, incoming.row, bytes);
      state.rows.Put(key, std::move(bytes));
      state.by_time[side].emplace(time, state.rows.Begin(key));
    } else if (!has_partner && Keeps(side)) {
      pairs.Add(is_left ? incoming.row : RowPairs::kNone, is_left ? RowPairs::kNone : incoming.row);
    }
  }
  if (pairs.size() == 0) return {};
  return out.Emit(
      {.batch = pairs_.Combine(is_left ? rows.batch : others, is_left ? others : rows.batch, pairs),
       .origins = {},
       .kinds = {}});
}

Status IntervalJoinOperator::Advance(int64_t watermark,
                                     OperatorState* state,
                                     OperatorOutput& out) const {
  State& mine = *static_cast<State*>(state);
  for (size_t side = 0; side < 2; ++side) {
    const Batch none = MakeBatch(sides_[1 - side].schema());
    Batch alone = MakeBatch(sides_[side].schema());
    Arena* arena = &alone.NewArena();
    const auto emit = [&]() -> Status {
      if (alone.rows == 0) return {};
      RowPairs pairs;
      for (uint32_t row = 0; row < alone.rows; ++row) {
        pairs.Add(side == 0 ? row : RowPairs::kNone, side == 0 ? RowPairs::kNone : row);
      }
      Batch given = pairs_.Combine(side == 0 ? alone : none, side == 0 ? none : alone, pairs);
      alone = MakeBatch(sides_[side].schema());
      arena = &alone.NewArena();
      return out.Emit({.batch = std::move(given), .origins = {}, .kinds = {}});
    };
    std::multimap<int64_t, Entry>& by_time = mine.by_time[side];
    while (!by_time.empty()) {
      const auto& [time, entry] = *by_time.begin();
      if (watermark != kWatermarkEnd && Shifted(time, Reach(side)) >= watermark) break;
      if (Keeps(side) && entry->second.front() == kAlone) {
        const std::string_view bytes = std::string_view(entry->second).substr(1);
        RETURN_IF_ERROR(sides_[side].DecodeRow(bytes, alone, *arena));
      }
      mine.rows.Erase(entry);
      by_time.erase(by_time.begin());
      if (alone.rows >= kEmittedRows) RETURN_IF_ERROR(emit());
    }
    RETURN_IF_ERROR(emit());
  }
  return {};
}

int64_t IntervalJoinOperator::NextFiring(const OperatorState* state) const {
  const State& mine = *static_cast<const State*>(state);
  int64_t next = kWatermarkEnd;
  for (size_t side = 0; side < 2; ++side) {
    if (mine.by_time[side].empty()) continue;
    next = std::min(next, Shifted(mine.by_time[side].begin()->first, Reach(side)) + 1);
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
  static_cast<State*>(state)->rows.SaveChanges(sink);
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
  const Entry entry = mine.rows.Begin(key);
  mine.by_time[static_cast<uint8_t>(key.front())].emplace(TimeOf(entry), entry);
  mine.next_number = std::max(mine.next_number, SequenceOf(key) + 1);
  return {};
}

}  // namespace slipstream::sql
