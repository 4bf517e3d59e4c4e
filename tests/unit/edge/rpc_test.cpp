#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "common/rpc/channel.h"
#include "common/rpc/retry.h"
#include "common/rpc/server.h"
#include "common/rpc/status_map.h"

namespace slipstream::rpc {
namespace {

using std::chrono::milliseconds;

const RetryOptions kQuick{.backoff = {.initial = milliseconds(1), .max = milliseconds(2)},
                          .timeout = milliseconds(60'000)};

TEST(StatusMapTest, CodeAndMessageGoThereAndBack) {
  for (int number = 1; number <= 16; ++number) {
    Status status(static_cast<Code>(number), "why");
    EXPECT_EQ(FromGrpc(ToGrpc(status)), status);
  }
  EXPECT_TRUE(FromGrpc(ToGrpc({})).ok());
}

TEST(RetryTest, OnlyUnavailableIsTriedAgain) {
  int attempts = 0;
  auto fail_twice = [&](milliseconds) {
    return ++attempts < 3 ? Unavailable("not yet") : Status();
  };
  EXPECT_TRUE(Retry(kQuick, fail_twice).ok());
  EXPECT_EQ(attempts, 3);

  attempts = 0;
  auto abort = [&](milliseconds) {
    ++attempts;
    return Aborted("no");
  };
  EXPECT_EQ(Retry(kQuick, abort).code(), Code::kAborted);
  EXPECT_EQ(attempts, 1);
}

TEST(RetryTest, AttemptThatTimedOutIsTriedAgainWhileThereIsTime) {
  int attempts = 0;
  auto time_out_once = [&](milliseconds allowed) {
    EXPECT_LE(allowed, kQuick.attempt_timeout_max);
    return ++attempts == 1 ? DeadlineExceeded("slow") : Status();
  };

  EXPECT_TRUE(Retry(kQuick, time_out_once).ok());
}

TEST(RetryTest, EndsWithTheLastErrorOrWhenStopped) {
  RetryOptions options = kQuick;
  options.timeout = milliseconds(5);
  EXPECT_EQ(Retry(options, [](milliseconds) { return Unavailable("x"); }).code(),
            Code::kUnavailable);

  std::stop_source stop;
  options = kQuick;
  options.backoff = {.initial = milliseconds(60'000), .max = milliseconds(60'000)};
  options.timeout = milliseconds(600'000);
  options.stop = stop.get_token();
  options.on_retry = [&](const Status&) { stop.request_stop(); };
  EXPECT_EQ(Retry(options, [](milliseconds) { return Unavailable("x"); }).code(), Code::kCancelled);
}

TEST(BackoffTest, GrowsToItsMaximumWithinItsUpperHalf) {
  Backoff backoff({.initial = milliseconds(10), .max = milliseconds(40)}, 1);
  for (int upper : {10, 20, 40, 40}) {
    milliseconds pause = backoff.Next();
    EXPECT_GE(pause.count(), upper / 2);
    EXPECT_LE(pause.count(), upper);
  }
}

TEST(ServerTest, PortInUseAndBadAddressAreErrors) {
  auto server = Server::Start({.listen = "127.0.0.1:0"}, {}).value();
  EXPECT_NE(server->port(), 0);
  EXPECT_EQ(server->address(), "127.0.0.1:" + std::to_string(server->port()));

  EXPECT_EQ(Server::Start({.listen = server->address()}, {}).status().code(), Code::kUnavailable);
  EXPECT_EQ(Server::Start({.listen = "nonsense"}, {}).status().code(), Code::kInvalidArgument);
}

TEST(ChannelTest, APeerThatIsBackIsFoundWithoutWaitingForTheNextAttempt) {
  auto server = Server::Start({.listen = "127.0.0.1:0"}, {}).value();
  const std::string address = server->address();
  // An hour between attempts.
  auto channel = MakeChannel(address,
                             {.reconnect_backoff_min = milliseconds(3'600'000),
                              .reconnect_backoff_max = milliseconds(3'600'000)});
  const auto after = [](int seconds) {
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(seconds, GPR_TIMESPAN));
  };
  ASSERT_TRUE(channel->WaitForConnected(after(10)));
  server->Shutdown(milliseconds(0));
  server.reset();
  grpc_connectivity_state state = channel->GetState(/*try_to_connect=*/true);
  while (state != GRPC_CHANNEL_TRANSIENT_FAILURE) {
    ASSERT_TRUE(channel->WaitForStateChange(state, after(10)));
    state = channel->GetState(/*try_to_connect=*/true);
  }

  server = Server::Start({.listen = address}, {}).value();
  AwaitReconnect(*channel, milliseconds(10'000));

  EXPECT_EQ(channel->GetState(/*try_to_connect=*/false), GRPC_CHANNEL_READY);
}

TEST(ServerTest, ChannelConnectsAndShutdownIsIdempotent) {
  auto server = Server::Start({.listen = "127.0.0.1:0"}, {}).value();
  auto channel = MakeChannel(server->address());
  grpc::ClientContext context;
  SetTimeout(context, milliseconds(10'000));

  EXPECT_TRUE(channel->WaitForConnected(context.raw_deadline()));

  server->SetServing(true);
  server->Shutdown(milliseconds(0));
  server->Shutdown(milliseconds(0));
}

}  // namespace
}  // namespace slipstream::rpc
