#include "processor/operators/window_join.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "processor/expr/state_bytes.h"
#include "processor/operators/row_store.h"
#include "processor/operators/window_assigner.h"

namespace slipstream::sql {
namespace {

constexpr size_t kPairsTested = 16 * 1024;
constexpr size_t kRowsHeld = 8192;
// What follows the window's end and the join key in a row's key.
constexpr size_t kTailBytes = 1 + sizeof(uint64_t);

}  // namespace

// Rows by window's end, key, side and arrival. Rows without a key (NULL) have none after the end:
// every one is a group of its own, by its number.
struct WindowJoinOperator::State final : OperatorState {
  RowStore rows;
  std::set<int64_t> ends;  // of windows that there are rows of
  uint64_t next_number = 0;
};

// Groups of rows that have window and key in common, one behind the other.
// NOLINTNEXTLINE(bugprone-reserved-identifier, readability-identifier-naming): the compiler's own
struct WindowJoinOperator::Groups {
  Batch rows[2];
  Arena* arenas[2] = {};
  std::vector<uint8_t> has_partner[2];
  std::vector<uint8_t> has_failed;  // of the left rows
  struct End {
    uint32_t left = 0;
    uint32_t right = 0;
  };
  std::vector<End> ends;
};

WindowJoinOperator::WindowJoinOperator(JoinDescription description)
    : description_(std::move(description)),
      sides_{JoinSide(description_, 0), JoinSide(description_, 1)},
      pairs_(description_) {}

std::unique_ptr<OperatorState> WindowJoinOperator::MakeState() const {
  return std::make_unique<State>();
}

bool WindowJoinOperator::SpillTo(OperatorState* state, ScratchSpace& space) const {
  static_cast<State*>(state)->rows.SpillTo(space);
  return true;
}

Status WindowJoinOperator::Process(RowBatch rows,
                                   int64_t watermark,
                                   OperatorState* state,
                                   OperatorOutput& out) const {
  State& mine = *static_cast<State*>(state);
  const JoinSpec& join = description_.join;
  const size_t side = rows.input;
  const Column& ends = rows.batch.columns[side == 0 ? join.left_time : join.right_time];
  // A row without partner may still be given.
  const bool keeps =
      side == 0 ? join.keeps_left() || join.type == JoinSpec::Type::kAnti : join.keeps_right();
  std::vector<uint32_t> late;
  std::string key;
  for (size_t row = 0; row < rows.batch.rows; ++row) {
    if (ends.is_null(row) || WindowMaxTime(ends.ints[row]) <= watermark) {
      late.push_back(static_cast<uint32_t>(row));
      continue;
    }
    key.clear();
    AppendSortable(key, ends.ints[row]);
    const size_t end_bytes = key.size();
    const bool has_key = sides_[side].EncodeKey(rows.batch, row, key);
    if (!has_key && !keeps) continue;
    const uint64_t number = mine.next_number++;
    if (!has_key) {
      // No key of a column begins so (KeyCodec): what follows is like no other row's.
      key.resize(end_bytes);
      key.push_back(static_cast<char>(0xFF));
      AppendSequence(key, number);
    }
    mine.ends.insert(ends.ints[row]);
    mine.rows.Open(key);
    key.push_back(static_cast<char>(side));
    AppendSequence(key, number);
    std::string bytes;
    sides_[side].EncodeRow(rows.batch, row, bytes);
    mine.rows.Put(key, std::move(bytes));
  }
  mine.rows.Trim();
  if (!late.empty()) RETURN_IF_ERROR(out.DropLate(rows, late));
  return {};
}

Status WindowJoinOperator::Advance(int64_t watermark,
                                   OperatorState* state,
                                   OperatorOutput& out) const {
  State& mine = *static_cast<State*>(state);
  const auto start = [&] {
    Groups groups;
    for (size_t side = 0; side < 2; ++side) {
      groups.rows[side] = MakeBatch(sides_[side].schema());
      groups.arenas[side] = &groups.rows[side].NewArena();
    }
    return groups;
  };
  Groups groups = start();
  std::string group;
  const auto add = [&](std::string_view key, std::string_view row) -> Status {
    const std::string_view of_group = key.substr(0, key.size() - kTailBytes);
    const auto side = static_cast<uint8_t>(key[of_group.size()]);
    if (groups.ends.empty() || of_group != group) {
      group = of_group;
      if (groups.rows[0].rows + groups.rows[1].rows >= kRowsHeld) {
        RETURN_IF_ERROR(Emit(std::exchange(groups, start()), out));
      }
      groups.ends.emplace_back();
    }
    RETURN_IF_ERROR(sides_[side].DecodeRow(row, groups.rows[side], *groups.arenas[side]));
    groups.ends.back() = {.left = static_cast<uint32_t>(groups.rows[0].rows),
                          .right = static_cast<uint32_t>(groups.rows[1].rows)};
    return {};
  };
  while (!mine.ends.empty() && WindowMaxTime(*mine.ends.begin()) <= watermark) {
    std::string window;
    AppendSortable(window, *mine.ends.begin());
    RETURN_IF_ERROR(mine.rows.TakeAll(window, add));
    mine.ends.erase(mine.ends.begin());
  }
  mine.rows.Trim();
  return Emit(std::move(groups), out);
}

Status WindowJoinOperator::Emit(Groups groups, OperatorOutput& out) const {
  groups.has_failed.assign(groups.rows[0].rows, 0);
  for (size_t side = 0; side < 2; ++side)
    groups.has_partner[side].assign(groups.rows[side].rows, 0);
  RowPairs pairs;
  Groups::End begin;
  for (const Groups::End end : groups.ends) {
    for (uint32_t left = begin.left; left < end.left; ++left) {
      for (uint32_t right = begin.right; right < end.right; ++right)
        pairs.Add(left, right);
      if (pairs.size() >= kPairsTested) RETURN_IF_ERROR(EmitPairs(pairs, groups, out));
    }
    begin = end;
  }
  RETURN_IF_ERROR(EmitPairs(pairs, groups, out));
  return EmitAlone(groups, out);
}

Status WindowJoinOperator::EmitPairs(RowPairs& pairs, Groups& groups, OperatorOutput& out) const {
  const RowPairs tested = std::exchange(pairs, {});
  std::vector<uint8_t> holds(tested.size(), 1);
  if (pairs_.has_condition() && tested.size() > 0) {
    RowErrors errors;
    holds = pairs_.Test(groups.rows[0], groups.rows[1], tested, errors);
    RowErrors rejected;
    for (const RowErrors::Entry& entry : errors.entries()) {
      const uint32_t row = tested.left[entry.row];
      if (std::exchange(groups.has_failed[row], uint8_t{1}) == 0) rejected.Add(row, entry.message);
    }
    if (!rejected.empty()) {
      const RowBatch left{.batch = groups.rows[0], .origins = {}, .kinds = {}};
      RETURN_IF_ERROR(out.Reject(left, rejected));
    }
  }
  RowPairs found;
  for (size_t i = 0; i < tested.size(); ++i) {
    if (holds[i] == 0 || groups.has_failed[tested.left[i]] != 0) continue;
    groups.has_partner[0][tested.left[i]] = 1;
    groups.has_partner[1][tested.right[i]] = 1;
    if (description_.join.gives_right()) found.Add(tested.left[i], tested.right[i]);
  }
  if (found.size() == 0) return {};
  return out.Emit(
      {.batch = pairs_.Combine(groups.rows[0], groups.rows[1], found), .origins = {}, .kinds = {}});
}

Status WindowJoinOperator::EmitAlone(const Groups& groups, OperatorOutput& out) const {
  const JoinSpec& join = description_.join;
  RowPairs alone;
  if (join.keeps_left() || !join.gives_right()) {
    const bool has_to = join.type == JoinSpec::Type::kSemi;
    for (uint32_t row = 0; row < groups.rows[0].rows; ++row) {
      const bool is_given = (groups.has_partner[0][row] != 0) == has_to;
      if (is_given && groups.has_failed[row] == 0) alone.Add(row, RowPairs::kNone);
    }
  }
  if (join.keeps_right()) {
    for (uint32_t row = 0; row < groups.rows[1].rows; ++row) {
      if (groups.has_partner[1][row] == 0) alone.Add(RowPairs::kNone, row);
    }
  }
  if (alone.size() == 0) return {};
  return out.Emit(
      {.batch = pairs_.Combine(groups.rows[0], groups.rows[1], alone), .origins = {}, .kinds = {}});
}

void WindowJoinOperator::SaveChanges(OperatorState* state, StateSink& sink) const {
  RowStore& rows = static_cast<State*>(state)->rows;
  rows.SaveChanges(sink);
  rows.Trim();
}

Status WindowJoinOperator::Restore(OperatorState* state,
                                   std::string_view key,
                                   std::string_view value) const {
  State& mine = *static_cast<State*>(state);
  if (key.size() < kTailBytes + sizeof(int64_t) ||
      static_cast<uint8_t>(key[key.size() - kTailBytes]) > 1) {
    return DamagedState("key of a join's row");
  }
  RETURN_IF_ERROR(mine.rows.Restore(key, value));
  mine.next_number = std::max(mine.next_number, SequenceOf(key) + 1);
  int64_t end = 0;
  if (!TakeSortable(key, end)) return DamagedState("key of a join's row");
  mine.ends.insert(end);
  return {};
}

}  // namespace slipstream::sql
