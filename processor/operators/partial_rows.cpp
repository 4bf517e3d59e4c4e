#include "processor/operators/partial_rows.h"

#include <memory>
#include <string_view>

#include "processor/expr/state_bytes.h"
#include "processor/operators/operator.h"

namespace slipstream::sql {
namespace {

// Reads the aggregates of partial rows, one row at a time.
class PartialReader {
 public:
  explicit PartialReader(const AggregateLayout& layout)
      : layout_(layout),
        // operator new[] aligns to 16, which is what the layout asks for.
        state_(std::make_unique_for_overwrite<std::byte[]>(layout.state_bytes())) {}
  ~PartialReader() { Clear(); }
  PartialReader(const PartialReader&) = delete;
  PartialReader& operator=(const PartialReader&) = delete;

  Status Read(std::string_view aggregates) {
    Clear();
    layout_.Init(state_.get());
    is_live_ = true;
    return layout_.Restore(state_.get(), aggregates);
  }
  // What was read last.
  const std::byte* state() const { return state_.get(); }

 private:
  void Clear() {
    if (is_live_) layout_.Destroy(state_.get());
    is_live_ = false;
  }

  const AggregateLayout& layout_;
  const std::unique_ptr<std::byte[]> state_;
  bool is_live_ = false;  // between Init and Destroy
};

}  // namespace

PartialSchema::PartialSchema(const Schema& input,
                             const std::vector<size_t>& group_columns,
                             std::optional<size_t> time_column) {
  for (const size_t column : group_columns) {
    groups.push_back(schema.size());
    schema.push_back(input[column]);
  }
  if (time_column) {
    time = schema.size();
    schema.push_back({.name = "$time", .type = input[*time_column].type});
  }
  rows = schema.size();
  schema.push_back({.name = "$rows", .type = DataType::BigInt()});
  aggregates = schema.size();
  schema.push_back(
      {.name = "$aggregates", .type = {.kind = TypeKind::kVarbinary, .precision = INT32_MAX}});
}

std::optional<PartialSchema> PartialsOf(bool merges,
                                        const Schema& input,
                                        const std::vector<size_t>& group_columns,
                                        std::optional<size_t> time_column) {
  if (!merges) return std::nullopt;
  return PartialSchema(input, group_columns, time_column);
}

RowKeyCodec GroupKeyCodec(const std::optional<PartialSchema>& partials,
                          const Schema& input,
                          const std::vector<size_t>& group_columns) {
  if (partials) return RowKeyCodec(partials->schema, partials->groups);
  return RowKeyCodec(input, group_columns);
}

Status MergePartials(const AggregateLayout& layout,
                     const PartialSchema& schema,
                     const Batch& partials,
                     std::span<std::byte* const> states,
                     std::span<const uint32_t> rows) {
  PartialReader reader(layout);
  for (size_t i = 0; i < rows.size(); ++i) {
    // A row of several windows comes several times.
    if (i == 0 || rows[i] != rows[i - 1]) {
      RETURN_IF_ERROR(RowsOf(partials, schema, rows[i]).status());
      RETURN_IF_ERROR(reader.Read(partials.columns[schema.aggregates].strings[rows[i]]));
    }
    layout.Merge(states[i], reader.state());
  }
  return {};
}

Result<int64_t> RowsOf(const Batch& partials, const PartialSchema& schema, size_t row) {
  const Column& rows = partials.columns[schema.rows];
  if (rows.is_null(row) || partials.columns[schema.aggregates].is_null(row) ||
      rows.ints[row] <= 0 || rows.ints[row] > INT64_MAX / 2) {
    return DamagedState("partial row");
  }
  return rows.ints[row];
}

Status DropLateRows(const RowBatch& rows,
                    const std::vector<uint32_t>& late,
                    const std::optional<PartialSchema>& partials,
                    OperatorOutput& out) {
  if (late.empty()) return {};
  if (!partials) return out.DropLate(rows, late);
  uint64_t count = 0;
  for (const uint32_t row : late) {
    ASSIGN_OR_RETURN(const int64_t stands_for, RowsOf(rows.batch, *partials, row));
    count += static_cast<uint64_t>(stands_for);
  }
  return out.CountLate(count);
}

}  // namespace slipstream::sql
