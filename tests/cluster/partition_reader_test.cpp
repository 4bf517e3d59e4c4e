// Reading from a real broker through a queue that is much smaller than what there is to read.

#include "common/kafka/partition_reader.h"

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/assert_ok.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/kafka_client.h"

namespace slipstream::test_support {
namespace {

// Left alone, librdkafka would notice room in a full queue a second later.
TEST(PartitionReaderTest, AFullQueueIsFilledAgainAsItIsRead) {
  constexpr size_t kRecords = 20'000;
  constexpr size_t kQueueBytes = size_t{512} << 10;
  constexpr std::chrono::milliseconds kPatience{200};
  const std::string value(1'000, 'x');
  const KafkaClient client(KafkaBroker::Shared().bootstrap());
  ASSERT_OK(client.CreateTopic("deep", 1));
  ASSERT_OK(client.Produce("deep", std::vector<KafkaRecord>(kRecords, {.value = value})));
  ASSERT_OK_AND_ASSIGN(const auto reader,
                       kafka::PartitionReader::Create(
                           {.properties = {{"bootstrap.servers", KafkaBroker::Shared().bootstrap()},
                                           {"fetch.message.max.bytes", "100000"}},
                            .queue_bytes_max = kQueueBytes}));
  ASSERT_OK(reader->Start({"deep", 0}, kafka::kOffsetBeginning));

  size_t read = 0;
  size_t waits_in_vain = 0;
  while (read < kRecords) {
    const auto batch = reader->Read(1'000, kPatience);
    ASSERT_OK(batch->error());
    read += batch->records().size();
    if (read > 0 && batch->empty()) ++waits_in_vain;
  }

  EXPECT_EQ(read, kRecords);
  EXPECT_LT(waits_in_vain, 10U);
}

}  // namespace
}  // namespace slipstream::test_support
