#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/clock/manual_clock.h"
#include "gateway/api/documents.h"
#include "gateway/api/event_source.h"
#include "gateway/api/handler.h"
#include "gateway/api/state_board.h"
#include "gateway/api/worker_state.h"

namespace slipstream::gateway::api {
namespace {

using nlohmann::json;

std::string StatusOf(const std::string& job, int64_t position, int64_t end) {
  return json{{"version", 1},
              {"job", job},
              {"state", "running"},
              {"at_ms", 1'000},
              {"rows_in", 10},
              {"rows_in_per_second", 2.5},
              {"busy_share", 0.25},
              {"operators", {{{"rows", 3}, {"bytes", 30}}, {{"rows", 4}, {"bytes", 40}}}},
              {"inputs", {{"flights", {{"rows", 10}, {"bytes", 1'000}}}}},
              {"outputs", {{"dfs:///out/", {{"rows", 4}, {"bytes", 300}}}}},
              {"exchanges", {{{"rows", 7}, {"bytes", 70}}}},
              {"tasks",
               {{{"topic", "flights"},
                 {"partition", 3},
                 {"position", position},
                 {"end", end},
                 {"watermark_ms", 77},
                 {"busy_share", 0.5},
                 {"held_back_share", 0.125},
                 {"idle", true}}}},
              {"standbys",
               {{{"topic", "flights"}, {"partition", 4}, {"lag", 2}},
                {{"topic", "flights"}, {"partition", 5}, {"lag", 3}}}}}
      .dump();
}

TEST(WorkerStateTest, IsReadAsWorkersWriteIt) {
  const WorkerState worker = ParseWorkerState("slot-1", StatusOf("j", 40, 100)).value();
  EXPECT_EQ(worker.slot, "slot-1");
  EXPECT_EQ(worker.job, "j");
  EXPECT_EQ(worker.rows_in, 10U);
  EXPECT_EQ(worker.rows_in_per_second, 2.5);
  ASSERT_EQ(worker.tasks.size(), 1U);
  EXPECT_EQ(worker.tasks[0].end, 100);
  EXPECT_EQ(worker.tasks[0].watermark_ms, 77);
  EXPECT_TRUE(worker.tasks[0].is_idle);
  EXPECT_EQ(worker.tasks[0].busy_share, 0.5);
  EXPECT_EQ(worker.tasks[0].held_back_share, 0.125);
  EXPECT_EQ(worker.inputs.at("flights").bytes, 1'000U);
  EXPECT_EQ(worker.outputs.at("dfs:///out/").rows, 4U);
  ASSERT_EQ(worker.exchanges.size(), 1U);
  EXPECT_EQ(worker.exchanges[0].bytes, 70U);
  ASSERT_EQ(worker.standby_lags.size(), 2U);
  EXPECT_EQ(worker.standby_lags[1], 3);
}

TEST(WorkerStateTest, WhatIsNoStatusIsRefusedAndWrongTypesAreAbsent) {
  for (const char* bad : {"", "[]", "7", "{", "{\"version\":2}", "{}", "\xff"})
    EXPECT_EQ(ParseWorkerState("s", bad).status().code(), Code::kDataLoss) << bad;
  const WorkerState odd =
      ParseWorkerState(
          "s",
          R"({"version":1,"job":7,"rows_in":-1,"at_ms":1e300,"tasks":[1,{"end":"x"}],"operators":[{"rows":1},"x"],"inputs":{"t":1,"u":{"bytes":-1}},"outputs":[],"exchanges":[7],"standbys":[7,{"lag":"x"}]})")
          .value();
  EXPECT_EQ(odd.job, "");
  EXPECT_EQ(odd.rows_in, 0U);
  EXPECT_EQ(odd.at_ms, 0);
  EXPECT_TRUE(odd.operators.empty());
  ASSERT_EQ(odd.inputs.size(), 1U);
  EXPECT_EQ(odd.inputs.at("u").bytes, 0U);
  EXPECT_TRUE(odd.outputs.empty());
  EXPECT_TRUE(odd.exchanges.empty());
  ASSERT_EQ(odd.tasks.size(), 1U);
  EXPECT_EQ(odd.tasks[0].end, std::nullopt);
  ASSERT_EQ(odd.standby_lags.size(), 1U);
  EXPECT_EQ(odd.standby_lags[0], std::nullopt);
}

TEST(DocumentsTest, CopiesThatHaveNotCaughtUpHaveNoLag) {
  StateBoard board;
  board.Apply("a", R"({"version":1,"job":"j","standbys":[{"lag":2},{"topic":"t"}]})");
  board.Apply("b", R"({"version":1,"job":"j"})");
  const json workers = json::parse(JobsText(board.workers(), {}, 0))["jobs"][0]["workers"];
  EXPECT_EQ(workers[0]["standbys"], 2);
  EXPECT_FALSE(workers[0].contains("standby_lag_records"));
  EXPECT_EQ(workers[1]["standbys"], 0);
  EXPECT_EQ(workers[1]["standby_lag_records"], 0);
}

TEST(StateBoardTest, ShowsTheLastOfEachWorkerUntilItLeaves) {
  StateBoard board;
  board.Apply("b", StatusOf("j", 1, 2));
  board.Apply("a", StatusOf("j", 1, 2));
  board.Apply("a", StatusOf("k", 1, 2));
  board.Apply("c", "nonsense");
  ASSERT_EQ(board.workers().size(), 2U);
  EXPECT_EQ(board.workers()[0].job, "k");
  board.Apply("a", std::nullopt);
  board.Apply("never there", std::nullopt);
  ASSERT_EQ(board.workers().size(), 1U);
  EXPECT_EQ(board.workers()[0].slot, "b");
}

TEST(StateBoardTest, KnowsWhatJobsAre) {
  StateBoard board;
  const json description = {
      {"version", 1},
      {"kind", "job"},
      {"job", "j"},
      {"sources", {{{"table", "t"}, {"connector", "kafka"}, {"topic", "in"}}}},
      {"sinks", {{{"table", "u"}, {"path", "dfs:///out"}}, 7}},
      {"plan", "Insert"},
      {"sql", "SELECT"}};
  board.Apply("job:j", description.dump());
  for (const char* bad : {"", "[]", "{}", R"({"version":2,"kind":"job"})", R"({"version":1})"})
    board.Apply("job:j", bad);
  board.Apply("a", StatusOf("j", 1, 2));
  const json jobs = json::parse(JobsText(board.workers(), board.descriptions(), 0))["jobs"];
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(jobs[0]["sources"][0]["topic"], "in");
  EXPECT_EQ(jobs[0]["sinks"][0]["path"], "dfs:///out");
  EXPECT_EQ(jobs[0]["sinks"].size(), 1U);
  ASSERT_TRUE(board.description("j").has_value());
  EXPECT_EQ(json::parse(JobText(*board.description("j")))["plan"], "Insert");
  board.Apply("job:j", std::nullopt);
  EXPECT_FALSE(board.description("j").has_value());
}

TEST(DocumentsTest, JobsAddUpTheirWorkers) {
  StateBoard board;
  board.Apply("a", StatusOf("j", 40, 100));
  board.Apply("b", StatusOf("j", 90, 100));
  board.Apply("c", StatusOf("k", 100, 90));  // the end is older than the position
  const json jobs = json::parse(JobsText(board.workers(), {}, 3'500))["jobs"];
  ASSERT_EQ(jobs.size(), 2U);
  EXPECT_EQ(jobs[0]["job"], "j");
  EXPECT_EQ(jobs[0]["lag_records"], 70);
  EXPECT_EQ(jobs[0]["rows_in"], 20);
  EXPECT_EQ(jobs[0]["rows_in_per_second"], 5.0);
  EXPECT_EQ(jobs[0]["operators"], json::parse(R"([{"rows":6,"bytes":60},{"rows":8,"bytes":80}])"));
  EXPECT_EQ(jobs[0]["inputs"]["flights"], (json{{"rows", 20}, {"bytes", 2'000}}));
  EXPECT_EQ(jobs[0]["outputs"]["dfs:///out/"], (json{{"rows", 8}, {"bytes", 600}}));
  EXPECT_EQ(jobs[0]["exchanges"], json::array({json{{"rows", 14}, {"bytes", 140}}}));
  EXPECT_EQ(jobs[0]["workers"][0]["busy_share"], 0.25);
  EXPECT_EQ(jobs[0]["workers"][0]["silent_ms"], 2'500);
  EXPECT_EQ(jobs[0]["workers"][0]["standbys"], 2);
  EXPECT_EQ(jobs[0]["workers"][0]["standby_lag_records"], 5);
  EXPECT_EQ(jobs[1]["lag_records"], 0);
  const json tasks = json::parse(TasksText(board.workers()))["tasks"];
  ASSERT_EQ(tasks.size(), 3U);
  EXPECT_EQ(tasks[1]["lag_records"], 10);
  EXPECT_EQ(tasks[1]["busy_share"], 0.5);
  EXPECT_EQ(tasks[1]["held_back_share"], 0.125);
  const std::vector<TopicState> topics = {{"flights", 4}, {"quiet", 1}};
  const json shown = json::parse(TopicsText(topics, board.workers()))["topics"];
  EXPECT_EQ(shown[0]["lag_records_by_job"], (json{{"j", 70}, {"k", 0}}));
  EXPECT_EQ(shown[1]["lag_records_by_job"], json::object());
}

TEST(DocumentsTest, ClusterCountsNodesByStateAndSpaceOfThoseAlive) {
  dfs::ClusterState state;
  state.nodes.push_back({.state = dfs::NodeState::kLive, .capacity_bytes = 100, .free_bytes = 60});
  state.nodes.push_back({.state = dfs::NodeState::kDead, .capacity_bytes = 50, .free_bytes = 50});
  state.missing_blocks = 3;
  const json cluster = json::parse(ClusterText(state, 12));
  EXPECT_EQ(cluster["datanodes"], (json{{"live", 1}, {"stale", 0}, {"dead", 1}}));
  EXPECT_EQ(cluster["capacity_bytes"], 100);
  EXPECT_EQ(cluster["free_bytes"], 60);
  EXPECT_EQ(cluster["missing_blocks"], 3);
  EXPECT_EQ(cluster["age_ms"], 12);
}

class ApiHandlerTest : public ::testing::Test {
 protected:
  std::string asked_as_;
  // Nobody listens on that port, and it is not waited for.
  UserClients clients_{[this](const std::string& user) {
    asked_as_ = user;
    return dfs::DfsClient::Connect({.master = "127.0.0.1:1",
                                    .timeout = std::chrono::milliseconds(1),
                                    .user = user,
                                    .threads_max = 0,
                                    .on_notice = [](const std::string&) {}});
  }};
  StateBoard board_;
  ManualClock clock_;
  charts::ChartFeed charts_{"/nowhere", nullptr, clock_};
  Handler handler_{
      {.board = board_,
       .clients = clients_,
       .static_user = "eve",
       .clock = clock_,
       .list_topics = [] { return Unavailable("no broker"); },
       .charts = charts_,
       .newest_records = [](const std::string&, size_t) { return Unavailable("no broker"); }}};

  http::Response Get(const std::string& path, const std::string& query = "") {
    http::Answer answer = handler_.Handle({.method = "GET", .path = path, .query = query});
    if (auto* deferred = std::get_if<http::Deferred>(&answer)) return deferred->work();
    return std::move(std::get<http::Response>(answer));
  }
};

TEST_F(ApiHandlerTest, ServesEveryPathThatIsDescribed) {
  const json description = json::parse(OpenApiText());
  ASSERT_GE(description["paths"].size(), 9U);
  for (const auto& [path, operations] : description["paths"].items()) {
    const std::string query = path == "/records" ? "topic=t" : "";
    const http::Response response = Get("/api/v1" + path, query);
    const bool is_known = response.code == 200 || response.code == 503;
    EXPECT_TRUE(is_known || path == "/chart") << path << response.code;
    EXPECT_TRUE(operations["get"]["responses"].contains(std::to_string(response.code))) << path;
  }
}

TEST_F(ApiHandlerTest, AsksTheFileSystemAsWhoAsks) {
  EXPECT_EQ(Get("/api/v1/files", "path=/a").code, 503);
  EXPECT_EQ(asked_as_, "eve");
  EXPECT_EQ(Get("/api/v1/files", "path=/a&user.name=ann").code, 503);
  EXPECT_EQ(asked_as_, "ann");
  EXPECT_EQ(Get("/api/v1/blocks", "path=/a&User.Name=bob").code, 503);
  EXPECT_EQ(asked_as_, "bob");
  EXPECT_EQ(Get("/api/v1/files", "path=/a&user.name=a/b").code, 400);
}

TEST_F(ApiHandlerTest, SaysWhatIsWrong) {
  EXPECT_EQ(Get("/api/v1/nothing").code, 404);
  EXPECT_EQ(Get("/api/v2/cluster").code, 404);
  EXPECT_EQ(Get("/api/v1/cluster").code, 503);
  EXPECT_EQ(Get("/api/v1/files", "path=a").code, 400);
  EXPECT_EQ(Get("/api/v1/files", "limit=0").code, 400);
  EXPECT_EQ(Get("/api/v1/files", "path=/../x").code, 400);
  EXPECT_EQ(Get("/api/v1/records").code, 400);
  EXPECT_EQ(Get("/api/v1/records", "topic=t&limit=201").code, 400);
  EXPECT_EQ(Get("/api/v1/chart", "chart=none").code, 404);
  EXPECT_EQ(Get("/api/v1/chart", "chart=c&last_ms=-1").code, 400);
  board_.SetJobsHealth({});
  EXPECT_EQ(Get("/api/v1/job", "job=none").code, 404);
  board_.SetJobsHealth(Unavailable("no broker"));
  const http::Answer put = handler_.Handle({.method = "PUT", .path = "/api/v1/cluster"});
  EXPECT_EQ(std::get<http::Response>(put).code, 405);
  EXPECT_EQ(json::parse(Get("/api/v1/jobs").body)["error"]["code"], "unavailable");
}

TEST_F(ApiHandlerTest, EventsHoldWhatIsKnown) {
  EventSource events(board_, clock_);
  EXPECT_EQ(events.Next().value(), ": nothing is known yet\n\n");
  board_.SetCluster({}, clock_.Now());
  board_.SetJobsHealth({});
  const std::string text = events.Next().value();
  EXPECT_TRUE(text.starts_with("event: cluster\ndata: {\"age_ms\":0,")) << text;
  EXPECT_NE(text.find("\n\nevent: datanodes\ndata: {"), std::string::npos);
  EXPECT_TRUE(
      text.ends_with("event: jobs\ndata: {\"jobs\":[]}\n\n"
                     "event: tasks\ndata: {\"tasks\":[]}\n\n"))
      << text;
}

}  // namespace
}  // namespace slipstream::gateway::api
