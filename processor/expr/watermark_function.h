#pragma once

#include <cstdint>

#include "processor/expr/expression.h"

namespace slipstream::sql {

// CURRENT_WATERMARK(ts): where the watermark stands for whoever evaluates it. An operator that may
// meet it puts a literal in its place before it evaluates; nobody else does.

bool AsksWatermark(const Expression& expression);

// `watermark` in microseconds since 1970; INT64_MIN: there is none yet, so NULL stands for it.
ExpressionPtr WithWatermark(const ExpressionPtr& expression, int64_t watermark);

}  // namespace slipstream::sql
