#include "gateway/router.h"

#include <string>
#include <string_view>

#include "gateway/api/handler.h"
#include "gateway/dashboard/handler.h"
#include "gateway/webhdfs/handler.h"

namespace slipstream::gateway {
namespace {

http::Response Text(int code, std::string text) {
  return {.code = code, .content_type = "text/plain; charset=utf-8", .body = std::move(text)};
}

}  // namespace

http::Answer Router::Handle(const http::Request& request) {
  if (!parts_.names.Accepts(request.Header("Host"))) {
    return Text(421, "this gateway does not go by that name; --allow-host gives it one\n");
  }
  if (webhdfs::Handler::Serves(request)) return parts_.webhdfs.Handle(request);
  if (api::Handler::Serves(request)) return parts_.api.Handle(request);
  if (dashboard::Handler::Serves(request)) return parts_.dashboard.Handle(request);
  return Text(404,
              "nothing is here; the dashboard is at /, WebHDFS at /webhdfs/v1/, the state of "
              "cluster and jobs at /api/v1/\n");
}

http::Response Router::Overloaded(const http::Request& request) {
  return (webhdfs::Handler::Serves(request) ? parts_.webhdfs
          : api::Handler::Serves(request)   ? parts_.api
                                            : parts_.dashboard)
      .Overloaded(request);
}

std::string_view Router::OperationOf(const http::Request& request) const {
  if (webhdfs::Handler::Serves(request)) return parts_.webhdfs.OperationOf(request);
  if (api::Handler::Serves(request)) return parts_.api.OperationOf(request);
  return Handler::OperationOf(request);
}

}  // namespace slipstream::gateway
