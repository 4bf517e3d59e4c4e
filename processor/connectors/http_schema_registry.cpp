#include "processor/connectors/http_schema_registry.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>

#include "common/text/base64.h"
#include "common/tls/client_context.h"

namespace slipstream::runtime {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
using Json = nlohmann::json;

constexpr size_t kAttempts = 3;
constexpr char kContentType[] = "application/vnd.schemaregistry.v1+json";

// Characters of a subject that stand for themselves in a path.
std::string Escaped(const std::string& text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
    if (is_plain) {
      escaped.push_back(c);
    } else {
      escaped.append("%").push_back(kHex[byte >> 4]);
      escaped.push_back(kHex[byte & 15]);
    }
  }
  return escaped;
}

// One request over a connection of its own. Every step has a deadline: steps are asynchronous ones
// that are waited for, since blocking ones have none.
class Connection {
 public:
  explicit Connection(std::chrono::milliseconds timeout) : stream_(io_) {
    stream_.expires_after(timeout);
  }

  // With TLS where `tls` is not null, and then to that host alone.
  beast::error_code Connect(const HostPort& to, ssl::context* tls) {
    beast::error_code error;
    asio::ip::tcp::resolver resolver(io_);
    const auto found = resolver.resolve(to.host, std::to_string(to.port), error);
    if (error) return error;
    stream_.async_connect(
        found, [&](beast::error_code result, const asio::ip::tcp::endpoint&) { error = result; });
    Await();
    if (error || tls == nullptr) return error;
    tls_.emplace(stream_, *tls);
    tls_->set_verify_callback(ssl::host_name_verification(to.host), error);
    if (!error) AskFor(to.host);
    if (error) return error;
    tls_->async_handshake(ssl::stream_base::client,
                          [&](beast::error_code result) { error = result; });
    Await();
    return error;
  }

  beast::error_code Send(const http::request<http::string_body>& request) {
    beast::error_code error;
    const auto ended = [&](beast::error_code result, size_t) { error = result; };
    tls_ ? http::async_write(*tls_, request, ended) : http::async_write(stream_, request, ended);
    Await();
    return error;
  }

  beast::error_code Receive(http::response_parser<http::string_body>& parser) {
    beast::error_code error;
    const auto ended = [&](beast::error_code result, size_t) { error = result; };
    tls_ ? http::async_read(*tls_, buffer_, parser, ended)
         : http::async_read(stream_, buffer_, parser, ended);
    Await();
    return error;
  }

 private:
  // Servers with several names show the certificate of the one that is asked for. Addresses are not
  // asked for (RFC 6066).
  void AskFor(const std::string& host) {
    beast::error_code is_name;
    asio::ip::make_address(host, is_name);
    if (!is_name) return;
    // As SSL_set_tlsext_host_name does, which is a macro with casts of C's.
    std::string name = host;
    SSL_ctrl(tls_->native_handle(),
             SSL_CTRL_SET_TLSEXT_HOSTNAME,
             TLSEXT_NAMETYPE_host_name,
             name.data());
  }

  void Await() {
    io_.restart();
    io_.run();
  }

  asio::io_context io_;
  beast::tcp_stream stream_;
  std::optional<ssl::stream<beast::tcp_stream&>> tls_;
  beast::flat_buffer buffer_;
};

// What the registry says went wrong.
std::string MessageOf(const std::string& body) {
  const Json json = Json::parse(body, nullptr, false);
  if (json.is_object() && json.contains("message") && json["message"].is_string()) {
    return json["message"].get<std::string>();
  }
  return body.substr(0, 200);
}

}  // namespace

Result<HttpSchemaRegistry::Server> HttpSchemaRegistry::ParseServer(std::string_view url) {
  constexpr std::string_view kHttp = "http://";
  constexpr std::string_view kHttps = "https://";
  const std::string context = "schema registry " + std::string(url);
  Server server{.address = {}, .path = {}, .is_tls = url.starts_with(kHttps)};
  if (!server.is_tls && !url.starts_with(kHttp)) {
    return InvalidArgument(context + ": not like http://host:port or https://host:port");
  }
  url.remove_prefix(server.is_tls ? kHttps.size() : kHttp.size());
  const size_t slash = std::min(url.find('/'), url.size());
  server.path = url.substr(slash);
  while (server.path.ends_with('/'))
    server.path.pop_back();
  std::string authority(url.substr(0, slash));
  if (authority.find(':') == std::string::npos) authority += server.is_tls ? ":443" : ":80";
  Result<HostPort> address = ParseHostPort(authority);
  if (!address.ok()) return address.status().WithContext(context);
  server.address = *std::move(address);
  return server;
}

Result<std::shared_ptr<sql::SchemaRegistry>> HttpSchemaRegistry::Create(Options options) {
  std::vector<Server> servers;
  std::string_view rest = options.address.url;
  while (true) {
    const size_t comma = std::min(rest.find(','), rest.size());
    std::string_view url = rest.substr(0, comma);
    while (url.starts_with(' '))
      url.remove_prefix(1);
    while (url.ends_with(' '))
      url.remove_suffix(1);
    ASSIGN_OR_RETURN(Server server, ParseServer(url));
    servers.push_back(std::move(server));
    if (servers.size() > kAddressesMax)
      return InvalidArgument("schema registry: too many addresses");
    if (comma == rest.size()) break;
    rest.remove_prefix(comma + 1);
  }
  const sql::RegistryAddress& address = options.address;
  std::shared_ptr<ssl::context> tls;
  if (std::any_of(servers.begin(), servers.end(), [](const Server& s) { return s.is_tls; })) {
    Result<std::shared_ptr<ssl::context>> made =
        tls::MakeClientContext({.truststore = address.truststore,
                                .truststore_password = address.truststore_password,
                                .keystore = address.keystore,
                                .keystore_password = address.keystore_password});
    if (!made.ok()) return made.status().WithContext("schema registry");
    tls = *std::move(made);
  }
  return std::shared_ptr<sql::SchemaRegistry>(
      new HttpSchemaRegistry(std::move(options), std::move(servers), std::move(tls)));
}

Status HttpSchemaRegistry::Failure(const Server& server, const std::string& why) const {
  return Unavailable("schema registry " + server.address.ToString() + ": " + why);
}

Result<HttpSchemaRegistry::Answer> HttpSchemaRegistry::Exchange(const Server& server,
                                                                const std::string& target,
                                                                const std::string& body) const {
  http::request<http::string_body> request(
      body.empty() ? http::verb::get : http::verb::post, server.path + target, 11);
  request.set(http::field::host, server.address.ToString());
  request.set(http::field::accept, kContentType);
  request.keep_alive(false);
  if (!options_.address.user_info.empty()) {
    request.set(http::field::authorization, "Basic " + EncodeBase64(options_.address.user_info));
  } else if (!options_.address.bearer_token.empty()) {
    request.set(http::field::authorization, "Bearer " + options_.address.bearer_token);
  }
  if (!body.empty()) {
    request.set(http::field::content_type, kContentType);
    request.body() = body;
  }
  request.prepare_payload();
  Connection connection(options_.timeout);
  http::response_parser<http::string_body> parser;
  parser.body_limit(kAnswerBytesMax);
  beast::error_code error =
      connection.Connect(server.address, server.is_tls ? tls_.get() : nullptr);
  if (!error) error = connection.Send(request);
  if (!error) error = connection.Receive(parser);
  if (error) return Failure(server, error.message());
  return Answer{.status = parser.get().result_int(), .body = parser.get().body()};
}

Result<HttpSchemaRegistry::Answer> HttpSchemaRegistry::Call(const std::string& target,
                                                            const std::string& body) {
  Status last;
  for (size_t attempt = 0; attempt < std::max(kAttempts, servers_.size()); ++attempt) {
    const Server& server = servers_[server_ % servers_.size()];
    Result<Answer> answer = Exchange(server, target, body);
    if (answer.ok() && answer->status / 100 != 5) return answer;
    last = answer.ok()
               ? Failure(server,
                         "HTTP " + std::to_string(answer->status) + " " + MessageOf(answer->body))
               : answer.status();
    ++server_;
  }
  return last;
}

Result<sql::AvroSchemaPtr> HttpSchemaRegistry::SchemaOf(int32_t id) {
  MutexLock lock(mutex_);
  const auto known = known_.find(id);
  if (known != known_.end()) return known->second;
  ASSIGN_OR_RETURN(const Answer answer, Call("/schemas/ids/" + std::to_string(id), ""));
  Result<sql::AvroSchemaPtr> schema = NotFound("the registry has no such schema");
  if (answer.status == 200) {
    const Json json = Json::parse(answer.body, nullptr, false);
    const bool is_schema = json.is_object() && json.contains("schema") &&
                           json["schema"].is_string() &&
                           json.value("schemaType", Json("AVRO")) == Json("AVRO");
    schema = is_schema ? sql::ParseAvroSchema(json["schema"].get<std::string>())
                       : Result<sql::AvroSchemaPtr>(
                             InvalidArgument("the registry's answer holds no Avro schema"));
  } else if (answer.status != 404) {
    return Unavailable("schema registry " + options_.address.url + ": HTTP " +
                       std::to_string(answer.status) + " " + MessageOf(answer.body));
  }
  if (known_.size() >= kCachedMax) known_.clear();
  known_.emplace(id, schema);
  return schema;
}

Result<int32_t> HttpSchemaRegistry::Register(const std::string& subject,
                                             const std::string& schema) {
  MutexLock lock(mutex_);
  const std::string body = Json{{"schema", schema}}.dump();
  ASSIGN_OR_RETURN(const Answer answer, Call("/subjects/" + Escaped(subject) + "/versions", body));
  if (answer.status != 200) {
    return InvalidArgument("schema registry " + options_.address.url + ": HTTP " +
                           std::to_string(answer.status) + " " + MessageOf(answer.body));
  }
  const Json json = Json::parse(answer.body, nullptr, false);
  if (!json.is_object() || !json.contains("id") || !json["id"].is_number_integer()) {
    return InvalidArgument("schema registry " + options_.address.url +
                           ": an answer without \"id\"");
  }
  return json["id"].get<int32_t>();
}

}  // namespace slipstream::runtime
