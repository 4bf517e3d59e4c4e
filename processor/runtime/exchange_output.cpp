#include "processor/runtime/exchange_output.h"

namespace slipstream::runtime {
namespace {

// Far below what brokers take (1 MB), so that many a large row fits behind it.
constexpr size_t kRecordBytes = size_t{128} << 10;

}  // namespace

ExchangeOutput::ExchangeOutput(const JobContext& context, SenderId sender, StagedRecords& staged)
    : context_(context), sender_(sender), staged_(staged) {
  for (const uint32_t stage : context.exchange_stages)
    records_.emplace_back(static_cast<size_t>(context.stage_partition_count(stage)));
}

void ExchangeOutput::Add(size_t exchange, uint64_t hash, std::string_view row) {
  std::vector<std::string>& records = records_[exchange];
  const size_t partition = hash % records.size();
  std::string& record = records[partition];
  if (!record.empty() && record.size() + row.size() > kRecordBytes) Stage(exchange, partition);
  const size_t before = record.size();
  if (record.empty()) record = BeginRows(exchange, sender_);
  AppendRow(record, row);
  bytes_ += record.size() - before;
}

void ExchangeOutput::Stage(size_t exchange, size_t partition) {
  std::string& record = records_[exchange][partition];
  const JobStage& stage = context_.stages[context_.exchange_stages[exchange]];
  staged_.Add(stage.repartition_output, static_cast<int32_t>(partition), std::nullopt, record);
  bytes_ -= record.size();
  record.clear();
}

void ExchangeOutput::Flush() {
  for (size_t exchange = 0; exchange < records_.size(); ++exchange) {
    for (size_t partition = 0; partition < records_[exchange].size(); ++partition) {
      if (!records_[exchange][partition].empty()) Stage(exchange, partition);
    }
  }
}

}  // namespace slipstream::runtime
