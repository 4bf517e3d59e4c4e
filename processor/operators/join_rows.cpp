#include "processor/operators/join_rows.h"

#include <algorithm>
#include <utility>

#include "processor/expr/evaluator.h"

namespace slipstream::sql {
namespace {

std::vector<size_t> KeyColumns(const JoinSpec& join, size_t side) {
  std::vector<size_t> columns;
  for (const JoinSpec::Key& key : join.keys)
    columns.push_back(side == 0 ? key.left : key.right);
  return columns;
}

ExpressionPtr Folded(const ExpressionPtr& condition) {
  return condition ? FoldConstants(condition) : nullptr;
}

// The rows of `from`, NULL for kNone.
Column GatherOrNull(const Column& from, const std::vector<uint32_t>& rows) {
  Column column(from.type);
  column.Reserve(rows.size());
  for (const uint32_t row : rows) {
    if (row == RowPairs::kNone) {
      column.AppendNull();
    } else {
      column.AppendFrom(from, row);
    }
  }
  return column;
}

void AppendSide(const Batch& from,
                const std::vector<uint32_t>& rows,
                const Schema& output,
                size_t width,
                Batch& to) {
  const bool is_whole = std::find(rows.begin(), rows.end(), RowPairs::kNone) == rows.end();
  for (size_t i = 0; i < width; ++i) {
    Column column = is_whole ? Gather(from.columns[i], rows) : GatherOrNull(from.columns[i], rows);
    column.type = output[to.columns.size()].type;
    to.columns.push_back(std::move(column));
  }
  to.keep_alive.insert(to.keep_alive.end(), from.keep_alive.begin(), from.keep_alive.end());
}

}  // namespace

JoinSide::JoinSide(const JoinDescription& description, size_t side)
    : schema_(side == 0 ? description.left : description.right),
      key_codec_(schema_, KeyColumns(description.join, side)),
      row_codec_(schema_) {
  for (const JoinSpec::Key& key : description.join.keys) {
    if (!key.matches_null) never_null_.push_back(side == 0 ? key.left : key.right);
  }
}

bool JoinSide::EncodeKey(const Batch& batch, size_t row, std::string& to) const {
  const bool has_null = std::any_of(never_null_.begin(), never_null_.end(), [&](size_t column) {
    return batch.columns[column].is_null(row);
  });
  key_codec_.Encode(batch.columns, row, to);
  return !has_null;
}

Status JoinSide::DecodeRow(std::string_view bytes, Batch& to, Arena& arena) const {
  RETURN_IF_ERROR(row_codec_.Decode(bytes, to.columns, arena));
  ++to.rows;
  return {};
}

JoinPairs::JoinPairs(const JoinDescription& description)
    : condition_(Folded(description.condition)),
      both_(description.left),
      output_(description.output),
      left_width_(description.left.size()) {
  both_.insert(both_.end(), description.right.begin(), description.right.end());
}

std::vector<uint8_t> JoinPairs::Test(const Batch& left,
                                     const Batch& right,
                                     const RowPairs& pairs,
                                     RowErrors& errors) const {
  Batch batch = Combine(left, right, pairs, both_);
  std::vector<uint8_t> holds(pairs.size(), 0);
  for (const uint32_t pair : SelectRows(*condition_, batch, batch.NewArena(), errors))
    holds[pair] = 1;
  for (const RowErrors::Entry& entry : errors.entries())
    holds[entry.row] = 0;
  return holds;
}

Result<std::vector<uint8_t>> JoinPairs::TestPairs(const RowBatch& rows,
                                                  const Batch& others,
                                                  const RowPairs& pairs,
                                                  std::vector<uint8_t>& has_failed,
                                                  OperatorOutput& out) const {
  const bool is_left = rows.input == 0;
  RowErrors errors;
  std::vector<uint8_t> holds =
      Test(is_left ? rows.batch : others, is_left ? others : rows.batch, pairs, errors);
  RowErrors rejected;
  for (const RowErrors::Entry& entry : errors.entries()) {
    const uint32_t row = (is_left ? pairs.left : pairs.right)[entry.row];
    if (std::exchange(has_failed[row], uint8_t{1}) == 0) rejected.Add(row, entry.message);
  }
  if (!rejected.empty()) RETURN_IF_ERROR(out.Reject(rows, rejected));
  return holds;
}

Batch JoinPairs::Combine(const Batch& left, const Batch& right, const RowPairs& pairs) const {
  return Combine(left, right, pairs, output_);
}

Batch JoinPairs::Combine(const Batch& left,
                         const Batch& right,
                         const RowPairs& pairs,
                         const Schema& output) const {
  Batch batch;
  batch.rows = pairs.size();
  batch.now_us = std::max(left.now_us, right.now_us);
  batch.columns.reserve(output.size());
  AppendSide(left, pairs.left, output, left_width_, batch);
  if (output.size() > left_width_) {
    AppendSide(right, pairs.right, output, output.size() - left_width_, batch);
  }
  return batch;
}

}  // namespace slipstream::sql
