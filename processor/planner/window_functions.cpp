#include "processor/planner/window_functions.h"

#include <array>
#include <map>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "processor/planner/expression_binder.h"
#include "processor/planner/literal.h"
#include "processor/planner/plan_builder.h"
#include "processor/sql/nearest_name.h"
#include "processor/types/number_text.h"

namespace slipstream::sql {
namespace {

using Kind = WindowSpec::Kind;

// A row belongs to size / slide windows; more than this many is a mistake.
constexpr int64_t kWindowsPerRowMax = 100'000;

struct Signature {
  std::string_view function;
  Kind kind;
  std::array<std::string_view, 5> parameters;  // in order
  size_t required;
};

constexpr std::array kSignatures = std::to_array<Signature>({
    {"TUMBLE", Kind::kTumble, {"DATA", "TIMECOL", "SIZE", "OFFSET"}, 3},
    {"HOP", Kind::kHop, {"DATA", "TIMECOL", "SLIDE", "SIZE", "OFFSET"}, 4},
    {"CUMULATE", Kind::kCumulate, {"DATA", "TIMECOL", "STEP", "SIZE", "OFFSET"}, 4},
    {"SESSION", Kind::kSession, {"DATA", "TIMECOL", "GAP"}, 3},
});

const Signature* FindSignature(std::string_view function) {
  for (const Signature& signature : kSignatures) {
    if (signature.function == function) return &signature;
  }
  return nullptr;
}

// An INTERVAL literal in microseconds.
int64_t Interval(const PlanContext& context, const ast::Expr& expr, std::string_view what) {
  const std::vector<ScopeColumn> nothing;
  ExpressionPtr value;
  if (std::holds_alternative<ast::Interval>(expr.node) ||
      std::holds_alternative<ast::Unary>(expr.node)) {
    value = ExpressionBinder(context, nothing, what).Bind(expr);
  }
  if (value && value->type.kind == TypeKind::kIntervalYearMonth) {
    context.Unsupported(expr.at, "windows of months or years are");
  }
  if (!value || value->kind != Expression::Kind::kLiteral ||
      value->type.kind != TypeKind::kIntervalDayTime) {
    context.Fail(
        expr.at, fmt::format("the {} has to be an interval", what), "write INTERVAL '10' MINUTE");
  }
  return std::get<int64_t>(value->literal);
}

int64_t Length(const PlanContext& context, const ast::Expr& expr, std::string_view what) {
  const int64_t length = Interval(context, expr, what);
  if (length < 1000) context.Fail(expr.at, fmt::format("the {} is at least a millisecond", what));
  return length;
}

void CheckSlide(const PlanContext& context,
                const WindowSpec& spec,
                std::string_view function,
                bool must_divide,
                Span at) {
  if (spec.kind != Kind::kHop && spec.kind != Kind::kCumulate) return;
  const std::string_view slide = spec.kind == Kind::kHop ? "slide" : "step";
  if (must_divide && spec.size_us % spec.slide_us != 0) {
    context.Fail(at, fmt::format("the size of {} has to be a multiple of its {}", function, slide));
  }
  if (spec.size_us / spec.slide_us > kWindowsPerRowMax) {
    context.Fail(at, fmt::format("more than {} windows for each row", kWindowsPerRowMax));
  }
}

using ArgumentMap = std::map<std::string_view, const ast::Expr*>;

std::vector<std::string_view> ParametersOf(const Signature& signature) {
  std::vector<std::string_view> parameters;
  for (const std::string_view parameter : signature.parameters) {
    if (!parameter.empty()) parameters.push_back(parameter);
  }
  return parameters;
}

// The parameter that the argument in place `place` is for.
std::string_view ParameterOf(const PlanContext& context,
                             const Signature& signature,
                             const ast::Argument& argument,
                             size_t place) {
  const std::vector<std::string_view> parameters = ParametersOf(signature);
  if (!argument.name) {
    if (place < parameters.size()) return parameters[place];
    context.Fail(argument.value->at, fmt::format("too many arguments of {}", signature.function));
  }
  for (const std::string_view parameter : parameters) {
    if (EqualsIgnoreCase(parameter, argument.name->text)) return parameter;
  }
  context.Fail(argument.name->at,
               fmt::format("{} has no argument {}", signature.function, argument.name->text),
               fmt::format("it takes {}", fmt::join(parameters, ", ")));
}

ArgumentMap SortArguments(const PlanContext& context,
                          const ast::Call& call,
                          const Signature& signature) {
  ArgumentMap sorted;
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    const ast::Argument& argument = call.arguments[i];
    const std::string_view parameter = ParameterOf(context, signature, argument, i);
    if (!sorted.emplace(parameter, argument.value.get()).second) {
      context.Fail(argument.value->at, fmt::format("the argument {} is given twice", parameter));
    }
  }
  for (size_t i = 0; i < signature.required; ++i) {
    if (sorted.contains(signature.parameters[i])) continue;
    context.Fail(call.function.at,
                 fmt::format("{} lacks its {}", signature.function, signature.parameters[i]),
                 fmt::format("it takes {}", fmt::join(ParametersOf(signature), ", ")));
  }
  return sorted;
}

}  // namespace

bool IsWindowFunction(const std::string& upper_case_name) {
  return FindSignature(upper_case_name) != nullptr;
}

WindowCall BindWindowCall(const PlanContext& context, const ast::Call& call) {
  const Signature& signature = *FindSignature(ToUpper(call.function.text));
  const ArgumentMap arguments = SortArguments(context, call, signature);
  WindowCall result{.function = std::string(signature.function)};

  const ast::Expr& data = *arguments.at("DATA");
  result.data = std::get_if<ast::TableArgument>(&data.node);
  result.data_at = data.at;
  if (result.data == nullptr) {
    context.Fail(data.at,
                 fmt::format("the first argument of {} is a table", signature.function),
                 "write TABLE t");
  }
  if (!result.data->partition_by.empty() && signature.kind != Kind::kSession) {
    context.Fail(data.at, "only SESSION takes PARTITION BY");
  }
  result.time = arguments.at("TIMECOL");
  const auto* const descriptor = std::get_if<ast::Descriptor>(&result.time->node);
  if (descriptor == nullptr || descriptor->columns.size() != 1) {
    context.Fail(result.time->at, "the time is given as DESCRIPTOR(column)");
  }

  WindowSpec& spec = result.spec;
  spec.kind = signature.kind;
  const auto length = [&](std::string_view parameter, std::string_view what) {
    return Length(context, *arguments.at(parameter), what);
  };
  if (spec.kind == Kind::kHop) spec.slide_us = length("SLIDE", "slide");
  if (spec.kind == Kind::kCumulate) spec.slide_us = length("STEP", "step");
  const bool is_session = spec.kind == Kind::kSession;
  spec.size_us = is_session ? length("GAP", "gap") : length("SIZE", "size");
  if (const auto offset = arguments.find("OFFSET"); offset != arguments.end()) {
    spec.offset_us = Interval(context, *offset->second, "offset");
  }
  CheckSlide(context, spec, signature.function, true, call.function.at);
  return result;
}

std::optional<AggregateCollector::GroupWindow> BindGroupWindow(
    const PlanContext& context,
    const std::vector<ScopeColumn>& scope,
    bool is_bounded,
    const ast::Expr& expr) {
  const auto* const call = std::get_if<ast::Call>(&expr.node);
  if (call == nullptr) return std::nullopt;
  const std::string name = ToUpper(call->function.text);
  if (name != "TUMBLE" && name != "HOP" && name != "SESSION") return std::nullopt;
  const size_t count = name == "HOP" ? 3 : 2;
  if (call->arguments.size() != count) {
    context.Fail(expr.at,
                 fmt::format("{} in GROUP BY takes {} arguments", name, count),
                 name == "HOP" ? "HOP(ts, slide, size)" : fmt::format("{}(ts, length)", name));
  }
  AggregateCollector::GroupWindow window{.function = name};
  window.spec.kind = FindSignature(name)->kind;
  ExpressionBinder binder(context, scope, "GROUP BY");
  for (const ast::Argument& argument : call->arguments) {
    window.arguments.push_back(binder.Bind(*argument.value));
  }
  const ast::Expr& time = *call->arguments[0].value;
  const auto* const column = std::get_if<ast::ColumnRef>(&time.node);
  if (column == nullptr) context.Fail(time.at, "windows are built over a column of time");
  const ScopeColumn& resolved = binder.Resolve(*column, time.at);
  CheckTimeColumn(context, resolved, is_bounded, time.at);
  window.spec.time_column = resolved.column;
  window.spec.is_by_arrival = resolved.is_proctime;
  if (resolved.type.kind == TypeKind::kTimestampLtz) window.spec.zone = context.zone();
  if (name == "HOP") window.spec.slide_us = Length(context, *call->arguments[1].value, "slide");
  window.spec.size_us =
      Length(context, *call->arguments.back().value, name == "SESSION" ? "gap" : "size");
  CheckSlide(context, window.spec, name, false, expr.at);
  return window;
}

void CheckTimeColumn(const PlanContext& context,
                     const ScopeColumn& column,
                     bool is_bounded,
                     Span at) {
  if (!column.type.is_timestamp()) {
    context.Fail(at,
                 fmt::format("windows need a TIMESTAMP or TIMESTAMP_LTZ column; \"{}\" is {}",
                             column.name,
                             column.type.ToString()),
                 "a computed column can make one: ts AS TO_TIMESTAMP(…)");
  }
  if (column.column >= kVirtualColumns) context.Unsupported(at, "a window over a window is");
  if (!is_bounded && !column.is_rowtime && !column.is_proctime) {
    context.Fail(
        at,
        fmt::format("\"{}\" has no watermark, so its windows would never end", column.name),
        fmt::format("declare WATERMARK FOR {} AS … in its CREATE TABLE", column.name));
  }
}

void AssignWindow(const PlanContext& context, Relation& relation) {
  Relation::AssignedWindow window = *std::move(relation.window);
  relation.window.reset();
  if (window.spec.is_by_arrival) {
    context.Unsupported(window.at,
                        "a window of processing time without GROUP BY window_start, window_end is");
  }
  const size_t width = relation.node->output.size();
  Schema output = relation.node->output;
  for (ScopeColumn& column : relation.columns) {
    if (column.column < kVirtualColumns) continue;
    column.column = width + (column.column - kVirtualColumns);
    output.push_back({column.name, column.type});
  }
  relation.node = window.spec.kind == WindowSpec::Kind::kSession
                      ? MakeSessionRows(std::move(relation.node),
                                        window.spec,
                                        std::move(window.partition_keys),
                                        std::move(output))
                      : MakeWindow(std::move(relation.node), window.spec, std::move(output));
}

}  // namespace slipstream::sql
