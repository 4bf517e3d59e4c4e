#include "common/kafka/client.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "common/kafka/error_map.h"
#include "common/log/log.h"

namespace slipstream::kafka {

std::string ToString(const TopicPartition& partition) {
  return fmt::format("{}[{}]", partition.topic, partition.partition);
}

ClientEvents::ClientEvents(const std::string& logger_name) : logger(log::Get(logger_name)) {}

void ClientEvents::OnLog(int level, const char* facility, const char* text) {
  // librdkafka's levels are syslog's. What it calls an error it still mends by itself.
  auto severity = level <= 4 ? spdlog::level::debug : spdlog::level::trace;
  if (level <= 2) severity = spdlog::level::err;
  logger->log(severity, "kafka_client_logged facility={} text={}", facility, log::Quoted(text));
}

void ClientEvents::OnError(int error_code, const char* reason) {
  logger->debug("kafka_client_failed error={} reason={}",
                rd_kafka_err2name(static_cast<rd_kafka_resp_err_t>(error_code)),
                log::Quoted(reason));
  // "All brokers down" only sums up; the reason that came before says more.
  if (error_code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) return;
  MutexLock lock(mutex_);
  last_error_ = reason;
}

std::string ClientEvents::last_error() const {
  MutexLock lock(mutex_);
  return last_error_;
}

namespace {

Status SetAll(rd_kafka_conf_t* conf, const Properties& properties) {
  char reason[512];
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason, sizeof(reason)) !=
        RD_KAFKA_CONF_OK) {
      return InvalidArgument(fmt::format("kafka property {}={}: {}", name, value, reason));
    }
  }
  return {};
}

}  // namespace

Result<Holder<rd_kafka_conf_t>> MakeConf(const Properties& defaults,
                                         const Properties& properties,
                                         ClientEvents& events) {
  Holder<rd_kafka_conf_t> conf(rd_kafka_conf_new());
  rd_kafka_conf_set_opaque(conf.get(), &events);
  rd_kafka_conf_set_log_cb(
      conf.get(), [](const rd_kafka_t* client, int level, const char* facility, const char* text) {
        static_cast<ClientEvents*>(rd_kafka_opaque(client))->OnLog(level, facility, text);
      });
  rd_kafka_conf_set_error_cb(conf.get(),
                             [](rd_kafka_t*, int error, const char* reason, void* opaque) {
                               static_cast<ClientEvents*>(opaque)->OnError(error, reason);
                             });
  const Properties common = {
      {"socket.nagle.disable", "true"},
      // A broker that restarts is found again quickly; the default grows to 10 s.
      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "1000"},
      // Idle connections are the broker's to close, and that is no news.
      {"log.connection.close", "false"},
      {"allow.auto.create.topics", "false"},
  };
  RETURN_IF_ERROR(SetAll(conf.get(), common));
  RETURN_IF_ERROR(SetAll(conf.get(), defaults));
  RETURN_IF_ERROR(SetAll(conf.get(), properties));
  return conf;
}

Result<Holder<rd_kafka_t>> MakeClient(rd_kafka_type_t type, Holder<rd_kafka_conf_t> conf) {
  char reason[512];
  rd_kafka_t* client = rd_kafka_new(type, conf.get(), reason, sizeof(reason));
  if (client == nullptr) return InvalidArgument(fmt::format("kafka client: {}", reason));
  (void)conf.release();  // belongs to the client now
  return Holder<rd_kafka_t>(client);
}

Result<Holder<rd_kafka_t>> MakeReader(const char* group_id,
                                      const Properties& defaults,
                                      Properties properties,
                                      ClientEvents& events) {
  for (const auto& [name, value] : Properties{{"group.id", group_id},
                                              {"enable.auto.commit", "false"},
                                              {"enable.auto.offset.store", "false"},
                                              {"auto.offset.reset", "error"},
                                              {"enable.partition.eof", "true"},
                                              {"isolation.level", "read_committed"}}) {
    properties.emplace_back(name, value);
  }
  ASSIGN_OR_RETURN(Holder<rd_kafka_conf_t> conf, MakeConf(defaults, properties, events));
  ASSIGN_OR_RETURN(Holder<rd_kafka_t> client, MakeClient(RD_KAFKA_CONSUMER, std::move(conf)));
  rd_kafka_poll_set_consumer(client.get());
  return client;
}

Status FromError(rd_kafka_resp_err_t error, std::string_view context) {
  return StatusFromKafka(error, context);
}

Status FromError(const rd_kafka_error_t& error, std::string_view context) {
  Status status = StatusFromKafka(rd_kafka_error_code(&error), context);
  return {status.code(),
          fmt::format(
              "{}: {} ({})", context, rd_kafka_error_string(&error), rd_kafka_error_name(&error))};
}

Holder<rd_kafka_topic_partition_list_t> MakeList(size_t capacity) {
  return Holder<rd_kafka_topic_partition_list_t>(
      rd_kafka_topic_partition_list_new(static_cast<int>(capacity)));
}

int ToTimeoutMs(std::chrono::milliseconds timeout) {
  return static_cast<int>(std::clamp<int64_t>(timeout.count(), 0, std::numeric_limits<int>::max()));
}

}  // namespace slipstream::kafka
