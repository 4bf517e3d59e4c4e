#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/kafka/types.h"
#include "gateway/charts/row_source.h"

namespace slipstream::kafka {
class Admin;
class PartitionReader;
}  // namespace slipstream::kafka

namespace slipstream::gateway::charts {

// KafkaReads: the connections by which topics are read, one after the other.
// Threads  not thread-safe.
class KafkaReads final {
 public:
  // `properties`: at least bootstrap.servers; empty: every call is kUnavailable.
  explicit KafkaReads(kafka::Properties properties);
  ~KafkaReads();
  KafkaReads(const KafkaReads&) = delete;
  KafkaReads& operator=(const KafkaReads&) = delete;

  // A record of a topic, as TopicRows reads it; the views live for the call.
  struct Record {
    int32_t partition = 0;
    int64_t offset = 0;
    int64_t at_ms = 0;
    std::optional<std::string_view> key;
    std::optional<std::string_view> value;
    std::vector<std::pair<std::string_view, std::string_view>> headers;
  };
  using Take = std::function<void(const Record& record)>;

  // kUnavailable: no broker answers, or none was named; kNotFound: no such topic.
  Result<int32_t> PartitionCount(const std::string& topic);
  // Reads committed records of one partition from `next` on (nothing: the newest `newest`), at most
  // `records_max`, and moves `next` behind them. Whether the end was reached. kOutOfRange: `next`
  // lies behind the end, so the topic is another one than before.
  Result<bool> ReadOn(const std::string& topic,
                      int32_t partition,
                      int64_t newest,
                      size_t records_max,
                      std::optional<int64_t>& next,
                      const Take& take);

 private:
  Status Connect();

  const kafka::Properties properties_;
  std::unique_ptr<kafka::Admin> admin_;
  std::unique_ptr<kafka::PartitionReader> reader_;
};

// TopicRows: the values of a topic's records, from the newest ChartRows::kRowsMax on.
// Ownership  borrows the reads.
class TopicRows final : public RowSource {
 public:
  static constexpr size_t kTurnRecords = 50'000;

  TopicRows(std::string topic, KafkaReads& reads) : topic_(std::move(topic)), reads_(reads) {}

  Result<Progress> ReadOn(const Take& take) override;

 private:
  const std::string topic_;
  KafkaReads& reads_;
  std::map<int32_t, std::optional<int64_t>> next_;  // by partition
};

}  // namespace slipstream::gateway::charts
