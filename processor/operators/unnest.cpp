#include "processor/operators/unnest.h"

#include <utility>
#include <vector>

#include "processor/expr/evaluator.h"

namespace slipstream::sql {

UnnestOperator::UnnestOperator(ExpressionPtr value,
                               bool is_outer,
                               bool has_ordinality,
                               Schema output)
    : value_(std::move(value)),
      is_outer_(is_outer),
      has_ordinality_(has_ordinality),
      output_(std::move(output)) {}

Status UnnestOperator::Process(RowBatch rows, int64_t, OperatorState*, OperatorOutput& out) const {
  RowErrors errors;
  Column lists = Evaluate(*value_, rows.batch, rows.batch.NewArena(), errors);
  if (!errors.empty()) {
    ASSIGN_OR_RETURN(rows, TakeOutFailed(std::move(rows), errors, out));
    RowErrors none;
    lists = Evaluate(*value_, rows.batch, rows.batch.NewArena(), none);
  }
  // The columns of the elements: of an ARRAY of ROWs the fields of its one child.
  const bool are_rows = lists.children.size() == 1 && lists.children[0].type.kind == TypeKind::kRow;
  const std::vector<Column>& sources = are_rows ? lists.children[0].children : lists.children;
  const size_t width = rows.batch.columns.size();
  std::vector<Column> added;
  for (size_t i = width; i < output_.size(); ++i)
    added.emplace_back(output_[i].type);
  std::vector<uint32_t> lines;
  Arena& arena = rows.batch.NewArena();
  const auto append = [&](uint32_t row, const uint32_t* entry, int64_t number) {
    lines.push_back(row);
    const bool is_null = entry == nullptr || (are_rows && lists.children[0].is_null(*entry));
    for (size_t i = 0; i < sources.size(); ++i) {
      if (is_null) {
        added[i].AppendNull();
      } else {
        added[i].AppendFrom(sources[i], *entry);
      }
    }
    if (!has_ordinality_) return;
    if (entry == nullptr) return added.back().AppendNull();
    added.back().Append(number, arena);
  };
  for (uint32_t row = 0; row < rows.batch.rows; ++row) {
    const bool is_empty = lists.is_null(row) || lists.offsets[row] == lists.offsets[row + 1];
    if (is_empty && is_outer_) append(row, nullptr, 0);
    if (is_empty) continue;
    for (uint32_t entry = lists.offsets[row]; entry < lists.offsets[row + 1]; ++entry)
      append(row, &entry, entry - lists.offsets[row] + 1);
  }
  if (lines.empty()) return {};
  RowBatch given = Gather(rows, lines);
  for (Column& column : added)
    given.batch.columns.push_back(std::move(column));
  return out.Emit(std::move(given));
}

}  // namespace slipstream::sql
