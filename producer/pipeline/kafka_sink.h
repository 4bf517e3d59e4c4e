#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "common/status/status.h"
#include "producer/pipeline/record_sink.h"

namespace slipstream::kafka {
class Producer;
}

namespace slipstream::producer {

// KafkaSink: messages to a topic, each exactly once while this process lives: idempotent, acks=all,
// compressed. The broker may restart meanwhile; what is under way waits and arrives in order.
//
// Back-pressure  at most kOpenRecordsMax records are sent and not acknowledged; Send() waits beyond
//                that, which slows the reader down to what the broker takes.
// Timestamps     of the records are those of sending, never event time: brokers delete by them,
//                and a replay of 2013 would be gone before anybody reads it.
// Acks file      one id a line, as they are acknowledged. It may lag behind by a few thousand when
//                the process is killed, so it never claims too much.
// Trace          the first record, and then one in 100 ms, has a header `traceparent`: a name of
// its own,
//                by which what becomes of it is found in the logs (common/trace).
// Threads        one user at a time; the counts may be asked for from any thread.
// Errors         once a record is given up (delivery_timeout, or the broker refuses it) Send() and
//                Flush() return why, and the run is over.
class KafkaSink final : public RecordSink {
 public:
  static constexpr uint64_t kOpenRecordsMax = 60'000;
  static constexpr int32_t kPartitionsDefault = 3;
  static constexpr std::chrono::milliseconds kTracePeriod{100};

  struct Options {
    std::string brokers;  // HOST:PORT,…
    std::string topic;
    int32_t partitions = 0;  // 0: kPartitionsDefault for a new topic, any for an existing one
    std::vector<std::pair<std::string, std::string>> properties;  // librdkafka's, win over ours
    std::chrono::milliseconds connect_timeout{60'000};
    std::chrono::milliseconds delivery_timeout{300'000};
    std::filesystem::path acks_file;  // empty: none
  };

  // Waits for the brokers, telling `on_waiting` why it still does, and creates the topic unless it
  // exists. kUnavailable after connect_timeout, kFailedPrecondition if the topic has another
  // number of partitions than asked for, kCancelled when `stop` was triggered.
  static Result<std::unique_ptr<KafkaSink>> Connect(
      const Options& options,
      const std::stop_token& stop,
      const std::function<void(const std::string&)>& on_waiting);
  ~KafkaSink() override;

  Status Send(const Record& record) override;
  Status Poll(std::chrono::milliseconds timeout) override;
  Status Flush(std::chrono::milliseconds timeout) override;
  uint64_t sent_count() const override;
  uint64_t acknowledged_count() const override;
  uint64_t failed_count() const override;

 private:
  struct Impl;
  explicit KafkaSink(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::producer
