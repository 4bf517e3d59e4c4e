#include "gateway/http/heads.h"

#include <string>

#include "common/check/check.h"

namespace slipstream::gateway::http {
namespace {

namespace wire = boost::beast::http;

constexpr unsigned kHttp11 = 11;

std::string ToString(boost::string_view text) {
  return {text.data(), text.size()};
}

template <class Message>
Message MakeHead(const Response& response, bool is_kept_alive) {
  Message message;
  message.version(kHttp11);
  message.result(static_cast<unsigned>(response.code));
  message.keep_alive(is_kept_alive);
  message.set("X-Content-Type-Options", "nosniff");
  message.set(wire::field::cache_control, "no-store");
  if (!response.content_type.empty()) {
    message.set(wire::field::content_type, response.content_type);
  }
  for (const auto& [name, value] : response.headers) {
    SLIPSTREAM_CHECK(IsHeaderText(name) && IsHeaderText(value), "header {}", name);
    message.set(name, value);
  }
  return message;
}

}  // namespace

Request ReadHead(const wire::request_header<>& head) {
  Request request{.method = ToString(head.method_string()), .path = ToString(head.target())};
  if (const size_t mark = request.path.find('?'); mark != std::string::npos) {
    request.query = request.path.substr(mark + 1);
    request.path.resize(mark);
  }
  for (const auto& field : head)
    request.headers.emplace_back(ToString(field.name_string()), ToString(field.value()));
  return request;
}

EmptyResponse MakeStreamHead(const Response& response, bool is_kept_alive) {
  return MakeHead<EmptyResponse>(response, is_kept_alive);
}

TextResponse MakeTextHead(const Response& response, bool is_kept_alive) {
  return MakeHead<TextResponse>(response, is_kept_alive);
}

}  // namespace slipstream::gateway::http
