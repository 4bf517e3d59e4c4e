#include "common/daemon/endpoint.h"

#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "common/daemon/control_loop.h"

namespace slipstream::daemon {
namespace {

TEST(EndpointTest, TheFileHoldsTheLineAndNothingIsLeftBeside) {
  auto directory =
      std::filesystem::temp_directory_path() / ("endpoint_test_" + std::to_string(::getpid()));
  std::filesystem::create_directory(directory);
  Endpoint endpoint{.rpc = "127.0.0.1:1", .admin = "127.0.0.1:2"};

  ASSERT_TRUE(AnnounceReady("test", endpoint, directory / "endpoint").ok());

  std::string line;
  std::getline(std::ifstream(directory / "endpoint"), line);
  EXPECT_EQ(line, "listening rpc=127.0.0.1:1 admin=127.0.0.1:2");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory), {}), 1);
  EXPECT_EQ(AnnounceReady("test", endpoint, "/nothing/endpoint").code(), Code::kNotFound);
  std::filesystem::remove_all(directory);
}

TEST(ControlLoopTest, ASignalOrStopEndsIt) {
  {
    ControlLoop loop;
    loop.Post([] { ::raise(SIGTERM); });
    EXPECT_EQ(loop.Run(), SIGTERM);
  }
  ControlLoop loop;
  int runs = 0;
  loop.Every(std::chrono::milliseconds(1), [&] {
    if (++runs == 3) loop.Stop();
  });
  EXPECT_EQ(loop.Run(), 0);
  EXPECT_EQ(runs, 3);
}

}  // namespace
}  // namespace slipstream::daemon
