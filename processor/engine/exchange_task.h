#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string_view>

#include "processor/engine/sql_task.h"

namespace slipstream::sql {

// ExchangeTask: a task of a stage behind a repartition topic: rows of the stage's exchanges go on
// where these were cut, each exchange with a watermark of its own.
class ExchangeTask final : public SqlTask {
 public:
  ExchangeTask(const CompiledJob& job, uint32_t stage);

  Status ProcessExchanged(size_t exchange,
                          std::span<const std::string_view> rows,
                          runtime::TaskOutput& out) override;
  Status AdvanceExchange(size_t exchange,
                         runtime::EventTimeUs watermark,
                         runtime::TaskOutput& out) override;
  Status Process(std::span<const runtime::InputRecord> records,
                 const std::shared_ptr<const void>& buffer,
                 runtime::TaskOutput& out) override;
  // All exchanges.
  Status Advance(runtime::EventTimeUs watermark, runtime::TaskOutput& out) override;
  runtime::EventTimeUs watermark() const override;
  void RestoreWatermark(runtime::EventTimeUs watermark) override;
  void RestoreExchangeWatermark(size_t exchange, runtime::EventTimeUs watermark) override;

 private:
  std::map<size_t, runtime::EventTimeUs> watermarks_;  // by exchange, all of the stage's
};

}  // namespace slipstream::sql
