#include "processor/expr/function_table.h"
#include "processor/expr/type_rules.h"
#include "processor/types/date_time.h"

// PROCTIME, NOW and the like: when the rows are worked on, in UTC; the planner writes other zones
// into the expression.
// Calls without arguments are never folded.

namespace slipstream::sql {
namespace {

int64_t CutToMillis(int64_t micros) {
  return FloorDivide(micros, kMicrosPerMilli) * kMicrosPerMilli;
}
int64_t DateOf(int64_t micros) {
  return FloorDivide(micros, kMicrosPerDay);
}
int64_t SecondOfDay(int64_t micros) {
  return FloorDivide(FloorModulo(micros, kMicrosPerDay), kMicrosPerSecond) * kMicrosPerSecond;
}
int64_t EpochSecond(int64_t micros) {
  return FloorDivide(micros, kMicrosPerSecond);
}

template <int64_t (*kOf)(int64_t)>
void NowKernel(const KernelCall& call, Column& out) {
  out.ints.assign(call.rows, kOf(call.now_us));
}

void Add(FunctionTable& table, const char* name, const DataType& type, Kernel kernel) {
  ScalarFunction function{.name = name, .usage = std::string(name) + "()"};
  function.bind =
      [type](std::span<const ExpressionPtr> args) -> std::optional<ScalarFunction::Signature> {
    if (!args.empty()) return std::nullopt;
    return ScalarFunction::Signature{.args = {}, .result = AsNullable(type, false)};
  };
  function.kernel = kernel;
  table.Add(std::move(function));
}

// Of a column of event time; what evaluates it has put a literal in its place
// (watermark_function.h).
void AddWatermark(FunctionTable& table) {
  ScalarFunction function{.name = "CURRENT_WATERMARK", .usage = "CURRENT_WATERMARK(TIMESTAMP)"};
  function.bind =
      [](std::span<const ExpressionPtr> args) -> std::optional<ScalarFunction::Signature> {
    if (args.size() != 1 || !args[0]->type.is_timestamp()) return std::nullopt;
    return ScalarFunction::Signature{.args = {args[0]->type}, .result = AsNullable(args[0]->type)};
  };
  function.kernel = [](const KernelCall& call, Column& out) {
    for (size_t row = 0; row < call.rows; ++row)
      out.SetNull(row);
  };
  function.evaluation = ScalarFunction::Evaluation::kLoose;
  table.Add(std::move(function));
}

}  // namespace

void AddClockFunctions(FunctionTable& table) {
  for (const char* name : {"PROCTIME", "NOW", "CURRENT_TIMESTAMP", "CURRENT_ROW_TIMESTAMP"}) {
    Add(table, name, DataType::TimestampLtz(3), NowKernel<CutToMillis>);
  }
  Add(table, "LOCALTIMESTAMP", DataType::Timestamp(3), NowKernel<CutToMillis>);
  Add(table, "CURRENT_DATE", DataType::Date(), NowKernel<DateOf>);
  const DataType time{.kind = TypeKind::kTime};
  Add(table, "CURRENT_TIME", time, NowKernel<SecondOfDay>);
  Add(table, "LOCALTIME", time, NowKernel<SecondOfDay>);
  AddWatermark(table);
  Add(table, "UNIX_TIMESTAMP", DataType::BigInt(), NowKernel<EpochSecond>);
}

}  // namespace slipstream::sql
