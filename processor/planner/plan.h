#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "processor/expr/expression.h"
#include "processor/expr/function_registry.h"
#include "processor/types/data_type.h"

namespace slipstream::sql {

class TimeZone;
using TimeZonePtr = std::shared_ptr<const TimeZone>;
using Options = std::map<std::string, std::string>;

// A table as CREATE TABLE declares it.
struct TableDefinition {
  struct MetadataColumn {
    size_t column = 0;
    std::string key;  // "offset", "timestamp", …
    bool is_virtual = false;
  };
  struct ComputedColumn {
    size_t column = 0;
    ExpressionPtr expression;  // over all columns of the schema, those before it computed
  };
  struct Watermark {
    size_t column = 0;         // TIMESTAMP or TIMESTAMP_LTZ
    ExpressionPtr expression;  // over all columns
    std::string text;          // as written, for EXPLAIN
  };

  std::string name;
  Schema schema;                 // all columns, as declared
  std::vector<size_t> physical;  // those that are read and written: neither computed nor metadata
  std::vector<MetadataColumn> metadata;
  std::vector<ComputedColumn> computed;
  std::optional<Watermark> watermark;
  std::vector<size_t> primary_key;
  std::vector<size_t> partition_columns;  // PARTITIONED BY
  Options options;                        // WITH (…), hints applied
  // Of a table whose ROWs have only the fields that a job reads: as it was declared.
  std::shared_ptr<const TableDefinition> declared;  // shared by catalog and plans

  const std::string& connector() const;  // options["connector"]; empty if absent
};
using TablePtr = std::shared_ptr<const TableDefinition>;  // shared by catalog and plans

// Windows of group aggregation. All times are microseconds.
struct WindowSpec {
  // kAttached: the rows have their windows already; time_column is the window's end, and the start,
  // if it matters, is one of the group columns.
  enum class Kind { kTumble, kHop, kCumulate, kSession, kAttached };
  Kind kind = Kind::kTumble;
  int64_t size_us = 0;   // kCumulate: the greatest size; kSession: the gap
  int64_t slide_us = 0;  // kHop: slide; kCumulate: step
  int64_t offset_us = 0;
  size_t time_column = 0;  // of the input
  // By processing time: the time of a row is when the operator gets it.
  bool is_by_arrival = false;
  // The times are instants, and windows those of clocks in this zone, which start and end are times
  // of (kTime is an instant); null: in UTC.
  TimeZonePtr zone;  // shared with copies of the plan
};

enum class WindowProperty { kStart, kEnd, kTime };  // kTime = end − 1 ms
inline constexpr WindowProperty kWindowProperties[] = {
    WindowProperty::kStart, WindowProperty::kEnd, WindowProperty::kTime};

struct SortKey {
  size_t column = 0;
  bool descending = false;
  bool nulls_first = true;  // Flink: NULL is the smallest value
};

// Which rows an OVER aggregate counts for a row, besides the row itself.
struct OverFrame {
  // By rows: those before it in its partition's order. Otherwise by range: those with at most its
  // time, those with the same included.
  bool is_rows = false;
  // So many rows, or microseconds, back; nullopt: all.
  std::optional<int64_t> preceding;
};

// What a row is given for its place in the order of its partition: LAG(value, rows, fallback), the
// value of an earlier row, LEAD, that of a later one, or a rank.
struct LagCall {
  enum class Kind : uint8_t {
    kLag,
    kLead,
    kRank,
    kDenseRank,
    kPercentRank,
    kCumeDist,
    kNtile,
  };

  Kind kind = Kind::kLag;
  ExpressionPtr value;     // over the input; of a rank a literal that means nothing
  ExpressionPtr fallback;  // where there is no such row; over the input, of the value's type
  uint64_t rows = 1;       // kNtile: into so many parts
  DataType type;

  // All but LAG look at rows that come later, or at how many there are.
  bool needs_end() const { return kind != Kind::kLag; }
};

// How the rows of two inputs are put together. Columns are those of the inputs, each counted by
// itself.
struct JoinSpec {
  enum class Type : uint8_t { kInner, kLeft, kRight, kFull, kSemi, kAnti };
  // What is known of the rows' times, and so, how long rows are kept. kRegular: nothing; kWindow:
  // both lie in the same window; kInterval: their times differ by so much. kLookup: rows of the
  // left input are looked up in the right one, a table of files, as it is when they come; only the
  // left input streams. kTemporal: beside rows of the left input stand those of the right one as
  // they were at the left one's event time.
  enum class Variant : uint8_t { kRegular, kWindow, kInterval, kLookup, kTemporal };
  struct Key {
    size_t left = 0;
    size_t right = 0;
    bool matches_null = false;  // IS NOT DISTINCT FROM
  };

  Type type = Type::kInner;
  Variant variant = Variant::kRegular;
  std::vector<Key> keys;  // all equal; of the same physical type
  // kWindow: the windows' ends; kTemporal: the event times; kInterval: likewise, left − right
  // within the bounds, both included, microseconds.
  size_t left_time = 0;
  size_t right_time = 0;
  int64_t lower_us = 0;
  int64_t upper_us = 0;
  bool is_by_arrival = false;  // kInterval: the times are when the rows come
  // kRegular: how long rows are kept that nothing happens to, microseconds; 0: for ever; nullopt:
  // as long as the job says.
  std::optional<int64_t> left_ttl_us;
  std::optional<int64_t> right_ttl_us;

  bool has_times() const { return variant != Variant::kRegular && variant != Variant::kLookup; }
  bool gives_right() const { return type != Type::kSemi && type != Type::kAnti; }
  // Whether a row of that side is given, with NULLs, when it has no partner.
  bool keeps_left() const { return type == Type::kLeft || type == Type::kFull; }
  bool keeps_right() const { return type == Type::kRight || type == Type::kFull; }
};

struct PlanNode;
using PlanNodePtr = std::unique_ptr<PlanNode>;

// PlanOperator: one operator of a query. `output` names and types the columns it gives.
struct PlanOperator {
  enum class Kind : uint8_t {
    kScan,             // table; reads[] → output. Rowtime and watermark are the table's.
    kValues,           // rows of literals
    kFilter,           // condition
    kProject,          // expressions
    kWindowAggregate,  // window, group_columns, aggregates, window_properties
    kAggregate,        // group_columns, aggregates: over bounded input, or as an update stream
    kWindow,           // window: each row once for every window it lies in
    kSessionRows,      // window, group_columns: each row with the session it lies in
    kExpand,           // expansions: each row once for each list of expressions
    kUnnest,           // unnested, is_outer, has_ordinality
    kOver,             // group_columns, sort_keys, frame, aggregates, lags
    kTopN,             // group_columns, sort_keys, rank_first, rank_last
    kSort,             // sort_keys
    kLimit,            // limit, offset
    kUnionAll,
    kJoin,      // join, condition; two inputs
    kExchange,  // group_columns: rows that agree in them go on in one task; none: all do
  };

  Kind kind = Kind::kScan;
  Schema output;

  // kScan. output[i] is the table's column reads[i]: physical and metadata columns are decoded,
  // computed ones evaluated over the others (the planner puts into reads whatever an expression or
  // the watermark needs).
  TablePtr table;
  std::vector<size_t> reads;

  // kFilter. kJoin: what has to hold besides the keys, or null; over the left input's columns, then
  // the right one's.
  ExpressionPtr condition;
  std::vector<ExpressionPtr> expressions;  // kProject

  std::vector<std::vector<ExpressionPtr>> expansions;  // kExpand

  // kJoin gives the left input's columns, then the right one's; kSemi and kAnti the left ones only.
  JoinSpec join;

  // kUnnest gives the input's columns once for each element of an ARRAY or MAP, then the element's
  // (the fields of a ROW, or key and value, or the element itself), then its number from 1 if
  // has_ordinality. is_outer: a row without elements is given once, with NULLs.
  ExpressionPtr unnested;
  bool is_outer = false;
  bool has_ordinality = false;

  // kWindow and kSessionRows give the input's columns, then window_start, window_end and
  // window_time; kOver the input's, then the aggregates, then the lags; kTopN the input's, then the
  // rank if has_rank.
  // kWindowAggregate gives the group columns, then the aggregates, then the window properties;
  // kAggregate the group columns, then the aggregates.
  WindowSpec window;
  std::vector<size_t> group_columns;  // of the input
  std::vector<AggregateCall> aggregates;
  std::vector<WindowProperty> window_properties;
  // kWindowAggregate, kAggregate: the input is an exchange, before which each task aggregates what
  // it has.
  bool has_two_phases = false;
  // kWindowAggregate: windows that have not ended are shown so often, microseconds of processing
  // time; 0: never.
  int64_t early_us = 0;

  std::vector<SortKey> sort_keys;
  bool order_is_time = false;     // the only sort key is the input's event time
  bool order_is_arrival = false;  // the only sort key is PROCTIME()
  OverFrame frame;
  std::vector<LagCall> lags;
  uint64_t rank_first = 1;
  uint64_t rank_last = 1;
  bool has_rank = false;
  std::optional<size_t> window_end;  // kTopN: by window; the column of the input with its end

  std::optional<uint64_t> limit;
  uint64_t offset = 0;

  std::vector<std::vector<Value>> rows;  // kValues
};

// PlanNode: an operator and what it reads from; a tree.
struct PlanNode : PlanOperator {
  std::vector<PlanNodePtr> inputs;
};

// Calls `visit` with every expression that the operator evaluates itself; it may put another in
// place.
template <class Visit>
void ForEachExpression(PlanOperator& node, const Visit& visit) {
  const auto visit_if_there = [&visit](ExpressionPtr& expression) {
    if (expression) visit(expression);
  };
  visit_if_there(node.condition);
  for (ExpressionPtr& expression : node.expressions)
    visit(expression);
  for (AggregateCall& call : node.aggregates) {
    for (ExpressionPtr& arg : call.args)
      visit(arg);
    visit_if_there(call.filter);
  }
  visit_if_there(node.unnested);
  for (std::vector<ExpressionPtr>& expansion : node.expansions) {
    for (ExpressionPtr& expression : expansion)
      visit(expression);
  }
  for (LagCall& lag : node.lags) {
    visit(lag.value);
    visit_if_there(lag.fallback);
  }
}

// Of a node's inputs those whose rows come one after the other: of a lookup join the left one.
std::span<const PlanNodePtr> StreamingInputs(const PlanNode& node);

// INSERT INTO table query: `query`'s columns are cast to the table's insertable columns, in order
// of `columns`; others are NULL.
struct InsertPlan {
  TablePtr table;
  std::vector<size_t> columns;  // of the table, one for each of the query's
  PlanNodePtr query;
};

// Planned statements of one file, in its order.
struct JobPlan {
  Options settings;                 // SET
  std::vector<InsertPlan> inserts;  // run together as one job
  struct Query {                    // SELECT on its own
    PlanNodePtr query;
  };
  std::vector<Query> queries;
  std::vector<std::string> explanations;  // what EXPLAIN, SHOW and DESCRIBE answer
};

// A stable, readable tree, one operator a line, indented.
std::string Explain(const PlanNode& node);
std::string Explain(const InsertPlan& insert);

}  // namespace slipstream::sql
