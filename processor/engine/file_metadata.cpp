#include "processor/engine/file_metadata.h"

#include <array>
#include <string>
#include <string_view>

#include "processor/types/date_time.h"
#include "processor/types/value.h"

namespace slipstream::sql {
namespace {

struct Key {
  std::string_view name;
  bool (*fits)(const DataType& type);
  Value (*of)(const SourceFile& file);
};

bool IsText(const DataType& type) {
  return type.is_string();
}

constexpr std::array kKeys = std::to_array<Key>({
    {"file.path", IsText, [](const SourceFile& file) -> Value { return file.path; }},
    {"file.name",
     IsText,
     [](const SourceFile& file) -> Value {
       return file.path.substr(file.path.rfind('/') + 1);  // all of it without a '/'
     }},
    {"file.size",
     [](const DataType& type) { return type.kind == TypeKind::kBigInt; },
     [](const SourceFile& file) -> Value { return static_cast<int64_t>(file.length); }},
    {"file.modification-time",
     [](const DataType& type) { return type.is_timestamp(); },
     [](const SourceFile& file) -> Value {
       return FloorDivide(file.modified_us, kMicrosPerMilli) * kMicrosPerMilli;
     }},
});

const Key* FindKey(std::string_view name) {
  for (const Key& key : kKeys) {
    if (key.name == name) return &key;
  }
  return nullptr;
}

}  // namespace

Status CheckFileMetadata(const TableDefinition& table) {
  for (const TableDefinition::MetadataColumn& metadata : table.metadata) {
    const Key* const key = FindKey(metadata.key);
    if (key == nullptr) {
      return InvalidArgument("table " + table.name + ": no metadata '" + metadata.key +
                             "'; there are file.path, file.name, file.size and "
                             "file.modification-time");
    }
    const DataType& type = table.schema[metadata.column].type;
    if (key->fits(type)) continue;
    return InvalidArgument("table " + table.name + ": the metadata '" + metadata.key +
                           "' does not fit " + type.ToString());
  }
  return {};
}

void AppendFileMetadata(const ScanLayout& layout,
                        const SourceFile& file,
                        size_t rows,
                        Batch& batch) {
  for (const TableDefinition::MetadataColumn& metadata : layout.metadata()) {
    const Value value = FindKey(metadata.key)->of(file);
    Column& column = batch.columns.emplace_back(layout.table().schema[metadata.column].type);
    Arena& arena = batch.NewArena();
    for (size_t row = 0; row < rows; ++row)
      column.Append(value, arena);
  }
}

}  // namespace slipstream::sql
