#include "processor/engine/sql_task.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <utility>

#include "common/check/check.h"
#include "processor/engine/record_metadata.h"
#include "processor/formats/json_encoder.h"

namespace slipstream::sql {
namespace {

// Rows that go through the operators together: enough to spread each operator's fixed cost, few
// enough that their columns stay in the cache.
constexpr size_t kSliceRecords = 2048;
constexpr char kStateKeyVersion = 1;

static_assert(kWatermarkEnd == runtime::kEndOfTime && kWatermarkNone == runtime::kNoWatermark);

class VersionedWriter final : public StateSink {
 public:
  explicit VersionedWriter(runtime::StateWriter& writer) : writer_(writer) {}

  void Put(std::string_view key, std::string_view value) override {
    writer_.Put(WithVersion(key), value);
  }
  void Delete(std::string_view key) override { writer_.Delete(WithVersion(key)); }

 private:
  std::string_view WithVersion(std::string_view key) {
    key_.assign(1, kStateKeyVersion).append(key);
    return key_;
  }

  runtime::StateWriter& writer_;
  std::string key_;
};

}  // namespace

SqlTask::SqlTask(const CompiledJob& job,
                 std::unique_ptr<SourceRows> source,
                 std::string topic,
                 int32_t partition)
    : job_(job),
      source_(std::move(source)),
      topic_(std::move(topic)),
      partition_(partition),
      run_(job.graph, *this) {}

Status SqlTask::Process(std::span<const runtime::InputRecord> records,
                        const std::shared_ptr<const void>&,
                        runtime::TaskOutput& out) {
  // The decoder copies what it keeps, so the records' buffer is not needed beyond this call.
  records_ = records;
  out_ = &out;
  is_dead_.assign(records.size(), 0);
  Status status;
  for (size_t first = 0; first < records.size() && status.ok(); first += kSliceRecords) {
    status = ProcessSlice(first, std::min(kSliceRecords, records.size() - first));
  }
  records_ = {};
  out_ = nullptr;
  return status;
}

Status SqlTask::ProcessSlice(size_t first, size_t count) {
  const int64_t now_us = NowUs();
  run_.SetNow(now_us);
  std::vector<std::optional<std::string_view>> payloads;
  payloads.reserve(count);
  for (const runtime::InputRecord& record : records_.subspan(first, count))
    payloads.push_back(record.value);
  std::vector<std::optional<std::string_view>> keys;
  if (source_->reads_keys()) {
    for (const runtime::InputRecord& record : records_.subspan(first, count))
      keys.push_back(record.key);
  }
  SourceRows::Rows rows = source_->Read(
      payloads, keys, now_us, [&](const std::vector<uint32_t>& origins, Batch& batch) {
        FillMetadata(origins, first, batch);
      });
  RETURN_IF_ERROR(rows.error);
  counters_.rows_in += rows.rows.batch.rows + rows.failures.size() + rows.skipped;
  counters_.rows_dead += rows.skipped;
  for (const DecodedRows::Failure& failure : rows.failures)
    SendToDeadLetters(first + failure.record, failure.message);
  for (uint32_t& origin : rows.rows.origins)
    origin += static_cast<uint32_t>(first);
  return PushRows(std::move(rows));
}

Status SqlTask::PushRows(SourceRows::Rows rows) {
  const auto raise = [this](int64_t to) -> Status {
    if (to <= watermark_) return {};
    watermark_ = to;
    return run_.Advance(to);
  };
  if (!job_.source.watermark_on_event || rows.watermarks.empty()) {
    const auto greatest = std::max_element(rows.watermarks.begin(), rows.watermarks.end());
    const int64_t watermark = greatest == rows.watermarks.end() ? kWatermarkNone : *greatest;
    RETURN_IF_ERROR(PushToScans(job_.graph, *job_.layout, std::move(rows.rows), run_));
    return raise(watermark);
  }
  uint32_t first = 0;
  for (uint32_t row = 0; row < rows.rows.batch.rows; ++row) {
    const bool is_last = row + 1 == rows.rows.batch.rows;
    if (rows.watermarks[row] <= watermark_ && !is_last) continue;
    std::vector<uint32_t> slice(row + 1 - first);
    std::iota(slice.begin(), slice.end(), first);
    first = row + 1;
    RETURN_IF_ERROR(PushToScans(job_.graph, *job_.layout, Gather(rows.rows, slice), run_));
    RETURN_IF_ERROR(raise(rows.watermarks[row]));
  }
  return {};
}

void SqlTask::FillMetadata(const std::vector<uint32_t>& origins, size_t first, Batch& batch) const {
  for (const TableDefinition::MetadataColumn& metadata : job_.layout->metadata()) {
    AppendMetadata(metadata,
                   job_.layout->table().schema[metadata.column].type,
                   {.topic = topic_, .partition = partition_},
                   records_.subspan(first),
                   origins,
                   batch);
  }
}

Status SqlTask::Advance(runtime::EventTimeUs watermark, runtime::TaskOutput& out) {
  if (watermark <= watermark_) return {};
  watermark_ = watermark;
  run_.SetNow(NowUs());
  out_ = &out;
  Status status = run_.Advance(watermark);
  out_ = nullptr;
  return status;
}

int64_t SqlTask::NowUs() const {
  const auto since_1970 = job_.clock->WallNow().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(since_1970).count();
}

Status SqlTask::EndOfInput(runtime::TaskOutput& out) {
  return Advance(runtime::kEndOfTime, out);
}

void SqlTask::RestoreWatermark(runtime::EventTimeUs watermark) {
  watermark_ = watermark;
  run_.SetWatermark(watermark);
}

Status SqlTask::SaveChanges(runtime::StateWriter& writer) {
  VersionedWriter sink(writer);
  run_.SaveChanges(sink);
  return {};
}

Status SqlTask::Restore(std::string_view key, std::string_view value) {
  if (key.empty()) return DataLoss("saved state is damaged: empty key");
  if (key.front() != kStateKeyVersion) {
    return DataLoss("saved state has version " + std::to_string(static_cast<int>(key.front())) +
                    ", this program reads " + std::to_string(static_cast<int>(kStateKeyVersion)));
  }
  return run_.Restore(key.substr(1), value);
}

Status SqlTask::WriteToSink(size_t sink, RowBatch rows) {
  counters_.rows_out += rows.batch.rows;
  return job_.sinks.writers()[sink]->Write(rows, *out_);
}

void SqlTask::SendToDeadLetters(size_t record, std::string_view error) {
  SLIPSTREAM_CHECK(record < records_.size(), "record={} of {}", record, records_.size());
  if (is_dead_[record] != 0) return;
  is_dead_[record] = 1;
  ++counters_.rows_dead;
  out_->ToDeadLetters(records_[record], error);
}

Status SqlTask::Reject(const RowBatch& from, const Schema& schema, const RowErrors& errors) {
  if (!from.origins.empty()) {
    for (const RowErrors::Entry& entry : errors.entries())
      SendToDeadLetters(from.origins[entry.row], entry.message);
    return {};
  }
  std::vector<size_t> positions(schema.size());
  std::iota(positions.begin(), positions.end(), size_t{0});
  const JsonEncoder encoder(schema, std::move(positions), JsonOptions{});
  std::vector<uint8_t> is_sent(from.batch.rows, 0);
  for (const RowErrors::Entry& entry : errors.entries()) {
    if (is_sent[entry.row] != 0) continue;
    is_sent[entry.row] = 1;
    ++counters_.rows_dead;
    std::string row;
    encoder.Encode(from.batch, entry.row, row);
    out_->ToDeadLetters(
        runtime::InputRecord{
            .key = std::nullopt, .value = row, .offset = -1, .timestamp_ms = 0, .headers = {}},
        entry.message);
  }
  return {};
}

}  // namespace slipstream::sql
