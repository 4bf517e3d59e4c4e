#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/status/status.h"
#include "processor/planner/catalog.h"
#include "processor/planner/optimizer.h"
#include "processor/planner/relation.h"
#include "processor/sql/diagnostic.h"

namespace slipstream::sql {

// The setting that says whether rows are aggregated before an exchange: AUTO, ONE_PHASE, TWO_PHASE.
inline constexpr char kAggregatePhases[] = "table.optimizer.agg-phase-strategy";
// The zone of whose clocks an instant is the time where one is asked for.
inline constexpr char kLocalTimeZone[] = "table.local-time-zone";

// PlanContext: what the parts of the planner share while statements are planned: the catalog, how
// the job will run, and the text that the tree at hand came from, for messages. Private to
// planner/.
class PlanContext {
 public:
  // `settings`: as SET has them so far.
  PlanContext(Catalog& catalog, bool every_input_is_bounded, const Options& settings)
      : catalog_(catalog), every_input_is_bounded_(every_input_is_bounded), settings_(settings) {}

  Catalog& catalog() { return catalog_; }
  // How exchanges are put in, as the settings say by now.
  ExchangeOptions exchange_options() const;
  const std::shared_ptr<const SourceText>& source() const { return source_; }
  bool every_input_is_bounded() const { return every_input_is_bounded_; }

  [[noreturn]] void Fail(Span at, std::string message, std::string hint = "") const;
  // "what not supported yet": for what the parser knows and the planner cannot plan.
  [[noreturn]] void Unsupported(Span at, const std::string& what, std::string hint = "") const;

  // The zone of 'table.local-time-zone'; null: UTC.
  TimeZonePtr zone() const;
  // `name` as that setting has it.
  TimeZonePtr ZoneNamed(const std::string& name, Span at) const;

  // The value, or its error thrown as one at `at`.
  template <class T>
  T Check(Result<T> result, Span at) const {
    if (!result.ok()) Fail(at, result.error().message());
    return std::move(result).value();
  }

  // Views may name views, so a small text can ask for a large plan. Adds the size of one query, in
  // bytes of its text and columns of its result, to what was planned so far; throws when that is
  // too much.
  void CountQuery(Span at, size_t columns);

  // `table` with these options. The same table for the same options, so that two statements with
  // equal hints read one source.
  TablePtr WithOptions(const TablePtr& table, Options options);

  // The plan as the session's zone has it (session_zone.h).
  PlanNodePtr InZone(PlanNodePtr root);

  // While it lives, trees come from `source`.
  class SourceScope {
   public:
    SourceScope(PlanContext& context, std::shared_ptr<const SourceText> source)
        : context_(context), previous_(std::exchange(context.source_, std::move(source))) {}
    ~SourceScope() { context_.source_ = std::move(previous_); }
    SourceScope(const SourceScope&) = delete;
    SourceScope& operator=(const SourceScope&) = delete;

   private:
    PlanContext& context_;
    std::shared_ptr<const SourceText> previous_;  // shared with its script
  };

  // While it lives, names that a query does not know may be those of `columns`, of a query around
  // it; they become outer columns of this level (decorrelation.h).
  class OuterScope {
   public:
    OuterScope(PlanContext& context, const std::vector<ScopeColumn>& columns) : context_(context) {
      context_.outer_.push_back(&columns);
    }
    ~OuterScope() { context_.outer_.pop_back(); }
    OuterScope(const OuterScope&) = delete;
    OuterScope& operator=(const OuterScope&) = delete;
    size_t level() const { return context_.outer_.size() - 1; }

   private:
    PlanContext& context_;
  };
  // The columns of the queries around the one at hand, the outermost one's first.
  const std::vector<const std::vector<ScopeColumn>*>& outer() const { return outer_; }

  // While it lives, there are no queries around.
  class NoOuterScope {
   public:
    explicit NoOuterScope(PlanContext& context)
        : context_(context), outer_(std::exchange(context.outer_, {})) {}
    ~NoOuterScope() { context_.outer_ = std::move(outer_); }
    NoOuterScope(const NoOuterScope&) = delete;
    NoOuterScope& operator=(const NoOuterScope&) = delete;

   private:
    PlanContext& context_;
    std::vector<const std::vector<ScopeColumn>*> outer_;
  };

 private:
  static constexpr size_t kPlannedBytesMax = size_t{4} << 20;
  static constexpr size_t kBytesPerColumn = 16;

  Catalog& catalog_;
  const bool every_input_is_bounded_;
  const Options& settings_;
  std::shared_ptr<const SourceText> source_;  // shared with its script
  size_t planned_bytes_ = 0;
  std::vector<const std::vector<ScopeColumn>*> outer_;
  std::vector<std::pair<TablePtr, TablePtr>> with_options_;  // the declared one, the changed one
  // The same, by zone.
  std::map<std::pair<TablePtr, std::string>, TablePtr> in_zone_;
};

}  // namespace slipstream::sql
