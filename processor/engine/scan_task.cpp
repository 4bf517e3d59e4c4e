#include "processor/engine/scan_task.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "processor/engine/file_metadata.h"
#include "processor/engine/record_metadata.h"
#include "processor/engine/stable_hash.h"
#include "processor/engine/table_folder.h"
#include "processor/expr/state_bytes.h"

namespace slipstream::sql {
namespace {

// Rows that go through the operators together: enough to spread each operator's fixed cost, few
// enough that their columns stay in the cache.
constexpr size_t kSliceRecords = 2048;

// The key of the watermark of the table that is read as number `table`: no operator has the number
// before it.
constexpr std::string_view kWatermarkKeyPrefix = "\x01\xFF\xFF";

std::string WatermarkKey(size_t table) {
  return std::string(kWatermarkKeyPrefix) + static_cast<char>(table);
}

std::vector<OperatorGraph::Target> ScansOf(const OperatorGraph& graph, const TablePtr& table) {
  std::vector<OperatorGraph::Target> scans;
  for (const OperatorGraph::Scan& scan : graph.scans()) {
    if (scan.table == table) scans.push_back(scan.next);
  }
  return scans;
}

// Of all tables that are read together, in the order of the graph.
std::vector<OperatorGraph::Target> ScansOf(const CompiledJob& job, size_t group) {
  std::vector<OperatorGraph::Target> scans;
  for (const OperatorGraph::Scan& scan : job.graph->scans()) {
    for (const size_t table : job.groups[group]) {
      if (scan.table == job.sources[table].layout->table_ptr()) scans.push_back(scan.next);
    }
  }
  return scans;
}

std::optional<size_t> OnlyTableOf(const CompiledJob& job, size_t group) {
  const std::vector<size_t>& tables = job.groups[group];
  return tables.size() == 1 ? std::optional(tables.front()) : std::nullopt;
}

}  // namespace

ScanTask::ScanTask(const CompiledJob& job,
                   size_t group,
                   std::vector<std::unique_ptr<SourceRows>> readers,
                   std::unique_ptr<FolderFeed> feed,
                   std::string topic,
                   int32_t partition)
    : SqlTask(job, ScansOf(job, group), job.stages.source_sends[group], OnlyTableOf(job, group)),
      feed_(std::move(feed)),
      topic_(std::move(topic)),
      partition_(partition) {
  for (size_t i = 0; i < readers.size(); ++i) {
    const CompiledSource& source = job.sources[job.groups[group][i]];
    readings_.push_back({.source = source,
                         .rows = std::move(readers[i]),
                         .scans = ScansOf(*job.graph, source.layout->table_ptr())});
  }
  places_.topic = static_cast<uint32_t>(StableHash(topic_));
  places_.partition = partition;
}

Status ScanTask::Process(std::span<const runtime::InputRecord> records,
                         const std::shared_ptr<const void>&,
                         runtime::TaskOutput& out) {
  // The decoder copies what it keeps, so the records' buffer is not needed beyond this call.
  BeginRecords(records);
  if (job().graph->asks_for_places()) {
    places_.times.assign(records.size(), kWatermarkNone);
    places_.offsets.clear();
    for (const runtime::InputRecord& record : records)
      places_.offsets.push_back(record.offset);
    run().SetPlaces(&places_);
  }
  Status status = GiveTo(out, [&]() -> Status {
    for (size_t first = 0; first < records.size(); first += kSliceRecords) {
      const size_t count = std::min(kSliceRecords, records.size() - first);
      for (Reading& reading : readings_)
        RETURN_IF_ERROR(ProcessSlice(reading, first, count));
    }
    return {};
  });
  EndRecords();
  return status;
}

Result<runtime::TaskProgram::Pulled> ScanTask::Pull(runtime::TaskOutput& out) {
  if (feed_ == nullptr) return TaskProgram::Pull(out);
  ASSIGN_OR_RETURN(const FolderFeed::Records given, feed_->Next(NowUs()));
  Pulled pulled{.records = given.lines.size(), .is_caught_up = given.is_caught_up};
  if (!given.lines.empty()) {
    std::vector<runtime::InputRecord> records;
    records.reserve(given.lines.size());
    int64_t number = given.first_number;
    for (const std::string_view line : given.lines) {
      pulled.bytes += line.size();
      records.push_back({.key = given.path,
                         .value = line,
                         .offset = number++,
                         .timestamp_type = runtime::InputRecord::TimestampType::kNone,
                         .headers = {}});
    }
    RETURN_IF_ERROR(Process(records, nullptr, out));
    feed_->Taken();
  }
  pulled.has_changed = feed_->seen().has_changes();
  return pulled;
}

Status ScanTask::ProcessSlice(Reading& reading, size_t first, size_t count) {
  const int64_t now_us = NowUs();
  run().SetNow(now_us);
  std::vector<std::optional<std::string_view>> payloads;
  payloads.reserve(count);
  for (const runtime::InputRecord& record : records().subspan(first, count))
    payloads.push_back(record.value);
  std::vector<std::optional<std::string_view>> keys;
  if (reading.rows->reads_keys()) {
    for (const runtime::InputRecord& record : records().subspan(first, count))
      keys.push_back(record.key);
  }
  SourceRows::Rows rows = reading.rows->Read(
      payloads, keys, now_us, [&](const std::vector<uint32_t>& origins, Batch& batch) {
        FillColumns(reading, origins, first, batch);
      });
  RETURN_IF_ERROR(rows.error);
  counted().rows_in += rows.rows.batch.rows + rows.failures.size() + rows.skipped;
  counted().rows_dead += rows.skipped;
  for (const DecodedRows::Failure& failure : rows.failures)
    SendToDeadLetters(first + failure.record, failure.message);
  for (uint32_t& origin : rows.rows.origins)
    origin += static_cast<uint32_t>(first);
  if (job().graph->asks_for_places()) {
    for (size_t row = 0; row < rows.watermarks.size(); ++row)
      places_.times[rows.rows.origins[row]] = rows.watermarks[row];
  }
  return PushRows(reading, std::move(rows));
}

Status ScanTask::PushRows(Reading& reading, SourceRows::Rows rows) {
  const ScanLayout& layout = *reading.source.layout;
  if (!reading.source.table.watermark_on_event || rows.watermarks.empty()) {
    const auto greatest = std::max_element(rows.watermarks.begin(), rows.watermarks.end());
    const int64_t watermark = greatest == rows.watermarks.end() ? kWatermarkNone : *greatest;
    RETURN_IF_ERROR(PushToScans(*job().graph, layout, std::move(rows.rows), run()));
    return Raise(reading, watermark);
  }
  uint32_t first = 0;
  for (uint32_t row = 0; row < rows.rows.batch.rows; ++row) {
    const bool is_last = row + 1 == rows.rows.batch.rows;
    if (rows.watermarks[row] <= reading.watermark && !is_last) continue;
    std::vector<uint32_t> slice(row + 1 - first);
    std::iota(slice.begin(), slice.end(), first);
    first = row + 1;
    RETURN_IF_ERROR(PushToScans(*job().graph, layout, Gather(rows.rows, slice), run()));
    RETURN_IF_ERROR(Raise(reading, rows.watermarks[row]));
  }
  return {};
}

Status ScanTask::Raise(Reading& reading, runtime::EventTimeUs watermark) {
  if (watermark <= reading.watermark) return {};
  reading.watermark = watermark;
  // Those added last lie deepest in the plan: nearer to the sources first.
  for (size_t i = reading.scans.size(); i-- > 0;)
    RETURN_IF_ERROR(run().Advance(reading.scans[i], watermark));
  return {};
}

void ScanTask::FillColumns(const Reading& reading,
                           const std::vector<uint32_t>& origins,
                           size_t first,
                           Batch& batch) const {
  const ScanLayout& layout = *reading.source.layout;
  if (feed_ != nullptr) {
    AppendPartition(layout, feed_->partition(), origins.size(), batch);
    AppendFileMetadata(layout, feed_->file(), origins.size(), batch);
    return;
  }
  for (const TableDefinition::MetadataColumn& metadata : layout.metadata()) {
    AppendMetadata(metadata,
                   layout.table().schema[metadata.column].type,
                   {.topic = topic_, .partition = partition_},
                   records().subspan(first),
                   origins,
                   batch);
  }
}

runtime::EventTimeUs ScanTask::watermark() const {
  std::optional<runtime::EventTimeUs> least;
  for (const Reading& reading : readings_) {
    if (reading.source.layout->watermark() == nullptr) continue;
    least = least ? std::min(*least, reading.watermark) : reading.watermark;
  }
  return least.value_or(readings_.front().watermark);
}

Status ScanTask::Advance(runtime::EventTimeUs watermark, runtime::TaskOutput& out) {
  return GiveTo(out, [&]() -> Status {
    for (Reading& reading : readings_)
      RETURN_IF_ERROR(Raise(reading, watermark));
    return {};
  });
}

void ScanTask::RestoreWatermark(runtime::EventTimeUs watermark) {
  for (Reading& reading : readings_) {
    reading.watermark = std::max(reading.saved, watermark);
    for (const OperatorGraph::Target& scan : reading.scans)
      run().SetWatermark(scan, reading.watermark);
  }
}

Status ScanTask::SaveChanges(runtime::StateWriter& writer) {
  RETURN_IF_ERROR(SqlTask::SaveChanges(writer));
  if (feed_ != nullptr) feed_->seen().SaveChanges(writer);
  if (readings_.size() == 1) return {};  // the mark has it
  for (size_t i = 0; i < readings_.size(); ++i) {
    Reading& reading = readings_[i];
    if (reading.watermark == reading.saved) continue;
    reading.saved = reading.watermark;
    std::string value;
    PutInt64(value, reading.saved);
    writer.Put(WatermarkKey(i), value);
  }
  return {};
}

Status ScanTask::Restore(std::string_view key, std::string_view value) {
  if (feed_ != nullptr && SeenFiles::IsKey(key)) return feed_->seen().Restore(key, value);
  if (!key.starts_with(kWatermarkKeyPrefix)) return SqlTask::Restore(key, value);
  const size_t table = static_cast<uint8_t>(key.back());
  int64_t saved = 0;
  const bool is_whole = key.size() == kWatermarkKeyPrefix.size() + 1 && table < readings_.size() &&
                        TakeInt64(value, saved) && value.empty();
  if (!is_whole) return DamagedState("watermark of a table");
  readings_[table].saved = saved;
  return {};
}

Status ScanTask::ProcessExchanged(size_t, std::span<const std::string_view>, runtime::TaskOutput&) {
  return Internal("a task that reads a table takes no exchanged rows");
}

Status ScanTask::AdvanceExchange(size_t, runtime::EventTimeUs, runtime::TaskOutput&) {
  return Internal("a task that reads a table takes no exchanged rows");
}

void ScanTask::RestoreExchangeWatermark(size_t, runtime::EventTimeUs) {}

}  // namespace slipstream::sql
