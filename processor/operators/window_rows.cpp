#include "processor/operators/window_rows.h"

#include <utility>
#include <vector>

#include "processor/operators/window_assigner.h"

namespace slipstream::sql {
namespace {

constexpr size_t kEmittedRows = 1 << 16;

}  // namespace

WindowRowsOperator::WindowRowsOperator(const WindowSpec& window, Schema output)
    : window_(window), output_(std::move(output)) {}

Status WindowRowsOperator::Process(RowBatch rows,
                                   int64_t,
                                   OperatorState*,
                                   OperatorOutput& out) const {
  const RowErrors errors = CheckWindowTimes(rows.batch.columns[window_.time_column]);
  ASSIGN_OR_RETURN(rows, TakeOutFailed(std::move(rows), errors, out));
  const WindowTimes times(window_.zone.get(), rows.batch.columns[window_.time_column]);
  std::vector<uint32_t> lines;
  std::vector<int64_t> ends;
  for (uint32_t row = 0; row < rows.batch.rows; ++row) {
    const WindowEnds assigned = AssignWindows(window_, times[row]);
    for (int64_t end = assigned.first; end <= assigned.last; end += assigned.step) {
      lines.push_back(row);
      ends.push_back(end);
    }
    if (lines.size() < kEmittedRows) continue;
    RETURN_IF_ERROR(EmitRows(rows, lines, ends, out));
    lines.clear();
    ends.clear();
  }
  return EmitRows(rows, lines, ends, out);
}

Status WindowRowsOperator::EmitRows(const RowBatch& rows,
                                    const std::vector<uint32_t>& lines,
                                    const std::vector<int64_t>& ends,
                                    OperatorOutput& out) const {
  if (lines.empty()) return {};
  RowBatch given = Gather(rows, lines);
  for (size_t i = output_.size() - 3; i < output_.size(); ++i)
    given.batch.columns.emplace_back(output_[i].type).Reserve(lines.size());
  Column* added = &given.batch.columns[output_.size() - 3];
  for (const WindowProperty property : kWindowProperties) {
    for (const int64_t end : ends)
      added->ints.push_back(PropertyOf(window_, property, WindowStart(window_, end), end));
    ++added;
  }
  return out.Emit(std::move(given));
}

}  // namespace slipstream::sql
