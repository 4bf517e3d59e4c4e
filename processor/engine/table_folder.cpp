#include "processor/engine/table_folder.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <re2/re2.h>

#include "processor/engine/sink_writer.h"
#include "processor/expr/cast.h"
#include "processor/expr/evaluator.h"

namespace slipstream::sql {
namespace {

bool IsHidden(std::string_view relative_path) {
  const size_t slash = relative_path.rfind('/');
  const std::string_view name =
      slash == std::string_view::npos ? relative_path : relative_path.substr(slash + 1);
  return name.empty() || name.front() == '_' || name.front() == '.';
}

// "dfs://host:9870/logs/a.csv" as the pattern sees it, as in Flink: "/logs/a.csv".
std::string_view WithoutScheme(std::string_view path) {
  constexpr std::string_view kMark = "://";
  const size_t mark = path.find(kMark);
  if (mark == std::string_view::npos) return path;
  path.remove_prefix(mark + kMark.size());
  const size_t slash = path.find('/');
  return slash == std::string_view::npos ? path : path.substr(slash);
}

}  // namespace

Result<std::vector<SourceFile>> ListTable(FileSource& files, const FileTable& table) {
  ASSIGN_OR_RETURN(std::vector<SourceFile> all, files.List(table.sink.path));
  std::erase_if(all, [](const SourceFile& file) { return IsHidden(file.relative_path); });
  if (table.path_pattern.empty()) return all;
  const re2::RE2 pattern(table.path_pattern, re2::RE2::Quiet);
  std::erase_if(all, [&pattern](const SourceFile& file) {
    const std::string_view path = WithoutScheme(file.path);
    return !re2::RE2::FullMatch(re2::StringPiece(path.data(), path.size()), pattern);
  });
  return all;
}

Result<std::vector<Value>> PartitionValues(const SourceFile& file, const ScanLayout& layout) {
  const TableDefinition& table = layout.table();
  std::map<std::string, Value> by_name;
  std::string_view rest = file.relative_path;
  for (size_t slash = rest.find('/'); slash != std::string_view::npos; slash = rest.find('/')) {
    const std::string_view folder = rest.substr(0, slash);
    rest.remove_prefix(slash + 1);
    for (size_t column : table.partition_columns) {
      const std::string& name = table.schema[column].name;
      if (std::optional<Value> value = ReadPartitionFolder(folder, name)) {
        by_name[name] = *std::move(value);
      }
    }
  }
  std::vector<Value> values;
  for (size_t column : layout.partition_columns()) {
    const Field& field = table.schema[column];
    const auto found = by_name.find(field.name);
    if (found == by_name.end()) {
      return InvalidArgument("file " + file.path + " lies in no folder " + field.name + "=…");
    }
    // The folder's text is cast to the column's type.
    Batch one_row;
    one_row.rows = 1;
    RowErrors errors;
    const ExpressionPtr cast =
        MakeCast(MakeLiteral(found->second, DataType::String()), field.type, false);
    const Column value = Evaluate(*cast, one_row, one_row.NewArena(), errors);
    if (!errors.empty()) {
      return InvalidArgument("file " + file.path + ": " + errors.entries().front().message);
    }
    values.push_back(value.ValueAt(0));
  }
  return values;
}

void AppendPartition(const ScanLayout& layout,
                     const std::vector<Value>& values,
                     size_t rows,
                     Batch& batch) {
  for (size_t i = 0; i < values.size(); ++i) {
    Column& column =
        batch.columns.emplace_back(layout.table().schema[layout.partition_columns()[i]].type);
    Arena& arena = batch.NewArena();
    for (size_t row = 0; row < rows; ++row)
      column.Append(values[i], arena);
  }
}

}  // namespace slipstream::sql
