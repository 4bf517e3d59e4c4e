#include "processor/operators/regular_join.h"

#include <algorithm>
#include <utility>

#include "processor/expr/state_bytes.h"
#include "processor/operators/join_table.h"
#include "processor/operators/row_store.h"

namespace slipstream::sql {
namespace {

constexpr size_t kPairsPerChunk = 16 * 1024;
constexpr size_t kEmittedRows = 8192;

}  // namespace

struct RegularJoinOperator::State final : OperatorState {
  JoinTable tables[2];
  ScratchSpace* space = nullptr;

  void Trim() {
    if (space == nullptr) return;
    for (JoinTable& table : tables)
      table.Trim();
    space->SetCached(tables[0].cached_bytes() + tables[1].cached_bytes());
  }
};

struct RegularJoinOperator::Chunk : JoinChunk<JoinTable::Rows::iterator> {};

// What the rows of a chunk change in the result.
class RegularJoinOperator::Changes {
 public:
  explicit Changes(size_t side) : side_(side) {}

  // `row` of the batch at hand, `candidate` of the chunk; either may be RowPairs::kNone.
  void Add(RowKind kind, uint32_t row, uint32_t candidate) {
    pairs_.AddOf(side_, row, candidate);
    kinds_.push_back(kind);
    has_updates_ = has_updates_ || kind != RowKind::kInsert;
  }
  const RowPairs& pairs() const { return pairs_; }
  std::vector<RowKind> TakeKinds() {
    return has_updates_ ? std::move(kinds_) : std::vector<RowKind>();
  }

 private:
  const size_t side_;  // of the batch at hand
  RowPairs pairs_;
  std::vector<RowKind> kinds_;
  bool has_updates_ = false;
};

RegularJoinOperator::RegularJoinOperator(JoinDescription description)
    : description_(std::move(description)),
      sides_{JoinSide(description_, 0), JoinSide(description_, 1)},
      pairs_(description_) {}

std::unique_ptr<OperatorState> RegularJoinOperator::MakeState() const {
  return std::make_unique<State>();
}

bool RegularJoinOperator::SpillTo(OperatorState* state, ScratchSpace& space) const {
  State& mine = *static_cast<State*>(state);
  mine.space = &space;
  for (uint8_t side = 0; side < 2; ++side)
    mine.tables[side].SpillTo(space, side, description_.ttls_us[side] > 0);
  return true;
}

bool RegularJoinOperator::CountsMatches(size_t side) const {
  const JoinSpec& join = description_.join;
  return side == 0 ? join.keeps_left() || !join.gives_right() : join.keeps_right();
}

Status RegularJoinOperator::Process(RowBatch rows,
                                    int64_t,
                                    OperatorState* state,
                                    OperatorOutput& out) const {
  State& mine = *static_cast<State*>(state);
  for (size_t side = 0; side < 2; ++side) {
    mine.tables[side].Settle();
    const int64_t ttl_us = description_.ttls_us[side];
    if (ttl_us > 0) mine.tables[side].Expire(rows.batch.now_us - ttl_us + 1);
  }
  const JoinSide& side = sides_[rows.input];
  JoinTable& others = mine.tables[1 - rows.input];
  Chunk chunk;
  for (uint32_t row = 0; row < rows.batch.rows; ++row) {
    Chunk::Incoming& incoming = chunk.incoming.emplace_back();
    incoming.row = row;
    incoming.has_key = side.EncodeKey(rows.batch, row, incoming.key);
    if (incoming.has_key) {
      if (const JoinTable::Group* const group = others.Find(incoming.key)) {
        chunk.candidates.insert(chunk.candidates.end(), group->rows.begin(), group->rows.end());
      }
    }
    incoming.candidates_end = chunk.candidates.size();
    if (chunk.candidates.size() < kPairsPerChunk) continue;
    RETURN_IF_ERROR(Work(rows, chunk, mine, out));
    chunk = {};
  }
  RETURN_IF_ERROR(Work(rows, chunk, mine, out));
  mine.Trim();
  return {};
}

Status RegularJoinOperator::Work(const RowBatch& rows,
                                 const Chunk& chunk,
                                 State& state,
                                 OperatorOutput& out) const {
  const size_t mine = rows.input;
  Batch others = MakeBatch(sides_[1 - mine].schema());
  Arena& arena = others.NewArena();
  for (const auto& candidate : chunk.candidates)
    RETURN_IF_ERROR(sides_[1 - mine].DecodeRow(candidate->bytes, others, arena));
  const Batch& left = mine == 0 ? rows.batch : others;
  const Batch& right = mine == 0 ? others : rows.batch;

  std::vector<uint8_t> has_failed(rows.batch.rows, 0);
  ASSIGN_OR_RETURN(const std::vector<uint8_t> holds,
                   pairs_.TestIncoming(rows, others, chunk, has_failed, out));

  Changes changes(mine);
  std::vector<uint32_t> partners;
  for (size_t i = 0; i < chunk.incoming.size(); ++i) {
    if (has_failed[chunk.incoming[i].row] != 0) continue;
    partners.clear();
    for (size_t c = chunk.CandidatesBegin(i); c < chunk.incoming[i].candidates_end; ++c) {
      if (holds[c] != 0) partners.push_back(static_cast<uint32_t>(c));
    }
    if (description_.join.gives_right()) {
      Join(rows, chunk, i, partners, state, changes);
    } else {
      SemiJoin(rows, chunk, i, partners, state, changes);
    }
  }
  if (changes.pairs().size() == 0) return {};
  Batch joined = pairs_.Combine(left, right, changes.pairs());
  return out.Emit({.batch = std::move(joined), .origins = {}, .kinds = changes.TakeKinds()});
}

void RegularJoinOperator::Join(const RowBatch& rows,
                               const Chunk& chunk,
                               size_t incoming,
                               const std::vector<uint32_t>& partners,
                               State& state,
                               Changes& changes) const {
  const size_t mine = rows.input;
  const auto& [row, has_key, key, end] = chunk.incoming[incoming];
  JoinTable& others = state.tables[1 - mine];
  const bool counts = CountsMatches(mine);
  const bool counts_others = CountsMatches(1 - mine);
  const bool is_addition = IsAddition(rows.kind(row));
  // An outer join's changes are no updates: rows with and without partners take turns.
  const RowKind kind = !counts && !counts_others ? rows.kind(row)
                       : is_addition             ? RowKind::kInsert
                                                 : RowKind::kDelete;
  std::string bytes;
  sides_[mine].EncodeRow(rows.batch, row, bytes);
  if (!is_addition && has_key) state.tables[mine].Remove(key, bytes);
  for (const uint32_t partner : partners) {
    const auto& other = chunk.candidates[partner];
    if (is_addition && counts_others) {
      const bool stood_alone = other->matches == 0 && !description_.is_final;
      if (stood_alone) changes.Add(RowKind::kDelete, RowPairs::kNone, partner);
      others.SetMatches(other, other->matches + 1, rows.batch.now_us);
    }
    changes.Add(kind, row, partner);
    if (is_addition || !counts_others || other->matches == 0) continue;
    others.SetMatches(other, other->matches - 1, rows.batch.now_us);
    const bool stays_alone = other->matches == 0 && !description_.is_final;
    if (stays_alone) changes.Add(RowKind::kInsert, RowPairs::kNone, partner);
  }
  const bool stands_alone = partners.empty() && counts && !(description_.is_final && has_key);
  if (stands_alone) changes.Add(kind, row, RowPairs::kNone);
  if (!is_addition || !has_key) return;
  const size_t matches = counts ? partners.size() : 0;
  state.tables[mine].Add(key, std::move(bytes), static_cast<uint32_t>(matches), rows.batch.now_us);
}

void RegularJoinOperator::SemiJoin(const RowBatch& rows,
                                   const Chunk& chunk,
                                   size_t incoming,
                                   const std::vector<uint32_t>& partners,
                                   State& state,
                                   Changes& changes) const {
  const size_t mine = rows.input;
  const auto& [row, has_key, key, end] = chunk.incoming[incoming];
  const bool is_anti = description_.join.type == JoinSpec::Type::kAnti;
  const bool waits = is_anti && description_.is_final;  // the end decides
  const bool is_addition = IsAddition(rows.kind(row));
  std::string bytes;
  sides_[mine].EncodeRow(rows.batch, row, bytes);
  if (!is_addition && has_key) state.tables[mine].Remove(key, bytes);
  if (mine == 0) {
    const bool is_given = partners.empty() == is_anti && !(waits && has_key);
    if (is_given) changes.Add(rows.kind(row), row, RowPairs::kNone);
  } else {
    for (const uint32_t partner : partners) {
      const auto& left = chunk.candidates[partner];
      const bool is_first = is_addition && left->matches == 0;
      const bool is_last = !is_addition && left->matches == 1;
      if ((is_first || is_last) && !waits) {
        const bool appears = is_first != is_anti;
        changes.Add(appears ? RowKind::kInsert : RowKind::kDelete, RowPairs::kNone, partner);
      }
      if (!is_addition && left->matches == 0) continue;
      const uint32_t matches = is_addition ? left->matches + 1 : left->matches - 1;
      state.tables[0].SetMatches(left, matches, rows.batch.now_us);
    }
  }
  if (!is_addition || !has_key) return;
  const size_t matches = mine == 0 ? partners.size() : 0;
  state.tables[mine].Add(key, std::move(bytes), static_cast<uint32_t>(matches), rows.batch.now_us);
}

Status RegularJoinOperator::Advance(int64_t watermark,
                                    OperatorState* state,
                                    OperatorOutput& out) const {
  if (watermark != kWatermarkEnd || !description_.is_final) return {};
  State& mine = *static_cast<State*>(state);
  const JoinSpec& join = description_.join;
  if (join.keeps_left() || join.type == JoinSpec::Type::kAnti) {
    RETURN_IF_ERROR(EmitUnmatched(0, mine, out));
  }
  if (join.keeps_right()) RETURN_IF_ERROR(EmitUnmatched(1, mine, out));
  for (JoinTable& table : mine.tables)
    table.Clear();
  return {};
}

Status RegularJoinOperator::EmitUnmatched(size_t side, State& state, OperatorOutput& out) const {
  Batch rows = MakeBatch(sides_[side].schema());
  Arena* arena = &rows.NewArena();
  const Batch none = MakeBatch(sides_[1 - side].schema());
  const auto emit = [&]() -> Status {
    if (rows.rows == 0) return {};
    RowPairs pairs;
    for (uint32_t row = 0; row < rows.rows; ++row) {
      pairs.Add(side == 0 ? row : RowPairs::kNone, side == 0 ? RowPairs::kNone : row);
    }
    Batch joined = pairs_.Combine(side == 0 ? rows : none, side == 0 ? none : rows, pairs);
    rows = MakeBatch(sides_[side].schema());
    arena = &rows.NewArena();
    return out.Emit({.batch = std::move(joined), .origins = {}, .kinds = {}});
  };
  const auto append = [&](const JoinTable::Row& row) -> Status {
    RETURN_IF_ERROR(sides_[side].DecodeRow(row.bytes, rows, *arena));
    return rows.rows < kEmittedRows ? Status() : emit();
  };
  RETURN_IF_ERROR(state.tables[side].VisitUnmatched(append));
  return emit();
}

void RegularJoinOperator::SaveChanges(OperatorState* state, StateSink& sink) const {
  State& mine = *static_cast<State*>(state);
  for (uint8_t side = 0; side < 2; ++side)
    mine.tables[side].SaveChanges(side, sink);
  mine.Trim();
}

Status RegularJoinOperator::Restore(OperatorState* state,
                                    std::string_view key,
                                    std::string_view value) const {
  if (key.size() != 1 + sizeof(uint64_t) || static_cast<uint8_t>(key.front()) > 1) {
    return DamagedState("key of a join's row");
  }
  const auto side = static_cast<uint8_t>(key.front());
  ASSIGN_OR_RETURN(const std::string_view bytes, JoinTable::RowOf(value));
  Batch row = MakeBatch(sides_[side].schema());
  RETURN_IF_ERROR(sides_[side].DecodeRow(bytes, row, row.NewArena()));
  std::string join_key;
  if (!sides_[side].EncodeKey(row, 0, join_key)) return DamagedState("NULL in a join's key");
  return static_cast<State*>(state)->tables[side].Restore(SequenceOf(key), value, join_key);
}

}  // namespace slipstream::sql
