#include "bench/kafka_load.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <memory>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <simdjson.h>

#include "bench/nexmark_events.h"

namespace slipstream::bench {
namespace {

using std::chrono::steady_clock;

constexpr int kTimeoutMs = 60'000;
constexpr size_t kFetchBatch = 4'096;
constexpr std::chrono::seconds kWarmUp{2};
constexpr std::string_view kTimeMark = "sent=";

struct EndClient {
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
};
struct EndQueue {
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
};
struct EndTopic {
  void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
};
using Client = std::unique_ptr<rd_kafka_t, EndClient>;
using Queue = std::unique_ptr<rd_kafka_queue_t, EndQueue>;
using Topic = std::unique_ptr<rd_kafka_topic_t, EndTopic>;

Result<Client> MakeClient(rd_kafka_type_t type,
                          const std::vector<std::pair<std::string, std::string>>& properties) {
  rd_kafka_conf_t* const conf = rd_kafka_conf_new();
  std::array<char, 512> error = {};
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), error.data(), error.size()) !=
        RD_KAFKA_CONF_OK) {
      return InvalidArgument(error.data());
    }
  }
  rd_kafka_t* const client = rd_kafka_new(type, conf, error.data(), error.size());
  if (client == nullptr) return InvalidArgument(error.data());
  return Client(client);
}

Result<Client> MakeProducer(const KafkaLoadOptions& options) {
  return MakeClient(RD_KAFKA_PRODUCER,
                    {{"bootstrap.servers", options.brokers},
                     {"compression.type", "zstd"},
                     {"linger.ms", "5"},
                     {"batch.size", "1000000"},
                     {"queue.buffering.max.messages", "500000"},
                     {"queue.buffering.max.kbytes", "262144"}});
}

Result<int32_t> CountPartitions(rd_kafka_t* client, rd_kafka_topic_t* topic) {
  const struct rd_kafka_metadata* metadata = nullptr;
  const auto error = rd_kafka_metadata(client, 0, topic, &metadata, kTimeoutMs);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return Unavailable(rd_kafka_err2str(error));
  const int32_t count = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
  rd_kafka_metadata_destroy(metadata);
  if (count == 0) return NotFound("no such topic");
  return count;
}

Status Send(rd_kafka_t* client, rd_kafka_topic_t* topic, int32_t partition, std::string& event) {
  while (
      rd_kafka_produce(
          topic, partition, RD_KAFKA_MSG_F_COPY, event.data(), event.size(), nullptr, 0, nullptr) !=
      0) {
    const auto error = rd_kafka_last_error();
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) return Unavailable(rd_kafka_err2str(error));
    rd_kafka_poll(client, 100);
  }
  rd_kafka_poll(client, 0);
  return {};
}

Status Flush(rd_kafka_t* client) {
  const auto error = rd_kafka_flush(client, kTimeoutMs);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return Unavailable(rd_kafka_err2str(error));
  return {};
}

// All partitions of a topic, read as one queue.
class Fetch {
 public:
  Status Open(const std::string& brokers, const std::string& topic, int64_t from) {
    // As the processor's consumer fetches, so that the floor is that of the same work.
    ASSIGN_OR_RETURN(client_,
                     MakeClient(RD_KAFKA_CONSUMER,
                                {{"bootstrap.servers", brokers},
                                 {"group.id", "sql-load"},
                                 {"enable.auto.commit", "false"},
                                 {"isolation.level", "read_committed"},
                                 {"fetch.wait.max.ms", "10"},
                                 {"queued.max.messages.kbytes", "24576"}}));
    topic_.reset(rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr));
    ASSIGN_OR_RETURN(partitions_, CountPartitions(client_.get(), topic_.get()));
    queue_.reset(rd_kafka_queue_new(client_.get()));
    for (int32_t partition = 0; partition < partitions_; ++partition) {
      if (rd_kafka_consume_start_queue(topic_.get(), partition, from, queue_.get()) != 0) {
        return Unavailable(rd_kafka_err2str(rd_kafka_last_error()));
      }
    }
    return {};
  }

  Fetch() = default;
  ~Fetch() {
    for (int32_t partition = 0; partition < partitions_; ++partition)
      rd_kafka_consume_stop(topic_.get(), partition);
  }
  Fetch(const Fetch&) = delete;
  Fetch& operator=(const Fetch&) = delete;

  // Calls `use` with every record that is there within `wait`; how many they were.
  template <class Use>
  Result<uint64_t> Read(std::chrono::milliseconds wait, const Use& use) {
    const ssize_t got = rd_kafka_consume_batch_queue(
        queue_.get(), static_cast<int>(wait.count()), messages_.data(), messages_.size());
    if (got < 0) return Unavailable(rd_kafka_err2str(rd_kafka_last_error()));
    uint64_t records = 0;
    for (size_t i = 0; i < static_cast<size_t>(got); ++i) {
      const rd_kafka_message_t& message = *messages_[i];
      if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        use(std::string_view(static_cast<const char*>(message.payload), message.len));
        ++records;
      }
      rd_kafka_message_destroy(messages_[i]);
    }
    return records;
  }

 private:
  Client client_;
  Topic topic_;
  Queue queue_;
  int32_t partitions_ = 0;
  std::vector<rd_kafka_message_t*> messages_ = std::vector<rd_kafka_message_t*>(kFetchBatch);
};

double CpuSeconds() {
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Reads three fields, nested ones among them, as a query over bids would.
class ThreeFields {
 public:
  uint64_t Read(std::string_view record) {
    buffer_.assign(record);
    buffer_.reserve(record.size() + simdjson::SIMDJSON_PADDING);
    uint64_t sum = 0;
    simdjson::ondemand::document document;
    if (parser_.iterate(buffer_.data(), record.size(), buffer_.capacity()).get(document)) return 0;
    uint64_t type = 0;
    if (document["event_type"].get(type)) return 0;
    sum += type;
    simdjson::ondemand::object bid;
    if (type != 2 || document["bid"].get(bid)) return sum;
    uint64_t value = 0;
    if (!bid["auction"].get(value)) sum += value;
    if (!bid["price"].get(value)) sum += value;
    return sum;
  }

 private:
  simdjson::ondemand::parser parser_;
  std::string buffer_;
};

int64_t MicrosSince(steady_clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - begin).count();
}

// Sends at the rate, in steps of a millisecond, each event with the time of sending in it.
Status SendAtRate(const KafkaLoadOptions& options,
                  uint64_t rate,
                  std::chrono::seconds duration,
                  steady_clock::time_point begin) {
  ASSIGN_OR_RETURN(
      const Client client,
      MakeClient(RD_KAFKA_PRODUCER, {{"bootstrap.servers", options.brokers}, {"linger.ms", "1"}}));
  const Topic topic(rd_kafka_topic_new(client.get(), options.topic.c_str(), nullptr));
  NexmarkEvents events;
  std::string event;
  const uint64_t total = rate * static_cast<uint64_t>(duration.count());
  for (uint64_t sent = 0; sent < total;) {
    const auto due = static_cast<uint64_t>(MicrosSince(begin)) * rate / 1'000'000;
    for (; sent < std::min(due, total); ++sent) {
      event.clear();
      events.Append(fmt::format("{}{};", kTimeMark, MicrosSince(begin)), event);
      RETURN_IF_ERROR(Send(client.get(), topic.get(), RD_KAFKA_PARTITION_UA, event));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return Flush(client.get());
}

}  // namespace

Status FillTopic(const KafkaLoadOptions& options) {
  ASSIGN_OR_RETURN(const Client client, MakeProducer(options));
  const Topic topic(rd_kafka_topic_new(client.get(), options.topic.c_str(), nullptr));
  ASSIGN_OR_RETURN(const int32_t partitions, CountPartitions(client.get(), topic.get()));
  NexmarkEvents events;
  std::string event;
  for (uint64_t i = 0; i < options.events; ++i) {
    event.clear();
    events.Append("", event);
    const auto partition = static_cast<int32_t>(i % static_cast<uint64_t>(partitions));
    RETURN_IF_ERROR(Send(client.get(), topic.get(), partition, event));
  }
  return Flush(client.get());
}

Result<FetchFigures> FetchTopic(const KafkaLoadOptions& options, bool parses) {
  const auto begin = steady_clock::now();
  const double cpu_before = CpuSeconds();
  Fetch fetch;
  RETURN_IF_ERROR(fetch.Open(options.brokers, options.topic, RD_KAFKA_OFFSET_BEGINNING));
  FetchFigures figures;
  ThreeFields fields;
  while (figures.events < options.events) {
    ASSIGN_OR_RETURN(const uint64_t count,
                     fetch.Read(std::chrono::milliseconds(100), [&](std::string_view record) {
                       figures.bytes += record.size();
                       if (parses) figures.checksum += fields.Read(record);
                     }));
    figures.events += count;
    if (steady_clock::now() - begin > std::chrono::milliseconds(kTimeoutMs)) {
      return DeadlineExceeded(fmt::format("{} of {} records", figures.events, options.events));
    }
  }
  figures.wall_s = static_cast<double>(MicrosSince(begin)) / 1e6;
  figures.cpu_s = CpuSeconds() - cpu_before;
  return figures;
}

Result<std::vector<int64_t>> MeasureLatency(const KafkaLoadOptions& options,
                                            const std::string& result_topic,
                                            uint64_t rate,
                                            std::chrono::seconds duration) {
  Fetch fetch;
  RETURN_IF_ERROR(fetch.Open(options.brokers, result_topic, RD_KAFKA_OFFSET_END));
  const auto begin = steady_clock::now();
  std::atomic<bool> is_sent = false;
  Status sent;
  std::jthread sender([&] {
    sent = SendAtRate(options, rate, duration, begin);
    is_sent = true;
  });
  std::vector<int64_t> latencies;
  const auto use = [&](std::string_view record) {
    const int64_t now = MicrosSince(begin);
    const size_t mark = record.find(kTimeMark);
    if (mark == std::string_view::npos) return;
    int64_t time = 0;
    const char* const from = record.data() + mark + kTimeMark.size();
    std::from_chars(from, record.data() + record.size(), time);
    if (time >= std::chrono::microseconds(kWarmUp).count()) latencies.push_back(now - time);
  };
  // Every event gives a row; it is through when nothing has come for a second after the last.
  auto last = steady_clock::now();
  while (!is_sent || steady_clock::now() - last < std::chrono::seconds(1)) {
    ASSIGN_OR_RETURN(const uint64_t count, fetch.Read(std::chrono::milliseconds(1), use));
    if (count > 0) last = steady_clock::now();
  }
  sender.join();
  RETURN_IF_ERROR(sent);
  if (latencies.empty()) return NotFound("no row came through the job");
  std::sort(latencies.begin(), latencies.end());
  return latencies;
}

}  // namespace slipstream::bench
