#include "tests/support/schema_registry.h"

#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>

#include "common/sync/mutex.h"
#include "common/tls/tls_dir.h"

namespace slipstream::test_support {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
using Json = nlohmann::json;
using Tcp = asio::ip::tcp;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

}  // namespace

struct SchemaRegistry::Impl {
  explicit Impl(const Options& given)
      : options(given), acceptor(io, Tcp::endpoint(asio::ip::make_address(options.address), 0)) {
    port = acceptor.local_endpoint().port();
    if (!options.tls_dir.empty()) {
      tls.emplace(ssl::context::tls_server);
      tls->use_certificate_chain_file(tls::HostFile(options.tls_dir));
      tls->use_private_key_file(tls::HostFile(options.tls_dir), ssl::context::pem);
      if (options.wants_certificate) {
        tls->load_verify_file(tls::AuthorityFile(options.tls_dir));
        tls->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
      }
    }
    Accept();
    server = std::jthread([this] { io.run(); });
  }
  ~Impl() { io.stop(); }

  void Accept() {
    acceptor.async_accept([this](beast::error_code error, Tcp::socket socket) {
      if (error) return;
      Serve(std::move(socket));
      Accept();
    });
  }

  void Serve(Tcp::socket socket) {
    beast::error_code error;
    if (!tls.has_value()) {
      ServeOver(socket);
      socket.shutdown(Tcp::socket::shutdown_send, error);
      return;
    }
    ssl::stream<Tcp::socket> stream(std::move(socket), *tls);
    stream.handshake(ssl::stream_base::server, error);
    if (error) return;
    ServeOver(stream);
    stream.shutdown(error);
  }

  template <class Stream>
  void ServeOver(Stream& stream) {
    beast::error_code error;
    beast::flat_buffer buffer;
    Request request;
    http::read(stream, buffer, request, error);
    if (error) return;
    Response response = Answer(request);
    response.prepare_payload();
    http::write(stream, response, error);
  }

  Response Answer(const Request& request) {
    MutexLock lock(mutex);
    ++request_count;
    last_authorization = std::string(request[http::field::authorization]);
    if (failing > 0) {
      --failing;
      return Say(http::status::service_unavailable, {{"error_code", 50003}, {"message", "busy"}});
    }
    const std::string target(request.target());
    const std::string ids = "/schemas/ids/";
    const std::string subjects_path = "/subjects/";
    const std::string versions = "/versions";
    if (request.method() == http::verb::get && target.starts_with(ids)) {
      const auto id = static_cast<size_t>(std::stoul(target.substr(ids.size())));
      if (id == 0 || id > schemas.size()) {
        return Say(http::status::not_found,
                   {{"error_code", 40403}, {"message", "Schema not found"}});
      }
      return Say(http::status::ok, {{"schema", schemas[id - 1]}});
    }
    if (request.method() == http::verb::post && target.starts_with(subjects_path) &&
        target.ends_with(versions)) {
      const Json body = Json::parse(request.body(), nullptr, false);
      const std::string subject = target.substr(
          subjects_path.size(), target.size() - subjects_path.size() - versions.size());
      const std::string schema = body.at("schema").get<std::string>();
      if (Json::parse(schema, nullptr, false).is_discarded()) {
        return Say(http::status::unprocessable_entity,
                   {{"error_code", 42201}, {"message", "Invalid schema"}});
      }
      return Say(http::status::ok, {{"id", Add(subject, schema)}});
    }
    return Say(http::status::not_found, {{"error_code", 404}, {"message", "HTTP 404 Not Found"}});
  }

  static Response Say(http::status status, const Json& body) {
    Response response(status, 11);
    response.set(http::field::content_type, "application/vnd.schemaregistry.v1+json");
    response.keep_alive(false);
    response.body() = body.dump();
    return response;
  }

  int32_t Add(const std::string& subject, const std::string& schema) REQUIRES(mutex) {
    for (size_t i = 0; i < schemas.size(); ++i) {
      if (schemas[i] == schema) return subjects[subject] = static_cast<int32_t>(i + 1);
    }
    schemas.push_back(schema);
    return subjects[subject] = static_cast<int32_t>(schemas.size());
  }

  const Options options;
  std::optional<ssl::context> tls;
  asio::io_context io;
  Tcp::acceptor acceptor;
  uint16_t port = 0;
  mutable Mutex mutex;
  std::vector<std::string> schemas GUARDED_BY(mutex);  // a schema's number is its place from 1
  std::map<std::string, int32_t> subjects GUARDED_BY(mutex);
  int failing GUARDED_BY(mutex) = 0;
  int request_count GUARDED_BY(mutex) = 0;
  std::string last_authorization GUARDED_BY(mutex);
  std::jthread server;  // last: it goes first
};

SchemaRegistry::SchemaRegistry(const Options& options) : impl_(std::make_unique<Impl>(options)) {}
SchemaRegistry::~SchemaRegistry() = default;

std::string SchemaRegistry::url() const {
  const std::string scheme = impl_->options.tls_dir.empty() ? "http://" : "https://";
  return scheme + impl_->options.address + ":" + std::to_string(impl_->port);
}

int32_t SchemaRegistry::Add(const std::string& subject, const std::string& schema) {
  MutexLock lock(impl_->mutex);
  return impl_->Add(subject, schema);
}

std::map<std::string, int32_t> SchemaRegistry::Subjects() const {
  MutexLock lock(impl_->mutex);
  return impl_->subjects;
}

void SchemaRegistry::FailNext(int requests) {
  MutexLock lock(impl_->mutex);
  impl_->failing = requests;
}

int SchemaRegistry::request_count() const {
  MutexLock lock(impl_->mutex);
  return impl_->request_count;
}

std::string SchemaRegistry::last_authorization() const {
  MutexLock lock(impl_->mutex);
  return impl_->last_authorization;
}

}  // namespace slipstream::test_support
