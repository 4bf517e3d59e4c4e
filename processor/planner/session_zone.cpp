#include "processor/planner/session_zone.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "common/check/check.h"
#include "processor/expr/scalar_function.h"
#include "processor/expr/type_rules.h"
#include "processor/planner/expression_rewrite.h"
#include "processor/planner/plan_builder.h"

namespace slipstream::sql {
namespace {

constexpr std::string_view kShownPattern = "yyyy-MM-dd HH:mm:ss";

// They look at what clocks show at an instant.
constexpr std::array kShows = std::to_array<std::string_view>({"CEIL",
                                                               "DATE_FORMAT",
                                                               "DAYOFMONTH",
                                                               "DAYOFWEEK",
                                                               "DAYOFYEAR",
                                                               "EXTRACT",
                                                               "FLOOR",
                                                               "HOUR",
                                                               "MINUTE",
                                                               "MONTH",
                                                               "QUARTER",
                                                               "SECOND",
                                                               "WEEK",
                                                               "YEAR"});

bool IsInstant(const ExpressionPtr& expression) {
  return expression->type.kind == TypeKind::kTimestampLtz;
}

// A call that is known to be there.
ExpressionPtr CallOf(std::string_view name, std::vector<ExpressionPtr> args) {
  Result<ExpressionPtr> call = MakeCall(name, std::move(args));
  SLIPSTREAM_CHECK(call.ok(), "no {}: {}", name, call.status().message());
  return *std::move(call);
}

ExpressionPtr Text(std::string_view text) {
  return MakeLiteral(std::string(text), AsNullable(DataType::String(), false));
}

// ZoneRewrite: expressions, in one zone.
class ZoneRewrite {
 public:
  explicit ZoneRewrite(const TimeZone& zone) : zone_(Text(zone.name())) {}

  ExpressionPtr LocalTime(ExpressionPtr instant) const {
    return CallOf("LOCAL TIME", {std::move(instant), zone_});
  }

  ExpressionPtr Rewrite(const ExpressionPtr& expression) const {
    if (expression->kind == Expression::Kind::kCall && expression->args.empty()) {
      return OfClock(expression);
    }
    if (expression->args.empty()) return expression;
    auto copy = std::make_shared<Expression>(*expression);
    for (ExpressionPtr& arg : copy->args)
      arg = Rewrite(arg);
    if (copy->kind == Expression::Kind::kCast) return OfCast(std::move(copy));
    if (copy->kind == Expression::Kind::kCall) return OfCall(std::move(copy));
    return copy;
  }

 private:
  ExpressionPtr InstantOf(ExpressionPtr local) const {
    return CallOf("INSTANT OF", {std::move(local), zone_});
  }

  ExpressionPtr OfClock(const ExpressionPtr& call) const {
    const std::string& name = call->function->name;
    const bool is_date = name == "CURRENT_DATE";
    const bool is_time = name == "CURRENT_TIME" || name == "LOCALTIME";
    if (!is_date && !is_time && name != "LOCALTIMESTAMP") return call;
    ExpressionPtr now = LocalTime(CallOf("CURRENT_TIMESTAMP", {}));
    if (is_time) now = CallOf("FLOOR", {std::move(now), Text("SECOND")});
    return MakeCast(std::move(now), call->type, false);
  }

  ExpressionPtr OfCast(ExpressionPtr cast) const {
    const ExpressionPtr& from = cast->args.front();
    if (IsInstant(from) == IsInstant(cast)) return cast;
    if (IsInstant(from)) return MakeCast(LocalTime(from), cast->type, cast->is_try);
    DataType local = cast->type;
    local.kind = TypeKind::kTimestamp;
    return InstantOf(MakeCast(from, std::move(local), cast->is_try));
  }

  ExpressionPtr OfCall(ExpressionPtr call) const {
    const std::string& name = call->function->name;
    std::vector<ExpressionPtr> args = call->args;
    if (name == "UNIX_TIMESTAMP") return CallOf("LOCAL SECONDS", {std::move(call), zone_});
    if (name == "FROM_UNIXTIME") {
      args.front() = LocalTime(CallOf("TO_TIMESTAMP_LTZ", {args.front(), Seconds()}));
      if (args.size() < 2) args.push_back(Text(kShownPattern));
      return CallOf("DATE_FORMAT", std::move(args));
    }
    const bool shows = std::find(kShows.begin(), kShows.end(), name) != kShows.end();
    if (!shows || std::none_of(args.begin(), args.end(), IsInstant)) return call;
    for (ExpressionPtr& arg : args) {
      if (IsInstant(arg)) arg = LocalTime(arg);
    }
    ExpressionPtr shown = CallOf(name, std::move(args));
    return IsInstant(call) ? InstantOf(std::move(shown)) : shown;
  }

  // The unit of TO_TIMESTAMP_LTZ.
  static ExpressionPtr Seconds() {
    return MakeLiteral(int64_t{0}, AsNullable(DataType::Int(), false));
  }

  const ExpressionPtr zone_;
};

}  // namespace

TablePtr TableInZone(const TablePtr& table, const TimeZone& zone) {
  const ZoneRewrite rewrite(zone);
  auto copy = std::make_shared<TableDefinition>(*table);
  bool is_other = false;
  const auto put = [&](ExpressionPtr& expression) {
    ExpressionPtr in_zone = rewrite.Rewrite(expression);
    is_other = is_other || !IsEqual(*in_zone, *expression);
    expression = std::move(in_zone);
  };
  for (TableDefinition::ComputedColumn& computed : copy->computed)
    put(computed.expression);
  if (copy->watermark) put(copy->watermark->expression);
  return is_other ? copy : table;
}

void PutInZone(PlanNode& node,
               const TimeZone& zone,
               const std::function<TablePtr(const TablePtr&)>& table_in_zone) {
  for (const PlanNodePtr& input : node.inputs)
    PutInZone(*input, zone, table_in_zone);
  if (node.table) node.table = table_in_zone(node.table);
  const ZoneRewrite rewrite(zone);
  ForEachExpression(node,
                    [&](ExpressionPtr& expression) { expression = rewrite.Rewrite(expression); });
}

PlanNodePtr ShowInZone(PlanNodePtr root, const TimeZone& zone) {
  const ZoneRewrite rewrite(zone);
  std::vector<ExpressionPtr> shown;
  std::vector<std::string> names;
  bool has_instants = false;
  for (size_t i = 0; i < root->output.size(); ++i) {
    ExpressionPtr column = MakeColumn(i, root->output[i].type);
    has_instants = has_instants || IsInstant(column);
    shown.push_back(IsInstant(column) ? rewrite.LocalTime(column) : column);
    names.push_back(root->output[i].name);
  }
  if (!has_instants) return root;
  return MakeProject(std::move(root), std::move(shown), std::move(names));
}

}  // namespace slipstream::sql
