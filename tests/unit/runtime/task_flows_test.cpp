#include "processor/runtime/task_flows.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "processor/runtime/job_context.h"
#include "processor/runtime/status_publisher.h"
#include "processor/runtime/worker_status.h"

namespace slipstream::runtime {
namespace {

using Counters = TaskProgram::Counters;

TEST(TaskFlowsTest, WorkersAddUpWhatTheirTasksHaveCounted) {
  Counters sum;
  const Counters one{.inputs = {{"in", {.rows = 2, .bytes = 20}}},
                     .outputs = {{"out", {.rows = 1, .bytes = 5}}},
                     .exchanges = {{.rows = 3, .bytes = 30}}};
  const Counters other{.inputs = {{"in", {.rows = 1, .bytes = 10}}},
                       .outputs = {{"dfs:///x/", {.rows = 7, .bytes = 70}}},
                       .exchanges = {{}, {.rows = 4, .bytes = 40}}};
  Add(sum, one);
  Add(sum, other);
  EXPECT_EQ(sum.inputs["in"].rows, 3U);
  EXPECT_EQ(sum.inputs["in"].bytes, 30U);
  EXPECT_EQ(sum.outputs["out"].bytes, 5U);
  EXPECT_EQ(sum.outputs["dfs:///x/"].rows, 7U);
  ASSERT_EQ(sum.exchanges.size(), 2U);
  EXPECT_EQ(sum.exchanges[0].bytes, 30U);
  EXPECT_EQ(sum.exchanges[1].rows, 4U);
}

TEST(TaskFlowsTest, AStatusSaysThemAndTheSharesOfEachTask) {
  JobContext context;
  context.options.job_name = "job";
  WorkerStatus worker{.slot = "slot"};
  worker.tasks = {{.topic = "in", .partition = 0}, {.topic = "in", .partition = 1}};
  worker.counters.inputs["in"] = {.rows = 2, .bytes = 20};
  worker.counters.exchanges = {{.rows = 3, .bytes = 30}};
  const WorkerRates rates{.tasks = {{.busy = 0.5, .held_back = 0.25}}};
  const auto json = nlohmann::json::parse(WorkerStatusJson(context, worker, rates, WallTime()));
  EXPECT_EQ(json["inputs"]["in"], (nlohmann::json{{"rows", 2}, {"bytes", 20}}));
  EXPECT_EQ(json["outputs"], nlohmann::json::object());
  EXPECT_EQ(json["exchanges"][0]["bytes"], 30);
  EXPECT_EQ(json["tasks"][0]["busy_share"], 0.5);
  EXPECT_EQ(json["tasks"][0]["held_back_share"], 0.25);
  EXPECT_EQ(json["tasks"][1]["busy_share"], 0.0);  // made since the last status
}

}  // namespace
}  // namespace slipstream::runtime
