#include "common/daemon/endpoint.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "common/daemon/control_loop.h"
#include "common/daemon/service_manager.h"

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

// A service manager: a socket of its own, and NOTIFY_SOCKET while it lives.
class ServiceManager {
 public:
  explicit ServiceManager(const std::string& name) : socket_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof(address.sun_path) - 1);
    if (name.front() == '@') address.sun_path[0] = '\0';
    EXPECT_EQ(::bind(socket_,
                     reinterpret_cast<const sockaddr*>(&address),
                     static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size())),
              0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~ServiceManager() {
    ::unsetenv("NOTIFY_SOCKET");
    ::close(socket_);
  }
  // What it was told, which is there already.
  std::string Hear() const {
    std::array<char, 1'000> text{};
    const ssize_t length = ::recv(socket_, text.data(), text.size(), MSG_DONTWAIT);
    return length < 0 ? "(nothing)" : std::string(text.data(), static_cast<size_t>(length));
  }

 private:
  const int socket_;
};

TEST(ServiceManagerTest, IsToldThatTheProcessIsReadyAndStops) {
  for (const std::string& name :
       {"@slipstream-" + std::to_string(::getpid()),
        (std::filesystem::temp_directory_path() / ("notify_" + std::to_string(::getpid())))
            .string()}) {
    {
      ServiceManager manager(name);

      ASSERT_TRUE(AnnounceReady("test", {.rpc = "", .admin = "127.0.0.1:2"}, "").ok());
      EXPECT_EQ(manager.Hear(), "READY=1\nSTATUS=listening admin=127.0.0.1:2");

      ControlLoop loop;
      loop.Post([&loop] { loop.Stop(); });
      EXPECT_EQ(manager.Hear(), "(nothing)");
      loop.Run();
      EXPECT_EQ(manager.Hear(), "STOPPING=1");
    }
    std::filesystem::remove(name);
  }
}

TEST(ServiceManagerTest, NoneOrABrokenOneHoldsNobodyUp) {
  EXPECT_TRUE(TellServiceManager("READY=1").ok());
  ::setenv("NOTIFY_SOCKET", "/nothing/here", 1);
  EXPECT_EQ(TellServiceManager("READY=1").code(), Code::kUnavailable);
  ::setenv("NOTIFY_SOCKET", std::string(200, '/').c_str(), 1);
  EXPECT_EQ(TellServiceManager("READY=1").code(), Code::kInvalidArgument);
  EXPECT_TRUE(AnnounceReady("test", {.rpc = "", .admin = "127.0.0.1:2"}, "").ok());
  ::unsetenv("NOTIFY_SOCKET");
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
