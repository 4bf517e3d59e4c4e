#include "processor/expr/evaluator.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "common/check/check.h"
#include "processor/expr/cast.h"
#include "processor/expr/scalar_function.h"
#include "processor/expr/type_rules.h"

namespace slipstream::sql {
namespace {

using Evaluations = ScalarFunction::Evaluation;

// Evaluation: one run over one batch; holds the intermediate columns.
class Evaluation {
 public:
  Evaluation(const Batch& batch, Arena& arena) : batch_(batch), arena_(arena) {}

  Operand Run(const Expression& expression, RowErrors& errors);
  // The operand as a column of its own, one value a row.
  Column Take(const Operand& operand);

 private:
  Operand RunCall(const Expression& call, RowErrors& errors);
  Operand RunCast(const Expression& cast, RowErrors& errors);
  Operand RunCase(const Expression& expression, RowErrors& errors);
  Operand RunConnective(const Expression& call, RowErrors& errors);
  Operand RunCoalesce(const Expression& call, RowErrors& errors);
  // Runs `kernel` over the operands; over one row if all are constant, unless it is volatile.
  template <class Kernel>
  Operand Apply(const std::vector<Operand>& args,
                const DataType& type,
                bool is_strict,
                RowErrors& errors,
                Kernel kernel,
                bool is_volatile = false);

  Operand Keep(Column column, bool is_constant) {
    return {.column = &kept_.emplace_back(std::move(column)), .is_constant = is_constant};
  }

  const Batch& batch_;
  Arena& arena_;
  std::deque<Column> kept_;  // a deque: operands point to its elements
};

// Of types that are held alike: whether their values are the same as text too. Those of FLOAT and
// DOUBLE are not, nor times of different precision.
bool PrintsAlike(const DataType& from, const DataType& to) {
  return from.is_integer() || from.is_string() || from.is_binary() || IsSameType(from, to);
}

// Adds those of `from` whose row still counts.
void AddErrors(const RowErrors& from, const std::vector<uint8_t>& counts, RowErrors& to) {
  for (const RowErrors::Entry& entry : from.entries()) {
    if (counts[entry.row] != 0) to.Add(entry.row, entry.message);
  }
}

// Copies one value; `to` has the row already.
void CopyValue(const Operand& from, size_t row, Column& to) {
  const size_t index = from.index(row);
  if (from.column->is_null(index)) {
    to.SetNull(row);
    return;
  }
  switch (to.physical()) {
    case PhysicalKind::kBool:
      to.bools[row] = from.column->bools[index];
      break;
    case PhysicalKind::kInt64:
      to.ints[row] = from.column->ints[index];
      break;
    case PhysicalKind::kDouble:
      to.doubles[row] = from.column->doubles[index];
      break;
    case PhysicalKind::kInt128:
      to.decimals[row] = from.column->decimals[index];
      break;
    case PhysicalKind::kString:
      to.strings[row] = from.column->strings[index];
      break;
    case PhysicalKind::kNested:
      break;  // Choose appends those
  }
}

// Row i of the result is row i of sources[choice[i]].
Column Choose(const std::vector<Operand>& sources,
              const std::vector<uint32_t>& choice,
              const DataType& type) {
  Column chosen(type);
  if (chosen.physical() == PhysicalKind::kNested) {
    for (size_t row = 0; row < choice.size(); ++row) {
      const Operand& source = sources[choice[row]];
      chosen.AppendFrom(*source.column, source.index(row));
    }
    return chosen;
  }
  chosen.Resize(choice.size());
  for (size_t row = 0; row < choice.size(); ++row)
    CopyValue(sources[choice[row]], row, chosen);
  return chosen;
}

// Makes `out` NULL where an argument is. False: an argument is NULL for all rows, so all are.
bool TakeNulls(const std::vector<Operand>& args, size_t rows, Column& out) {
  for (const Operand& arg : args) {
    if (!arg.column->has_nulls()) continue;
    if (arg.is_constant) {
      if (!arg.column->is_null(0)) continue;
      out.valid.assign(rows, 0);
      return false;
    }
    if (out.valid.empty()) {
      out.valid = arg.column->valid;
      continue;
    }
    for (size_t row = 0; row < rows; ++row)
      out.valid[row] &= arg.column->valid[row];
  }
  return true;
}

template <class Kernel>
Operand Evaluation::Apply(const std::vector<Operand>& args,
                          const DataType& type,
                          bool is_strict,
                          RowErrors& errors,
                          Kernel kernel,
                          bool is_volatile) {
  const bool is_constant =
      !is_volatile && std::all_of(args.begin(), args.end(), [](const Operand& operand) {
        return operand.is_constant;
      });
  const size_t rows = is_constant ? 1 : batch_.rows;
  Column out(type);
  out.Resize(rows);
  if (is_strict && !TakeNulls(args, rows, out)) return Keep(std::move(out), is_constant);
  if (!is_constant) {
    kernel(
        KernelCall{
            .args = args, .rows = rows, .arena = arena_, .errors = errors, .now_us = batch_.now_us},
        out);
    return Keep(std::move(out), false);
  }
  RowErrors once;
  kernel(
      KernelCall{.args = args, .rows = 1, .arena = arena_, .errors = once, .now_us = batch_.now_us},
      out);
  if (!once.empty()) {
    for (size_t row = 0; row < batch_.rows; ++row)
      errors.Add(row, once.entries().front().message);
  }
  return Keep(std::move(out), true);
}

Operand Evaluation::Run(const Expression& expression, RowErrors& errors) {
  switch (expression.kind) {
    case Expression::Kind::kColumn:
      return {.column = &batch_.columns[expression.column], .is_constant = false};
    case Expression::Kind::kLiteral: {
      Column literal(expression.type);
      literal.Append(expression.literal, arena_);
      return Keep(std::move(literal), true);
    }
    case Expression::Kind::kCast:
      return RunCast(expression, errors);
    case Expression::Kind::kCase:
      return RunCase(expression, errors);
    case Expression::Kind::kOuter:
      SLIPSTREAM_CHECK(false, "a column of a query around is computed");
      break;
    case Expression::Kind::kCall:
      break;
  }
  switch (expression.function->evaluation) {
    case Evaluations::kAnd:
    case Evaluations::kOr:
      return RunConnective(expression, errors);
    case Evaluations::kCoalesce:
      return RunCoalesce(expression, errors);
    default:
      return RunCall(expression, errors);
  }
}

Operand Evaluation::RunCall(const Expression& call, RowErrors& errors) {
  std::vector<Operand> args;
  args.reserve(call.args.size());
  for (const ExpressionPtr& arg : call.args)
    args.push_back(Run(*arg, errors));
  const bool is_strict = call.function->evaluation == Evaluations::kStrict;
  return Apply(
      args, call.type, is_strict, errors, call.function->kernel, call.function->is_volatile);
}

Operand Evaluation::RunCast(const Expression& cast, RowErrors& errors) {
  RowErrors ignored;
  const Operand arg = Run(*cast.args[0], cast.is_try ? ignored : errors);
  if (IsHeldAlike(arg.column->type, cast.type)) {
    if (PrintsAlike(arg.column->type, cast.type)) return arg;
    Column same = *arg.column;
    same.type = cast.type;
    return Keep(std::move(same), arg.is_constant);
  }
  return Apply({arg}, cast.type, true, errors, [&](const KernelCall& call, Column& out) {
    CastColumn(call, cast.is_try, out);
  });
}

Operand Evaluation::RunCase(const Expression& expression, RowErrors& errors) {
  const size_t branches = expression.args.size() / 2;
  std::vector<uint32_t> choice(batch_.rows, static_cast<uint32_t>(branches));
  std::vector<uint8_t> undecided(batch_.rows, 1);
  std::vector<uint8_t> is_chosen(branches + 1, 0);
  size_t undecided_count = batch_.rows;
  for (size_t branch = 0; branch < branches && undecided_count > 0; ++branch) {
    RowErrors condition_errors;
    const Operand condition = Run(*expression.args[branch * 2], condition_errors);
    if (!condition_errors.empty()) AddErrors(condition_errors, undecided, errors);
    for (size_t row = 0; row < batch_.rows; ++row) {
      if (undecided[row] == 0 || condition.is_null(row) || !condition.bool_at(row)) continue;
      undecided[row] = 0;
      --undecided_count;
      choice[row] = static_cast<uint32_t>(branch);
      is_chosen[branch] = 1;
    }
  }
  is_chosen[branches] = undecided_count > 0 ? 1 : 0;

  std::vector<Operand> sources(branches + 1);
  for (size_t branch = 0; branch <= branches; ++branch) {
    if (is_chosen[branch] == 0) continue;
    const bool is_else = branch == branches;
    RowErrors value_errors;
    sources[branch] = Run(*expression.args[is_else ? branches * 2 : branch * 2 + 1], value_errors);
    for (const RowErrors::Entry& entry : value_errors.entries()) {
      if (choice[entry.row] == branch) errors.Add(entry.row, entry.message);
    }
  }
  return Keep(Choose(sources, choice, expression.type), false);
}

Operand Evaluation::RunConnective(const Expression& call, RowErrors& errors) {
  // AND ends at the first FALSE, OR at the first TRUE: `ending`.
  const uint8_t ending = call.function->evaluation == Evaluations::kAnd ? 0 : 1;
  Column result(call.type);
  result.bools.assign(batch_.rows, static_cast<uint8_t>(1 - ending));
  std::vector<uint8_t> is_open(batch_.rows, 1);
  size_t open_count = batch_.rows;
  std::vector<uint8_t> is_unknown(batch_.rows, 0);
  bool has_unknown = false;
  for (const ExpressionPtr& arg : call.args) {
    if (open_count == 0) break;
    RowErrors arg_errors;
    const Operand operand = Run(*arg, arg_errors);
    if (!arg_errors.empty()) AddErrors(arg_errors, is_open, errors);
    for (size_t row = 0; row < batch_.rows; ++row) {
      if (operand.is_null(row)) {
        is_unknown[row] = 1;
        has_unknown = true;
      } else if ((operand.bool_at(row) ? 1 : 0) == ending && is_open[row] != 0) {
        is_open[row] = 0;
        --open_count;
        result.bools[row] = ending;
      }
    }
  }
  if (has_unknown) {
    for (size_t row = 0; row < batch_.rows; ++row) {
      if (is_open[row] != 0 && is_unknown[row] != 0) result.SetNull(row);
    }
  }
  return Keep(std::move(result), false);
}

Operand Evaluation::RunCoalesce(const Expression& call, RowErrors& errors) {
  std::vector<uint32_t> choice(batch_.rows, 0);
  std::vector<uint8_t> is_open(batch_.rows, 1);
  size_t open_count = batch_.rows;
  std::vector<Operand> sources;
  for (const ExpressionPtr& arg : call.args) {
    if (open_count == 0) break;
    RowErrors arg_errors;
    const Operand operand = Run(*arg, arg_errors);
    if (!arg_errors.empty()) AddErrors(arg_errors, is_open, errors);
    for (size_t row = 0; row < batch_.rows; ++row) {
      if (is_open[row] == 0) continue;
      choice[row] = static_cast<uint32_t>(sources.size());
      if (operand.is_null(row)) continue;
      is_open[row] = 0;
      --open_count;
    }
    sources.push_back(operand);
  }
  if (sources.empty()) return Keep(Column(call.type), false);
  return Keep(Choose(sources, choice, call.type), false);
}

Column Evaluation::Take(const Operand& operand) {
  if (!operand.is_constant) {
    for (Column& kept : kept_) {
      if (&kept == operand.column) return std::move(kept);
    }
    return *operand.column;
  }
  Column expanded(operand.column->type);
  if (operand.column->is_null(0)) {
    expanded.Resize(batch_.rows);
    expanded.valid.assign(batch_.rows, 0);
    return expanded;
  }
  const std::vector<uint32_t> choice(batch_.rows, 0);
  return Choose({operand}, choice, operand.column->type);
}

}  // namespace

Column Evaluate(const Expression& expression, const Batch& batch, Arena& arena, RowErrors& errors) {
  Evaluation evaluation(batch, arena);
  Column result = evaluation.Take(evaluation.Run(expression, errors));
  result.type = expression.type;
  return result;
}

std::vector<uint32_t> SelectRows(const Expression& condition,
                                 const Batch& batch,
                                 Arena& arena,
                                 RowErrors& errors) {
  Evaluation evaluation(batch, arena);
  const Operand verdict = evaluation.Run(condition, errors);
  std::vector<uint32_t> selected;
  selected.reserve(batch.rows);
  for (size_t row = 0; row < batch.rows; ++row) {
    if (!verdict.is_null(row) && verdict.bool_at(row)) {
      selected.push_back(static_cast<uint32_t>(row));
    }
  }
  return selected;
}

ExpressionPtr FoldConstants(const ExpressionPtr& expression) {
  // Calls without arguments are those of the clock.
  if (expression->args.empty()) return expression;
  auto folded = std::make_shared<Expression>(*expression);
  bool is_constant = true;
  for (ExpressionPtr& arg : folded->args) {
    arg = FoldConstants(arg);
    is_constant = is_constant && arg->kind == Expression::Kind::kLiteral;
  }
  const bool is_volatile = folded->function != nullptr && folded->function->is_volatile;
  if (!is_constant || is_volatile || PhysicalKindOf(folded->type.kind) == PhysicalKind::kNested) {
    return folded;
  }
  Batch one_row;
  one_row.rows = 1;
  RowErrors errors;
  const Column value = Evaluate(*folded, one_row, one_row.NewArena(), errors);
  if (!errors.empty()) return folded;
  return MakeLiteral(value.ValueAt(0), folded->type);
}

void MarkColumns(const Expression& expression, std::vector<bool>& used) {
  if (expression.kind == Expression::Kind::kColumn) {
    if (expression.column >= used.size()) used.resize(expression.column + 1);
    used[expression.column] = true;
  }
  for (const ExpressionPtr& arg : expression.args)
    MarkColumns(*arg, used);
}

}  // namespace slipstream::sql
