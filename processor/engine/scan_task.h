#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "processor/engine/source_rows.h"
#include "processor/engine/sql_task.h"

namespace slipstream::sql {

// ScanTask: a task of stage 0: a partition of a table's topic, from records on.
class ScanTask final : public SqlTask {
 public:
  ScanTask(const CompiledJob& job,
           size_t source,
           std::unique_ptr<SourceRows> rows,
           std::string topic,
           int32_t partition);

  Status Process(std::span<const runtime::InputRecord> records,
                 const std::shared_ptr<const void>& buffer,
                 runtime::TaskOutput& out) override;
  Status Advance(runtime::EventTimeUs watermark, runtime::TaskOutput& out) override;
  Status ProcessExchanged(size_t exchange,
                          std::span<const std::string_view> rows,
                          runtime::TaskOutput& out) override;
  Status AdvanceExchange(size_t exchange,
                         runtime::EventTimeUs watermark,
                         runtime::TaskOutput& out) override;
  runtime::EventTimeUs watermark() const override { return watermark_; }
  void RestoreWatermark(runtime::EventTimeUs watermark) override;
  void RestoreExchangeWatermark(size_t exchange, runtime::EventTimeUs watermark) override;

 private:
  Status ProcessSlice(size_t first, size_t count);
  // Gives the rows on and raises the watermark behind them, or, with on-event watermarks, after
  // each row that raises it.
  Status PushRows(SourceRows::Rows rows);
  void FillMetadata(const std::vector<uint32_t>& origins, size_t first, Batch& batch) const;

  const CompiledSource& source_;
  const std::unique_ptr<SourceRows> source_rows_;
  const std::string topic_;
  const int32_t partition_;
  runtime::EventTimeUs watermark_ = runtime::kNoWatermark;
  RowPlaces places_;  // of the call at hand, if the job asks for it
};

}  // namespace slipstream::sql
