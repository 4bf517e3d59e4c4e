#include "processor/engine/exchange_task.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace slipstream::sql {
namespace {

std::vector<OperatorGraph::Target> EntrancesOf(const CompiledJob& job, uint32_t stage) {
  std::vector<OperatorGraph::Target> entrances;
  for (const auto& exchange : job.stages.repartitions[stage - 1].exchanges)
    entrances.push_back(job.graph->exchanges()[exchange.number].next);
  return entrances;
}

}  // namespace

ExchangeTask::ExchangeTask(const CompiledJob& job, uint32_t stage)
    : SqlTask(job, EntrancesOf(job, stage), job.stages.stage_sends[stage], std::nullopt) {
  for (const auto& exchange : job.stages.repartitions[stage - 1].exchanges)
    watermarks_[exchange.number] = runtime::kNoWatermark;
}

Status ExchangeTask::ProcessExchanged(size_t exchange,
                                      std::span<const std::string_view> rows,
                                      runtime::TaskOutput& out) {
  ASSIGN_OR_RETURN(RowBatch batch, job().exchanges[exchange].Decode(rows));
  counted().rows_in += rows.size();
  batch.batch.now_us = NowUs();
  return GiveTo(
      out, [&] { return run().Push(job().graph->exchanges()[exchange].next, std::move(batch)); });
}

Status ExchangeTask::AdvanceExchange(size_t exchange,
                                     runtime::EventTimeUs watermark,
                                     runtime::TaskOutput& out) {
  runtime::EventTimeUs& known = watermarks_.at(exchange);
  if (watermark <= known) return {};
  known = watermark;
  return GiveTo(out,
                [&] { return run().Advance(job().graph->exchanges()[exchange].next, watermark); });
}

Status ExchangeTask::Process(std::span<const runtime::InputRecord>,
                             const std::shared_ptr<const void>&,
                             runtime::TaskOutput&) {
  return Internal("a task behind an exchange reads no records");
}

Status ExchangeTask::Advance(runtime::EventTimeUs watermark, runtime::TaskOutput& out) {
  for (auto& [exchange, known] : watermarks_)
    known = std::max(known, watermark);
  return GiveTo(out, [&] { return RaiseAll(watermark); });
}

runtime::EventTimeUs ExchangeTask::watermark() const {
  runtime::EventTimeUs least = runtime::kEndOfTime;
  for (const auto& [exchange, known] : watermarks_)
    least = std::min(least, known);
  return least;
}

void ExchangeTask::RestoreWatermark(runtime::EventTimeUs watermark) {
  for (const auto& [exchange, known] : watermarks_)
    RestoreExchangeWatermark(exchange, watermark);
}

void ExchangeTask::RestoreExchangeWatermark(size_t exchange, runtime::EventTimeUs watermark) {
  watermarks_.at(exchange) = watermark;
  run().SetWatermark(job().graph->exchanges()[exchange].next, watermark);
}

}  // namespace slipstream::sql
