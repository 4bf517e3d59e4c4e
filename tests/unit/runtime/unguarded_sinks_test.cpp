// At-least-once sinks against librdkafka's mock of a broker that refuses a record.

#include "processor/runtime/unguarded_sinks.h"

#include <memory>

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

namespace slipstream::runtime {
namespace {

using std::chrono::milliseconds;

constexpr int16_t kProduceRequest = 0;  // of Kafka's protocol

class OneSinkProgram final : public JobProgram {
 public:
  const std::vector<KafkaSourceSpec>& sources() const override { return sources_; }
  const std::vector<RepartitionSpec>& repartitions() const override { return repartitions_; }
  const std::vector<KafkaSinkSpec>& kafka_sinks() const override { return sinks_; }
  const std::vector<FileSinkSpec>& file_sinks() const override { return files_; }
  const std::vector<PrintSinkSpec>& print_sinks() const override { return prints_; }
  bool is_stateful(uint32_t) const override { return false; }
  std::string fingerprint() const override { return "one-sink"; }
  std::string state_text() const override { return "one-sink"; }
  std::unique_ptr<TaskProgram> MakeSourceTask(size_t, std::string_view, int32_t) const override {
    return nullptr;
  }
  std::unique_ptr<TaskProgram> MakeStageTask(uint32_t, int32_t) const override { return nullptr; }

 private:
  std::vector<KafkaSourceSpec> sources_{{.topics = {"in"}}};
  std::vector<RepartitionSpec> repartitions_;
  std::vector<KafkaSinkSpec> sinks_{{.topic = "out", .exactly_once = false}};
  std::vector<FileSinkSpec> files_;
  std::vector<PrintSinkSpec> prints_;
};

// A cluster of its own, in this process.
class MockCluster {
 public:
  MockCluster() : client_(rd_kafka_new(RD_KAFKA_PRODUCER, QuietConf(), nullptr, 0)) {
    cluster_ = rd_kafka_mock_cluster_new(client_, 1);
  }
  ~MockCluster() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(client_);
  }
  MockCluster(const MockCluster&) = delete;
  MockCluster& operator=(const MockCluster&) = delete;

  std::string bootstrap() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }
  void RefuseNextRecord() {
    rd_kafka_mock_push_request_errors(
        cluster_, kProduceRequest, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  }

 private:
  // Of a client that only carries the cluster and connects to nobody.
  static rd_kafka_conf_t* QuietConf() {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", "127.0.0.1:1", nullptr, 0);
    rd_kafka_conf_set(conf, "log_level", "0", nullptr, 0);
    return conf;
  }

  rd_kafka_t* client_;
  rd_kafka_mock_cluster_t* cluster_;
};

TEST(UnguardedSinksTest, AFailureLastsUntilTheNextTakeover) {
  MockCluster cluster;
  const OneSinkProgram program;
  JobContext context;
  context.program = &program;
  context.options.kafka_properties = {{"bootstrap.servers", cluster.bootstrap()}};
  UnguardedSinks sinks;
  ASSERT_TRUE(sinks.Open(context).ok());
  cluster.RefuseNextRecord();
  ASSERT_TRUE(sinks.Send(0, {.value = "a"}, {}).ok());
  // Lost: what follows makes no difference to that.
  EXPECT_FALSE(sinks.Flush(milliseconds(10'000)).ok());
  EXPECT_FALSE(sinks.Flush(milliseconds(10'000)).ok());

  ASSERT_TRUE(sinks.RenewFailed().ok());
  ASSERT_TRUE(sinks.Send(0, {.value = "a"}, {}).ok());

  const Status flushed = sinks.Flush(milliseconds(10'000));
  EXPECT_TRUE(flushed.ok()) << flushed.ToString();
}

}  // namespace
}  // namespace slipstream::runtime
