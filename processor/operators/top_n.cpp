#include "processor/operators/top_n.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "processor/operators/row_store.h"
#include "processor/operators/window_assigner.h"

namespace slipstream::sql {
namespace {

constexpr size_t kEmittedRows = 4096;

}  // namespace

struct TopNOperator::State final : OperatorState {
  RowStore rows;
  bool is_spilled = false;                 // it may be: partitions are counted as they come in
  std::map<std::string, uint64_t> counts;  // by partition in memory: how many rows it has
  std::set<int64_t> ends;                  // kWindow: of windows that there are rows of
  uint64_t next_sequence = 0;

  void Load(const std::string& partition) {
    if (!rows.Load(partition)) return;
    const auto count = std::distance(rows.Begin(partition), rows.End(partition));
    if (count > 0) counts[partition] = static_cast<uint64_t>(count);
  }
  void Trim() {
    rows.Trim([this](const std::string& partition) { counts.erase(partition); });
  }
};

class TopNOperator::Rows {
 public:
  explicit Rows(const TopNOperator& operation) : operation_(operation) { Clear(); }

  Status Add(RowKind kind, std::string_view row, uint64_t rank) {
    RETURN_IF_ERROR(operation_.row_codec_.Decode(row, rows_.batch.columns, *arena_));
    if (operation_.description_.has_rank) {
      rows_.batch.columns.back().Append(static_cast<int64_t>(rank), *arena_);
    }
    rows_.kinds.push_back(kind);
    ++rows_.batch.rows;
    return {};
  }
  size_t size() const { return rows_.batch.rows; }
  Status Emit(OperatorOutput& out) {
    if (rows_.batch.rows == 0) return {};
    const bool are_new = std::all_of(rows_.kinds.begin(), rows_.kinds.end(), [](RowKind kind) {
      return kind == RowKind::kInsert;
    });
    if (are_new) rows_.kinds.clear();
    RowBatch rows = std::move(rows_);
    Clear();
    return out.Emit(std::move(rows));
  }

 private:
  void Clear() {
    rows_ = {.batch = MakeBatch(operation_.description_.output), .origins = {}, .kinds = {}};
    arena_ = &rows_.batch.NewArena();
  }

  const TopNOperator& operation_;
  RowBatch rows_;
  Arena* arena_ = nullptr;
};

TopNOperator::TopNOperator(Description description)
    : description_(std::move(description)),
      partition_codec_(description_.input, description_.partition_columns),
      sort_codec_(description_.sort_keys),
      row_codec_(description_.input) {}

std::unique_ptr<OperatorState> TopNOperator::MakeState() const {
  return std::make_unique<State>();
}

bool TopNOperator::SpillTo(OperatorState* state, ScratchSpace& space) const {
  State& mine = *static_cast<State*>(state);
  mine.rows.SpillTo(space);
  mine.is_spilled = true;
  return true;
}

void TopNOperator::AppendPartition(const Batch& batch, size_t row, std::string& to) const {
  if (description_.emission == Emission::kWindow) {
    AppendSortable(to, batch.columns[description_.window_end].ints[row]);
  }
  partition_codec_.Encode(batch.columns, row, to);
}

Status TopNOperator::Process(RowBatch rows,
                             int64_t watermark,
                             OperatorState* state,
                             OperatorOutput& out) const {
  State& mine = *static_cast<State*>(state);
  std::map<std::string, Ranking> before;
  std::vector<uint32_t> late;
  for (size_t row = 0; row < rows.batch.rows; ++row) {
    if (description_.emission == Emission::kWindow) {
      const Column& ends = rows.batch.columns[description_.window_end];
      if (ends.is_null(row) || WindowMaxTime(ends.ints[row]) <= watermark) {
        late.push_back(static_cast<uint32_t>(row));
        continue;
      }
      mine.ends.insert(ends.ints[row]);
    }
    std::string partition;
    AppendPartition(rows.batch, row, partition);
    mine.Load(partition);
    std::string key = partition;
    sort_codec_.Encode(rows.batch.columns, row, key);
    std::string encoded;
    row_codec_.Encode(rows.batch.columns, row, encoded);
    const bool is_addition = IsAddition(rows.kind(row));
    if (is_addition) {
      const uint64_t sequence = mine.next_sequence++;
      AppendSequence(key, description_.prefers_later ? ~sequence : sequence);
      if (HasNoPlace(mine, partition, key)) continue;
    }
    if (description_.emission == Emission::kUpdates && !before.contains(partition)) {
      before.emplace(partition, RankingOf(mine, partition));
    }
    if (is_addition) {
      Add(mine, partition, key, std::move(encoded));
    } else {
      Remove(mine, partition, key, encoded);
    }
  }
  if (!late.empty()) RETURN_IF_ERROR(out.DropLate(rows, late));
  RETURN_IF_ERROR(EmitChanges(mine, before, out));
  mine.Trim();
  return {};
}

bool TopNOperator::Forget(OperatorState* state, std::string_view key) const {
  State& mine = *static_cast<State*>(state);
  mine.rows.Load(key);
  mine.rows.EraseAll(key);
  mine.counts.erase(std::string(key));
  return true;
}

bool TopNOperator::HasNoPlace(const State& state,
                              const std::string& partition,
                              const std::string& key) const {
  if (description_.takes_back) return false;
  const auto count = state.counts.find(partition);
  if (count == state.counts.end() || count->second < description_.last) return false;
  return std::prev(state.rows.End(partition))->first < key;
}

void TopNOperator::Add(State& state,
                       const std::string& partition,
                       const std::string& key,
                       std::string row) const {
  uint64_t& count = state.counts[partition];
  if (!description_.takes_back && count == description_.last) {
    state.rows.Erase(std::prev(state.rows.End(partition)));
    --count;
  }
  state.rows.Put(key, std::move(row));
  ++count;
}

void TopNOperator::Remove(State& state,
                          const std::string& partition,
                          const std::string& key,
                          const std::string& row) {
  for (auto entry = state.rows.Begin(key); entry != state.rows.End(key); ++entry) {
    if (entry->second != row) continue;
    state.rows.Erase(entry);
    const auto count = state.counts.find(partition);
    if (--count->second == 0) state.counts.erase(count);
    return;
  }
}

TopNOperator::Ranking TopNOperator::RankingOf(const State& state,
                                              const std::string& partition) const {
  Ranking ranking;
  uint64_t rank = 1;
  const auto end = state.rows.End(partition);
  for (auto entry = state.rows.Begin(partition); entry != end && rank <= description_.last;
       ++entry, ++rank) {
    if (rank >= description_.first) ranking.push_back(entry->second);
  }
  return ranking;
}

Status TopNOperator::EmitChanges(const State& state,
                                 const std::map<std::string, Ranking>& before,
                                 OperatorOutput& out) const {
  Rows rows(*this);
  for (const auto& [partition, ranking] : before) {
    const Ranking after = RankingOf(state, partition);
    RETURN_IF_ERROR(description_.has_rank ? AppendChanges(ranking, after, rows)
                                          : AppendReplacements(ranking, after, rows));
  }
  return rows.Emit(out);
}

// Rank by rank.
Status TopNOperator::AppendChanges(const Ranking& before, const Ranking& after, Rows& rows) const {
  const size_t both = std::min(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i) {
    if (i < both && before[i] == after[i]) continue;
    RETURN_IF_ERROR(rows.Add(
        i < both ? RowKind::kUpdateBefore : RowKind::kDelete, before[i], description_.first + i));
  }
  for (size_t i = 0; i < after.size(); ++i) {
    if (i < both && before[i] == after[i]) continue;
    RETURN_IF_ERROR(rows.Add(
        i < both ? RowKind::kUpdateAfter : RowKind::kInsert, after[i], description_.first + i));
  }
  return {};
}

// Which rows are there, whatever their ranks.
Status TopNOperator::AppendReplacements(const Ranking& before,
                                        const Ranking& after,
                                        Rows& rows) const {
  std::map<std::string_view, size_t> unmatched;
  for (const std::string& row : before)
    ++unmatched[row];
  Ranking only_after;
  for (const std::string& row : after) {
    const auto match = unmatched.find(row);
    if (match == unmatched.end() || match->second == 0) {
      only_after.push_back(row);
    } else {
      --match->second;
    }
  }
  Ranking only_before;
  for (const std::string& row : before) {
    size_t& left = unmatched[row];
    if (left == 0) continue;
    --left;
    only_before.push_back(row);
  }
  // One row in the place of another is that row's update.
  const bool is_update =
      description_.last == description_.first && !only_before.empty() && !only_after.empty();
  for (const std::string& row : only_before)
    RETURN_IF_ERROR(rows.Add(is_update ? RowKind::kUpdateBefore : RowKind::kDelete, row, 0));
  for (const std::string& row : only_after)
    RETURN_IF_ERROR(rows.Add(is_update ? RowKind::kUpdateAfter : RowKind::kInsert, row, 0));
  return {};
}

Status TopNOperator::Advance(int64_t watermark, OperatorState* state, OperatorOutput& out) const {
  State& mine = *static_cast<State*>(state);
  Rows rows(*this);
  if (description_.emission == Emission::kAtEnd && watermark == kWatermarkEnd) {
    RETURN_IF_ERROR(GiveAll({}, mine, rows, out));
  }
  while (!mine.ends.empty() && WindowMaxTime(*mine.ends.begin()) <= watermark) {
    std::string window;
    AppendSortable(window, *mine.ends.begin());
    RETURN_IF_ERROR(GiveAll(window, mine, rows, out));
    mine.ends.erase(mine.ends.begin());
  }
  mine.Trim();
  return rows.Emit(out);
}

Status TopNOperator::GiveAll(std::string_view prefix,
                             State& state,
                             Rows& rows,
                             OperatorOutput& out) const {
  std::optional<std::string> partition;
  uint64_t rank = 0;
  return state.rows.TakeAll(prefix, [&](std::string_view key, std::string_view row) -> Status {
    if (!partition || !key.starts_with(*partition)) {
      Batch first = MakeBatch(description_.input);
      RETURN_IF_ERROR(row_codec_.Decode(row, first.columns, first.NewArena()));
      partition.emplace();
      AppendPartition(first, 0, *partition);
      state.counts.erase(*partition);
      rank = 0;
    }
    ++rank;
    if (rank < description_.first || rank > description_.last) return {};
    RETURN_IF_ERROR(rows.Add(RowKind::kInsert, row, rank));
    return rows.size() < kEmittedRows ? Status() : rows.Emit(out);
  });
}

void TopNOperator::SaveChanges(OperatorState* state, StateSink& sink) const {
  State& mine = *static_cast<State*>(state);
  mine.rows.SaveChanges(sink);
  mine.Trim();
}

Status TopNOperator::Restore(OperatorState* state,
                             std::string_view key,
                             std::string_view value) const {
  State& mine = *static_cast<State*>(state);
  RETURN_IF_ERROR(mine.rows.Restore(key, value));
  RowBatch row{.batch = MakeBatch(description_.input), .origins = {}, .kinds = {}};
  RETURN_IF_ERROR(row_codec_.Decode(value.substr(1), row.batch.columns, row.batch.NewArena()));
  std::string partition;
  AppendPartition(row.batch, 0, partition);
  if (!mine.is_spilled) ++mine.counts[partition];
  if (description_.emission == Emission::kWindow) {
    mine.ends.insert(row.batch.columns[description_.window_end].ints[0]);
  }
  const uint64_t sequence = SequenceOf(key);
  mine.next_sequence =
      std::max(mine.next_sequence, (description_.prefers_later ? ~sequence : sequence) + 1);
  return {};
}

}  // namespace slipstream::sql
