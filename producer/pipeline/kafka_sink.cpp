#include "producer/pipeline/kafka_sink.h"

#include <algorithm>
#include <string_view>
#include <thread>

#include <fmt/format.h>

#include "common/clock/clock.h"
#include "common/kafka/admin.h"
#include "common/kafka/producer.h"
#include "common/kafka/reachability.h"
#include "common/log/log.h"
#include "common/trace/trace.h"
#include "producer/pipeline/acks_file.h"

namespace slipstream::producer {

using std::chrono::milliseconds;

struct KafkaSink::Impl {
  std::unique_ptr<AcksFile> acks;  // outlives the producer, which writes to it
  std::unique_ptr<kafka::Producer> producer;
  kafka::Producer::Topic* topic = nullptr;
  SteadyTime next_trace_at;
};

namespace {

kafka::Properties ConnectionProperties(const KafkaSink::Options& options) {
  kafka::Properties properties = {{"bootstrap.servers", options.brokers},
                                  {"client.id", "slipstream-producer"}};
  properties.insert(properties.end(), options.properties.begin(), options.properties.end());
  return properties;
}

kafka::Properties ProducerProperties(const KafkaSink::Options& options) {
  kafka::Properties properties = {
      // Many small messages a batch: that is what compresses.
      {"linger.ms", "20"},
      {"message.timeout.ms", std::to_string(options.delivery_timeout.count())},
      {"queue.buffering.max.messages", std::to_string(2 * KafkaSink::kOpenRecordsMax)},
  };
  kafka::Properties connection = ConnectionProperties(options);
  properties.insert(properties.end(), connection.begin(), connection.end());
  return properties;
}

Status EnsureTopic(const KafkaSink::Options& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<kafka::Admin> admin,
                   kafka::Admin::Create({.properties = ConnectionProperties(options)}));
  Result<int32_t> existing = admin->PartitionCount(options.topic);
  if (!existing.ok() && existing.error().code() == Code::kNotFound) {
    int32_t partitions =
        options.partitions > 0 ? options.partitions : KafkaSink::kPartitionsDefault;
    Status created = admin->CreateTopic({.name = options.topic, .partition_count = partitions});
    if (created.code() != Code::kAlreadyExists) return created;
    existing = admin->PartitionCount(options.topic);
  }
  if (!existing.ok()) return existing.error();
  if (options.partitions > 0 && *existing != options.partitions) {
    return FailedPrecondition(fmt::format("topic {} exists with {} partitions, not {}",
                                          options.topic,
                                          *existing,
                                          options.partitions));
  }
  return {};
}

// A new name for what begins with this record; the header's value.
std::string BeginTrace(int64_t record_id) {
  const trace::Id id = trace::NewId();
  const trace::Scope scope(id);
  log::Get("producer.kafka")->debug("trace_begun record={}", record_id);
  return trace::ToHeader(id);
}

}  // namespace

Result<std::unique_ptr<KafkaSink>> KafkaSink::Connect(
    const Options& options,
    const std::stop_token& stop,
    const std::function<void(const std::string&)>& on_waiting) {
  auto impl = std::make_unique<Impl>();
  if (!options.acks_file.empty()) {
    ASSIGN_OR_RETURN(impl->acks, AcksFile::Create(options.acks_file));
  }
  RETURN_IF_ERROR(kafka::WaitForBrokers({.properties = ConnectionProperties(options),
                                         .connect_timeout = options.connect_timeout,
                                         .stop = stop,
                                         .on_waiting = on_waiting}));
  RETURN_IF_ERROR(EnsureTopic(options));
  kafka::Producer::Options producer{.properties = ProducerProperties(options)};
  if (impl->acks) {
    producer.on_acknowledged = [acks = impl->acks.get()](int64_t id) { acks->Add(id); };
  }
  ASSIGN_OR_RETURN(impl->producer, kafka::Producer::Create(std::move(producer)));
  ASSIGN_OR_RETURN(impl->topic, impl->producer->OpenTopic(options.topic));
  return std::unique_ptr<KafkaSink>(new KafkaSink(std::move(impl)));
}

KafkaSink::KafkaSink(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KafkaSink::~KafkaSink() = default;

Status KafkaSink::Send(const Record& record) {
  constexpr milliseconds kSlice{10};
  constexpr int kSlicesMax = 20;
  for (int slice = 0;; ++slice) {
    kafka::Producer::Counters counters = impl_->producer->counters();
    if (counters.failed > 0) return impl_->producer->failure();
    if (counters.sent - counters.acknowledged < kOpenRecordsMax) break;
    if (slice == kSlicesMax) return ResourceExhausted("the broker has too much to acknowledge");
    (void)impl_->producer->Flush(kSlice);  // the counters tell what became of it
  }
  kafka::OutgoingRecord outgoing{.value = record.value, .tag = record.id};
  if (record.key.data() != nullptr) outgoing.key = record.key;
  std::string trace;
  kafka::Header header;
  if (const SteadyTime now = SystemClock::Get().Now(); now >= impl_->next_trace_at) {
    impl_->next_trace_at = now + kTracePeriod;
    trace = BeginTrace(record.id);
    header = {.name = trace::kHeader, .value = trace};
    outgoing.headers = &header;
    outgoing.header_count = 1;
  }
  return impl_->producer->Produce(*impl_->topic, outgoing);
}

Status KafkaSink::Poll(milliseconds timeout) {
  // A flush sends unfinished batches, so it is only for waits that are long compared to them.
  constexpr milliseconds kFlushMin{20};
  const Clock& clock = SystemClock::Get();
  const SteadyTime until = clock.Now() + timeout;
  if (timeout >= kFlushMin) (void)impl_->producer->Flush(timeout);
  std::this_thread::sleep_for(until - clock.Now());
  return impl_->producer->failure();
}

Status KafkaSink::Flush(milliseconds timeout) {
  Status flushed = impl_->producer->Flush(timeout);
  if (impl_->acks) RETURN_IF_ERROR(impl_->acks->Write());
  RETURN_IF_ERROR(flushed);
  return impl_->producer->failure();
}

uint64_t KafkaSink::sent_count() const {
  return impl_->producer->counters().sent;
}
uint64_t KafkaSink::acknowledged_count() const {
  return impl_->producer->counters().acknowledged;
}
uint64_t KafkaSink::failed_count() const {
  return impl_->producer->counters().failed;
}

}  // namespace slipstream::producer
