#include "gateway/router.h"

#include "gateway/api/handler.h"
#include "gateway/webhdfs/handler.h"

namespace slipstream::gateway {

http::Answer Router::Handle(const http::Request& request) {
  if (webhdfs::Handler::Serves(request)) return webhdfs_.Handle(request);
  if (api::Handler::Serves(request)) return api_.Handle(request);
  return http::Response{.code = 404,
                        .content_type = "text/plain; charset=utf-8",
                        .body =
                            "nothing is here; WebHDFS is at /webhdfs/v1/, the state of "
                            "cluster and jobs at /api/v1/\n"};
}

http::Response Router::Overloaded(const http::Request& request) {
  return (api::Handler::Serves(request) ? api_ : webhdfs_).Overloaded(request);
}

}  // namespace slipstream::gateway
