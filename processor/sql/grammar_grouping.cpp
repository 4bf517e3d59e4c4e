#include <algorithm>
#include <utility>

#include "processor/sql/grammar.h"

// GROUP BY, with GROUPING SETS, ROLLUP and CUBE. Several items multiply: GROUP BY a, ROLLUP (b) has
// the sets (a, b) and (a).

namespace slipstream::sql {
namespace {

constexpr size_t kGroupingSetsMax = 256;
constexpr size_t kCubeColumnsMax = 8;

void Append(const std::vector<size_t>& from, std::vector<size_t>& to) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

void Grammar::ParseGroupBy(ast::Select& select) {
  select.has_group_by = true;
  const Span at = Peek().span;
  GroupingSets sets = {{}};
  do {
    const GroupingSets item = ParseGroupingItem(select);
    GroupingSets product;
    for (const std::vector<size_t>& left : sets) {
      for (const std::vector<size_t>& right : item) {
        product.push_back(left);
        Append(right, product.back());
      }
    }
    if (product.size() > kGroupingSetsMax) Fail(at, "more than 256 grouping sets");
    sets = std::move(product);
  } while (Accept(","));
  const bool has_all = sets.size() == 1 && sets.front().size() == select.group_by.size();
  if (!has_all) select.grouping_sets = std::move(sets);
}

Grammar::GroupingSets Grammar::ParseGroupingItem(ast::Select& select) {
  const Nesting nesting(*this);
  const Span at = Peek().span;
  GroupingSets sets;
  if (AcceptWords({"GROUPING", "SETS"})) {
    Expect("(");
    do {
      const bool is_nested =
          NextAreWords({"GROUPING", "SETS"}) ||
          ((NextIsWord("ROLLUP") || NextIsWord("CUBE")) && Peek(1).IsSymbol("("));
      if (!is_nested) {
        sets.push_back(ParseGroupingSet(select));
        continue;
      }
      for (std::vector<size_t>& set : ParseGroupingItem(select))
        sets.push_back(std::move(set));
      if (sets.size() > kGroupingSetsMax) Fail(at, "more than 256 grouping sets");
    } while (Accept(","));
    Expect(")");
    return sets;
  }
  const bool is_rollup = NextIsWord("ROLLUP") && Peek(1).IsSymbol("(");
  const bool is_cube = NextIsWord("CUBE") && Peek(1).IsSymbol("(");
  if (!is_rollup && !is_cube) return {ParseGroupingSet(select)};
  Take();
  Expect("(");
  std::vector<std::vector<size_t>> parts;
  do {
    parts.push_back(ParseGroupingSet(select));
  } while (Accept(","));
  Expect(")");
  if (is_rollup) {
    for (size_t count = parts.size() + 1; count-- > 0;) {
      sets.emplace_back();
      for (size_t i = 0; i < count; ++i)
        Append(parts[i], sets.back());
    }
    return sets;
  }
  if (parts.size() > kCubeColumnsMax) Fail(at, "CUBE takes at most 8 columns");
  for (size_t left_out = 0; left_out < size_t{1} << parts.size(); ++left_out) {
    sets.emplace_back();
    for (size_t i = 0; i < parts.size(); ++i) {
      if ((left_out >> (parts.size() - 1 - i) & 1) == 0) Append(parts[i], sets.back());
    }
  }
  return sets;
}

std::vector<size_t> Grammar::ParseGroupingSet(ast::Select& select) {
  std::vector<size_t> set;
  const auto add = [&](ast::ExprPtr expression) {
    set.push_back(select.group_by.size());
    select.group_by.push_back(std::move(expression));
  };
  if (NextIs("(") && Peek(1).IsSymbol(")")) {  // (): nothing
    Take();
    Take();
    return set;
  }
  ast::ExprPtr expression = ParseExpression();
  auto* const row = std::get_if<ast::Constructor>(&expression->node);
  if (row == nullptr || row->kind != ast::Constructor::Kind::kRow) {
    add(std::move(expression));
    return set;
  }
  for (ast::ExprPtr& item : row->items)
    add(std::move(item));
  return set;
}

}  // namespace slipstream::sql
