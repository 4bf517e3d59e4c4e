#pragma once

#include <memory>
#include <string>
#include <utility>

#include "common/status/status.h"
#include "processor/planner/catalog.h"
#include "processor/sql/diagnostic.h"

namespace slipstream::sql {

// PlanContext: what the parts of the planner share while statements are planned: the catalog, how
// the job will run, and the text that the tree at hand came from, for messages. Private to
// planner/.
class PlanContext {
 public:
  PlanContext(Catalog& catalog, bool every_input_is_bounded)
      : catalog_(catalog), every_input_is_bounded_(every_input_is_bounded) {}

  Catalog& catalog() { return catalog_; }
  const std::shared_ptr<const SourceText>& source() const { return source_; }
  bool every_input_is_bounded() const { return every_input_is_bounded_; }

  [[noreturn]] void Fail(Span at, std::string message, std::string hint = "") const;
  // "what not supported yet": for what the parser knows and the planner cannot plan.
  [[noreturn]] void Unsupported(Span at, const std::string& what, std::string hint = "") const;

  // The value, or its error thrown as one at `at`.
  template <class T>
  T Check(Result<T> result, Span at) const {
    if (!result.ok()) Fail(at, result.error().message());
    return std::move(result).value();
  }

  // Views may name views, so a small text can ask for a large plan. Throws beyond kScansMax.
  void CountScan(Span at);

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

 private:
  static constexpr size_t kScansMax = 1000;

  Catalog& catalog_;
  const bool every_input_is_bounded_;
  std::shared_ptr<const SourceText> source_;  // shared with its script
  size_t scans_ = 0;
};

}  // namespace slipstream::sql
