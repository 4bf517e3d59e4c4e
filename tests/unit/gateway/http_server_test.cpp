#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include "common/net/host_port.h"
#include "common/sync/mutex.h"
#include "gateway/http/server.h"
#include "tests/support/certificates.h"
#include "tests/support/temp_dir.h"

namespace slipstream::gateway::http {
namespace {

using std::chrono::milliseconds;

// A connection as a client has it.
class Client final {
 public:
  explicit Client(const std::string& address) {
    const HostPort to = ParseHostPort(address).value();
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(to.port);
    inet_pton(AF_INET, to.host.c_str(), &name.sin_addr);
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    is_connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&name), sizeof(name)) == 0;
  }
  ~Client() { Close(); }
  Client(Client&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), is_connected_(other.is_connected_) {}
  Client(const Client&) = delete;

  void Close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  void Send(const std::string& bytes) const {
    ASSERT_EQ(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // What comes until the answer is complete by `end`, or the other side closes; "" after 10 s.
  std::string ReceiveUntil(const std::string& end) const {
    std::string all;
    while (all.find(end) == std::string::npos) {
      pollfd waiting{.fd = socket_, .events = POLLIN, .revents = 0};
      if (::poll(&waiting, 1, 10'000) != 1) return "";
      char bytes[4'096];
      const ssize_t count = ::recv(socket_, bytes, sizeof(bytes), 0);
      if (count <= 0) return all;
      all.append(bytes, static_cast<size_t>(count));
    }
    return all;
  }
  // Everything to the end of the connection.
  std::string ReceiveAll() const { return ReceiveUntil("\1\2\3 never sent"); }
  bool is_connected() const { return is_connected_; }

 private:
  int socket_ = -1;
  bool is_connected_ = false;
};

// Gives the chunks, then the end or an error.
class Chunks final : public BodySource {
 public:
  Chunks(std::vector<std::string> chunks, Status end)
      : chunks_(std::move(chunks)), end_(std::move(end)) {}
  Result<std::string> Next() override {
    if (next_ < chunks_.size()) return chunks_[next_++];
    if (!end_.ok()) return end_;
    return std::string();
  }

 private:
  const std::vector<std::string> chunks_;
  const Status end_;
  size_t next_ = 0;
};

// Goes on for ever.
class Ticks final : public BodySource {
 public:
  Result<std::string> Next() override { return "tick " + std::to_string(++count_) + "\n"; }

 private:
  int count_ = 0;
};

// What became of uploads.
struct Uploads {
  std::atomic<int> finished = 0;
  std::atomic<int> dropped = 0;
  std::atomic<uint64_t> bytes = 0;
};

class CountingSink final : public BodySink {
 public:
  explicit CountingSink(Uploads& uploads) : uploads_(uploads) {}
  ~CountingSink() override {
    if (!is_finished_) ++uploads_.dropped;
  }
  std::optional<Response> Write(std::string_view bytes) override {
    text_ += bytes;
    uploads_.bytes += bytes.size();
    if (text_.find("refuse me") != std::string::npos) return Response{.code = 403, .body = "no\n"};
    return std::nullopt;
  }
  Response Finish() override {
    is_finished_ = true;
    ++uploads_.finished;
    return {.code = 201, .body = "got " + std::to_string(text_.size()) + "\n"};
  }

 private:
  Uploads& uploads_;
  std::string text_;
  bool is_finished_ = false;
};

class TestHandler final : public Handler {
 public:
  Answer Handle(const Request& request) override {
    if (request.path == "/chunks") {
      return Response{
          .source = std::make_unique<Chunks>(std::vector<std::string>{"one", "two"}, Status())};
    }
    if (request.path == "/known") {
      return Response{
          .source = std::make_unique<Chunks>(std::vector<std::string>{"one", "two"}, Status()),
          .source_bytes = 6};
    }
    if (request.path == "/breaks") {
      return Response{.source = std::make_unique<Chunks>(std::vector<std::string>{"one"},
                                                         DataLoss("bad block")),
                      .source_bytes = 6};
    }
    if (request.path == "/ticks") {
      return Response{.source = std::make_unique<Ticks>(), .source_period = milliseconds(1)};
    }
    if (request.path == "/upload" || request.path == "/large") {
      return Upload{.sink = std::make_unique<CountingSink>(uploads),
                    .memory_bytes = request.path == "/large" ? 1'000U : 1U};
    }
    if (request.path == "/later") {
      return Deferred{[] { return Response{.body = "later\n"}; }};
    }
    return Response{.content_type = "text/plain",
                    .headers = {{"X-Query", request.query}},
                    .body = request.method + " " + request.path + "\n"};
  }
  Response Overloaded(const Request&) override { return {.code = 503, .body = "busy\n"}; }

  Uploads uploads;
};

class HttpServerTest : public ::testing::Test {
 protected:
  void StartServer(const Limits& limits = {}, const std::string& tls_dir = "") {
    server_ = Server::Start({.listen = "127.0.0.1:0",
                             .tls_dir = tls_dir,
                             .limits = limits,
                             .quick_threads = 2,
                             .slow_threads = 2},
                            handler_,
                            metrics_)
                  .value();
  }
  Client Connect() const { return Client(server_->address()); }
  // The whole answer to a request behind which the connection ends.
  std::string Ask(const std::string& request) const {
    const Client client = Connect();
    client.Send(request);
    return client.ReceiveAll();
  }
  static std::string Get(const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  static std::string LastGet(const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  }
  // Waits until it holds; no time is hoped to be enough.
  template <class Predicate>
  static bool Until(Predicate predicate) {
    for (int i = 0; i < 1'000 && !predicate(); ++i)
      (void)::poll(nullptr, 0, 10);
    return predicate();
  }

  prometheus::Registry registry_;
  Metrics metrics_{registry_};
  TestHandler handler_;
  std::unique_ptr<Server> server_;
};

TEST_F(HttpServerTest, AnswersRequestsOfOneConnectionInOrder) {
  StartServer();
  const Client client = Connect();
  client.Send(Get("/a?x=1") + Get("/b") + LastGet("/later"));
  const std::string answers = client.ReceiveAll();
  EXPECT_NE(answers.find("X-Query: x=1\r\n"), std::string::npos) << answers;
  const size_t first = answers.find("GET /a\n");
  const size_t second = answers.find("GET /b\n");
  const size_t third = answers.find("later\n");
  ASSERT_NE(third, std::string::npos) << answers;
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_TRUE(Until([&] { return metrics_.connections.Value() == 0; }));
  EXPECT_EQ(metrics_.answers_good.Value(), 3);
}

TEST_F(HttpServerTest, StreamsBodies) {
  StartServer();
  EXPECT_NE(Ask(LastGet("/chunks")).find("3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"), std::string::npos);
  const std::string known = Ask(LastGet("/known"));
  EXPECT_NE(known.find("Content-Length: 6\r\n"), std::string::npos) << known;
  EXPECT_TRUE(known.ends_with("\r\n\r\nonetwo")) << known;
  // A client of HTTP/1.0 knows no chunks.
  const std::string old = Ask("GET /chunks HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(old.ends_with("\r\n\r\nonetwo")) << old;
}

TEST_F(HttpServerTest, AnErrorInTheMiddleBreaksTheConnectionOff) {
  StartServer();
  const std::string answer = Ask(Get("/breaks"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\none")) << answer;
}

TEST_F(HttpServerTest, TakesUploadsWithAndWithoutLength) {
  StartServer();
  const Client client = Connect();
  const std::string large(300'000, 'x');
  client.Send("PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n" + large);
  EXPECT_NE(client.ReceiveUntil("got ").find("201 Created"), std::string::npos);
  EXPECT_EQ(handler_.uploads.bytes, 300'000U);
  client.Send(
      "PUT /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
      "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_TRUE(client.ReceiveAll().ends_with("got 5\n"));
  EXPECT_EQ(handler_.uploads.finished, 2);
  EXPECT_EQ(handler_.uploads.dropped, 0);
}

TEST_F(HttpServerTest, AsksForTheBodyWhereTheClientWaitsForThat) {
  StartServer();
  const Client client = Connect();
  client.Send(
      "PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.ReceiveUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("abc");
  EXPECT_NE(client.ReceiveUntil("got 3").find("201 Created"), std::string::npos);
}

TEST_F(HttpServerTest, AnUploadBrokenOffIsNotFinished) {
  StartServer();
  Client client = Connect();
  client.Send("PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  client.Close();
  EXPECT_TRUE(Until([&] { return handler_.uploads.dropped == 1; }));
  EXPECT_EQ(handler_.uploads.finished, 0);
}

TEST_F(HttpServerTest, ARefusalReachesAClientThatIsStillSending) {
  StartServer();
  const Client client = Connect();
  client.Send("PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\nrefuse me" +
              std::string(100'000, 'x'));
  const std::string answer = client.ReceiveUntil("no\n");
  EXPECT_NE(answer.find("403 Forbidden"), std::string::npos) << answer;
  EXPECT_NE(answer.find("Connection: close"), std::string::npos) << answer;
}

TEST_F(HttpServerTest, WhatIsNotHttpIsRefused) {
  StartServer();
  EXPECT_NE(Ask("nonsense\r\n\r\n").find(" 400 "), std::string::npos);
  EXPECT_NE(Ask("GET /a HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n").find(" 400 "),
            std::string::npos);
  EXPECT_NE(
      Ask("GET /a HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
          .find(" 400 "),
      std::string::npos);
  EXPECT_NE(Ask("GET /" + std::string(100'000, 'a') + " HTTP/1.1\r\n\r\n").find(" 431 "),
            std::string::npos);
}

TEST_F(HttpServerTest, SlowClientsAreClosed) {
  StartServer({.idle_timeout = milliseconds(50),
               .head_timeout = milliseconds(50),
               .receive_timeout = milliseconds(50)});
  EXPECT_EQ(Connect().ReceiveAll(), "");
  EXPECT_EQ(Ask("GET /a HT"), "");
  EXPECT_EQ(Ask("PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"), "");
  EXPECT_TRUE(Until([&] { return handler_.uploads.dropped == 1; }));
  EXPECT_EQ(metrics_.timeouts.Value(), 2);
}

// What is said inside TLS is tested with real clients; this is of those who get no further.
class HttpsServerTest : public HttpServerTest {
 protected:
  void SetUp() override { ASSERT_EQ(certificates_.Make({"node"}), Status()); }

  const test_support::TempDir dir_{"https"};
  const test_support::Certificates certificates_{dir_.path()};
};

TEST_F(HttpsServerTest, WhoNeverFinishesTheHandshakeIsClosed) {
  StartServer({.head_timeout = milliseconds(50)}, certificates_.DirOf("node"));
  const Client silent = Connect();
  EXPECT_EQ(silent.ReceiveAll(), "");
  EXPECT_TRUE(Until([&] { return metrics_.connections.Value() == 0; }));
  EXPECT_EQ(metrics_.timeouts.Value(), 1);
}

TEST_F(HttpsServerTest, PlainHttpGetsNoAnswer) {
  StartServer({}, certificates_.DirOf("node"));
  EXPECT_EQ(Ask(LastGet("/a")).find("HTTP/1.1"), std::string::npos);
  EXPECT_TRUE(Until([&] { return metrics_.connections.Value() == 0; }));
}

TEST_F(HttpsServerTest, AHandshakeUnderWayDoesNotKeepTheServerFromStopping) {
  StartServer({}, certificates_.DirOf("node"));
  const Client silent = Connect();
  ASSERT_TRUE(Until([&] { return metrics_.connections.Value() == 1; }));
  server_->Stop(std::chrono::hours(1));
  EXPECT_EQ(silent.ReceiveAll(), "");
}

TEST_F(HttpServerTest, ConnectionsPastTheLimitAreClosedAtOnce) {
  StartServer({.connections_max = 2});
  std::vector<Client> held;
  held.push_back(Connect());
  held.push_back(Connect());
  for (const Client& client : held) {
    client.Send(Get("/a"));
    ASSERT_NE(client.ReceiveUntil("GET /a\n"), "");
  }
  EXPECT_EQ(Connect().ReceiveAll(), "");
  EXPECT_EQ(metrics_.refused.Value(), 1);
  held.pop_back();
  EXPECT_TRUE(Until([&] { return Ask(LastGet("/a")) != ""; }));
}

TEST_F(HttpServerTest, UploadsWaitForMemoryAndAreRefusedInTheEnd) {
  StartServer({.memory_bytes_max = 1'000, .memory_wait_timeout = milliseconds(200)});
  const std::string head = "PUT /large HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n";
  Client first = Connect();
  first.Send(head + "a");
  ASSERT_TRUE(Until(
      [&] { return handler_.uploads.bytes == 0 && metrics_.reserved_bytes.Value() == 1'000; }));

  EXPECT_NE(Ask(head + "abc").find("503"), std::string::npos);
  EXPECT_EQ(metrics_.overloads.Value(), 1);

  const Client third = Connect();
  third.Send(head + "abc");
  first.Send("bc");
  EXPECT_NE(first.ReceiveUntil("got 3"), "");
  EXPECT_NE(third.ReceiveUntil("got 3").find("201"), std::string::npos);
}

TEST_F(HttpServerTest, StopsWhenRequestsInHandHaveEnded) {
  StartServer();
  const Client idle = Connect();
  const Client busy = Connect();
  busy.Send("PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na");
  ASSERT_TRUE(Until([&] { return metrics_.busy_connections.Value() == 1; }));
  std::jthread stopping([&] { server_->Stop(std::chrono::seconds(30)); });
  EXPECT_EQ(idle.ReceiveAll(), "");
  busy.Send("bc");
  const std::string answer = busy.ReceiveAll();
  EXPECT_NE(answer.find("201 Created"), std::string::npos) << answer;
  EXPECT_NE(answer.find("Connection: close"), std::string::npos) << answer;
}

TEST_F(HttpServerTest, StopsWhileRequestsWaitForMemory) {
  StartServer({.memory_bytes_max = 1'000});
  const std::string head = "PUT /large HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n";
  std::vector<Client> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(Connect());
    clients.back().Send(head + "a");
  }
  ASSERT_TRUE(Until([&] { return metrics_.busy_connections.Value() == 3; }));
  server_->Stop(milliseconds(20));
  server_.reset();
  EXPECT_EQ(handler_.uploads.finished, 0);
  EXPECT_EQ(metrics_.connections.Value(), 0);
}

TEST_F(HttpServerTest, WhatGoesOnForEverEndsWithTheServer) {
  StartServer();
  const Client client = Connect();
  client.Send(Get("/ticks"));
  EXPECT_NE(client.ReceiveUntil("tick 20\n").find("tick 19\n"), std::string::npos);
  server_->Stop(std::chrono::hours(1));
  EXPECT_FALSE(client.ReceiveAll().ends_with("0\r\n\r\n"));
}

TEST_F(HttpServerTest, BreaksOffWhatDoesNotEndInTime) {
  StartServer();
  const Client busy = Connect();
  busy.Send("PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na");
  ASSERT_TRUE(Until([&] { return metrics_.busy_connections.Value() == 1; }));
  server_->Stop(milliseconds(20));
  server_.reset();
  EXPECT_EQ(busy.ReceiveAll(), "");
  EXPECT_EQ(handler_.uploads.dropped, 1);
}

}  // namespace
}  // namespace slipstream::gateway::http
