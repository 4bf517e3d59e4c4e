#include "processor/engine/operator_graph.h"

#include <algorithm>
#include <utility>

#include "processor/engine/connector_options.h"
#include "processor/engine/file_lookup.h"
#include "processor/engine/node_operators.h"
#include "processor/operators/expiring.h"
#include "processor/operators/latest_rows.h"
#include "processor/operators/local_aggregate.h"
#include "processor/operators/lookup_join.h"
#include "processor/operators/row_operators.h"
#include "processor/operators/unnest.h"
#include "processor/operators/window_rows.h"
#include "processor/planner/plan_properties.h"

namespace slipstream::sql {

Status OperatorGraph::Add(const PlanNode& query, bool gives_updates, size_t sink) {
  return AddNode(query, gives_updates, {.is_sink = true, .index = sink});
}

Status OperatorGraph::Add(const PlanNode& query,
                          std::vector<ExpressionPtr> projection,
                          bool gives_updates,
                          size_t sink) {
  Node node{.operation = std::make_unique<ProjectOperator>(std::move(projection)),
            .inputs = {query.output},
            .next = {.is_sink = true, .index = sink},
            .fingerprint = {}};
  nodes_.push_back(std::move(node));
  return AddNode(query, gives_updates, {.is_sink = false, .index = nodes_.size() - 1});
}

Result<std::unique_ptr<const Operator>> OperatorGraph::MakeJoin(const PlanNode& node,
                                                                bool gives_updates) {
  JoinDescription description{.join = node.join,
                              .condition = node.condition,
                              .left = node.inputs[0]->output,
                              .right = node.inputs[1]->output,
                              .output = node.output,
                              .is_final = IsBounded(node, !gives_updates),
                              .ttls_us = {node.join.left_ttl_us.value_or(state_ttl_us_),
                                          node.join.right_ttl_us.value_or(state_ttl_us_)}};
  if (node.join.variant != JoinSpec::Variant::kLookup) {
    return MakeStreamingJoin(node, std::move(description));
  }
  if (files_ == nullptr) return Unimplemented("a lookup join without files");
  OperatorGraph table(false);
  RETURN_IF_ERROR(table.Add(*node.inputs[1], false, 0));
  const TableDefinition& definition = *table.scans().front().table;
  ASSIGN_OR_RETURN(const FileTable options, ReadFileTable(definition));
  auto source = std::make_shared<FileLookup>(
      description, std::move(table), options.sink.path, options.lookup_cache_ttl_us, *files_);
  lookups_.push_back(source);
  return std::unique_ptr<const Operator>(
      std::make_unique<LookupJoinOperator>(std::move(description), std::move(source)));
}

uint64_t OperatorGraph::lookup_rows_bad() const {
  uint64_t rows = 0;
  for (const auto& lookup : lookups_)
    rows += lookup->rows_bad();
  return rows;
}

OperatorGraph::Target OperatorGraph::Append(std::unique_ptr<const Operator> operation,
                                            const PlanNode& node,
                                            Target next) {
  Node appended{.operation = std::move(operation), .inputs = {}, .next = next, .fingerprint = {}};
  for (const PlanNodePtr& input : StreamingInputs(node))
    appended.inputs.push_back(input->output);
  if (appended.operation->is_stateful()) appended.fingerprint = Explain(node);
  nodes_.push_back(std::move(appended));
  return {.is_sink = false, .index = nodes_.size() - 1};
}

void OperatorGraph::LetExpire(Target target,
                              std::vector<size_t> key_columns,
                              const PlanNode& node,
                              bool gives_updates) {
  if (state_ttl_us_ <= 0 || IsBounded(node, !gives_updates)) return;
  Node& kept = nodes_[target.index];
  kept.operation = std::make_unique<ExpiringOperator>(ExpiringOperator::Description{
      .operation = std::move(kept.operation),
      .key_columns = std::move(key_columns),
      .input = kept.inputs.front(),
      .ttl_us = state_ttl_us_,
      // A first row does not live longer for those behind it, which change nothing.
      .is_renewed = !IsFirstRow(node)});
  kept.fingerprint += "forgets\n";
}

OperatorGraph::Target OperatorGraph::AppendLatestRows(const PlanNode& scan,
                                                      bool gives_updates,
                                                      Target next) {
  std::vector<size_t> keys;
  for (const size_t column : scan.table->primary_key) {
    const auto found = std::find(scan.reads.begin(), scan.reads.end(), column);
    keys.push_back(static_cast<size_t>(found - scan.reads.begin()));
  }
  Node appended{.operation = std::make_unique<LatestRowsOperator>(keys, scan.output),
                .inputs = {scan.output},
                .next = next,
                .fingerprint = "LatestRows " + Explain(scan)};
  nodes_.push_back(std::move(appended));
  next = {.is_sink = false, .index = nodes_.size() - 1};
  LetExpire(next, std::move(keys), scan, gives_updates);
  return next;
}

bool OperatorGraph::IsBehindCut(const PlanNode& node) const {
  if (node.inputs.empty() || !cuts_) return false;
  const PlanNode& input = *node.inputs.front();
  return input.kind == PlanNode::Kind::kExchange && cuts_(input);
}

Status OperatorGraph::AddTwoPhases(const PlanNode& node, bool gives_updates, Target next) {
  const Schema& input = node.inputs.front()->output;
  std::vector<AggregateCall> calls = node.aggregates;
  bool orders_rows = false;
  for (AggregateCall& call : calls) {
    const AggregateFunction* const ordered = call.function->ordered();
    if (ordered == nullptr) continue;
    call.function = ordered;
    call.args.push_back(MakeColumn(input.size(), OrderType()));
    orders_rows = true;
  }
  asks_for_places_ = asks_for_places_ || orders_rows;
  LocalAggregateOperator::Description description{.window = std::nullopt,
                                                  .group_columns = node.group_columns,
                                                  .aggregates = calls,
                                                  .orders_rows = orders_rows,
                                                  .input = input};
  std::unique_ptr<const Operator> global;
  if (node.kind == PlanNode::Kind::kWindowAggregate) {
    RETURN_IF_ERROR(CheckWindow(node.window));
    description.window = node.window;
    global = MakeWindowAggregate(node, std::move(calls), true);
  } else {
    global = MakeAggregate(node, std::move(calls), !gives_updates, true);
  }
  auto local = std::make_unique<LocalAggregateOperator>(std::move(description));
  const PartialSchema& partials = local->output();
  next = Append(std::move(global), node, next);
  nodes_[next.index].inputs = {partials.schema};
  if (node.kind == PlanNode::Kind::kAggregate)
    LetExpire(next, partials.groups, node, gives_updates);
  exchanges_.push_back({.schema = partials.schema, .keys = partials.groups, .next = next});
  next = {.is_exchange = true, .index = exchanges_.size() - 1};
  next = Append(std::move(local), node, next);
  return AddNode(*node.inputs.front()->inputs.front(), gives_updates, next);
}

// NOLINTNEXTLINE(readability-function-size): a kind of node after the other
Status OperatorGraph::AddNode(const PlanNode& node, bool gives_updates, Target next) {
  if (node.has_two_phases && IsBehindCut(node)) return AddTwoPhases(node, gives_updates, next);
  switch (node.kind) {
    case PlanNode::Kind::kScan:
      AddScan(node, gives_updates, next);
      return {};
    case PlanNode::Kind::kValues:
      constants_.push_back({.rows = node.rows, .schema = node.output, .next = next});
      return {};
    case PlanNode::Kind::kFilter:
      next = Append(std::make_unique<FilterOperator>(node.condition), node, next);
      break;
    case PlanNode::Kind::kProject:
      next = Append(std::make_unique<ProjectOperator>(node.expressions), node, next);
      break;
    case PlanNode::Kind::kWindowAggregate:
      RETURN_IF_ERROR(CheckWindow(node.window));
      next = Append(MakeWindowAggregate(node, node.aggregates, false), node, next);
      break;
    case PlanNode::Kind::kAggregate:
      next = Append(MakeAggregate(node, node.aggregates, !gives_updates, false), node, next);
      LetExpire(next, node.group_columns, node, gives_updates);
      break;
    case PlanNode::Kind::kWindow:
      RETURN_IF_ERROR(CheckWindow(node.window));
      next = Append(std::make_unique<WindowRowsOperator>(node.window, node.output), node, next);
      break;
    case PlanNode::Kind::kSessionRows:
      RETURN_IF_ERROR(CheckWindow(node.window));
      next = Append(MakeSessionRows(node), node, next);
      break;
    case PlanNode::Kind::kExpand:
      next = Append(std::make_unique<ExpandOperator>(node.expansions), node, next);
      break;
    case PlanNode::Kind::kUnnest:
      next = Append(std::make_unique<UnnestOperator>(
                        node.unnested, node.is_outer, node.has_ordinality, node.output),
                    node,
                    next);
      break;
    case PlanNode::Kind::kOver:
      next = Append(MakeOver(node), node, next);
      // What only sorts keeps nothing that was given.
      if ((node.order_is_time || node.order_is_arrival) &&
          !(node.aggregates.empty() && node.lags.empty())) {
        LetExpire(next, node.group_columns, node, gives_updates);
      }
      break;
    case PlanNode::Kind::kTopN:
      next = Append(MakeTopN(node, !gives_updates), node, next);
      // What is kept of first rows depends on whether the input ends.
      if (IsFirstRow(node) && gives_updates) nodes_[next.index].fingerprint += "running\n";
      if (!node.window_end) LetExpire(next, node.group_columns, node, gives_updates);
      break;
    case PlanNode::Kind::kSort:
      next = Append(saves_state_ ? MakeOver(node) : MakeSort(node), node, next);
      break;
    case PlanNode::Kind::kLimit:
      next = Append(saves_state_ ? MakeSavedLimit(node)
                                 : std::make_unique<LimitOperator>(node.offset, node.limit),
                    node,
                    next);
      break;
    case PlanNode::Kind::kUnionAll:
      next = Append(std::make_unique<UnionOperator>(), node, next);
      break;
    case PlanNode::Kind::kJoin:
      RETURN_IF_ERROR(AppendJoin(node, gives_updates, next));
      break;
    case PlanNode::Kind::kExchange:
      if (!cuts_ || !cuts_(node)) break;
      exchanges_.push_back({.schema = node.output, .keys = node.group_columns, .next = next});
      next = {.is_exchange = true, .index = exchanges_.size() - 1};
      break;
  }
  return AddInputs(node, gives_updates, next);
}

void OperatorGraph::AddScan(const PlanNode& node, bool gives_updates, Target next) {
  if (node.table->connector() == "upsert-kafka") next = AppendLatestRows(node, gives_updates, next);
  scans_.push_back({.table = node.table, .reads = node.reads, .condition = nullptr, .next = next});
}

Status OperatorGraph::AppendJoin(const PlanNode& node, bool gives_updates, Target& next) {
  ASSIGN_OR_RETURN(std::unique_ptr<const Operator> join, MakeJoin(node, gives_updates));
  next = Append(std::move(join), node, next);
  // What is kept of unmatched rows depends on whether the input ends.
  if (gives_updates && node.join.variant == JoinSpec::Variant::kRegular) {
    nodes_[next.index].fingerprint += "running\n";
  }
  return {};
}

Status OperatorGraph::AddInputs(const PlanNode& node, bool gives_updates, Target next) {
  for (const PlanNodePtr& input : StreamingInputs(node)) {
    RETURN_IF_ERROR(AddNode(*input, gives_updates, next));
    const bool is_filtered =
        node.kind == PlanNode::Kind::kFilter && input->kind == PlanNode::Kind::kScan;
    if (is_filtered) scans_.back().condition = node.condition;
    if (node.kind != PlanNode::Kind::kExchange) ++next.input;
  }
  return {};
}

}  // namespace slipstream::sql
