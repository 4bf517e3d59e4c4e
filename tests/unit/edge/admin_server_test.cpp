#include "common/daemon/admin_server.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>
#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include "common/log/log.h"
#include "common/net/host_port.h"

namespace slipstream::daemon {
namespace {

namespace asio = boost::asio;

class AdminServerTest : public ::testing::Test {
 protected:
  AdminServerTest() {
    prometheus::BuildCounter().Name("test_total").Register(registry_).Add({}).Increment(3);
    server_ = AdminServer::Start({.listen = "127.0.0.1:0",
                                  .daemon = "tester",
                                  .registry = &registry_,
                                  .ready = {{.name = "serving", .check = [this] { return ready_; }},
                                            {.name = "disk", .check = [] { return Status(); }}},
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
  std::string Put(const std::string& level, const std::string& header = "") {
    return Send("PUT /loglevel HTTP/1.1\r\nHost: x\r\n" + header +
                "Content-Length: " + std::to_string(level.size()) + "\r\n\r\n" + level);
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

TEST_F(AdminServerTest, VerboseReadinessNamesEveryCheck) {
  EXPECT_NE(Get("/readyz?verbose").find("\r\n\r\n[+]serving ok\n[+]disk ok\nready\n"),
            std::string::npos);
  ready_ = Unavailable("draining");
  const std::string answer = Get("/readyz?verbose");
  EXPECT_NE(answer.find("503"), std::string::npos);
  EXPECT_NE(answer.find("\r\n\r\n[-]serving draining\n[+]disk ok\nnot ready\n"), std::string::npos);
}

TEST_F(AdminServerTest, MetricsSayWhatRuns) {
  EXPECT_NE(Get("/metrics").find("slipstream_build_info{daemon=\"tester\",version=\""),
            std::string::npos);
  EXPECT_NE(Get("/metrics").find("\nprocess_start_time_seconds "), std::string::npos);
}

TEST_F(AdminServerTest, LevelsAreShownAndChanged) {
  const auto logger = log::Get("admin_test.one");
  EXPECT_NE(Get("/loglevel").find("\nadmin_test.one=info\n"), std::string::npos);

  EXPECT_NE(Put("admin_test=debug\n").find("\nadmin_test.one=debug\n"), std::string::npos);
  EXPECT_EQ(logger->level(), spdlog::level::debug);
  EXPECT_NE(Put("info").find("200 OK"), std::string::npos);
  EXPECT_EQ(logger->level(), spdlog::level::info);
}

TEST_F(AdminServerTest, LevelsAreChangedByNobodyElse) {
  EXPECT_NE(Put("debug", "Origin: http://127.0.0.1\r\n").find("403"), std::string::npos);
  EXPECT_NE(Put("debug", "Sec-Fetch-Site: same-origin\r\n").find("403"), std::string::npos);
  for (const char* wrong : {"", "loud", "=debug", "nobody=debug", "admin=loud"})
    EXPECT_NE(Put(wrong).find("400"), std::string::npos) << wrong;
  EXPECT_EQ(log::Get("admin_test.two")->level(), spdlog::level::info);
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
