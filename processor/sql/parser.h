#pragma once

#include <string>

#include "common/status/status.h"
#include "processor/sql/ast.h"

namespace slipstream::sql {

// Parses statements separated by `;`. `name` stands in messages: a file's name, or "query".
// Bounded: kSourceBytesMax of text, kNestingMax levels of parentheses and queries, expressions of
// kExpressionHeightMax; so whatever the text is, recursion over the tree is safe.
// Errors: kInvalidArgument with line, column, the line, a caret and a hint (Diagnostic::Render).
Result<ast::Script> Parse(std::string name, std::string text);

// The same, throwing SqlError; for callers that add their own errors to it (the planner).
ast::Script ParseOrThrow(std::string name, std::string text);

inline constexpr uint32_t kNestingMax = 100;
inline constexpr uint32_t kExpressionHeightMax = 400;
inline constexpr uint32_t kExpressionQueryNestingMax = 8;

}  // namespace slipstream::sql
