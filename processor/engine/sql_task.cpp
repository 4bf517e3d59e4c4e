#include "processor/engine/sql_task.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <string>
#include <utility>

#include "common/check/check.h"
#include "processor/engine/record_metadata.h"
#include "processor/formats/json_encoder.h"
#include "processor/types/date_time.h"

namespace slipstream::sql {
namespace {

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

// Rows whose records are not known, as JSON.
JsonEncoder EncoderOf(const Schema& schema) {
  std::vector<size_t> positions(schema.size());
  std::iota(positions.begin(), positions.end(), size_t{0});
  return JsonEncoder(schema, std::move(positions), JsonOptions{});
}

runtime::InputRecord MadeRecord(std::string_view value) {
  return {.key = std::nullopt, .value = value, .offset = -1, .timestamp_ms = 0, .headers = {}};
}

bool IsSame(const OperatorGraph::Target& a, const OperatorGraph::Target& b) {
  return a.is_sink == b.is_sink && a.is_exchange == b.is_exchange && a.index == b.index &&
         a.input == b.input;
}

}  // namespace

SqlTask::SqlTask(const CompiledJob& job,
                 std::vector<OperatorGraph::Target> sources,
                 const std::vector<size_t>& sends,
                 std::optional<size_t> table)
    : job_(job),
      sources_(std::move(sources)),
      sends_(sends),
      table_(table),
      run_(*job.graph, *this, job.scratch) {
  const auto is_elsewhere = [this](const OperatorGraph::Target& target) {
    return std::none_of(sources_.begin(), sources_.end(), [&](const auto& source) {
      return IsSame(source, target);
    });
  };
  for (const OperatorGraph::Scan& scan : job.graph->scans()) {
    if (is_elsewhere(scan.next)) run_.SetWatermark(scan.next, kWatermarkEnd);
  }
  for (const OperatorGraph::Exchange& exchange : job.graph->exchanges()) {
    if (is_elsewhere(exchange.next)) run_.SetWatermark(exchange.next, kWatermarkEnd);
  }
}

int64_t SqlTask::NowUs() const {
  const auto since_1970 = job_.clock->WallNow().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(since_1970).count();
}

Status SqlTask::RaiseAll(int64_t watermark) {
  // Those added last lie deepest in the plan: nearer to the sources first.
  for (size_t i = sources_.size(); i-- > 0;)
    RETURN_IF_ERROR(run_.Advance(sources_[i], watermark));
  return {};
}

SqlTask::Counters SqlTask::counters() const {
  Counters now = counters_;
  now.operators = run_.flows();
  return now;
}

static_assert(kNoTick == runtime::kNoTick);

int64_t SqlTask::next_tick_us() const {
  return run_.NextTick();
}

Status SqlTask::Tick(runtime::TaskOutput& out) {
  return GiveTo(out, [this] { return run_.Tick(); });
}

Status SqlTask::EndOfInput(runtime::TaskOutput& out) {
  return Advance(runtime::kEndOfTime, out);
}

Status SqlTask::EndEpoch(runtime::TaskOutput& out) {
  return GiveTo(out, [this] { return run_.EndEpoch(); });
}

runtime::EventTimeUs SqlTask::sent_watermark() const {
  runtime::EventTimeUs least = runtime::kEndOfTime;
  for (const size_t exchange : sends_)
    least = std::min(least, run_.ExchangeWatermark(exchange));
  return sends_.empty() ? watermark() : least;
}

runtime::EventTimeUs SqlTask::sink_watermark() const {
  return std::min(watermark(), run_.SinkWatermark());
}

Status SqlTask::SaveChanges(runtime::StateWriter& writer) {
  VersionedWriter sink(writer);
  run_.SaveChanges(sink);
  return run_.scratch_status();
}

Status SqlTask::Restore(std::string_view key, std::string_view value) {
  if (key.empty()) return DataLoss("saved state is damaged: empty key");
  if (key.front() != kStateKeyVersion) {
    return DataLoss("saved state has version " + std::to_string(static_cast<int>(key.front())) +
                    ", this program reads " + std::to_string(static_cast<int>(kStateKeyVersion)));
  }
  RETURN_IF_ERROR(run_.Restore(key.substr(1), value));
  return run_.scratch_status();
}

Status SqlTask::WriteToSink(size_t sink, RowBatch rows) {
  counters_.rows_out += rows.batch.rows;
  return job_.sinks.writers()[sink]->Write(rows, *out_);
}

Status SqlTask::SendToExchange(size_t exchange, RowBatch rows) {
  job_.exchanges[exchange].Encode(
      rows, [&](uint64_t hash, std::string_view row) { out_->ToExchange(exchange, hash, row); });
  return {};
}

void SqlTask::BeginRecords(std::span<const runtime::InputRecord> records) {
  records_ = records;
  is_dead_.assign(records.size(), 0);
  is_late_.assign(records.size(), 0);
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
  const JsonEncoder encoder = EncoderOf(schema);
  std::vector<uint8_t> is_sent(from.batch.rows, 0);
  for (const RowErrors::Entry& entry : errors.entries()) {
    if (is_sent[entry.row] != 0) continue;
    is_sent[entry.row] = 1;
    ++counters_.rows_dead;
    std::string row;
    encoder.Encode(from.batch, entry.row, row);
    out_->ToDeadLetters(MadeRecord(row), entry.message);
  }
  return {};
}

Status SqlTask::DropLate(const LateRows& late) {
  const LateRoutes::Route& route =
      table_ ? job_.late_routes.OfTable(*table_) : job_.late_routes.Of(late.node, late.input);
  counters_.rows_late += late.count;
  counters_.rows_late_by_table[route.table] += late.count;
  if (!route.source || late.from == nullptr) return {};
  const std::string why =
      "late for " + route.table + ": the watermark is " + FormatTimestamp(late.watermark, 3);
  const RowBatch& from = *late.from;
  if (!from.origins.empty()) {
    for (const uint32_t row : *late.rows) {
      const size_t record = from.origins[row];
      if (std::exchange(is_late_[record], uint8_t{1}) == 0) {
        out_->ToLateRows(*route.source, records_[record], why);
      }
    }
    return {};
  }
  const JsonEncoder encoder = EncoderOf(*late.schema);
  std::string text;
  for (const uint32_t row : *late.rows) {
    text.clear();
    encoder.Encode(from.batch, row, text);
    out_->ToLateRows(*route.source, MadeRecord(text), why);
  }
  return {};
}

}  // namespace slipstream::sql
