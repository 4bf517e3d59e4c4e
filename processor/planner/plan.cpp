#include "processor/planner/plan.h"

namespace slipstream::sql {

const std::string& TableDefinition::connector() const {
  static const std::string none;
  const auto found = options.find("connector");
  return found == options.end() ? none : found->second;
}

}  // namespace slipstream::sql
