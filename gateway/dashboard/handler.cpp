#include "gateway/dashboard/handler.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "gateway/dashboard/assets.h"

namespace slipstream::gateway::dashboard {
namespace {

constexpr std::string_view kPrefix = "/ui/";
constexpr std::string_view kFrontPage = "index.html";

// No script or style but our own files, no frame around us, no form to elsewhere.
constexpr char kPolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

http::Response Text(int code, std::string text) {
  return {.code = code, .content_type = "text/plain; charset=utf-8", .body = std::move(text)};
}

}  // namespace

bool Handler::Serves(const http::Request& request) {
  const std::string_view path(request.path);
  return path == "/" || path.starts_with(kPrefix);
}

http::Answer Handler::Handle(const http::Request& request) {
  if (request.method != "GET" && request.method != "HEAD") return Text(405, "only GET\n");
  const std::string_view path(request.path);
  const std::string_view name = path == "/" ? kFrontPage : path.substr(kPrefix.size());
  const auto assets = Assets();
  const auto found =
      std::find_if(assets.begin(), assets.end(), [&](const Asset& a) { return a.name == name; });
  if (found == assets.end()) return Text(404, "nothing is here; the dashboard is at /\n");
  return http::Response{.content_type = std::string(found->content_type),
                        .headers = {{"Content-Security-Policy", kPolicy},
                                    {"Referrer-Policy", "no-referrer"},
                                    {"X-Frame-Options", "DENY"}},
                        .body = std::string(found->content)};
}

http::Response Handler::Overloaded(const http::Request& /*request*/) {
  return Text(503, "busy\n");
}

}  // namespace slipstream::gateway::dashboard
