#include "gateway/webhdfs/handler.h"

#include <string_view>

#include "dfs-client/path.h"
#include "gateway/http/uri.h"
#include "gateway/user_name.h"
#include "gateway/webhdfs/operations.h"

namespace slipstream::gateway::webhdfs {
namespace {

constexpr std::string_view kPrefix = "/webhdfs/v1";

}  // namespace

http::Answer ToAnswer(Outcome outcome, const std::string& path) {
  if (auto* answer = std::get_if<http::Answer>(&outcome)) return std::move(*answer);
  if (const auto* exception = std::get_if<RemoteException>(&outcome)) {
    return exception->ToResponse();
  }
  return ExceptionFor(std::get<Status>(outcome), path).ToResponse();
}

bool IsCrossSite(const http::Request& request) {
  const std::string_view site = request.Header("Sec-Fetch-Site");
  if (!site.empty() && site != "same-origin" && site != "none") return true;
  const std::string_view origin = request.Header("Origin");
  if (origin.empty()) return false;
  const size_t begin = origin.find("://");
  return begin == std::string_view::npos || origin.substr(begin + 3) != request.Header("Host");
}

bool Handler::Serves(const http::Request& request) {
  const std::string_view path(request.path);
  return path.starts_with(kPrefix) &&
         (path.size() == kPrefix.size() || path[kPrefix.size()] == '/');
}

http::Answer Handler::Handle(const http::Request& request) {
  std::string path;
  Outcome outcome = Run(request, path);
  return ToAnswer(std::move(outcome), path);
}

http::Response Handler::Overloaded(const http::Request& /*request*/) {
  return Retriable("the gateway is busy: no memory became free in time").ToResponse();
}

std::string_view Handler::OperationOf(const http::Request& request) const {
  const auto parameters = Parameters::Parse(request.query);
  if (!parameters.ok()) return "unknown";
  return OperationName(request.method, parameters->Text("op").value_or(""));
}

Outcome Handler::Run(const http::Request& request, std::string& path) {
  if (IsCrossSite(request)) return Security("a request of another site is refused");
  ASSIGN_OR_RETURN(Parameters parameters, Parameters::Parse(request.query));
  const auto operation = FindOperation(request.method, parameters.Text("op").value_or(""));
  if (const auto* exception = std::get_if<RemoteException>(&operation)) return *exception;

  ASSIGN_OR_RETURN(const std::string user, UserOf(parameters.query(), static_user_));
  ASSIGN_OR_RETURN(path,
                   http::PercentDecode(std::string_view(request.path).substr(kPrefix.size()),
                                       http::Plus::kIsPlus));
  ASSIGN_OR_RETURN(path, dfs::NormalizePath(path.empty() ? "/" : path));
  const std::string_view host = request.Header("Host");
  const Call call{.parameters = std::move(parameters),
                  .path = path,
                  .user = user,
                  .authority = http::IsHost(host) ? std::string(host) : address_,
                  .is_over_tls = request.is_over_tls,
                  .remote = request.remote,
                  .body_bytes = request.body_bytes,
                  .client = clients_.For(user)};
  return std::get<Operation>(operation)(call);
}

}  // namespace slipstream::gateway::webhdfs
