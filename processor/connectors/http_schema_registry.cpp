#include "processor/connectors/http_schema_registry.h"

#include <algorithm>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>

#include "common/text/base64.h"

namespace slipstream::runtime {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Json = nlohmann::json;

constexpr int kAttempts = 3;
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

  beast::error_code Connect(const HostPort& to) {
    beast::error_code error;
    asio::ip::tcp::resolver resolver(io_);
    const auto found = resolver.resolve(to.host, std::to_string(to.port), error);
    if (error) return error;
    stream_.async_connect(
        found, [&](beast::error_code result, const asio::ip::tcp::endpoint&) { error = result; });
    Await();
    return error;
  }

  beast::error_code Send(const http::request<http::string_body>& request) {
    beast::error_code error;
    http::async_write(stream_, request, [&](beast::error_code result, size_t) { error = result; });
    Await();
    return error;
  }

  beast::error_code Receive(http::response_parser<http::string_body>& parser) {
    beast::error_code error;
    http::async_read(
        stream_, buffer_, parser, [&](beast::error_code result, size_t) { error = result; });
    Await();
    return error;
  }

 private:
  void Await() {
    io_.restart();
    io_.run();
  }

  asio::io_context io_;
  beast::tcp_stream stream_;
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

Result<std::shared_ptr<sql::SchemaRegistry>> HttpSchemaRegistry::Create(Options options) {
  constexpr std::string_view kHttp = "http://";
  std::string rest = options.url;
  if (rest.starts_with("https://") || rest.find(',') != std::string::npos) {
    return Unimplemented("schema registry " + rest +
                         ": https and several addresses are not "
                         "supported; one http:// address is");
  }
  if (!rest.starts_with(kHttp)) {
    return InvalidArgument("schema registry " + rest + ": not like http://host:port");
  }
  rest.erase(0, kHttp.size());
  const size_t slash = std::min(rest.find('/'), rest.size());
  std::string path = rest.substr(slash);
  while (path.ends_with('/'))
    path.pop_back();
  std::string authority = rest.substr(0, slash);
  if (authority.find(':') == std::string::npos) authority += ":80";
  Result<HostPort> address = ParseHostPort(authority);
  if (!address.ok()) return address.status().WithContext("schema registry " + options.url);
  return std::shared_ptr<sql::SchemaRegistry>(
      new HttpSchemaRegistry(std::move(options), *std::move(address), std::move(path)));
}

Result<HttpSchemaRegistry::Answer> HttpSchemaRegistry::Exchange(const std::string& target,
                                                                const std::string& body) const {
  http::request<http::string_body> request(
      body.empty() ? http::verb::get : http::verb::post, path_ + target, 11);
  request.set(http::field::host, address_.host + ":" + std::to_string(address_.port));
  request.set(http::field::accept, kContentType);
  request.keep_alive(false);
  if (!options_.user_info.empty()) {
    request.set(http::field::authorization, "Basic " + EncodeBase64(options_.user_info));
  }
  if (!body.empty()) {
    request.set(http::field::content_type, kContentType);
    request.body() = body;
  }
  request.prepare_payload();
  Connection connection(options_.timeout);
  http::response_parser<http::string_body> parser;
  parser.body_limit(kAnswerBytesMax);
  beast::error_code error = connection.Connect(address_);
  if (!error) error = connection.Send(request);
  if (!error) error = connection.Receive(parser);
  if (error) return Unavailable("schema registry " + options_.url + ": " + error.message());
  return Answer{.status = parser.get().result_int(), .body = parser.get().body()};
}

Result<HttpSchemaRegistry::Answer> HttpSchemaRegistry::Call(const std::string& target,
                                                            const std::string& body) {
  Status last;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    Result<Answer> answer = Exchange(target, body);
    const bool is_answered = answer.ok() && answer->status / 100 != 5;
    if (is_answered) return answer;
    last = answer.ok() ? Unavailable("schema registry " + options_.url + ": HTTP " +
                                     std::to_string(answer->status) + " " + MessageOf(answer->body))
                       : answer.status();
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
    return Unavailable("schema registry " + options_.url + ": HTTP " +
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
    return InvalidArgument("schema registry " + options_.url + ": HTTP " +
                           std::to_string(answer.status) + " " + MessageOf(answer.body));
  }
  const Json json = Json::parse(answer.body, nullptr, false);
  if (!json.is_object() || !json.contains("id") || !json["id"].is_number_integer()) {
    return InvalidArgument("schema registry " + options_.url + ": an answer without \"id\"");
  }
  return json["id"].get<int32_t>();
}

}  // namespace slipstream::runtime
