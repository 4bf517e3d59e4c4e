#include "gateway/gatekeeper.h"

#include <utility>

#include "common/text/base64.h"
#include "gateway/http/uri.h"
#include "gateway/webhdfs/handler.h"
#include "gateway/webhdfs/remote_exception.h"

namespace slipstream::gateway {
namespace {

using access::Role;

// In the form that those who asked understand.
http::Response Refusal(const http::Request& request, int code, std::string text) {
  http::Response response;
  if (webhdfs::Handler::Serves(request)) {
    webhdfs::RemoteException exception =
        code == 401 ? webhdfs::Security(std::move(text)) : webhdfs::AccessControl(std::move(text));
    exception.code = code;
    response = exception.ToResponse();
  } else {
    response = {
        .code = code, .content_type = "text/plain; charset=utf-8", .body = std::move(text) + "\n"};
  }
  if (code == 401) {
    response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"slipstream\"");
    response.headers.emplace_back("WWW-Authenticate",
                                  "Basic realm=\"slipstream: any name, a token as password\"");
  }
  return response;
}

Role NeededFor(const http::Request& request, const http::Query& query) {
  for (const auto& [name, value] : query) {
    if (http::EqualWithoutCase(name, "op") && http::EqualWithoutCase(value, "SETQUOTA"))
      return Role::kAdmin;
  }
  return request.method == "GET" || request.method == "HEAD" ? Role::kRead : Role::kWrite;
}

// The same query of that user.
std::string QueryAs(const http::Query& query, const std::string& user) {
  http::Query own;
  for (const auto& parameter : query) {
    if (!http::EqualWithoutCase(parameter.first, "user.name") &&
        !http::EqualWithoutCase(parameter.first, "doas")) {
      own.push_back(parameter);
    }
  }
  own.emplace_back("user.name", user);
  return http::EncodeQuery(own);
}

}  // namespace

std::optional<std::string> TokenOf(std::string_view authorization) {
  const size_t space = authorization.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const std::string_view scheme = authorization.substr(0, space);
  std::string_view value = authorization.substr(space);
  while (value.starts_with(' '))
    value.remove_prefix(1);
  if (value.empty()) return std::nullopt;
  if (http::EqualWithoutCase(scheme, "Bearer")) return std::string(value);
  if (!http::EqualWithoutCase(scheme, "Basic")) return std::nullopt;
  const std::optional<std::string> pair = DecodeBase64(value);
  if (!pair.has_value()) return std::nullopt;
  const size_t colon = pair->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return pair->substr(colon + 1);
}

http::Answer Gatekeeper::Handle(const http::Request& request) {
  const std::optional<std::string> token = TokenOf(request.Header("Authorization"));
  if (!token.has_value()) return Refusal(request, 401, "a token is needed");
  const std::optional<access::Identity> owner = tokens_.Find(*token);
  if (!owner.has_value()) return Refusal(request, 401, "this token is not known");
  const Result<http::Query> query = http::ParseQuery(request.query);
  if (!query.ok()) return Refusal(request, 403, query.status().message());
  const Role needed = NeededFor(request, *query);
  if (owner->role < needed) {
    return Refusal(request,
                   403,
                   "the token of " + owner->name + " has the role " +
                       std::string(access::RoleName(owner->role)) + ", and this needs " +
                       std::string(access::RoleName(needed)));
  }
  if (owner->MayActForOthers()) return inside_.Handle(request);
  http::Request own = request;
  own.query = QueryAs(*query, owner->name);
  return inside_.Handle(own);
}

}  // namespace slipstream::gateway
