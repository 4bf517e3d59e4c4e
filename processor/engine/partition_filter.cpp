#include "processor/engine/partition_filter.h"

#include <algorithm>
#include <utility>

#include "processor/expr/evaluator.h"
#include "processor/expr/scalar_function.h"

namespace slipstream::sql {
namespace {

// The parts of a condition that all have to be TRUE.
void SplitConjuncts(const ExpressionPtr& condition, std::vector<ExpressionPtr>& to) {
  const bool is_and =
      condition->kind == Expression::Kind::kCall && condition->function->name == "AND";
  if (!is_and) {
    to.push_back(condition);
    return;
  }
  for (const ExpressionPtr& arg : condition->args)
    SplitConjuncts(arg, to);
}

}  // namespace

PartitionFilter::PartitionFilter(const OperatorGraph& graph,
                                 const TablePtr& table,
                                 std::vector<size_t> columns)
    : columns_(std::move(columns)) {
  for (const OperatorGraph::Scan& scan : graph.scans()) {
    if (scan.table != table) continue;
    Scan& filtered = scans_.emplace_back();
    filtered.reads = scan.reads;
    for (const size_t column : scan.reads)
      filtered.schema.push_back(table->schema[column]);
    if (scan.condition == nullptr) continue;
    std::vector<ExpressionPtr> conjuncts;
    SplitConjuncts(scan.condition, conjuncts);
    for (ExpressionPtr& conjunct : conjuncts) {
      std::vector<bool> used(scan.reads.size(), false);
      MarkColumns(*conjunct, used);
      bool is_of_folders = true;
      for (size_t i = 0; i < used.size(); ++i) {
        const bool is_folder =
            std::find(columns_.begin(), columns_.end(), scan.reads[i]) != columns_.end();
        is_of_folders = is_of_folders && (!used[i] || is_folder);
      }
      if (is_of_folders) filtered.conditions.push_back(std::move(conjunct));
    }
  }
}

bool PartitionFilter::Wants(const std::vector<Value>& values) const {
  return std::any_of(
      scans_.begin(), scans_.end(), [&](const Scan& scan) { return Wants(scan, values); });
}

bool PartitionFilter::Wants(const Scan& scan, const std::vector<Value>& values) const {
  if (scan.conditions.empty()) return true;
  Batch row = MakeBatch(scan.schema);
  row.rows = 1;
  Arena& arena = row.NewArena();
  for (size_t i = 0; i < scan.reads.size(); ++i) {
    const auto found = std::find(columns_.begin(), columns_.end(), scan.reads[i]);
    if (found == columns_.end()) {
      row.columns[i].AppendNull();
    } else {
      row.columns[i].Append(values[static_cast<size_t>(found - columns_.begin())], arena);
    }
  }
  return std::all_of(
      scan.conditions.begin(), scan.conditions.end(), [&](const ExpressionPtr& condition) {
        RowErrors errors;
        const Column truth = Evaluate(*condition, row, arena, errors);
        // What fails is for the rows to say.
        return !errors.empty() || (!truth.is_null(0) && truth.bools[0] != 0);
      });
}

}  // namespace slipstream::sql
