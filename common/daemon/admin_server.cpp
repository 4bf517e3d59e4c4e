#include "common/daemon/admin_server.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <prometheus/collectable.h>
#include <prometheus/text_serializer.h>

#include "common/daemon/process_metrics.h"
#include "common/log/level.h"
#include "common/log/log.h"
#include "common/net/host_port.h"
#include "common/tls/server_context.h"
#include "common/tls/server_stream.h"

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

// Who asks for what.
struct Question {
  http::verb method;
  std::string_view path;
  std::string_view query;
  std::string_view body;
  bool is_from_here;  // from this machine
  bool is_of_page;    // sent by a web page's script
};

std::string MetricsText(const AdminServer::Options& options) {
  std::vector<prometheus::MetricFamily> families = CollectProcessMetrics(options.daemon);
  if (options.registry != nullptr) {
    for (auto& family : options.registry->Collect())
      families.push_back(std::move(family));
  }
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, families);
  return text.str();
}

// With `is_verbose` a line for each check, as Kubernetes writes them, else one for each that fails.
Answer Readiness(const std::vector<ReadyCheck>& checks, bool is_verbose) {
  Answer answer;
  for (const ReadyCheck& check : checks) {
    const Status status = check.check();
    if (!status.ok()) answer.status = http::status::service_unavailable;
    if (is_verbose) answer.body += (status.ok() ? "[+]" : "[-]") + check.name + " ";
    if (is_verbose || !status.ok()) answer.body += (status.ok() ? "ok" : status.message()) + "\n";
  }
  const bool is_ready = answer.status == http::status::ok;
  if (is_verbose) answer.body += is_ready ? "ready\n" : "not ready\n";
  if (answer.body.empty()) answer.body = "ok\n";
  return answer;
}

Answer LogLevels() {
  std::string text;
  for (const auto& [logger, level] : log::Levels())
    text += logger + "=" + level + "\n";
  return {.body = std::move(text)};
}

Answer SetLogLevel(const Question& question) {
  if (!question.is_from_here || question.is_of_page) {
    return {.status = http::status::forbidden,
            .body = "levels are changed from the same machine only, and by no web page\n"};
  }
  std::string_view body = question.body;
  while (!body.empty() && (body.back() == '\n' || body.back() == '\r'))
    body.remove_suffix(1);
  const size_t mark = body.find('=');
  const bool is_for_one = mark != std::string_view::npos;
  const std::string_view logger = is_for_one ? body.substr(0, mark) : std::string_view();
  const Status status =
      is_for_one && logger.empty()
          ? InvalidArgument("no logger before the '='")
          : log::SetLevel(logger, std::string(is_for_one ? body.substr(mark + 1) : body));
  if (!status.ok()) return {.status = http::status::bad_request, .body = status.message() + "\n"};
  log::Get("admin")->info("log_level_set to={}", log::Quoted(body));
  return LogLevels();
}

Answer AnswerTo(const AdminServer::Options& options, const Question& question) {
  const std::string_view path = question.path;
  if (path == "/loglevel" && question.method == http::verb::put) return SetLogLevel(question);
  if (question.method != http::verb::get && question.method != http::verb::head) {
    return {.status = http::status::method_not_allowed, .body = "only GET and HEAD\n"};
  }
  if (path == "/metrics") {
    return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
            .body = MetricsText(options)};
  }
  if (path == "/livez") return {.body = "ok\n"};
  if (path == "/readyz") {
    const bool is_verbose = question.query == "verbose" || question.query.starts_with("verbose=");
    return Readiness(options.ready, is_verbose);
  }
  if (path == "/status") {
    return {.content_type = "application/json",
            .body = options.status_json ? options.status_json() : "{}"};
  }
  if (path == "/loglevel") return LogLevels();
  return {.status = http::status::not_found, .body = "/metrics /livez /readyz /status /loglevel\n"};
}

std::string_view ToView(beast::string_view text) {
  return {text.data(), text.size()};
}

// One connection, one request. Kept alive by the handlers of its pending operation alone.
class Session final : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket,
          std::shared_ptr<asio::ssl::context> tls,
          const AdminServer::Options& options,
          int& connections)
      : stream_(std::move(socket), std::move(tls)), options_(options), connections_(connections) {
    ++connections_;
    parser_.header_limit(kRequestBytesMax);
    parser_.body_limit(kRequestBytesMax);
  }
  ~Session() { --connections_; }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void Start() {
    stream_.expires_after(kRequestTimeout);
    stream_.AsyncAccept([self = shared_from_this()](const beast::error_code& error) {
      if (!error) self->Read();
    });
  }

 private:
  void Read() {
    http::async_read(stream_,
                     buffer_,
                     parser_,
                     [self = shared_from_this()](const beast::error_code& error, size_t) {
                       if (!error) self->Respond();
                     });
  }

  void Respond() {
    const auto& request = parser_.get();
    const std::string_view target = ToView(request.target());
    const size_t mark = std::min(target.find('?'), target.size());
    beast::error_code unknown;
    const auto peer = stream_.socket().remote_endpoint(unknown);
    Answer answer = AnswerTo(
        options_,
        {.method = request.method(),
         .path = target.substr(0, mark),
         .query = target.substr(std::min(mark + 1, target.size())),
         .body = request.body(),
         .is_from_here = !unknown && peer.address().is_loopback(),
         .is_of_page = request.count(http::field::origin) + request.count("Sec-Fetch-Site") > 0});
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
          self->stream_.AsyncEnd([self] {
            beast::error_code ignored;
            self->stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
          });
        });
  }

  tls::ServerStream stream_;
  const AdminServer::Options& options_;
  int& connections_;
  beast::flat_buffer buffer_{size_t{2} * kRequestBytesMax};
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
    if (options.tls_dir.empty() || IsLoopback(listen.host)) return {};
    ASSIGN_OR_RETURN(tls,
                     tls::ServerContext::Open(options.tls_dir, tls::ClientCertificate::kRequired));
    return {};
  }

  void Accept() {
    acceptor.async_accept([this](const boost::system::error_code& error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (!error && connections < kConnectionsMax) {
        std::make_shared<Session>(
            std::move(socket), tls == nullptr ? nullptr : tls->Current(), options, connections)
            ->Start();
      }
      Accept();
    });
  }

  const Options options;
  int connections = 0;  // touched by the server's thread alone; the context's handlers use it last
  asio::io_context context;
  std::unique_ptr<tls::ServerContext> tls;  // null: plain HTTP
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
