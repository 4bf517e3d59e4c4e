#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "processor/planner/field_use.h"
#include "processor/planner/optimizer.h"

namespace slipstream::sql {
namespace {

// Whether the table's records name the fields of its ROWs, so that some can be passed over.
bool HasNamedFields(const TableDefinition& table) {
  bool is_json = false;
  for (const char* option : {"format", "key.format", "value.format"}) {
    const auto format = table.options.find(option);
    if (format == table.options.end()) continue;
    if (format->second != "json") return false;
    is_json = true;
  }
  return is_json;
}

bool IsAggregate(const PlanNode& node) {
  return node.kind == PlanNode::Kind::kAggregate || node.kind == PlanNode::Kind::kWindowAggregate;
}

// Whether the node gives its input's columns, as they are, before any of its own, and reads
// besides them no more than its condition or `unnested`. Others that keep columns hold them in
// their state or send them to other tasks, and those are to stay what they were; but between the
// two phases of an aggregation there are only groups and partial aggregates.
bool PassesColumns(const PlanNode& node, const PlanNode* above) {
  if (node.kind == PlanNode::Kind::kExchange) return above != nullptr && above->has_two_phases;
  return node.kind == PlanNode::Kind::kFilter || node.kind == PlanNode::Kind::kLimit ||
         node.kind == PlanNode::Kind::kWindow || node.kind == PlanNode::Kind::kUnnest;
}

// RowNarrowing: the queries of a job, which share the tables they read.
class RowNarrowing {
 public:
  void Run(std::span<PlanNode* const> queries) {
    for (const PlanNode* const query : queries)
      Collect(*query, nullptr, FieldUses(query->output.size(), FieldUse::Whole()));
    for (auto& [table, read] : tables_)
      read.narrowed = NarrowTable(table, read);
    for (PlanNode* const query : queries)
      Narrow(*query, nullptr);
  }

 private:
  struct TableRead {
    FieldUses columns;          // of the table
    std::vector<bool> is_read;  // by some scan
    TablePtr narrowed;          // the table itself if nothing of it can be left out
  };

  // Follows what is read of the node's output down to the tables.
  void Collect(const PlanNode& node, const PlanNode* above, const FieldUses& uses) {
    if (node.kind == PlanNode::Kind::kScan) {
      TableRead& read = tables_[node.table];
      read.columns.resize(node.table->schema.size());
      read.is_read.resize(node.table->schema.size());
      for (size_t i = 0; i < node.reads.size(); ++i) {
        read.columns[node.reads[i]].Add(uses[i]);
        read.is_read[node.reads[i]] = true;
      }
      return;
    }
    for (const PlanNodePtr& input : node.inputs)
      Collect(*input, &node, UsesOfInput(node, above, uses, input->output.size()));
  }

  static FieldUses UsesOfInput(const PlanNode& node,
                               const PlanNode* above,
                               const FieldUses& uses,
                               size_t width) {
    FieldUses below(width);
    if (node.kind == PlanNode::Kind::kProject) {
      for (size_t i = 0; i < node.expressions.size(); ++i)
        AddUses(*node.expressions[i], uses[i], below);
    } else if (PassesColumns(node, above)) {
      std::copy_n(uses.begin(), width, below.begin());
      if (node.condition) AddUses(*node.condition, FieldUse::Whole(), below);
      if (node.unnested) AddUses(*node.unnested, FieldUse::Whole(), below);
      if (node.kind == PlanNode::Kind::kWindow) below[node.window.time_column].is_whole = true;
    } else if (IsAggregate(node)) {
      for (const size_t column : node.group_columns)
        below[column].is_whole = true;
      if (node.kind == PlanNode::Kind::kWindowAggregate)
        below[node.window.time_column].is_whole = true;
      for (const AggregateCall& call : node.aggregates) {
        for (const ExpressionPtr& arg : call.args)
          AddUses(*arg, FieldUse::Whole(), below);
        if (call.filter) AddUses(*call.filter, FieldUse::Whole(), below);
      }
    } else {
      below.assign(width, FieldUse::Whole());
    }
    return below;
  }

  // Adds to `read` what the table itself needs: computed columns that are read, and the watermark.
  static TablePtr NarrowTable(const TablePtr& table, TableRead& read) {
    FieldUses& columns = read.columns;
    if (table->watermark) {
      read.is_read[table->watermark->column] = true;
      AddUses(*table->watermark->expression, FieldUse::Whole(), columns);
    }
    const auto is_read = [&](size_t column) {
      return read.is_read[column] || !columns[column].is_none();
    };
    auto narrowed = std::make_shared<TableDefinition>(*table);
    // A computed column reads earlier computed ones at most.
    for (auto computed = table->computed.rbegin(); computed != table->computed.rend(); ++computed) {
      if (is_read(computed->column)) AddUses(*computed->expression, FieldUse::Whole(), columns);
    }
    std::erase_if(narrowed->computed,
                  [&](const auto& computed) { return !is_read(computed.column); });
    const auto keep_whole = [&](size_t column) { columns[column] = FieldUse::Whole(); };
    for (const TableDefinition::ComputedColumn& computed : table->computed)
      keep_whole(computed.column);
    for (size_t column = 0; column < columns.size(); ++column) {
      if (columns[column].is_none() || !HasNamedFields(*table)) keep_whole(column);
    }
    for (size_t column = 0; column < columns.size(); ++column) {
      DataType& type = narrowed->schema[column].type;
      type = NarrowType(type, columns[column]);
    }
    if (narrowed->schema == table->schema) return table;
    for (TableDefinition::ComputedColumn& computed : narrowed->computed)
      computed.expression = NarrowExpression(computed.expression, columns);
    if (narrowed->watermark) {
      narrowed->watermark->expression = NarrowExpression(narrowed->watermark->expression, columns);
    }
    narrowed->declared = table;
    return narrowed;
  }

  // What is left of the node's output, now that the tables are narrower.
  FieldUses Narrow(PlanNode& node, const PlanNode* above) {
    FieldUses left(node.output.size(), FieldUse::Whole());
    if (node.kind == PlanNode::Kind::kScan) {
      const TableRead& read = tables_.at(node.table);
      for (size_t i = 0; i < node.reads.size(); ++i)
        left[i] = read.columns[node.reads[i]];
      node.table = read.narrowed;
    } else if (node.inputs.size() == 1) {
      const FieldUses below = Narrow(*node.inputs.front(), &node);
      node.condition = NarrowExpression(node.condition, below);
      node.unnested = NarrowExpression(node.unnested, below);
      for (size_t i = 0; i < node.expressions.size(); ++i) {
        left[i] = UseOf(*node.expressions[i], below);
        node.expressions[i] = NarrowExpression(node.expressions[i], below);
      }
      for (AggregateCall& call : node.aggregates) {
        for (ExpressionPtr& arg : call.args)
          arg = NarrowExpression(arg, below);
        call.filter = NarrowExpression(call.filter, below);
      }
      if (PassesColumns(node, above)) std::copy(below.begin(), below.end(), left.begin());
    } else {
      for (const PlanNodePtr& input : node.inputs)
        Narrow(*input, &node);
    }
    for (size_t i = 0; i < node.output.size(); ++i)
      node.output[i].type = NarrowType(node.output[i].type, left[i]);
    return left;
  }

  std::map<TablePtr, TableRead> tables_;  // as they were declared
};

}  // namespace

void NarrowRows(std::span<PlanNode* const> queries) {
  RowNarrowing().Run(queries);
}

}  // namespace slipstream::sql
