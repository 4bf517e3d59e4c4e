#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/status/status.h"
#include "processor/operators/aggregate_layout.h"
#include "processor/operators/key_codec.h"
#include "processor/operators/row_batch.h"

namespace slipstream::sql {

class OperatorOutput;

// Partial rows: what some rows of a group come to so far, on the way from a LocalAggregateOperator
// to the aggregation that puts together what several tasks have of a group. A partial row has the
// group's columns; for a window a time, which lies in the same windows as all the rows it stands
// for; how many rows these are; and the aggregates as AggregateLayout::Save writes them.
struct PartialSchema {
  Schema schema;
  std::vector<size_t> groups;  // the group's columns: the first ones
  std::optional<size_t> time;  // with a window
  size_t rows = 0;
  size_t aggregates = 0;

  // Of rows with the columns of `input`; `time_column`: the window's, of the input.
  PartialSchema(const Schema& input,
                const std::vector<size_t>& group_columns,
                std::optional<size_t> time_column);
};

// What comes into an aggregation of `input`: partial rows if it `merges`, or none, rows as they
// are.
std::optional<PartialSchema> PartialsOf(bool merges,
                                        const Schema& input,
                                        const std::vector<size_t>& group_columns,
                                        std::optional<size_t> time_column);

// The key of a group in what comes in.
RowKeyCodec GroupKeyCodec(const std::optional<PartialSchema>& partials,
                          const Schema& input,
                          const std::vector<size_t>& group_columns);

// For each i: the aggregates of partial row rows[i] go into states[i]. kDataLoss: damaged.
Status MergePartials(const AggregateLayout& layout,
                     const PartialSchema& schema,
                     const Batch& partials,
                     std::span<std::byte* const> states,
                     std::span<const uint32_t> rows);

// How many rows the partial row stands for. kDataLoss: no such number.
Result<int64_t> RowsOf(const Batch& partials, const PartialSchema& schema, size_t row);

// Says that `late` of these rows came too late; partial ones count for those that they stand for.
// kDataLoss: a partial row does not say how many.
Status DropLateRows(const RowBatch& rows,
                    const std::vector<uint32_t>& late,
                    const std::optional<PartialSchema>& partials,
                    OperatorOutput& out);

}  // namespace slipstream::sql
