// Formats, keys, metadata and bounds of sources, through the binary and a real broker.

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/assert_ok.h"
#include "tests/support/eventually.h"
#include "tests/support/job_commands.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/kafka_client.h"
#include "tests/support/schema_registry.h"
#include "tests/support/temp_dir.h"

namespace slipstream::test_support {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class ProcessorFormatsTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Process>> Start(const std::string& name,
                                         const std::string& statements,
                                         bool is_bounded = true) {
    RETURN_IF_ERROR(WriteFile(dir_ / (name + ".sql"),
                              fmt::format("SET 'pipeline.name' = '{}';\n{}", name, statements)));
    ProcessorRun run{.job = dir_ / (name + ".sql"),
                     .brokers = KafkaBroker::Shared().bootstrap(),
                     .is_bounded = is_bounded,
                     .more_flags = {"--state-dir=" + (dir_ / "state").string()}};
    return Process::Start(Command(run, dir_.path(), name));
  }
  // Runs a job to its end, which is to be a good one.
  void Run(const std::string& name, const std::string& statements) {
    ASSERT_OK_AND_ASSIGN(const auto process, Start(name, statements));
    ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Wait());
    ASSERT_EQ(exit.code, 0) << process->Stderr();
  }
  std::vector<std::string> ValuesOf(const std::string& topic) const {
    std::vector<std::string> values;
    Result<std::vector<KafkaRecord>> records = client_.ReadAll(topic);
    EXPECT_OK(records);
    if (!records.ok()) return values;
    for (const KafkaRecord& record : *records)
      values.push_back(record.value.value_or("(null)"));
    return values;
  }

  const TempDir dir_{"processor-formats"};
  const KafkaClient client_{KafkaBroker::Shared().bootstrap()};
};

TEST_F(ProcessorFormatsTest, CsvWithKeysHeadersAndTimes) {
  ASSERT_OK(client_.CreateTopic("formats-csv", 1));
  ASSERT_OK(client_.CreateTopic("formats-csv-out", 3));
  ASSERT_OK(client_.Produce("formats-csv",
                            {{.key = "k1",
                              .value = "1,\"a, b\",2.5",
                              .timestamp_ms = 1'600'000'000'000,
                              .headers = {{"trace", "old"}, {"trace", "new"}, {"x", ""}}},
                             {.key = "k2", .value = "2,plain,x", .timestamp_ms = 1'600'000'000'001},
                             {.value = "3,last,", .timestamp_ms = 1'600'000'000'002}}));

  Run("formats-csv",
      "CREATE TABLE s (k STRING, id INT, name STRING, price DOUBLE,\n"
      "  tags MAP<STRING, BYTES> METADATA FROM 'headers' VIRTUAL,\n"
      "  ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,\n"
      "  tt STRING METADATA FROM 'timestamp-type' VIRTUAL)\n"
      "WITH ('connector' = 'kafka', 'topic' = 'formats-csv', 'key.format' = 'raw', 'key.fields' =\n"
      "  'k', 'value.format' = 'csv', 'value.csv.null-literal' = '', 'value.fields-include' =\n"
      "  'EXCEPT_KEY', 'scan.startup.mode' = 'earliest-offset');\n"
      "CREATE TABLE t (id INT, line STRING, ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp',\n"
      "  tags MAP<STRING, BYTES> METADATA FROM 'headers')\n"
      "WITH ('connector' = 'kafka', 'topic' = 'formats-csv-out', 'format' = 'csv',\n"
      "  'sink.partitioner' = 'fixed');\n"
      "INSERT INTO t SELECT id, CONCAT_WS('|', k, name, CAST(price AS STRING), tt,\n"
      "  CAST(tags['trace'] AS STRING)), ts, tags FROM s;\n");

  ASSERT_OK_AND_ASSIGN(const auto records, client_.ReadAll("formats-csv-out"));
  ASSERT_THAT(records, SizeIs(2));
  EXPECT_EQ(records[0].value, "1,\"k1|a, b|2.5|CreateTime|new\"");
  EXPECT_EQ(records[0].timestamp_ms, 1'600'000'000'000);
  EXPECT_THAT(records[0].headers,
              UnorderedElementsAre(testing::Pair("trace", "new"), testing::Pair("x", "")));
  EXPECT_EQ(records[0].partition, 0);
  EXPECT_EQ(records[1].partition, 0);
  EXPECT_EQ(records[1].value, "3,last|CreateTime");
  EXPECT_THAT(ValuesOf("formats-csv.dead-letter"), ElementsAre("2,plain,x"));
}

TEST_F(ProcessorFormatsTest, SourcesBeginAndEndWhereTheyAreTold) {
  ASSERT_OK(client_.CreateTopic("formats-bounds", 2));
  std::vector<KafkaRecord> records;
  for (int i = 0; i < 20; ++i) {
    records.push_back({.value = fmt::format(R"({{"id":{}}})", i),
                       .partition = i % 2,
                       .timestamp_ms = 1'700'000'000'000 + i});
  }
  ASSERT_OK(client_.Produce("formats-bounds", records));
  const std::map<std::string, std::string> options = {
      {"time",
       "'topic-pattern' = 'formats-boun.s', 'scan.startup.mode' = 'timestamp',\n"
       "  'scan.startup.timestamp-millis' = '1700000000005',\n"
       "  'scan.bounded.mode' = 'timestamp', 'scan.bounded.timestamp-millis' = '1700000000009'"},
      {"offset",
       "'topic' = 'formats-bounds', 'scan.startup.mode' = 'specific-offsets',\n"
       "  'scan.startup.specific-offsets' = 'partition:0,offset:8;partition:1,offset:99',\n"
       "  'scan.bounded.mode' = 'latest-offset'"}};
  for (const auto& [name, option] : options) {
    ASSERT_OK(client_.CreateTopic("formats-bounds-" + name, 1));
    Run("formats-bounds-" + name,
        fmt::format("CREATE TABLE s (id INT) WITH ('connector' = 'kafka', 'format' = 'json', {});\n"
                    "CREATE TABLE t (id INT) WITH ('connector' = 'kafka', 'topic' =\n"
                    "  'formats-bounds-{}', 'format' = 'csv');\n"
                    "INSERT INTO t SELECT id FROM s;\n",
                    option,
                    name));
  }

  EXPECT_THAT(ValuesOf("formats-bounds-time"), UnorderedElementsAre("5", "6", "7", "8"));
  EXPECT_THAT(ValuesOf("formats-bounds-offset"), UnorderedElementsAre("16", "18"));
}

TEST_F(ProcessorFormatsTest, AvroIsWrittenAndReadWithARegistry) {
  SchemaRegistry registry;
  ASSERT_OK(client_.CreateTopic("formats-avro", 1));
  ASSERT_OK(client_.CreateTopic("formats-avro-out", 1));
  const std::string avro =
      fmt::format("'format' = 'avro-confluent', 'avro-confluent.url' = '{}'", registry.url());
  Run("formats-avro-write",
      fmt::format("CREATE TABLE t (id BIGINT NOT NULL, name STRING, at TIMESTAMP(3))\n"
                  "WITH ('connector' = 'kafka', 'topic' = 'formats-avro', {});\n"
                  "INSERT INTO t VALUES (1, 'one', TIMESTAMP '2020-01-01 00:00:00.5'),\n"
                  "  (2, CAST(NULL AS STRING), TIMESTAMP '1960-01-01 00:00:00');\n",
                  avro));
  ASSERT_THAT(registry.Subjects(), ElementsAre(testing::Pair("formats-avro-value", 1)));
  // A later writer's schema: other fields in another order, and an int.
  const int32_t newer = registry.Add(
      "formats-avro-value",
      R"({"type":"record","name":"N","fields":[{"name":"extra","type":"string"},{"name":"id","type":"int"}]})");
  const std::string frame("\0\0\0\0", 4);
  ASSERT_OK(client_.Produce("formats-avro",
                            {{.value = frame + static_cast<char>(newer) + std::string("\4ab\6", 4)},
                             {.value = frame + "\x63junk"},
                             {.value = "junk"}}));
  registry.FailNext(4);

  Run("formats-avro-read",
      fmt::format(
          "CREATE TABLE s (at TIMESTAMP(3), id BIGINT, name STRING) WITH ('connector' =\n"
          "  'kafka', 'topic' = 'formats-avro', 'scan.startup.mode' = 'earliest-offset', {});\n"
          "CREATE TABLE t (id BIGINT, name STRING, at TIMESTAMP(3)) WITH ('connector' =\n"
          "  'kafka', 'topic' = 'formats-avro-out', 'format' = 'json');\n"
          "INSERT INTO t SELECT id, name, at FROM s;\n",
          avro));

  EXPECT_THAT(ValuesOf("formats-avro-out"),
              ElementsAre(R"({"id":1,"name":"one","at":"2020-01-01 00:00:00.5"})",
                          R"({"id":2,"name":null,"at":"1960-01-01 00:00:00"})",
                          R"({"id":3,"name":null,"at":null})"));
  EXPECT_THAT(ValuesOf("formats-avro.dead-letter"), ElementsAre(frame + "\x63junk", "junk"));
  EXPECT_LT(registry.request_count(), 15) << "schemas are kept";
}

// Upserted by one job and read by another, which is killed in between.
TEST_F(ProcessorFormatsTest, AnUpsertTopicIsReadAsUpdates) {
  ASSERT_OK(client_.CreateTopic("formats-users", 2));
  ASSERT_OK(client_.CreateTopic("formats-regions", 1));
  const auto user = [](int id, const std::string& region) -> KafkaRecord {
    return {.key = fmt::format(R"({{"id":{}}})", id),
            .value = fmt::format(R"({{"id":{},"region":"{}"}})", id, region)};
  };
  std::vector<KafkaRecord> first;
  for (int id = 0; id < 100; ++id)
    first.push_back(user(id, "EU"));
  ASSERT_OK(client_.Produce("formats-users", first));
  const std::string job =
      "CREATE TABLE users (id INT, region STRING, PRIMARY KEY (id) NOT ENFORCED) WITH (\n"
      "  'connector' = 'upsert-kafka', 'topic' = 'formats-users', 'key.format' = 'json',\n"
      "  'value.format' = 'json');\n"
      "CREATE TABLE copy (id INT, region STRING, PRIMARY KEY (id) NOT ENFORCED) WITH (\n"
      "  'connector' = 'upsert-kafka', 'topic' = 'formats-regions', 'key.format' = 'csv',\n"
      "  'value.format' = 'csv', 'value.fields-include' = 'EXCEPT_KEY');\n"
      "INSERT INTO copy SELECT id, UPPER(region) FROM users WHERE region <> 'gone';\n";
  ASSERT_OK_AND_ASSIGN(auto process, Start("formats-users", job, false));
  ASSERT_TRUE(Eventually([&] { return client_.Count("formats-regions").value_or(0) == 100; }));
  process->Kill();
  std::vector<KafkaRecord> second;
  for (int id = 0; id < 60; ++id) {
    if (id < 20) second.push_back(user(id, "us"));
    if (id >= 20 && id < 40) second.push_back(user(id, "gone"));
    if (id >= 40) second.push_back({.key = fmt::format(R"({{"id":{}}})", id), .value = {}});
  }
  ASSERT_OK(client_.Produce("formats-users", second));

  ASSERT_OK_AND_ASSIGN(process, Start("formats-users", job, false));
  std::map<std::string, std::string> latest;
  ASSERT_TRUE(Eventually([&] {
    Result<std::vector<KafkaRecord>> records = client_.ReadAll("formats-regions");
    if (!records.ok() || records->size() < 160) return false;
    for (const KafkaRecord& record : *records)
      latest[record.key.value_or("")] = record.value.value_or("(deleted)");
    return true;
  }));

  for (int id = 0; id < 100; ++id) {
    const std::string expected = id < 20 ? "US" : id < 60 ? "(deleted)" : "EU";
    EXPECT_EQ(latest[std::to_string(id)], expected) << id;
  }
}

TEST_F(ProcessorFormatsTest, RowsAreMadeIntoATopicThatWasNotThere) {
  Run("formats-datagen",
      "CREATE TABLE s (id INT, name STRING) WITH ('connector' = 'datagen', 'rows-per-second' =\n"
      "  '100000', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' =\n"
      "  '1000', 'fields.name.length' = '3');\n"
      "CREATE TABLE t (id INT, name STRING) WITH ('connector' = 'kafka', 'topic' =\n"
      "  'formats-datagen', 'format' = 'csv');\n"
      "INSERT INTO t SELECT id, name FROM s;\n");

  const std::vector<std::string> values = ValuesOf("formats-datagen");
  ASSERT_THAT(values, SizeIs(1'000));
  EXPECT_THAT(values.front(), testing::StartsWith("1,"));
  EXPECT_THAT(values.back(), testing::StartsWith("1000,"));
}

// A job that ends marks every folder it has written to; what is read of one is not read of others.
TEST_F(ProcessorFormatsTest, FoldersAreMarkedAndReadOneByOne) {
  const std::string tables = fmt::format(
      "CREATE TABLE s (id INT, p AS MOD(id, 3)) WITH ('connector' = 'datagen', 'rows-per-second' "
      "=\n"
      "  '100000', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' =\n"
      "  '300');\n"
      "CREATE TABLE t (id INT, p INT) PARTITIONED BY (p) WITH ('connector' = 'filesystem',\n"
      "  'path' = '{}', 'format' = 'csv', 'sink.partition-commit.policy.kind' =\n"
      "  'success-file');\n",
      (dir_ / "folders").string());

  Run("formats-folders", tables + "INSERT INTO t SELECT id, p FROM s;\n");

  for (const char* const folder : {"p=0", "p=1", "p=2"}) {
    EXPECT_TRUE(std::filesystem::exists(dir_ / "folders" / folder / "_SUCCESS")) << folder;
  }
  ASSERT_OK(WriteFile(dir_ / "folders" / "p=0" / "damaged.csv.gz", "no gzip"));
  ASSERT_OK(WriteFile(dir_ / "tables.sql", tables));
  ASSERT_OK_AND_ASSIGN(const ToolResult one,
                       RunTool(Command(ProcessorQuery{
                           .sql = "SELECT COUNT(*) AS n, MIN(id) AS least FROM t WHERE p = 2",
                           .catalog = dir_ / "tables.sql"})));
  EXPECT_EQ(one.out, "n,least\n100,2\n") << one.err;
  ASSERT_OK_AND_ASSIGN(const ToolResult all,
                       RunTool(Command(ProcessorQuery{.sql = "SELECT COUNT(*) AS n FROM t",
                                                      .catalog = dir_ / "tables.sql"})));
  EXPECT_EQ(all.exit.code, 1);
  EXPECT_THAT(all.err, HasSubstr("damaged"));
}

// Whatever is in a topic: every record is a row or a dead letter, and the job goes on.
TEST_F(ProcessorFormatsTest, BadRecordsAreDeadLettersAndNothingElse) {
  const std::map<std::string, std::string> large = {{"max.message.bytes", "16000000"}};
  ASSERT_OK(client_.CreateTopic("formats-bad", 1, large));
  ASSERT_OK(client_.CreateTopic("formats-bad.dead-letter", 1, large));
  ASSERT_OK(client_.CreateTopic("formats-bad-out", 1));
  const std::string ten_mb(10 << 20, 'x');
  std::string nested(100'000, '[');
  const std::vector<std::string> bad = {R"({"id":")" + ten_mb + R"("})",
                                        nested,
                                        "{\"id\":1,\"text\":\"\xff\xfe\"}",
                                        R"({"id":99999999999999999999})",
                                        R"({"id":1e400})",
                                        R"({"id":"2013-01-01"})",
                                        R"({"id":{"was":"an object"}})",
                                        std::string(1, '\0')};
  std::vector<KafkaRecord> records = {{.value = R"({"id":1,"text":"first"})"}};
  for (const std::string& value : bad)
    records.push_back({.value = value});
  records.push_back({.value = R"({"id":2,"text":"last","since":"a schema that changed"})"});
  ASSERT_OK(client_.Produce("formats-bad", records));

  Run("formats-bad",
      "CREATE TABLE s (id INT, text STRING) WITH ('connector' = 'kafka', 'topic' =\n"
      "  'formats-bad', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json',\n"
      "  'properties.message.max.bytes' = '16000000');\n"
      "CREATE TABLE t (id INT, text STRING) WITH ('connector' = 'kafka', 'topic' =\n"
      "  'formats-bad-out', 'format' = 'csv');\n"
      "INSERT INTO t SELECT id, text FROM s;\n");

  EXPECT_THAT(ValuesOf("formats-bad-out"), ElementsAre("1,first", "2,last"));
  // What is larger than brokers take by default is cut, and says so. Not compared as a whole:
  // nobody wants to read ten megabytes of a difference.
  constexpr size_t kDeadBytesMax = 900'000;
  ASSERT_OK_AND_ASSIGN(const auto dead, client_.ReadAll("formats-bad.dead-letter"));
  ASSERT_THAT(dead, SizeIs(bad.size()));
  for (size_t i = 0; i < bad.size(); ++i) {
    EXPECT_TRUE(dead[i].value == bad[i].substr(0, kDeadBytesMax)) << i;
    const bool is_cut =
        std::any_of(dead[i].headers.begin(), dead[i].headers.end(), [](const auto& header) {
          return header.first == "slipstream.truncated";
        });
    EXPECT_EQ(is_cut, bad[i].size() > kDeadBytesMax) << i;
  }
}

}  // namespace
}  // namespace slipstream::test_support
