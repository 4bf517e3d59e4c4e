#include "processor/planner/expression_binder.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "processor/planner/expression_rewrite.h"
#include "processor/planner/literal.h"
#include "processor/planner/outer_keys.h"
#include "processor/planner/output_list.h"
#include "processor/planner/over_planner.h"
#include "processor/planner/subquery_planner.h"
#include "processor/sql/nearest_name.h"

namespace slipstream::sql {
namespace {

// Functions that are called without parentheses.
constexpr std::array kNiladic = std::to_array<std::string_view>(
    {"CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP"});

constexpr std::array kGroupWindows = std::to_array<std::string_view>({"TUMBLE", "HOP", "SESSION"});

template <class Names>
bool Contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

ExpressionPtr ExpressionBinder::Bind(const ast::Expr& expr) {
  return std::visit([&](const auto& node) { return BindNode(node, expr.at); }, expr.node);
}

ExpressionPtr ExpressionBinder::BindCondition(const ast::Expr& expr) {
  ExpressionPtr condition = Bind(expr);
  if (condition->type.kind != TypeKind::kBoolean && condition->type.kind != TypeKind::kNull) {
    context_.Fail(
        expr.at,
        fmt::format("{} takes a condition (BOOLEAN), not {}", clause_, condition->type.ToString()));
  }
  return MakeCast(std::move(condition), DataType::Boolean(), false);
}

// ---- Names ----

const ScopeColumn* ExpressionBinder::FindColumn(const std::string& table,
                                                const std::string& name,
                                                Span at) const {
  const ScopeColumn* found = nullptr;
  for (const ScopeColumn& candidate : scope_) {
    if (candidate.name != name || (!table.empty() && candidate.table != table)) continue;
    if (table.empty() && candidate.is_qualified) continue;
    if (found != nullptr) {
      context_.Fail(at,
                    fmt::format("\"{}\" may be more than one column", name),
                    !table.empty() ? "give the columns different aliases"
                                   : "qualify it: table.column, or give aliases");
    }
    found = &candidate;
  }
  return found;
}

// a.b is column b of table a before it is field b of column a.
ExpressionBinder::Path ExpressionBinder::FindPath(const ast::ColumnRef& name, Span at) const {
  const std::string& first = name.parts.front().text;
  if (name.parts.size() > 1) {
    if (const ScopeColumn* column = FindColumn(first, name.parts[1].text, at)) return {column, 2};
  }
  const ScopeColumn* const column = FindColumn("", first, at);
  const bool is_path =
      name.parts.size() == 1 || (column != nullptr && column->type.kind == TypeKind::kRow);
  return {is_path ? column : nullptr, 1};
}

const ScopeColumn& ExpressionBinder::Resolve(const ast::ColumnRef& name, Span at) const {
  const Path path = FindPath(name, at);
  if (path.column == nullptr) UnknownColumn(name, at);
  if (path.fields < name.parts.size()) {
    context_.Fail(at, fmt::format("\"{}\" is a field, not a column", ast::ToString(name.parts)));
  }
  return *path.column;
}

bool ExpressionBinder::IsColumn(const ast::ColumnRef& name, Span at) const {
  const Path path = FindPath(name, at);
  return path.column != nullptr && path.fields == name.parts.size();
}

ExpressionPtr ExpressionBinder::Field(ExpressionPtr base, const ast::Name& field) const {
  if (base->type.kind != TypeKind::kRow) {
    context_.Fail(field.at, fmt::format("{} has no fields", base->type.ToString()));
  }
  const std::vector<sql::Field>& fields = *base->type.children;
  std::vector<std::string> names;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == field.text) {
      return Call("ROW FIELD",
                  {std::move(base), MakeLiteral(static_cast<int64_t>(i), DataType::Int())},
                  field.at);
    }
    names.push_back(fields[i].name);
  }
  context_.Fail(field.at,
                fmt::format("no field \"{}\" in {}", field.text, base->type.ToString()),
                DidYouMean(field.text, names));
}

void ExpressionBinder::UnknownColumn(const ast::ColumnRef& name, Span at) const {
  const std::string text = ast::ToString(name.parts);
  if (name.parts.size() > 2) context_.Fail(at, fmt::format("no column \"{}\"", text));
  if (name.parts.size() == 2) {
    const std::string& table = name.parts.front().text;
    std::vector<std::string> tables;
    for (const ScopeColumn& candidate : scope_)
      tables.push_back(candidate.table);
    if (!Contains(tables, table)) {
      context_.Fail(name.parts.front().at,
                    fmt::format("no table \"{}\" in this FROM", table),
                    DidYouMean(table, tables));
    }
  }
  std::vector<std::string> names;
  for (const ScopeColumn& candidate : scope_) {
    if (name.parts.size() == 1 || candidate.table == name.parts.front().text) {
      names.push_back(candidate.name);
    }
  }
  std::string hint = DidYouMean(name.parts.back().text, names);
  if (hint.empty() && !names.empty() && names.size() <= 12) {
    hint = fmt::format("there are {}", fmt::join(names, ", "));
  }
  context_.Fail(
      at, fmt::format("no column \"{}\"{}", text, names.empty() ? " here" : ""), std::move(hint));
}

ExpressionPtr ExpressionBinder::BindNode(const ast::ColumnRef& node, Span at) {
  if (node.parts.size() == 1) {
    const std::string& name = node.parts.front().text;
    const bool is_column = std::any_of(
        scope_.begin(), scope_.end(), [&](const auto& column) { return column.name == name; });
    if (!is_column && Contains(kNiladic, ToUpper(name))) return Call(name, {}, at);
  }
  Path path = FindPath(node, at);
  size_t first = 0;
  if (path.column == nullptr && outer_ != nullptr) {
    path = ExpressionBinder(context_, *outer_, clause_).FindPath(node, at);
    first = kFirstOuterColumn;
  }
  if (path.column == nullptr && items_ != nullptr && node.parts.size() == 1) {
    for (const OutputItem& item : *items_) {
      if (item.name == node.parts.front().text) return item.expression;
    }
  }
  ExpressionPtr value;
  if (path.column != nullptr) {
    if (collector_ != nullptr) collector_->NoteColumn(path.column->column, *path.column, at);
    value = MakeColumn(first + path.column->column, path.column->type);
  } else {
    value = BindOuter(node, at, path);
  }
  for (size_t i = path.fields; i < node.parts.size(); ++i)
    value = Field(std::move(value), node.parts[i]);
  return value;
}

ExpressionPtr ExpressionBinder::BindOuter(const ast::ColumnRef& name, Span at, Path& path) const {
  for (size_t level = context_.outer().size(); level > 0; --level) {
    const std::vector<ScopeColumn>& scope = *context_.outer()[level - 1];
    path = ExpressionBinder(context_, scope, clause_).FindPath(name, at);
    if (path.column == nullptr) continue;
    if (path.column->column >= kVirtualColumns) {
      context_.Unsupported(at, "a query that depends on the windows of the one around it is");
    }
    return MakeOuterColumn(OuterColumn(level - 1, path.column->column), path.column->type);
  }
  UnknownColumn(name, at);
}

ExpressionPtr ExpressionBinder::BindNode(const ast::Star&, Span at) {
  context_.Fail(at, "* stands for columns only in a SELECT list of its own or in COUNT(*)");
}

// ---- Literals ----

ExpressionPtr ExpressionBinder::BindNode(const ast::Literal& node, Span at) {
  return context_.Check(BindLiteral(node), at);
}

ExpressionPtr ExpressionBinder::BindNode(const ast::Interval& node, Span at) {
  return context_.Check(BindInterval(node), at);
}

ExpressionPtr ExpressionBinder::BindNode(const ast::TimeUnit& node, Span) {
  return MakeLiteral(node.unit, DataType::String());
}

// ---- Operators ----

ExpressionPtr ExpressionBinder::Call(std::string_view function,
                                     std::vector<ExpressionPtr> args,
                                     Span at) const {
  return context_.Check(MakeCall(function, std::move(args)), at);
}

ExpressionPtr ExpressionBinder::BindNode(const ast::Unary& node, Span at) {
  ExpressionPtr operand = Bind(*node.operand);
  if (node.op == "NEGATE") {
    if (ExpressionPtr negative = NegateLiteral(*operand)) return negative;
  }
  return Call(node.op, {std::move(operand)}, at);
}

ExpressionPtr ExpressionBinder::BindNode(const ast::Binary& node, Span at) {
  ExpressionPtr left = Bind(*node.left);
  ExpressionPtr right = Bind(*node.right);
  if (node.op == "=") return Equal(left, right, at);
  if (node.op == "<>" && left->type.kind == TypeKind::kRow) {
    return Call("NOT", {Equal(left, right, at)}, at);
  }
  return Call(node.op, {std::move(left), std::move(right)}, at);
}

// Rows are equal if all their fields are.
ExpressionPtr ExpressionBinder::Equal(const ExpressionPtr& left,
                                      const ExpressionPtr& right,
                                      Span at) const {
  const bool are_rows = left->type.kind == TypeKind::kRow && right->type.kind == TypeKind::kRow &&
                        left->type.children->size() == right->type.children->size();
  if (!are_rows) return Call("=", {left, right}, at);
  ExpressionPtr result;
  for (size_t i = 0; i < left->type.children->size(); ++i) {
    const ExpressionPtr field = MakeLiteral(static_cast<int64_t>(i), DataType::Int());
    ExpressionPtr one =
        Equal(Call("ROW FIELD", {left, field}, at), Call("ROW FIELD", {right, field}, at), at);
    result = result ? Call("AND", {std::move(result), std::move(one)}, at) : std::move(one);
  }
  return result;
}

ExpressionPtr ExpressionBinder::BindNode(const ast::Between& node, Span at) {
  const ExpressionPtr value = Bind(*node.value);
  const ExpressionPtr low = Bind(*node.low);
  const ExpressionPtr high = Bind(*node.high);
  const auto within = [&](const ExpressionPtr& from, const ExpressionPtr& to) {
    return Call("AND", {Call(">=", {value, from}, at), Call("<=", {value, to}, at)}, at);
  };
  ExpressionPtr result = within(low, high);
  if (node.is_symmetric) result = Call("OR", {std::move(result), within(high, low)}, at);
  return node.is_negated ? Call("NOT", {std::move(result)}, at) : std::move(result);
}

ExpressionPtr ExpressionBinder::BindNode(const ast::InList& node, Span at) {
  std::vector<ExpressionPtr> args{Bind(*node.value)};
  for (const ast::ExprPtr& item : node.items)
    args.push_back(Bind(*item));
  ExpressionPtr result;
  if (args.front()->type.kind == TypeKind::kRow) {
    for (size_t i = 1; i < args.size(); ++i) {
      ExpressionPtr one = Equal(args.front(), args[i], at);
      result = result ? Call("OR", {std::move(result), std::move(one)}, at) : std::move(one);
    }
  } else {
    result = Call("IN", std::move(args), at);
  }
  return node.is_negated ? Call("NOT", {std::move(result)}, at) : std::move(result);
}

ExpressionPtr ExpressionBinder::BindNode(const ast::Case& node, Span at) {
  const ExpressionPtr operand = node.operand ? Bind(*node.operand) : nullptr;
  std::vector<ExpressionPtr> args;
  for (const ast::Case::Branch& branch : node.branches) {
    ExpressionPtr condition;
    for (const ast::ExprPtr& when : branch.whens) {
      ExpressionPtr one = Bind(*when);
      if (operand) one = Call("=", {operand, std::move(one)}, when->at);
      condition =
          condition ? Call("OR", {std::move(condition), std::move(one)}, when->at) : std::move(one);
    }
    args.push_back(std::move(condition));
    args.push_back(Bind(*branch.then));
  }
  args.push_back(node.otherwise ? Bind(*node.otherwise)
                                : MakeLiteral(std::monostate{}, DataType{}));
  return Call("CASE", std::move(args), at);
}

ExpressionPtr ExpressionBinder::BindNode(const ast::Cast& node, Span at) {
  ExpressionPtr value = Bind(*node.value);
  if (!CanCast(value->type, node.type)) {
    context_.Fail(
        at, fmt::format("{} cannot be cast to {}", value->type.ToString(), node.type.ToString()));
  }
  return MakeCast(std::move(value), node.type, node.is_try);
}

// ---- Calls ----

std::vector<ExpressionPtr> ExpressionBinder::BindArguments(const ast::Call& call) {
  std::vector<ExpressionPtr> args;
  for (const ast::Argument& argument : call.arguments) {
    if (argument.name) {
      context_.Fail(argument.name->at, "only window table functions take named arguments");
    }
    args.push_back(Bind(*argument.value));
  }
  return args;
}

ExpressionPtr ExpressionBinder::BindNode(const ast::Call& node, Span at) {
  const std::string name = ToUpper(node.function.text);
  if (node.over) {
    if (overs_ == nullptr)
      context_.Fail(at, fmt::format("OVER stands in SELECT, not in {}", clause_));
    return overs_->Bind(*this, node, at);
  }
  if (name == "CURRENT_WATERMARK") CheckWatermarkColumn(node, at);
  if (name == "GROUPING" || name == "GROUPING_ID") return BindGrouping(node, name, at);
  if (ExpressionPtr property = BindWindowFunction(node, name, at)) return property;
  if (IsAggregateFunction(name)) return BindAggregate(node, name, at);
  if (node.is_star || node.is_distinct || node.filter) {
    const std::string_view what = node.is_star ? "*" : node.is_distinct ? "DISTINCT" : "FILTER";
    context_.Fail(at, fmt::format("{} is not an aggregate function: no {} here", name, what));
  }
  if (!IsScalarFunction(name)) {
    if (name == "ROW_NUMBER" || name == "RANK" || name == "DENSE_RANK" || name == "LAG" ||
        name == "LEAD") {
      context_.Fail(at, fmt::format("{} needs OVER (…)", name));
    }
  }
  return Call(node.function.text, BindArguments(node), at);
}

void ExpressionBinder::CheckWatermarkColumn(const ast::Call& call, Span at) const {
  const bool has_column = call.arguments.size() == 1 &&
                          std::holds_alternative<ast::ColumnRef>(call.arguments[0].value->node);
  if (has_column) {
    const auto& name = std::get<ast::ColumnRef>(call.arguments[0].value->node);
    if (Resolve(name, call.arguments[0].value->at).is_rowtime) return;
  }
  context_.Fail(at, "CURRENT_WATERMARK takes a column of event time");
}

ExpressionPtr ExpressionBinder::BindAggregate(const ast::Call& call,
                                              const std::string& name,
                                              Span at) {
  if (collector_ == nullptr) {
    context_.Fail(at,
                  fmt::format("{} is an aggregate function: not in {}", name, clause_),
                  clause_ == "WHERE" ? "HAVING filters groups" : "");
  }
  if (call.is_star && name != "COUNT") {
    context_.Fail(at, fmt::format("{}(*) means nothing; only COUNT(*) does", name));
  }
  if (!call.is_star && call.arguments.empty()) {
    context_.Fail(at, fmt::format("{} needs an argument", name));
  }
  // What an aggregate is given comes from the rows, so no further aggregate and no window.
  ExpressionBinder rows(context_, scope_, "an aggregate's argument");
  std::optional<SubqueryPlanner::AtOnce> at_once;
  if (subqueries_ != nullptr) {
    rows.AllowSubqueries(*subqueries_);
    at_once.emplace(*subqueries_);
  }
  ExpressionPtr filter = call.filter ? rows.BindCondition(*call.filter) : nullptr;
  return collector_->Add(context_.Check(
      MakeAggregate(name, rows.BindArguments(call), call.is_distinct, std::move(filter)), at));
}

ExpressionPtr ExpressionBinder::BindGrouping(const ast::Call& call,
                                             const std::string& name,
                                             Span at) {
  if (collector_ == nullptr) context_.Fail(at, fmt::format("{} stands beside GROUP BY", name));
  if (call.arguments.empty()) context_.Fail(at, fmt::format("{} needs an argument", name));
  const auto number = [](size_t value) {
    return MakeLiteral(static_cast<int64_t>(value), DataType::BigInt());
  };
  const std::vector<ExpressionPtr>& groups = collector_->grouping();
  ExpressionBinder rows(context_, scope_, name);
  ExpressionPtr bits = number(0);
  for (const ExpressionPtr& arg : rows.BindArguments(call)) {
    bits = Call("*", {std::move(bits), number(2)}, at);
    const auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& candidate) {
      return IsEqual(*candidate, *arg);
    });
    if (group == groups.end()) continue;  // every set has it
    const auto place = static_cast<size_t>(groups.end() - group) - 1;
    ExpressionPtr bit =
        Call("%",
             {Call("/",
                   {MakeColumn(kGroupingIdColumn, DataType::BigInt()), number(size_t{1} << place)},
                   at),
              number(2)},
             at);
    bits = Call("+", {std::move(bits), std::move(bit)}, at);
  }
  return bits;
}

ExpressionPtr ExpressionBinder::BindWindowFunction(const ast::Call& call,
                                                   const std::string& name,
                                                   Span at) {
  const size_t underscore = name.find('_');
  const std::string window = name.substr(0, underscore);
  if (!Contains(kGroupWindows, window)) return nullptr;
  if (underscore == std::string::npos) {
    context_.Fail(at, fmt::format("{} stands in GROUP BY, or in FROM as a table function", name));
  }
  const std::string suffix = name.substr(underscore);
  std::optional<WindowProperty> property;
  if (suffix == "_START") property = WindowProperty::kStart;
  if (suffix == "_END") property = WindowProperty::kEnd;
  if (suffix == "_ROWTIME" || suffix == "_PROCTIME") property = WindowProperty::kTime;
  if (!property) return nullptr;
  const auto* const group =
      collector_ != nullptr && collector_->group_window() ? &*collector_->group_window() : nullptr;
  if (group == nullptr || group->function != window) {
    context_.Fail(at, fmt::format("{} needs GROUP BY {}(…) in the same SELECT", name, window));
  }
  ExpressionBinder rows(context_, scope_, "a window function");
  const std::vector<ExpressionPtr> args = rows.BindArguments(call);
  const bool is_same = std::equal(args.begin(),
                                  args.end(),
                                  group->arguments.begin(),
                                  group->arguments.end(),
                                  [](const auto& a, const auto& b) { return IsEqual(*a, *b); });
  if (!is_same) {
    context_.Fail(at, fmt::format("{} has other arguments than the {} of GROUP BY", name, window));
  }
  if (*property == WindowProperty::kTime && (suffix == "_PROCTIME") != group->spec.is_by_arrival) {
    context_.Fail(
        at,
        group->spec.is_by_arrival ? "a window of processing time has no event time"
                                  : "a window of event time has no processing time",
        fmt::format("there is {}_{}", window, group->spec.is_by_arrival ? "PROCTIME" : "ROWTIME"));
  }
  const DataType& time = group->arguments.front()->type;
  const bool is_time = *property == WindowProperty::kTime;
  return MakeColumn(VirtualColumn(*property), is_time ? time : DataType::Timestamp(time.precision));
}

// ---- Nested values ----

ExpressionPtr ExpressionBinder::BindNode(const ast::Constructor& node, Span at) {
  using Kind = ast::Constructor::Kind;
  std::vector<ExpressionPtr> args;
  for (const ast::ExprPtr& item : node.items)
    args.push_back(Bind(*item));
  return Call(node.kind == Kind::kRow     ? "ROW"
              : node.kind == Kind::kArray ? "ARRAY"
                                          : "MAP",
              std::move(args),
              at);
}

ExpressionPtr ExpressionBinder::BindNode(const ast::Subscript& node, Span at) {
  return Call("ITEM", {Bind(*node.base), Bind(*node.index)}, at);
}

ExpressionPtr ExpressionBinder::BindNode(const ast::FieldAccess& node, Span) {
  return Field(Bind(*node.base), node.field);
}

// ---- Queries and tables ----

ExpressionPtr ExpressionBinder::BindNode(const ast::InQuery& node, Span at) {
  if (subqueries_ == nullptr) {
    context_.Unsupported(at, fmt::format("IN (SELECT …) in {} is", clause_));
  }
  return subqueries_->BindIn(node, *this, at);
}
ExpressionPtr ExpressionBinder::BindNode(const ast::Exists& node, Span at) {
  if (subqueries_ == nullptr) {
    context_.Unsupported(at, fmt::format("EXISTS (SELECT …) in {} is", clause_));
  }
  return subqueries_->BindExists(*node.query, at);
}
ExpressionPtr ExpressionBinder::BindNode(const ast::ScalarQuery& node, Span at) {
  if (subqueries_ == nullptr) {
    context_.Unsupported(at, fmt::format("a query that stands for a value in {} is", clause_));
  }
  return subqueries_->BindScalar(*node.query, at);
}
ExpressionPtr ExpressionBinder::BindNode(const ast::TableArgument&, Span at) {
  context_.Fail(at, "only table functions in FROM take a table");
}
ExpressionPtr ExpressionBinder::BindNode(const ast::Descriptor&, Span at) {
  context_.Fail(at, "only table functions in FROM take a DESCRIPTOR");
}

}  // namespace slipstream::sql
