#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/status/status.h"
#include "processor/engine/file_source.h"
#include "processor/operators/operator.h"
#include "processor/planner/plan.h"

namespace slipstream::sql {

class FileLookup;

// OperatorGraph: the operators of all queries of a job and where their rows go. A forest: each
// operator feeds one input of one other, a sink or an exchange; scans, VALUES and exchanges feed
// operators or sinks, and an operator has as many inputs as its part of the plan. Immutable; shared
// by the tasks of a job, each of which pushes rows into some of the sources alone.
class OperatorGraph {
 public:
  // Whether rows go on elsewhere at an exchange of the plan; where not, it does nothing.
  using Cuts = std::function<bool(const PlanNode& exchange)>;

  // `saves_state`: what any operator keeps has to survive the task, that of sorts included.
  explicit OperatorGraph(bool saves_state, Cuts cuts = nullptr)
      : saves_state_(saves_state), cuts_(std::move(cuts)) {}

  // Before Add: how long joins, and what is kept by key of input that does not end, keep what
  // nothing happens to, in processing time; 0: for ever.
  void SetStateTtl(int64_t ttl_us) { state_ttl_us_ = ttl_us; }

  struct Target {
    bool is_sink = false;
    bool is_exchange = false;
    size_t index = 0;  // of the node, the sink or the exchange
    size_t input = 0;  // which of the node's inputs

    bool is_node() const { return !is_sink && !is_exchange; }
  };
  struct Node {
    std::unique_ptr<const Operator> operation;
    std::vector<Schema> inputs;
    Target next;
    std::string fingerprint;  // of what its state means; empty for stateless ones
  };
  struct Scan {
    TablePtr table;
    std::vector<size_t> reads;  // columns of the table
    ExpressionPtr condition;    // over those: rows it is not TRUE for are dropped; null: none
    Target next;
  };
  // Where rows leave one task for another, and where they come in there.
  struct Exchange {
    Schema schema;
    std::vector<size_t> keys;  // rows that agree in these columns go to one task; none: all do
    Target next;
  };
  struct Constants {
    std::vector<std::vector<Value>> rows;
    Schema schema;
    Target next;
  };

  // Before Add: what is looked up in tables is read from there. Without it lookup joins are
  // refused.
  void SetFiles(FileSource& files) { files_ = &files; }

  // Adds the query whose rows go to the sink number `sink`, and what makes the sink's columns of
  // them. `gives_updates`: aggregations without a window give updates (unbounded input).
  // kUnimplemented: part of the plan cannot run yet.
  Status Add(const PlanNode& query, bool gives_updates, size_t sink);
  // The same with a projection before the sink.
  Status Add(const PlanNode& query,
             std::vector<ExpressionPtr> projection,
             bool gives_updates,
             size_t sink);

  // A node comes after the one it feeds: walk backwards to go with the rows.
  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<Scan>& scans() const { return scans_; }
  const std::vector<Constants>& constants() const { return constants_; }
  const std::vector<Exchange>& exchanges() const { return exchanges_; }
  // Whether an operator asks where records stand (GraphRun::SetPlaces).
  bool asks_for_places() const { return asks_for_places_; }
  // Of the tables that lookup joins read: rows that could not be read.
  uint64_t lookup_rows_bad() const;

 private:
  Status AddNode(const PlanNode& node, bool gives_updates, Target next);
  void AddScan(const PlanNode& node, bool gives_updates, Target next);
  Status AddInputs(const PlanNode& node, bool gives_updates, Target next);
  // Puts the join before `next`, and makes it what comes next.
  Status AppendJoin(const PlanNode& node, bool gives_updates, Target& next);
  // An aggregation in two: before the exchange that is its input, and behind it.
  Status AddTwoPhases(const PlanNode& node, bool gives_updates, Target next);
  // Whether the node's input is an exchange where rows go on elsewhere.
  bool IsBehindCut(const PlanNode& node) const;
  Result<std::unique_ptr<const Operator>> MakeJoin(const PlanNode& node, bool gives_updates);
  Target Append(std::unique_ptr<const Operator> operation, const PlanNode& node, Target next);
  // What makes updates of the rows of an 'upsert-kafka' table.
  Target AppendLatestRows(const PlanNode& scan, bool gives_updates, Target next);
  // Makes the node at `target` forget the keys that no row comes for.
  void LetExpire(Target target,
                 std::vector<size_t> key_columns,
                 const PlanNode& node,
                 bool gives_updates);

  bool saves_state_;
  int64_t state_ttl_us_ = 0;
  bool asks_for_places_ = false;
  FileSource* files_ = nullptr;
  Cuts cuts_;
  std::vector<std::shared_ptr<const FileLookup>> lookups_;  // shared with their operators
  std::vector<Node> nodes_;
  std::vector<Scan> scans_;
  std::vector<Constants> constants_;
  std::vector<Exchange> exchanges_;
};

}  // namespace slipstream::sql
