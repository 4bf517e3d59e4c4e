#include "processor/expr/function_names.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "processor/expr/aggregate_function.h"
#include "processor/expr/function_table.h"

namespace slipstream::sql {
namespace {

// In the table for their kernels' sake; SQL has them as words between operands.
constexpr std::array kOperators = std::to_array<std::string_view>(
    {"AND", "IN", "ITEM", "LIKE", "NEGATE", "NOT", "OR", "OVERLAPS"});

bool IsCalledByName(const std::string& name) {
  const bool is_word = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
  return is_word && std::find(kOperators.begin(), kOperators.end(), name) == kOperators.end();
}

}  // namespace

std::vector<std::string> FunctionNames() {
  std::vector<std::string> names = FunctionTable::Get().Names();
  std::erase_if(names, [](const std::string& name) { return !IsCalledByName(name); });
  // What stands behind an aggregate's first word is a form of it.
  for (const std::string& aggregate : AggregateNames())
    names.push_back(aggregate.substr(0, aggregate.find(' ')));
  names.insert(names.end(), {"APPROX_COUNT_DISTINCT", "CURRENT_DATABASE", "IF", "TYPEOF"});
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace slipstream::sql
