#include "processor/engine/datagen.h"

#include <algorithm>
#include <utility>

#include "processor/planner/table_options.h"

namespace slipstream::sql {
namespace {

constexpr int64_t kRowsPerSecond = 10'000;

}  // namespace

Result<std::unique_ptr<RowGenerator>> RowGenerator::Create(const ScanLayout& layout,
                                                           uint64_t seed) {
  const TableDefinition& table = layout.table();
  const std::string owner = "table " + table.name;
  OptionReader options(owner, table.options);
  RETURN_IF_ERROR(options.GetString("connector").status());
  std::unique_ptr<RowGenerator> made(new RowGenerator(seed));
  ASSIGN_OR_RETURN(made->rows_per_second_,
                   options.GetInt("rows-per-second", kRowsPerSecond, 1, INT64_MAX));
  if (options.Has("number-of-rows")) {
    ASSIGN_OR_RETURN(const int64_t rows, options.GetInt("number-of-rows", 0, 0, INT64_MAX));
    made->row_count_ = static_cast<uint64_t>(rows);
  }
  options.Has("scan.parallelism");
  const std::vector<size_t>& wanted = layout.value_fields().wanted;
  std::vector<std::unique_ptr<FieldGenerator>> all;
  for (const Field& field : layout.value_fields().all) {
    Result<std::unique_ptr<FieldGenerator>> generator =
        MakeFieldGenerator(options, "fields." + field.name + ".", field.type, made->row_count_);
    if (!generator.ok()) return generator.status().WithContext(owner);
    all.push_back(*std::move(generator));
  }
  for (const size_t field : wanted) {
    made->fields_.push_back(layout.value_fields().all[field]);
    made->generators_.push_back(std::move(all[field]));
  }
  RETURN_IF_ERROR(options.CheckAllKnown());
  return made;
}

DecodedRows RowGenerator::Decode(std::span<const std::optional<std::string_view>> records) {
  DecodedRows rows;
  rows.batch = MakeBatch(fields_);
  Arena& arena = rows.batch.NewArena();
  rows.batch.rows = records.size();
  for (size_t i = 0; i < records.size(); ++i) {
    for (size_t field = 0; field < fields_.size(); ++field) {
      generators_[field]->Append(next_row_, now_us_, random_, arena, rows.batch.columns[field]);
    }
    rows.origins.push_back(static_cast<uint32_t>(i));
    ++next_row_;
  }
  return rows;
}

}  // namespace slipstream::sql
