#include "tests/simulation/scheduler.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "proto/dfs_types.pb.h"

#include "tests/simulation/network.h"

namespace slipstream::simulation {
namespace {

using dfs::v1::NodeAddress;

const rpc::CallOptions kCall{.timeout = std::chrono::milliseconds(1'000)};

TEST(SchedulerTest, SleepersWakeInTheOrderOfTime) {
  Trace trace(false);
  Scheduler scheduler(1, trace);
  std::vector<int> woken;

  for (const int delay : {30, 10, 20}) {
    scheduler.Spawn(nullptr, [&scheduler, &woken, delay] {
      (void)scheduler.Sleep(std::chrono::milliseconds(delay));
      woken.push_back(delay);
    });
  }
  scheduler.RunUntil(std::chrono::seconds(1));

  EXPECT_EQ(woken, (std::vector<int>{10, 20, 30}));
  EXPECT_EQ(scheduler.now(), std::chrono::seconds(1));
}

TEST(SchedulerTest, AKilledProcessSleepsNoMoreAndIsCleanedUpOnce) {
  Trace trace(false);
  Scheduler scheduler(1, trace);
  Process process(scheduler, "a", Micros(0));
  bool was_cut_short = false;
  int ended = 0;

  scheduler.Spawn(&process, [&] {
    was_cut_short = !scheduler.Sleep(std::chrono::hours(1));
    EXPECT_FALSE(scheduler.Sleep(std::chrono::hours(1)));
  });
  scheduler.At(std::chrono::seconds(5), [&] { process.Kill([&] { ++ended; }); });
  scheduler.RunUntil(std::chrono::seconds(10));

  EXPECT_TRUE(was_cut_short);
  EXPECT_EQ(ended, 1);
}

TEST(SchedulerTest, AStopEndsASleep) {
  Trace trace(false);
  Scheduler scheduler(1, trace);
  std::stop_source stop;
  Micros woken_at{0};

  scheduler.Spawn(nullptr, [&] {
    EXPECT_FALSE(scheduler.Sleep(std::chrono::hours(1), stop.get_token()));
    woken_at = scheduler.now();
  });
  scheduler.At(std::chrono::seconds(2), [&] { stop.request_stop(); });
  scheduler.RunUntil(std::chrono::seconds(10));

  EXPECT_EQ(woken_at, std::chrono::seconds(2));
}

// Answers every message with itself, after a while.
class Echo final : public Service {
 public:
  explicit Echo(Scheduler& scheduler) : scheduler_(scheduler) {}
  Result<std::string> Handle(ServerCall& call) override {
    std::string message;
    std::string last;
    while (call.Receive(message)) {
      last = message;
      ++received;
      if (call.method() == "/Echo/Stream" && !call.Send(message)) break;
    }
    (void)scheduler_.Sleep(std::chrono::milliseconds(1));
    return last;
  }
  int received = 0;

 private:
  Scheduler& scheduler_;
};

// A server, and a client's transport.
struct World {
  explicit World(uint64_t seed)
      : scheduler(seed, trace),
        network(scheduler, Random(seed)),
        server(scheduler, "server", Micros(0)),
        client(scheduler, "client", Micros(0)),
        echo(scheduler) {
    network.Listen("server:1", server, echo);
    peer = network.TransportOf(client, "client")->Connect("server:1");
  }

  Status Ask(const std::string& text, std::string& answer) const {
    NodeAddress request;
    request.set_node_id(text);
    NodeAddress response;
    Status status = peer->Call("/Echo/Say", request, response, kCall);
    answer = response.node_id();
    return status;
  }

  Trace trace{false};
  Scheduler scheduler;
  Network network;
  Process server;
  Process client;
  Echo echo;
  std::shared_ptr<rpc::Peer> peer;
};

TEST(NetworkTest, CarriesCallsAndStreams) {
  World world(1);
  std::string answer;
  std::string streamed;
  std::vector<std::string> received;

  world.scheduler.Spawn(&world.client, [&] {
    EXPECT_TRUE(world.Ask("hello", answer).ok());
    NodeAddress message;
    NodeAddress response;
    auto up = world.peer->OpenRequestStream("/Echo/Up", response, kCall);
    for (const char* text : {"a", "b", "c"}) {
      message.set_node_id(text);
      EXPECT_TRUE(up->Send(message));
    }
    EXPECT_TRUE(up->Finish().ok());
    streamed = response.node_id();
    auto down = world.peer->OpenResponseStream("/Echo/Stream", message, kCall);
    while (down->Receive(response))
      received.push_back(response.node_id());
    EXPECT_TRUE(down->Finish().ok());
  });
  world.scheduler.RunUntil(std::chrono::seconds(10));

  EXPECT_EQ(answer, "hello");
  EXPECT_EQ(streamed, "c");
  EXPECT_EQ(received, std::vector<std::string>{"c"});
  EXPECT_EQ(world.echo.received, 5);
}

TEST(NetworkTest, WhatIsLostOrCutFailsInTime) {
  World world(2);
  int failures = 0;

  world.network.Cut("server", "client");
  world.scheduler.Spawn(&world.client, [&] {
    for (int i = 0; i < 20; ++i) {
      std::string answer;
      const Status status = world.Ask("x", answer);
      if (status.code() == Code::kUnavailable || status.code() == Code::kDeadlineExceeded) {
        ++failures;
      }
    }
  });
  world.scheduler.RunUntil(std::chrono::seconds(60));

  EXPECT_EQ(failures, 20);
  EXPECT_EQ(world.echo.received, 20);  // only the answers were cut off
}

TEST(NetworkTest, ADuplicateIsCarriedOutTwiceAndAnsweredOnce) {
  World world(3);
  world.network.SetFaults({.duplication_per_mille = 1000});
  std::string answer;

  world.scheduler.Spawn(&world.client, [&] { EXPECT_TRUE(world.Ask("x", answer).ok()); });
  world.scheduler.RunUntil(std::chrono::seconds(60));

  EXPECT_EQ(answer, "x");
  EXPECT_EQ(world.echo.received, 2);
}

TEST(NetworkTest, ADeadServerAnswersNobody) {
  World world(4);
  std::string answer;
  Status status;

  world.scheduler.Spawn(&world.client, [&] { status = world.Ask("x", answer); });
  world.scheduler.At(Micros(900), [&] { world.server.Kill([] {}); });
  world.scheduler.RunUntil(std::chrono::seconds(60));

  EXPECT_FALSE(status.ok());
}

TEST(NetworkTest, TheSameSeedGivesTheSameTrace) {
  std::vector<uint64_t> hashes;

  for (const uint64_t seed : {7U, 7U, 8U}) {
    World world(seed);
    world.network.SetFaults({.loss_per_mille = 200, .duplication_per_mille = 200});
    for (int i = 0; i < 5; ++i) {
      world.scheduler.Spawn(&world.client, [&world] {
        std::string answer;
        for (int j = 0; j < 10; ++j)
          (void)world.Ask("x", answer);
      });
    }
    world.scheduler.RunUntil(std::chrono::seconds(100));
    hashes.push_back(world.trace.hash());
  }

  EXPECT_EQ(hashes[0], hashes[1]);
  EXPECT_NE(hashes[0], hashes[2]);
}

}  // namespace
}  // namespace slipstream::simulation
