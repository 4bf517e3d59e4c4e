#include "common/daemon/admin_server.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>
#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include "common/net/host_port.h"

namespace slipstream::daemon {
namespace {

namespace asio = boost::asio;

class AdminServerTest : public ::testing::Test {
 protected:
  AdminServerTest() {
    prometheus::BuildCounter().Name("test_total").Register(registry_).Add({}).Increment(3);
    server_ = AdminServer::Start({.listen = "127.0.0.1:0",
                                  .registry = &registry_,
                                  .ready = [this] { return ready_; },
                                  .status_json = [] { return std::string("{\"a\":1}"); }})
                  .value();
  }
  // Everything the server says to these bytes.
  std::string Send(const std::string& bytes) {
    asio::io_context context;
    asio::ip::tcp::socket socket(context);
    HostPort address = ParseHostPort(server_->address()).value();
    socket.connect({asio::ip::make_address(address.host), address.port});
    boost::system::error_code error;
    asio::write(socket, asio::buffer(bytes), error);
    std::string answer;
    asio::read(socket, asio::dynamic_buffer(answer), error);
    return answer;
  }
  std::string Get(const std::string& target) {
    return Send("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
  }

  prometheus::Registry registry_;
  Status ready_;
  std::unique_ptr<AdminServer> server_;
};

TEST_F(AdminServerTest, AnswersWhatItIsAsked) {
  EXPECT_NE(Get("/metrics").find("\ntest_total 3"), std::string::npos);
  EXPECT_NE(Get("/metrics").find("\nprocess_resident_memory_bytes "), std::string::npos);
  EXPECT_NE(Get("/livez").find("200 OK"), std::string::npos);
  EXPECT_NE(Get("/status?pretty").find("{\"a\":1}"), std::string::npos);
  EXPECT_NE(Get("/else").find("404 Not Found"), std::string::npos);
}

TEST_F(AdminServerTest, ReadinessSaysWhyNot) {
  EXPECT_NE(Get("/readyz").find("200 OK"), std::string::npos);
  ready_ = Unavailable("draining");
  std::string answer = Get("/readyz");
  EXPECT_NE(answer.find("503"), std::string::npos);
  EXPECT_NE(answer.find("draining"), std::string::npos);
}

TEST_F(AdminServerTest, OtherMethodsGarbageAndLongRequestsAreTurnedAway) {
  EXPECT_NE(Send("DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n").find("405"), std::string::npos);
  EXPECT_EQ(Send("nonsense\r\n\r\n").find("200 OK"), std::string::npos);
  EXPECT_EQ(Get("/" + std::string(20'000, 'x')).find("200 OK"), std::string::npos);
  EXPECT_NE(Send("HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\n").find("Content-Length: 3\r\n\r\n"),
            std::string::npos);
}

TEST_F(AdminServerTest, TakenPortIsAClearError) {
  EXPECT_EQ(AdminServer::Start({.listen = server_->address()}).status().code(), Code::kUnavailable);
  EXPECT_EQ(AdminServer::Start({.listen = "nonsense"}).status().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace slipstream::daemon
