#include "processor/app/job_description.h"

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "processor/planner/planner.h"

namespace slipstream::processor {
namespace {

constexpr char kJob[] = R"sql(
SET 'properties.sasl.password' = 'open sesame';
CREATE TABLE s (id INT) WITH ('connector' = 'kafka', 'topic' = 'in', 'format' = 'json',
  'properties.bootstrap.servers' = 'h:1', 'properties.sasl.jaas.config' = 'it''s me');
CREATE TABLE t (id INT) WITH ('connector' = 'filesystem', 'path' = 'dfs:///out', 'format' = 'json');
INSERT INTO t SELECT id FROM s WHERE id > 1;
)sql";

TEST(JobDescriptionTest, SaysWhereRowsComeFromAndGo) {
  sql::Planner planner({});
  const sql::JobPlan plan = planner.Plan("job.sql", kJob).value();
  const auto json = nlohmann::json::parse(DescribeJob(plan, "j", kJob));
  EXPECT_EQ(json["job"], "j");
  EXPECT_EQ(json["sources"],
            nlohmann::json::parse(R"([{"table":"s","connector":"kafka","topic":"in"}])"));
  EXPECT_EQ(
      json["sinks"],
      nlohmann::json::parse(R"([{"table":"t","connector":"filesystem","path":"dfs:///out"}])"));
  EXPECT_NE(json["plan"].get<std::string>().find("Scan s"), std::string::npos);
  const auto shown = json["sql"].get<std::string>();
  EXPECT_NE(shown.find("INSERT INTO t"), std::string::npos);
  EXPECT_EQ(shown.find("sesame"), std::string::npos);
  EXPECT_EQ(shown.find("s me"), std::string::npos);
}

TEST(JobDescriptionTest, SecretsAreKnownByTheirNames) {
  EXPECT_EQ(WithoutSecrets("'ssl.key.Password'='x', 'topic' = 'password'"),
            "'ssl.key.Password'='***', 'topic' = 'password'");
  EXPECT_EQ(WithoutSecrets("'auth.token' = 'a''b'"), "'auth.token' = '***'");
  EXPECT_EQ(WithoutSecrets("'avro-confluent.basic-auth.user-info' = 'ann:pw'"),
            "'avro-confluent.basic-auth.user-info' = '***'");
}

TEST(JobDescriptionTest, ALongTextIsCut) {
  const auto json = nlohmann::json::parse(DescribeJob({}, "j", std::string(1 << 20, 'x')));
  EXPECT_LT(json["sql"].get<std::string>().size(), 200'000U);
}

}  // namespace
}  // namespace slipstream::processor
