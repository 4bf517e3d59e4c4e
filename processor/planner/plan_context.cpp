#include "processor/planner/plan_context.h"

#include <fmt/format.h>

namespace slipstream::sql {

void PlanContext::Fail(Span at, std::string message, std::string hint) const {
  throw SqlError(MakeDiagnostic(*source_, at, std::move(message), std::move(hint)));
}

void PlanContext::Unsupported(Span at, const std::string& what, std::string hint) const {
  Fail(at, what + " not supported yet", std::move(hint));
}

void PlanContext::CountScan(Span at) {
  if (++scans_ > kScansMax) {
    Fail(at, fmt::format("the statements read more than {} tables, views unfolded", kScansMax));
  }
}

}  // namespace slipstream::sql
