#include "processor/engine/sink_writer.h"

#include <algorithm>
#include <map>
#include <utility>

#include "common/text/hex.h"
#include "processor/engine/scan_layout.h"
#include "processor/types/date_time.h"
#include "processor/types/value.h"

namespace slipstream::sql {
namespace {

constexpr std::string_view kDefaultPartition = "__HIVE_DEFAULT_PARTITION__";

// Positions, in the sink's rows, of columns of the table.
std::vector<size_t> PositionsOf(const TableDefinition& table, const std::vector<size_t>& columns) {
  std::vector<size_t> positions;
  for (size_t column : columns) {
    const auto found = std::find(table.physical.begin(), table.physical.end(), column);
    positions.push_back(static_cast<size_t>(found - table.physical.begin()));
  }
  return positions;
}

Schema FieldsOf(const TableDefinition& table, const std::vector<size_t>& columns) {
  Schema fields;
  for (size_t column : columns)
    fields.push_back(table.schema[column]);
  return fields;
}

class KafkaWriter final : public SinkWriter {
 public:
  static Result<std::unique_ptr<SinkWriter>> Create(const TableDefinition& table,
                                                    const KafkaTable& options,
                                                    size_t sink) {
    std::unique_ptr<RowEncoder> key;
    if (!options.key_columns.empty()) {
      Schema fields = FieldsOf(table, options.key_columns);
      for (Field& field : fields)
        field.name.erase(0, options.key_prefix_bytes);
      ASSIGN_OR_RETURN(
          key, MakeEncoder(fields, PositionsOf(table, options.key_columns), options.key_format));
    }
    ASSIGN_OR_RETURN(std::unique_ptr<RowEncoder> value,
                     MakeEncoder(FieldsOf(table, options.value_columns),
                                 PositionsOf(table, options.value_columns),
                                 options.value_format));
    return std::unique_ptr<SinkWriter>(
        new KafkaWriter(MetadataOf(table), std::move(key), std::move(value), sink));
  }

  Status Write(const RowBatch& rows, runtime::TaskOutput& out) const override {
    if (!rows.kinds.empty()) return WriteUpdates(rows, out);
    std::string key;
    std::string value;
    for (size_t row = 0; row < rows.batch.rows; ++row) {
      value.clear();
      const bool has_value = value_->Encode(rows.batch, row, value);
      WriteRecord(rows.batch,
                  row,
                  {.key = EncodeKey(rows.batch, row, key),
                   .value = has_value ? std::optional<std::string_view>(value) : std::nullopt},
                  out);
    }
    return {};
  }

 private:
  // Positions of the writable metadata in the sink's rows.
  struct Metadata {
    std::optional<size_t> timestamp;
    std::optional<size_t> headers;
  };

  KafkaWriter(Metadata metadata,
              std::unique_ptr<RowEncoder> key,
              std::unique_ptr<RowEncoder> value,
              size_t sink)
      : sink_(sink), metadata_(metadata), key_(std::move(key)), value_(std::move(value)) {}

  static Metadata MetadataOf(const TableDefinition& table) {
    Metadata metadata;
    size_t position = table.physical.size();
    for (const TableDefinition::MetadataColumn& column : table.metadata) {
      if (column.is_virtual) continue;
      (column.key == "timestamp" ? metadata.timestamp : metadata.headers) = position++;
    }
    return metadata;
  }

  // What the rows together change, key by key in the order the keys come up: the key's new row, or
  // that it has none any more.
  Status WriteUpdates(const RowBatch& rows, runtime::TaskOutput& out) const {
    struct Change {
      std::string key;
      size_t last = 0;  // row
      std::optional<size_t> row;
    };
    std::vector<Change> changes;
    std::map<std::string, size_t> places;
    std::string buffer;
    for (size_t row = 0; row < rows.batch.rows; ++row) {
      const std::string key(EncodeKey(rows.batch, row, buffer).value_or(""));
      const auto [place, is_new] = places.emplace(key, changes.size());
      if (is_new) changes.push_back({.key = key, .last = row, .row = {}});
      Change& change = changes[place->second];
      change.last = row;
      if (IsAddition(rows.kind(row))) {
        change.row = row;
      } else {
        change.row.reset();
      }
    }
    std::string value;
    for (const Change& change : changes) {
      value.clear();
      if (change.row) value_->Encode(rows.batch, *change.row, value);
      WriteRecord(rows.batch,
                  change.row.value_or(change.last),
                  {.key = change.key,
                   .value = change.row ? std::optional<std::string_view>(value) : std::nullopt},
                  out);
    }
    return {};
  }

  void WriteRecord(const Batch& batch,
                   size_t row,
                   runtime::OutputRecord record,
                   runtime::TaskOutput& out) const {
    if (metadata_.timestamp && !batch.columns[*metadata_.timestamp].is_null(row)) {
      record.timestamp_ms =
          FloorDivide(batch.columns[*metadata_.timestamp].ints[row], kMicrosPerMilli);
    }
    std::vector<runtime::Header> headers;
    if (metadata_.headers && !batch.columns[*metadata_.headers].is_null(row)) {
      const Column& map = batch.columns[*metadata_.headers];
      for (uint32_t entry = map.offsets[row]; entry < map.offsets[row + 1]; ++entry) {
        if (map.children[0].is_null(entry) || map.children[1].is_null(entry)) continue;
        headers.push_back(
            {.name = map.children[0].strings[entry], .value = map.children[1].strings[entry]});
      }
    }
    record.headers = headers;
    out.ToKafka(sink_, record);
  }

  std::optional<std::string_view> EncodeKey(const Batch& batch,
                                            size_t row,
                                            std::string& key) const {
    if (key_ == nullptr) return std::nullopt;
    key.clear();
    if (!key_->Encode(batch, row, key)) return std::nullopt;
    return key;
  }

  const size_t sink_;
  const Metadata metadata_;
  const std::unique_ptr<RowEncoder> key_;  // null: records without a key
  const std::unique_ptr<RowEncoder> value_;
};

class FileWriter final : public SinkWriter {
 public:
  FileWriter(const TableDefinition& table, std::unique_ptr<RowEncoder> row, size_t sink)
      : sink_(sink),
        partition_positions_(PositionsOf(table, table.partition_columns)),
        partition_fields_(FieldsOf(table, table.partition_columns)),
        row_(std::move(row)) {}

  Status Write(const RowBatch& rows, runtime::TaskOutput& out) const override {
    struct Part {
      std::string rows;
      uint64_t count = 0;
    };
    std::map<std::string, Part> parts;  // by path: their order is the same in every run
    std::string path;
    for (size_t row = 0; row < rows.batch.rows; ++row) {
      path.clear();
      for (size_t i = 0; i < partition_positions_.size(); ++i) {
        const Column& column = rows.batch.columns[partition_positions_[i]];
        AppendPartitionFolder(partition_fields_[i].name, column.ValueAt(row), column.type, path);
      }
      Part& part = parts[path];
      if (!row_->Encode(rows.batch, row, part.rows)) continue;
      part.rows.push_back('\n');
      ++part.count;
    }
    for (const auto& [folder, part] : parts) {
      if (part.count == 0) continue;
      out.ToFile(sink_, folder, part.rows, part.count);
    }
    return {};
  }

 private:
  const size_t sink_;
  const std::vector<size_t> partition_positions_;
  const Schema partition_fields_;
  const std::unique_ptr<RowEncoder> row_;
};

// As Java prints what Flink gives it: ROWs as "+I[a, b]", ARRAYs as "[a, b]", MAPs as "{k=v}".
void AppendPrinted(const Column& column, size_t row, std::string& to) {
  if (column.is_null(row)) {
    to += "null";
    return;
  }
  if (column.physical() != PhysicalKind::kNested) {
    to += ToText(column.ValueAt(row), column.type);
    return;
  }
  if (column.type.kind == TypeKind::kRow) {
    to += "+I[";
    for (size_t i = 0; i < column.children.size(); ++i) {
      if (i > 0) to += ", ";
      AppendPrinted(column.children[i], row, to);
    }
    to.push_back(']');
    return;
  }
  const bool is_map = column.type.kind == TypeKind::kMap;
  to.push_back(is_map ? '{' : '[');
  for (uint32_t entry = column.offsets[row]; entry < column.offsets[row + 1]; ++entry) {
    if (entry > column.offsets[row]) to += ", ";
    AppendPrinted(column.children[0], entry, to);
    if (!is_map) continue;
    to.push_back('=');
    AppendPrinted(column.children[1], entry, to);
  }
  to.push_back(is_map ? '}' : ']');
}

class PrintWriter final : public SinkWriter {
 public:
  explicit PrintWriter(size_t sink) : sink_(sink) {}

  Status Write(const RowBatch& rows, runtime::TaskOutput& out) const override {
    std::string line;
    for (size_t row = 0; row < rows.batch.rows; ++row) {
      line = Mark(rows.kind(row));
      for (size_t i = 0; i < rows.batch.columns.size(); ++i) {
        if (i > 0) line += ", ";
        AppendPrinted(rows.batch.columns[i], row, line);
      }
      line.push_back(']');
      out.ToPrint(sink_, line);
    }
    return {};
  }

 private:
  static const char* Mark(RowKind kind) {
    switch (kind) {
      case RowKind::kInsert:
        return "+I[";
      case RowKind::kUpdateBefore:
        return "-U[";
      case RowKind::kUpdateAfter:
        return "+U[";
      case RowKind::kDelete:
        return "-D[";
    }
    return "";
  }

  const size_t sink_;
};

class TableWriter final : public SinkWriter {
 public:
  TableWriter(RowLines lines, size_t sink) : lines_(std::move(lines)), sink_(sink) {}

  Status Write(const RowBatch& rows, runtime::TaskOutput& out) const override {
    for (size_t row = 0; row < rows.batch.rows; ++row)
      out.ToPrint(sink_, lines_.Line(rows, row));
    return {};
  }

 private:
  const RowLines lines_;
  const size_t sink_;
};

class BlackholeWriter final : public SinkWriter {
 public:
  Status Write(const RowBatch&, runtime::TaskOutput&) const override { return {}; }
};

bool NeedsEscape(char c) {
  constexpr std::string_view kEscaped = "\"#%'*/:=?\\{}[]^";
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F ||
         kEscaped.find(c) != std::string_view::npos;
}

void AppendEscaped(std::string_view text, std::string& to) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (char c : text) {
    if (!NeedsEscape(c)) {
      to.push_back(c);
      continue;
    }
    to.push_back('%');
    to.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
    to.push_back(kHex[static_cast<unsigned char>(c) & 15]);
  }
}

std::string Unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_escape = text[i] == '%' && text.size() - i > 2;
    const auto high = is_escape ? HexDigit(text[i + 1]) : std::nullopt;
    const auto low = is_escape ? HexDigit(text[i + 2]) : std::nullopt;
    if (high.has_value() && low.has_value()) {
      plain.push_back(static_cast<char>(*high * 16 + *low));
      i += 2;
    } else {
      plain.push_back(text[i]);
    }
  }
  return plain;
}

}  // namespace

void AppendPartitionFolder(const std::string& column,
                           const Value& value,
                           const DataType& type,
                           std::string& to) {
  AppendEscaped(column, to);
  to.push_back('=');
  const std::string text = IsNull(value) ? std::string() : ToText(value, type);
  if (text.empty()) {
    to += kDefaultPartition;
  } else {
    AppendEscaped(text, to);
  }
  to.push_back('/');
}

std::optional<Value> ReadPartitionFolder(std::string_view folder, const std::string& column) {
  const size_t mark = folder.find('=');
  if (mark == std::string_view::npos || Unescape(folder.substr(0, mark)) != column) {
    return std::nullopt;
  }
  const std::string_view value = folder.substr(mark + 1);
  if (value == kDefaultPartition) return Value(std::monostate{});
  return Value(Unescape(value));
}

Result<std::unique_ptr<SinkWriter>> MakeKafkaWriter(const TableDefinition& table,
                                                    const KafkaTable& options,
                                                    size_t sink) {
  return KafkaWriter::Create(table, options, sink);
}

Result<std::unique_ptr<SinkWriter>> MakeFileWriter(const TableDefinition& table,
                                                   const FileTable& options,
                                                   size_t sink) {
  const std::vector<size_t> columns = StoredColumns(table).value;
  ASSIGN_OR_RETURN(
      std::unique_ptr<RowEncoder> row,
      MakeEncoder(FieldsOf(table, columns), PositionsOf(table, columns), options.format));
  return std::unique_ptr<SinkWriter>(std::make_unique<FileWriter>(table, std::move(row), sink));
}

std::unique_ptr<SinkWriter> MakePrintWriter(size_t sink) {
  return std::make_unique<PrintWriter>(sink);
}

std::unique_ptr<SinkWriter> MakeTableWriter(RowLines lines, size_t sink) {
  return std::make_unique<TableWriter>(std::move(lines), sink);
}

std::unique_ptr<SinkWriter> MakeBlackholeWriter() {
  return std::make_unique<BlackholeWriter>();
}

}  // namespace slipstream::sql
