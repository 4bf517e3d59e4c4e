#include "processor/operators/row_operators.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "processor/expr/evaluator.h"
#include "processor/expr/watermark_function.h"

namespace slipstream::sql {

FilterOperator::FilterOperator(const ExpressionPtr& condition)
    : condition_(FoldConstants(condition)), asks_watermark_(AsksWatermark(*condition_)) {}

Status FilterOperator::Process(RowBatch rows,
                               int64_t watermark,
                               OperatorState*,
                               OperatorOutput& out) const {
  RowErrors errors;
  const ExpressionPtr condition =
      asks_watermark_ ? WithWatermark(condition_, watermark) : condition_;
  std::vector<uint32_t> selected =
      SelectRows(*condition, rows.batch, rows.batch.NewArena(), errors);
  // A row that failed is not selected: its verdict is NULL, or was not the condition's own.
  if (!errors.empty()) {
    RETURN_IF_ERROR(out.Reject(rows, errors));
    for (const RowErrors::Entry& entry : errors.entries())
      std::erase(selected, entry.row);
  }
  if (selected.empty()) return {};
  if (selected.size() == rows.batch.rows) return out.Emit(std::move(rows));
  return out.Emit(Gather(rows, selected));
}

ProjectOperator::ProjectOperator(std::vector<ExpressionPtr> expressions)
    : expressions_(std::move(expressions)) {
  std::vector<size_t> uses;
  for (ExpressionPtr& expression : expressions_) {
    expression = FoldConstants(expression);
    std::vector<bool> used;
    MarkColumns(*expression, used);
    if (used.size() > uses.size()) uses.resize(used.size());
    for (size_t column = 0; column < used.size(); ++column)
      uses[column] += used[column] ? 1 : 0;
  }
  for (const ExpressionPtr& expression : expressions_) {
    asks_watermark_.push_back(AsksWatermark(*expression));
    is_moved_.push_back(expression->kind == Expression::Kind::kColumn &&
                        uses[expression->column] == 1);
  }
}

Status ProjectOperator::Process(RowBatch rows,
                                int64_t watermark,
                                OperatorState*,
                                OperatorOutput& out) const {
  RowErrors errors;
  Arena& arena = rows.batch.NewArena();
  std::vector<Column> columns(expressions_.size());
  for (size_t i = 0; i < expressions_.size(); ++i) {
    if (is_moved_[i]) continue;
    const ExpressionPtr expression =
        asks_watermark_[i] ? WithWatermark(expressions_[i], watermark) : expressions_[i];
    columns[i] = Evaluate(*expression, rows.batch, arena, errors);
  }
  if (!errors.empty()) RETURN_IF_ERROR(out.Reject(rows, errors));
  RowBatch projected;
  projected.batch.rows = rows.batch.rows;
  for (size_t i = 0; i < expressions_.size(); ++i) {
    if (!is_moved_[i]) continue;
    columns[i] = std::move(rows.batch.columns[expressions_[i]->column]);
    columns[i].type = expressions_[i]->type;
  }
  projected.batch.columns = std::move(columns);
  projected.batch.keep_alive = std::move(rows.batch.keep_alive);
  projected.origins = std::move(rows.origins);
  projected.kinds = std::move(rows.kinds);
  if (!errors.empty()) {
    std::vector<uint8_t> is_failed(projected.batch.rows, 0);
    for (const RowErrors::Entry& entry : errors.entries())
      is_failed[entry.row] = 1;
    std::vector<uint32_t> good;
    for (uint32_t row = 0; row < projected.batch.rows; ++row) {
      if (is_failed[row] == 0) good.push_back(row);
    }
    projected = Gather(projected, good);
  }
  return projected.batch.rows == 0 ? Status() : out.Emit(std::move(projected));
}

ExpandOperator::ExpandOperator(const std::vector<std::vector<ExpressionPtr>>& expansions) {
  for (const std::vector<ExpressionPtr>& expansion : expansions)
    projections_.emplace_back(expansion);
}

Status ExpandOperator::Process(RowBatch rows,
                               int64_t watermark,
                               OperatorState*,
                               OperatorOutput& out) const {
  for (const ProjectOperator& projection : projections_)
    RETURN_IF_ERROR(projection.Process(rows, watermark, nullptr, out));
  return {};
}

Status UnionOperator::Process(RowBatch rows, int64_t, OperatorState*, OperatorOutput& out) const {
  return out.Emit(std::move(rows));
}

// ---- Sorting ----

namespace {

constexpr size_t kEmittedRows = 8192;

struct SortState final : OperatorState {
  RowBatch all;
};

template <class T>
int Compare(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

int CompareRows(const Column& column, uint32_t a, uint32_t b) {
  switch (column.physical()) {
    case PhysicalKind::kBool:
      return Compare(column.bools[a], column.bools[b]);
    case PhysicalKind::kInt64:
      return Compare(column.ints[a], column.ints[b]);
    case PhysicalKind::kDouble: {
      const double x = column.doubles[a];
      const double y = column.doubles[b];
      // NaN is above everything, as in Java.
      if (x != x || y != y) return Compare(x != x, y != y);
      return Compare(x, y);
    }
    case PhysicalKind::kInt128:
      return Compare(column.decimals[a], column.decimals[b]);
    case PhysicalKind::kString:
      return column.strings[a].compare(column.strings[b]);
    case PhysicalKind::kNested:
      break;
  }
  return 0;
}

int CompareByKey(const Column& column, const SortKey& key, uint32_t a, uint32_t b) {
  const bool a_null = column.is_null(a);
  const bool b_null = column.is_null(b);
  if (a_null || b_null) {
    const int order = Compare(b_null, a_null);  // the NULL first
    return key.nulls_first ? order : -order;
  }
  const int order = CompareRows(column, a, b);
  return key.descending ? -order : order;
}

void AppendRows(RowBatch from, RowBatch& to) {
  for (size_t i = 0; i < to.batch.columns.size(); ++i) {
    for (size_t row = 0; row < from.batch.rows; ++row)
      to.batch.columns[i].AppendFrom(from.batch.columns[i], row);
  }
  to.batch.rows += from.batch.rows;
  for (auto& kept : from.batch.keep_alive)
    to.batch.keep_alive.push_back(std::move(kept));
}

}  // namespace

SortOperator::SortOperator(std::vector<SortKey> keys, Schema schema)
    : keys_(std::move(keys)), schema_(std::move(schema)) {}

std::unique_ptr<OperatorState> SortOperator::MakeState() const {
  auto state = std::make_unique<SortState>();
  state->all.batch = MakeBatch(schema_);
  return state;
}

Status SortOperator::Process(RowBatch rows, int64_t, OperatorState* state, OperatorOutput&) const {
  AppendRows(std::move(rows), static_cast<SortState*>(state)->all);
  return {};
}

Status SortOperator::Advance(int64_t watermark, OperatorState* state, OperatorOutput& out) const {
  if (watermark != kWatermarkEnd) return {};
  RowBatch& all = static_cast<SortState*>(state)->all;
  std::vector<uint32_t> order(all.batch.rows);
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    for (const SortKey& key : keys_) {
      const int result = CompareByKey(all.batch.columns[key.column], key, a, b);
      if (result != 0) return result < 0;
    }
    return false;
  });
  for (size_t first = 0; first < order.size(); first += kEmittedRows) {
    const size_t end = std::min(first + kEmittedRows, order.size());
    const std::vector<uint32_t> slice(order.begin() + static_cast<ptrdiff_t>(first),
                                      order.begin() + static_cast<ptrdiff_t>(end));
    RETURN_IF_ERROR(out.Emit(Gather(all, slice)));
  }
  return {};
}

// ---- Limit ----

namespace {

struct LimitState final : OperatorState {
  uint64_t seen = 0;
};

}  // namespace

LimitOperator::LimitOperator(uint64_t offset, std::optional<uint64_t> limit)
    : offset_(offset), limit_(limit) {}

std::unique_ptr<OperatorState> LimitOperator::MakeState() const {
  return std::make_unique<LimitState>();
}

Status LimitOperator::Process(RowBatch rows,
                              int64_t,
                              OperatorState* state,
                              OperatorOutput& out) const {
  uint64_t& seen = static_cast<LimitState*>(state)->seen;
  std::vector<uint32_t> kept;
  for (uint32_t row = 0; row < rows.batch.rows; ++row, ++seen) {
    if (seen >= offset_ && (!limit_ || seen - offset_ < *limit_)) kept.push_back(row);
  }
  return kept.empty() ? Status() : out.Emit(Gather(rows, kept));
}

}  // namespace slipstream::sql
