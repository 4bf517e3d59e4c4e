#include "processor/engine/file_lookup.h"

#include <utility>

#include "common/log/log.h"
#include "processor/engine/batch_executor.h"

namespace slipstream::sql {
namespace {

constexpr uint64_t kBadRowsLogged = 20;  // of one reading; the rest are counted

}  // namespace

FileLookup::FileLookup(JoinDescription description,
                       OperatorGraph graph,
                       std::string path,
                       int64_t check_period_us,
                       FileSource& files)
    : description_(std::move(description)),
      graph_(std::move(graph)),
      path_(std::move(path)),
      check_period_us_(check_period_us),
      log_(log::Get("processor.lookup")),
      files_(files) {}

Result<std::shared_ptr<const LookupTable>> FileLookup::Table(int64_t now_us) {
  const MutexLock lock(mutex_);
  const bool is_fresh = table_ != nullptr && now_us - checked_us_ < check_period_us_;
  if (!is_fresh) {
    const Status status = Read();
    if (!status.ok() && table_ == nullptr) {
      return status.WithContext("look up in " + path_);
    }
    checked_us_ = now_us;
  }
  return table_;
}

Result<std::string> FileLookup::Version() {
  ASSIGN_OR_RETURN(const std::vector<SourceFile> files, files_.List(path_));
  std::string version;
  for (const SourceFile& file : files) {
    version += file.relative_path + '\0' + std::to_string(file.length) + ' ' +
               std::to_string(file.modified_us) + '\n';
  }
  return version;
}

Status FileLookup::Read() {
  ASSIGN_OR_RETURN(std::string version, Version());
  if (table_ != nullptr && version == version_) return {};
  auto table = std::make_shared<LookupTable>(description_);
  uint64_t bad = 0;
  const auto note = [&](const BadRow& row) {
    rows_bad_.fetch_add(1, std::memory_order_relaxed);
    if (++bad > kBadRowsLogged) return Status();
    log_->warn("lookup_row_skipped file={} line={} error={}",
               log::Quoted(row.file.empty() ? std::string_view(path_) : row.file),
               row.line,
               log::Quoted(row.error));
    return Status();
  };
  const BatchOptions options{.files = &files_, .on_bad_row = note, .stop = {}};
  RETURN_IF_ERROR(RunGraph(graph_, options, [&](const Batch& rows) {
                    table->Add(rows);
                    return Status();
                  }).status());
  if (bad > 0) log_->warn("lookup_table_read path={} rows_bad={}", log::Quoted(path_), bad);
  ASSIGN_OR_RETURN(const std::string version_after, Version());
  // What changed meanwhile may have been read by halves; the next look sees it whole.
  if (version_after != version && table_ != nullptr) return {};
  version_ = std::move(version);
  table_ = std::move(table);
  return {};
}

}  // namespace slipstream::sql
