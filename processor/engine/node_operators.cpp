#include "processor/engine/node_operators.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "processor/operators/first_row.h"
#include "processor/operators/group_aggregate.h"
#include "processor/operators/interval_join.h"
#include "processor/operators/local_clock.h"
#include "processor/operators/on_arrival.h"
#include "processor/operators/over.h"
#include "processor/operators/regroup_aggregate.h"
#include "processor/operators/regular_join.h"
#include "processor/operators/row_operators.h"
#include "processor/operators/session_aggregate.h"
#include "processor/operators/session_rows.h"
#include "processor/operators/temporal_join.h"
#include "processor/operators/top_n.h"
#include "processor/operators/window_aggregate.h"
#include "processor/operators/window_join.h"
#include "processor/planner/plan_properties.h"
#include "processor/planner/plan_times.h"

namespace slipstream::sql {
namespace {

// More windows for one row than anybody wants, and than memory holds for many rows.
constexpr int64_t kWindowsPerRowMax = 10'000;

std::unique_ptr<const Operator> MakeTimeAggregate(const PlanNode& node,
                                                  std::vector<AggregateCall> calls,
                                                  bool merges) {
  const Schema& input = node.inputs.front()->output;
  if (node.window.kind == WindowSpec::Kind::kSession) {
    return std::make_unique<SessionAggregateOperator>(
        SessionAggregateOperator::Description{.window = node.window,
                                              .group_columns = node.group_columns,
                                              .aggregates = std::move(calls),
                                              .properties = node.window_properties,
                                              .input = input,
                                              .output = node.output,
                                              .merges = merges});
  }
  return std::make_unique<WindowAggregateOperator>(
      WindowAggregateOperator::Description{.window = node.window,
                                           .group_columns = node.group_columns,
                                           .aggregates = std::move(calls),
                                           .properties = node.window_properties,
                                           .input = input,
                                           .output = node.output,
                                           .merges = merges,
                                           .early_us = node.early_us});
}

// The operator, with the watermarks of the zone whose clocks the windows are of.
std::unique_ptr<const Operator> ByClocksOf(const TimeZonePtr& zone,
                                           std::unique_ptr<const Operator> operation) {
  if (zone == nullptr) return operation;
  return std::make_unique<LocalClockOperator>(std::move(operation), zone);
}

// Of windows that the rows lie in already: null: there are none, or they are those of UTC.
TimeZonePtr ZoneOfRows(const PlanNode& input) {
  const std::optional<RowWindows> windows = RowWindowsOf(input);
  return windows ? windows->spec.zone : nullptr;
}

}  // namespace

Status CheckWindow(const WindowSpec& window) {
  if (window.kind == WindowSpec::Kind::kAttached) return {};
  constexpr int64_t kSizeMax = int64_t{1} << 61;  // so that no end overflows
  if (window.size_us > kSizeMax) return InvalidArgument("a window of more than 73,000 years");
  if (window.size_us <= 0) return InvalidArgument("a window's size must be positive");
  if (window.kind == WindowSpec::Kind::kTumble || window.kind == WindowSpec::Kind::kSession) {
    return {};
  }
  if (window.slide_us <= 0) return InvalidArgument("a window's slide or step must be positive");
  if (window.size_us / window.slide_us > kWindowsPerRowMax) {
    return InvalidArgument("a row would be in more than " + std::to_string(kWindowsPerRowMax) +
                           " windows");
  }
  if (window.kind == WindowSpec::Kind::kCumulate && window.size_us % window.slide_us != 0) {
    return InvalidArgument("the size of a CUMULATE window must be a multiple of its step");
  }
  return {};
}

std::unique_ptr<const Operator> MakeAggregate(const PlanNode& node,
                                              std::vector<AggregateCall> calls,
                                              bool is_bounded,
                                              bool merges) {
  const Schema& input = node.inputs.front()->output;
  const bool takes_back = IsUpdateStream(*node.inputs.front(), is_bounded);
  const bool can_retract = AggregateLayout(calls).can_retract();
  if (takes_back && !can_retract) {
    return std::make_unique<RegroupAggregateOperator>(
        RegroupAggregateOperator::Description{.group_columns = node.group_columns,
                                              .aggregates = std::move(calls),
                                              .input = input,
                                              .output = node.output});
  }
  return std::make_unique<GroupAggregateOperator>(
      GroupAggregateOperator::Description{.group_columns = node.group_columns,
                                          .aggregates = std::move(calls),
                                          .input = input,
                                          .output = node.output,
                                          .gives_updates = !is_bounded,
                                          .takes_back = takes_back,
                                          .merges = merges});
}

std::unique_ptr<const Operator> MakeWindowAggregate(const PlanNode& node,
                                                    std::vector<AggregateCall> calls,
                                                    bool merges) {
  const bool is_attached = node.window.kind == WindowSpec::Kind::kAttached;
  std::unique_ptr<const Operator> aggregate =
      ByClocksOf(is_attached ? ZoneOfRows(*node.inputs.front()) : node.window.zone,
                 MakeTimeAggregate(node, std::move(calls), merges));
  if (!node.window.is_by_arrival) return aggregate;
  return std::make_unique<OnArrivalOperator>(std::move(aggregate),
                                             std::vector<size_t>{node.window.time_column},
                                             OnArrivalOperator::Emission::kWhenDue);
}

std::unique_ptr<const Operator> MakeSessionRows(const PlanNode& node) {
  return ByClocksOf(node.window.zone,
                    std::make_unique<SessionRowsOperator>(
                        SessionRowsOperator::Description{.window = node.window,
                                                         .partition_columns = node.group_columns,
                                                         .input = node.inputs.front()->output,
                                                         .output = node.output}));
}

std::unique_ptr<const Operator> MakeTopN(const PlanNode& node, bool is_bounded) {
  const Schema& input = node.inputs.front()->output;
  if (IsFirstRow(node) && node.order_is_time && !is_bounded) {
    return std::make_unique<FirstRowOperator>(
        FirstRowOperator::Description{.partition_columns = node.group_columns,
                                      .time_column = node.sort_keys.front().column,
                                      .has_rank = node.has_rank,
                                      .input = input,
                                      .output = node.output});
  }
  using Emission = TopNOperator::Emission;
  const bool is_descending = !node.sort_keys.empty() && node.sort_keys.front().descending;
  // Of times that are equal the last row's is the later.
  const bool is_last_row = node.rank_last == 1 && node.order_is_time && !node.window_end;
  const bool prefers_later = is_descending && (is_last_row || node.order_is_arrival);
  auto top = std::make_unique<TopNOperator>(TopNOperator::Description{
      .partition_columns = node.group_columns,
      .sort_keys = node.order_is_arrival ? std::vector<SortKey>() : node.sort_keys,
      .first = node.rank_first,
      .last = node.rank_last,
      .has_rank = node.has_rank,
      .prefers_later = prefers_later,
      .emission = node.window_end ? Emission::kWindow
                  : is_bounded    ? Emission::kAtEnd
                                  : Emission::kUpdates,
      .window_end = node.window_end.value_or(0),
      .takes_back = IsUpdateStream(*node.inputs.front(), is_bounded),
      .input = input,
      .output = node.output});
  const bool has_window = node.window_end.has_value();
  return ByClocksOf(has_window ? ZoneOfRows(*node.inputs.front()) : nullptr, std::move(top));
}

std::unique_ptr<const Operator> MakeSort(const PlanNode& node) {
  return std::make_unique<SortOperator>(node.sort_keys, node.inputs.front()->output);
}

std::unique_ptr<const Operator> MakeSavedLimit(const PlanNode& node) {
  const uint64_t far = UINT64_MAX - node.offset;
  return std::make_unique<TopNOperator>(
      TopNOperator::Description{.partition_columns = {},
                                .sort_keys = {},
                                .first = node.offset + 1,
                                .last = node.offset + std::min(node.limit.value_or(far), far),
                                .emission = TopNOperator::Emission::kAtEnd,
                                .input = node.inputs.front()->output,
                                .output = node.output});
}

std::unique_ptr<const Operator> MakeOver(const PlanNode& node) {
  const bool needs_end = std::any_of(
      node.lags.begin(), node.lags.end(), [](const LagCall& lag) { return lag.needs_end(); });
  const bool can_go_on =
      !node.sort_keys.empty() && !node.sort_keys.front().descending && !needs_end;
  const bool is_by_arrival =
      can_go_on && node.order_is_arrival && node.kind == PlanNode::Kind::kOver;
  auto over = std::make_unique<OverOperator>(
      OverOperator::Description{.partition_columns = node.group_columns,
                                .sort_keys = node.sort_keys,
                                .order_is_time = can_go_on && (node.order_is_time || is_by_arrival),
                                .frame = node.frame,
                                .aggregates = node.aggregates,
                                .lags = node.lags,
                                .input = node.inputs.front()->output,
                                .output = node.output});
  if (!is_by_arrival) return over;
  return std::make_unique<OnArrivalOperator>(std::move(over),
                                             std::vector<size_t>{node.sort_keys.front().column},
                                             OnArrivalOperator::Emission::kAtOnce);
}

std::unique_ptr<const Operator> MakeStreamingJoin(const PlanNode& node,
                                                  JoinDescription description) {
  using Made = std::unique_ptr<const Operator>;
  switch (node.join.variant) {
    case JoinSpec::Variant::kWindow:
      return ByClocksOf(ZoneOfRows(*node.inputs.front()),
                        std::make_unique<WindowJoinOperator>(std::move(description)));
    case JoinSpec::Variant::kInterval: {
      Made join = std::make_unique<IntervalJoinOperator>(std::move(description));
      if (!node.join.is_by_arrival) return join;
      return std::make_unique<OnArrivalOperator>(
          std::move(join),
          std::vector<size_t>{node.join.left_time, node.join.right_time},
          OnArrivalOperator::Emission::kWhenDue);
    }
    case JoinSpec::Variant::kTemporal:
      return std::make_unique<TemporalJoinOperator>(std::move(description));
    default:
      return std::make_unique<RegularJoinOperator>(std::move(description));
  }
}

}  // namespace slipstream::sql
