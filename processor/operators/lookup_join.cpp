#include "processor/operators/lookup_join.h"

#include <utility>

namespace slipstream::sql {
namespace {

constexpr size_t kPairsTested = 16 * 1024;

}  // namespace

LookupTable::LookupTable(const JoinDescription& description)
    : side_(description, 1), rows_(MakeBatch(description.right)) {}

void LookupTable::Add(const Batch& rows) {
  std::string key;
  for (size_t row = 0; row < rows.rows; ++row) {
    key.clear();
    if (!side_.EncodeKey(rows, row, key)) continue;
    by_key_[key].push_back(static_cast<uint32_t>(rows_.rows));
    for (size_t i = 0; i < rows_.columns.size(); ++i)
      rows_.columns[i].AppendFrom(rows.columns[i], row);
    ++rows_.rows;
  }
  rows_.keep_alive.insert(rows_.keep_alive.end(), rows.keep_alive.begin(), rows.keep_alive.end());
}

const std::vector<uint32_t>* LookupTable::Find(const std::string& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &found->second;
}

LookupJoinOperator::LookupJoinOperator(JoinDescription description,
                                       std::shared_ptr<LookupSource> source)
    : description_(std::move(description)),
      left_(description_, 0),
      pairs_(description_),
      source_(std::move(source)) {}

Status LookupJoinOperator::Process(RowBatch rows,
                                   int64_t,
                                   OperatorState*,
                                   OperatorOutput& out) const {
  ASSIGN_OR_RETURN(const std::shared_ptr<const LookupTable> table,
                   source_->Table(rows.batch.now_us));
  RowPairs pairs;
  std::string key;
  for (uint32_t row = 0; row < rows.batch.rows; ++row) {
    key.clear();
    const std::vector<uint32_t>* const found =
        left_.EncodeKey(rows.batch, row, key) ? table->Find(key) : nullptr;
    if (found != nullptr) {
      for (const uint32_t partner : *found)
        pairs.Add(row, partner);
    } else {
      pairs.Add(row, RowPairs::kNone);
    }
    if (pairs.size() < kPairsTested) continue;
    RETURN_IF_ERROR(Emit(rows, *table, std::exchange(pairs, {}), out));
  }
  return Emit(rows, *table, pairs, out);
}

// `pairs` holds every row of theirs with all its partners, or with none.
Status LookupJoinOperator::Emit(const RowBatch& rows,
                                const LookupTable& table,
                                const RowPairs& pairs,
                                OperatorOutput& out) const {
  std::vector<uint8_t> holds(pairs.size(), 1);
  std::vector<uint8_t> has_failed(rows.batch.rows, 0);
  if (pairs_.has_condition()) {
    RowErrors errors;
    holds = pairs_.Test(rows.batch, table.rows(), pairs, errors);
    RowErrors rejected;
    for (const RowErrors::Entry& entry : errors.entries()) {
      const uint32_t row = pairs.left[entry.row];
      if (pairs.right[entry.row] == RowPairs::kNone) continue;
      if (std::exchange(has_failed[row], uint8_t{1}) == 0) rejected.Add(row, entry.message);
    }
    if (!rejected.empty()) RETURN_IF_ERROR(out.Reject(rows, rejected));
  }
  const bool keeps_left = description_.join.keeps_left();
  RowPairs found;
  for (size_t i = 0; i < pairs.size();) {
    const uint32_t row = pairs.left[i];
    bool has_partner = false;
    for (; i < pairs.size() && pairs.left[i] == row; ++i) {
      if (holds[i] == 0 || has_failed[row] != 0 || pairs.right[i] == RowPairs::kNone) continue;
      has_partner = true;
      found.Add(row, pairs.right[i]);
    }
    if (!has_partner && keeps_left && has_failed[row] == 0) found.Add(row, RowPairs::kNone);
  }
  if (found.size() == 0) return {};
  RowBatch joined{
      .batch = pairs_.Combine(rows.batch, table.rows(), found), .origins = {}, .kinds = {}};
  for (const uint32_t row : found.left) {
    if (!rows.origins.empty()) joined.origins.push_back(rows.origins[row]);
    if (!rows.kinds.empty()) joined.kinds.push_back(rows.kinds[row]);
  }
  return out.Emit(std::move(joined));
}

}  // namespace slipstream::sql
