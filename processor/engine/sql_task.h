#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock/clock.h"
#include "processor/engine/connector_options.h"
#include "processor/engine/operator_graph.h"
#include "processor/engine/scan_layout.h"
#include "processor/engine/sink_set.h"
#include "processor/engine/source_rows.h"
#include "processor/runtime/task_program.h"

namespace slipstream::sql {

// What all tasks of a job share: the compiled plan.
struct CompiledJob {
  OperatorGraph graph{true};
  std::unique_ptr<const ScanLayout> layout;
  KafkaTable source;
  SinkSet sinks;
  const Clock* clock = nullptr;  // outlives the tasks
};

// SqlTask: a compiled job on one partition: decode → operators → sinks. Rows that fail go to the
// dead letters: as the record they came from, once for each record; rows made of many records as
// JSON, with offset −1.
class SqlTask final : public runtime::TaskProgram, private GraphRun::Host {
 public:
  SqlTask(const CompiledJob& job,
          std::unique_ptr<SourceRows> source,
          std::string topic,
          int32_t partition);

  Status Process(std::span<const runtime::InputRecord> records,
                 const std::shared_ptr<const void>& buffer,
                 runtime::TaskOutput& out) override;
  Status Advance(runtime::EventTimeUs watermark, runtime::TaskOutput& out) override;
  Status EndOfInput(runtime::TaskOutput& out) override;
  runtime::EventTimeUs watermark() const override { return watermark_; }
  void RestoreWatermark(runtime::EventTimeUs watermark) override;
  Status SaveChanges(runtime::StateWriter& writer) override;
  Status Restore(std::string_view key, std::string_view value) override;
  Counters counters() const override { return counters_; }

 private:
  Status WriteToSink(size_t sink, RowBatch rows) override;
  Status Reject(const RowBatch& from, const Schema& schema, const RowErrors& errors) override;
  void CountLate(uint64_t rows) override { counters_.rows_late += rows; }

  Status ProcessSlice(size_t first, size_t count);
  // Gives the rows on and raises the watermark behind them, or, with on-event watermarks, after
  // each row that raises it.
  Status PushRows(SourceRows::Rows rows);
  void FillMetadata(const std::vector<uint32_t>& origins, size_t first, Batch& batch) const;
  int64_t NowUs() const;
  void SendToDeadLetters(size_t record, std::string_view error);

  const CompiledJob& job_;
  const std::unique_ptr<SourceRows> source_;
  const std::string topic_;
  const int32_t partition_;
  GraphRun run_;
  runtime::EventTimeUs watermark_ = runtime::kNoWatermark;
  Counters counters_;

  // Of the call at hand.
  std::span<const runtime::InputRecord> records_;
  std::vector<uint8_t> is_dead_;  // by record: it was sent to the dead letters
  runtime::TaskOutput* out_ = nullptr;
};

}  // namespace slipstream::sql
