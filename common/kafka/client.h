#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <spdlog/logger.h>

#include "common/kafka/holders.h"
#include "common/kafka/types.h"
#include "common/status/status.h"
#include "common/sync/mutex.h"

// What every client handle of this folder is made with. Only for the .cpp files of this folder.

namespace slipstream::kafka {

// The opaque of a handle: what its callbacks, on any of librdkafka's threads, write to.
class ClientEvents {
 public:
  explicit ClientEvents(const std::string& logger_name);
  virtual ~ClientEvents() = default;

  void OnLog(int level, const char* facility, const char* text);
  // Broker trouble as librdkafka sees it: it goes on trying by itself.
  void OnError(int error_code, const char* reason);

  // The last trouble, for messages that say why a call is still waiting; "" if there was none.
  std::string last_error() const;

  const std::shared_ptr<spdlog::logger> logger;

 private:
  mutable Mutex mutex_;
  std::string last_error_ GUARDED_BY(mutex_);
};

// A configuration with our defaults, then `properties`. Errors: kInvalidArgument with librdkafka's
// own words for an unknown name or a bad value.
Result<Holder<rd_kafka_conf_t>> MakeConf(const Properties& defaults,
                                         const Properties& properties,
                                         ClientEvents& events);

// A handle; takes the configuration. Errors: kInvalidArgument (values that exclude one another).
Result<Holder<rd_kafka_t>> MakeClient(rd_kafka_type_t type, Holder<rd_kafka_conf_t> conf);

// A consumer of committed records that joins no group, but is told what to read; it says where a
// partition ends, and stands still where it cannot go on. `group_id`: librdkafka wants one even so.
Result<Holder<rd_kafka_t>> MakeReader(const char* group_id,
                                      const Properties& defaults,
                                      Properties properties,
                                      ClientEvents& events);

Status FromError(rd_kafka_resp_err_t error, std::string_view context);
Status FromError(const rd_kafka_error_t& error, std::string_view context);

Holder<rd_kafka_topic_partition_list_t> MakeList(size_t capacity);

// For librdkafka's timeouts: at least 0, at most what an int holds.
int ToTimeoutMs(std::chrono::milliseconds timeout);

}  // namespace slipstream::kafka
