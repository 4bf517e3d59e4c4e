#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/status/status.h"
#include "processor/engine/format_options.h"
#include "processor/formats/value_format.h"
#include "processor/planner/plan.h"
#include "processor/runtime/task_program.h"

namespace slipstream::sql {

// The WITH options of tables as the connectors understand them. Everything a table may say is read
// and checked whether the job reads or writes it; an option nobody knows is refused with the
// nearest one that exists, one that is not supported yet is refused by name.
// Errors: kInvalidArgument, kUnimplemented; messages begin with the table's name.

enum class Connector { kKafka, kUpsertKafka, kFilesystem, kPrint, kBlackhole, kDatagen };

Result<Connector> ConnectorOf(const TableDefinition& table);

// What of a job's settings (SET) concerns connectors.
struct ConnectorDefaults {
  bool flink_defaults = false;             // slipstream.flink-defaults
  std::optional<int64_t> idle_timeout_ms;  // table.exec.source.idle-timeout; nullopt: not set
  RegistryOpener open_registry;            // not set: formats that need a registry are refused

  static Result<ConnectorDefaults> From(const Options& settings, RegistryOpener open_registry = {});
};

struct KafkaTable {
  runtime::KafkaSourceSpec source;
  runtime::KafkaSinkSpec sink;
  bool is_upsert = false;
  ValueFormat value_format;
  ValueFormat key_format;
  std::vector<size_t> key_columns;          // of the table; empty: records without a key
  size_t key_prefix_bytes = 0;              // 'key.fields-prefix', which the key's fields lack
  std::vector<size_t> value_columns;        // of the table
  std::vector<std::string> partitioned_by;  // source.partitioned-by
  bool watermark_on_event = false;
};
Result<KafkaTable> ReadKafkaTable(const TableDefinition& table, const ConnectorDefaults& defaults);

// 'source.monitor-interval': the folder is watched, and its tasks share the files that come.
struct FolderWatch {
  int64_t interval_us = 0;
  runtime::KafkaSourceSpec source;
  bool watermark_on_event = false;
};

struct FileTable {
  runtime::FileSinkSpec sink;  // its path is where files are read, too
  ValueFormat format;
  std::string path_pattern;  // 'source.path.regex-pattern', of files that are read; empty: all
  std::optional<FolderWatch> watch;
  int64_t lookup_cache_ttl_us = 10'000'000;  // how often a lookup join looks whether files changed
};
// `defaults` matter to tables that are watched and read.
Result<FileTable> ReadFileTable(const TableDefinition& table,
                                const ConnectorDefaults& defaults = {});

struct PrintTable {
  // How rows are written: as Flink does, "+I[a, b]", or as lines of a table (engine/row_lines.h),
  // with how they change the result or without.
  enum class Layout { kFlink, kTable, kTableOfChanges };
  runtime::PrintSinkSpec sink;
  Layout layout = Layout::kFlink;
};
Result<PrintTable> ReadPrintTable(const TableDefinition& table);
Status CheckBlackholeTable(const TableDefinition& table);

}  // namespace slipstream::sql
