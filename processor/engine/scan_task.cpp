#include "processor/engine/scan_task.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "processor/engine/record_metadata.h"
#include "processor/engine/stable_hash.h"

namespace slipstream::sql {
namespace {

// Rows that go through the operators together: enough to spread each operator's fixed cost, few
// enough that their columns stay in the cache.
constexpr size_t kSliceRecords = 2048;

std::vector<OperatorGraph::Target> ScansOf(const OperatorGraph& graph, const TablePtr& table) {
  std::vector<OperatorGraph::Target> scans;
  for (const OperatorGraph::Scan& scan : graph.scans()) {
    if (scan.table == table) scans.push_back(scan.next);
  }
  return scans;
}

}  // namespace

ScanTask::ScanTask(const CompiledJob& job,
                   size_t source,
                   std::unique_ptr<SourceRows> rows,
                   std::string topic,
                   int32_t partition)
    : SqlTask(job,
              ScansOf(*job.graph, job.sources[source].layout->table_ptr()),
              job.stages.source_sends[source],
              source),
      source_(job.sources[source]),
      source_rows_(std::move(rows)),
      topic_(std::move(topic)),
      partition_(partition) {
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
      RETURN_IF_ERROR(ProcessSlice(first, std::min(kSliceRecords, records.size() - first)));
    }
    return {};
  });
  EndRecords();
  return status;
}

Status ScanTask::ProcessSlice(size_t first, size_t count) {
  const int64_t now_us = NowUs();
  run().SetNow(now_us);
  std::vector<std::optional<std::string_view>> payloads;
  payloads.reserve(count);
  for (const runtime::InputRecord& record : records().subspan(first, count))
    payloads.push_back(record.value);
  std::vector<std::optional<std::string_view>> keys;
  if (source_rows_->reads_keys()) {
    for (const runtime::InputRecord& record : records().subspan(first, count))
      keys.push_back(record.key);
  }
  SourceRows::Rows rows = source_rows_->Read(
      payloads, keys, now_us, [&](const std::vector<uint32_t>& origins, Batch& batch) {
        FillMetadata(origins, first, batch);
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
  return PushRows(std::move(rows));
}

Status ScanTask::PushRows(SourceRows::Rows rows) {
  const auto raise = [this](int64_t to) -> Status {
    if (to <= watermark_) return {};
    watermark_ = to;
    return RaiseAll(to);
  };
  if (!source_.table.watermark_on_event || rows.watermarks.empty()) {
    const auto greatest = std::max_element(rows.watermarks.begin(), rows.watermarks.end());
    const int64_t watermark = greatest == rows.watermarks.end() ? kWatermarkNone : *greatest;
    RETURN_IF_ERROR(PushToScans(*job().graph, *source_.layout, std::move(rows.rows), run()));
    return raise(watermark);
  }
  uint32_t first = 0;
  for (uint32_t row = 0; row < rows.rows.batch.rows; ++row) {
    const bool is_last = row + 1 == rows.rows.batch.rows;
    if (rows.watermarks[row] <= watermark_ && !is_last) continue;
    std::vector<uint32_t> slice(row + 1 - first);
    std::iota(slice.begin(), slice.end(), first);
    first = row + 1;
    RETURN_IF_ERROR(PushToScans(*job().graph, *source_.layout, Gather(rows.rows, slice), run()));
    RETURN_IF_ERROR(raise(rows.watermarks[row]));
  }
  return {};
}

void ScanTask::FillMetadata(const std::vector<uint32_t>& origins,
                            size_t first,
                            Batch& batch) const {
  for (const TableDefinition::MetadataColumn& metadata : source_.layout->metadata()) {
    AppendMetadata(metadata,
                   source_.layout->table().schema[metadata.column].type,
                   {.topic = topic_, .partition = partition_},
                   records().subspan(first),
                   origins,
                   batch);
  }
}

Status ScanTask::Advance(runtime::EventTimeUs watermark, runtime::TaskOutput& out) {
  if (watermark <= watermark_) return {};
  watermark_ = watermark;
  return GiveTo(out, [&] { return RaiseAll(watermark); });
}

void ScanTask::RestoreWatermark(runtime::EventTimeUs watermark) {
  watermark_ = watermark;
  RestoreAll(watermark);
}

Status ScanTask::ProcessExchanged(size_t, std::span<const std::string_view>, runtime::TaskOutput&) {
  return Internal("a task that reads a table takes no exchanged rows");
}

Status ScanTask::AdvanceExchange(size_t, runtime::EventTimeUs, runtime::TaskOutput&) {
  return Internal("a task that reads a table takes no exchanged rows");
}

void ScanTask::RestoreExchangeWatermark(size_t, runtime::EventTimeUs) {}

}  // namespace slipstream::sql
