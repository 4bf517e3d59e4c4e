#include "processor/operators/latest_rows.h"

#include <utility>

#include "processor/operators/row_store.h"

namespace slipstream::sql {

struct LatestRowsOperator::State final : OperatorState {
  RowStore rows;
};

class LatestRowsOperator::Changes {
 public:
  explicit Changes(const LatestRowsOperator& operation) : operation_(operation) {
    rows_.batch = MakeBatch(operation.schema_);
    arena_ = &rows_.batch.NewArena();
  }

  Status Add(RowKind kind, std::string_view row) {
    RETURN_IF_ERROR(operation_.row_codec_.Decode(row, rows_.batch.columns, *arena_));
    rows_.kinds.push_back(kind);
    ++rows_.batch.rows;
    return {};
  }
  Status Emit(OperatorOutput& out) {
    return rows_.batch.rows == 0 ? Status() : out.Emit(std::move(rows_));
  }

 private:
  const LatestRowsOperator& operation_;
  RowBatch rows_;
  Arena* arena_ = nullptr;
};

LatestRowsOperator::LatestRowsOperator(std::vector<size_t> key_columns, Schema schema)
    : schema_(std::move(schema)),
      key_codec_(schema_, std::move(key_columns)),
      row_codec_(schema_) {}

std::unique_ptr<OperatorState> LatestRowsOperator::MakeState() const {
  return std::make_unique<State>();
}

bool LatestRowsOperator::SpillTo(OperatorState* state, ScratchSpace& space) const {
  static_cast<State*>(state)->rows.SpillTo(space);
  return true;
}

Status LatestRowsOperator::Process(RowBatch rows,
                                   int64_t,
                                   OperatorState* state,
                                   OperatorOutput& out) const {
  RowStore& latest = static_cast<State*>(state)->rows;
  Changes changes(*this);
  std::string key;
  std::string encoded;
  for (size_t row = 0; row < rows.batch.rows; ++row) {
    key.clear();
    key_codec_.Encode(rows.batch.columns, row, key);
    latest.Load(key);
    AppendSequence(key, 0);
    const auto known = latest.entries().find(key);
    const bool is_known = known != latest.entries().end();
    if (!IsAddition(rows.kind(row))) {
      if (!is_known) continue;
      RETURN_IF_ERROR(changes.Add(RowKind::kDelete, known->second));
      latest.Erase(known);
      continue;
    }
    encoded.clear();
    row_codec_.Encode(rows.batch.columns, row, encoded);
    if (is_known && known->second == encoded) continue;
    if (is_known) RETURN_IF_ERROR(changes.Add(RowKind::kUpdateBefore, known->second));
    RETURN_IF_ERROR(changes.Add(is_known ? RowKind::kUpdateAfter : RowKind::kInsert, encoded));
    latest.Put(key, encoded);
  }
  latest.Trim();
  return changes.Emit(out);
}

bool LatestRowsOperator::Forget(OperatorState* state, std::string_view key) const {
  RowStore& rows = static_cast<State*>(state)->rows;
  rows.Load(key);
  rows.EraseAll(key);
  return true;
}

void LatestRowsOperator::SaveChanges(OperatorState* state, StateSink& sink) const {
  RowStore& rows = static_cast<State*>(state)->rows;
  rows.SaveChanges(sink);
  rows.Trim();
}

Status LatestRowsOperator::Restore(OperatorState* state,
                                   std::string_view key,
                                   std::string_view value) const {
  return static_cast<State*>(state)->rows.Restore(key, value);
}

}  // namespace slipstream::sql
