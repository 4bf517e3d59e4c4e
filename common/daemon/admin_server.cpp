#include "common/daemon/admin_server.h"

#include <chrono>
#include <cstdint>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <prometheus/collectable.h>
#include <prometheus/text_serializer.h>

#include "common/daemon/process_metrics.h"
#include "common/net/host_port.h"

namespace slipstream::daemon {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;

constexpr auto kRequestTimeout = std::chrono::seconds(10);
constexpr uint32_t kRequestBytesMax = 8 * 1024;
constexpr int kConnectionsMax = 64;

using Response = http::response<http::string_body>;

struct Answer {
  http::status status = http::status::ok;
  const char* content_type = "text/plain; charset=utf-8";
  std::string body;
};

std::string MetricsText(const AdminServer::Options& options) {
  std::vector<prometheus::MetricFamily> families = CollectProcessMetrics();
  if (options.registry != nullptr) {
    for (auto& family : options.registry->Collect())
      families.push_back(std::move(family));
  }
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, families);
  return text.str();
}

Answer AnswerTo(const AdminServer::Options& options, http::verb method, std::string_view target) {
  if (method != http::verb::get && method != http::verb::head) {
    return {.status = http::status::method_not_allowed, .body = "only GET and HEAD\n"};
  }
  std::string_view path = target.substr(0, target.find('?'));
  if (path == "/metrics") {
    return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
            .body = MetricsText(options)};
  }
  if (path == "/livez") return {.body = "ok\n"};
  if (path == "/readyz") {
    Status ready = options.ready ? options.ready() : Status();
    if (ready.ok()) return {.body = "ok\n"};
    return {.status = http::status::service_unavailable, .body = ready.message() + "\n"};
  }
  if (path == "/status") {
    return {.content_type = "application/json",
            .body = options.status_json ? options.status_json() : "{}"};
  }
  return {.status = http::status::not_found, .body = "/metrics /livez /readyz /status\n"};
}

// One connection, one request. Kept alive by the handlers of its pending operation alone.
class Session final : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, const AdminServer::Options& options, int& connections)
      : stream_(std::move(socket)), options_(options), connections_(connections) {
    ++connections_;
    parser_.header_limit(kRequestBytesMax);
    parser_.body_limit(kRequestBytesMax);
  }
  ~Session() { --connections_; }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void Start() {
    stream_.expires_after(kRequestTimeout);
    http::async_read(stream_,
                     buffer_,
                     parser_,
                     [self = shared_from_this()](const beast::error_code& error, size_t) {
                       if (!error) self->Respond();
                     });
  }

 private:
  void Respond() {
    const auto& request = parser_.get();
    std::string_view target(request.target().data(), request.target().size());
    Answer answer = AnswerTo(options_, request.method(), target);
    response_.result(answer.status);
    response_.version(request.version());
    response_.keep_alive(false);
    response_.set(http::field::content_type, answer.content_type);
    response_.set(http::field::cache_control, "no-store");
    size_t length = answer.body.size();
    if (request.method() != http::verb::head) response_.body() = std::move(answer.body);
    response_.content_length(length);
    http::async_write(
        stream_, response_, [self = shared_from_this()](const beast::error_code&, size_t) {
          beast::error_code ignored;
          self->stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
        });
  }

  beast::tcp_stream stream_;
  const AdminServer::Options& options_;
  int& connections_;
  beast::flat_buffer buffer_{2 * kRequestBytesMax};
  http::request_parser<http::string_body> parser_;
  Response response_;
};

Result<tcp::endpoint> Resolve(asio::io_context& context, const HostPort& listen) {
  boost::system::error_code error;
  tcp::resolver resolver(context);
  auto results = resolver.resolve(listen.host, std::to_string(listen.port), error);
  if (error || results.empty()) {
    return InvalidArgument("resolve " + listen.host + ": " + error.message());
  }
  return results.begin()->endpoint();
}

}  // namespace

struct AdminServer::Impl {
  explicit Impl(Options given) : options(std::move(given)), context(1), acceptor(context) {}

  Status Listen() {
    ASSIGN_OR_RETURN(HostPort listen, ParseHostPort(options.listen));
    ASSIGN_OR_RETURN(tcp::endpoint endpoint, Resolve(context, listen));
    boost::system::error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(kConnectionsMax, error);
    if (error) return Unavailable("cannot listen on " + options.listen + ": " + error.message());
    listen.port = acceptor.local_endpoint().port();
    address = listen.ToString();
    return {};
  }

  void Accept() {
    acceptor.async_accept([this](const boost::system::error_code& error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (!error && connections < kConnectionsMax) {
        std::make_shared<Session>(std::move(socket), options, connections)->Start();
      }
      Accept();
    });
  }

  const Options options;
  int connections = 0;  // touched by the server's thread alone; the context's handlers use it last
  asio::io_context context;
  tcp::acceptor acceptor;
  std::string address;
  std::jthread thread;
};

AdminServer::AdminServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

AdminServer::~AdminServer() {
  impl_->context.stop();
  impl_->thread.join();
}

Result<std::unique_ptr<AdminServer>> AdminServer::Start(Options options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  RETURN_IF_ERROR(impl->Listen());
  impl->Accept();
  impl->thread = std::jthread([raw = impl.get()] { raw->context.run(); });
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(impl)));
}

const std::string& AdminServer::address() const {
  return impl_->address;
}

}  // namespace slipstream::daemon
