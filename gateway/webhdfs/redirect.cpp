#include "gateway/webhdfs/redirect.h"

#include <utility>

#include "gateway/webhdfs/json.h"

namespace slipstream::gateway::webhdfs {

Result<bool> IsDataRequest(const Call& call) {
  return call.parameters.Boolean("data", false);
}

Result<bool> WantsLocation(const Call& call) {
  ASSIGN_OR_RETURN(const bool carries_data, IsDataRequest(call));
  ASSIGN_OR_RETURN(const bool is_asked_for, call.parameters.Boolean("noredirect", false));
  return is_asked_for && !carries_data;
}

std::string DataUrl(const Call& call) {
  http::Query query;
  for (const auto& parameter : call.parameters.query()) {
    const bool is_ours = http::EqualWithoutCase(parameter.first, "noredirect") ||
                         http::EqualWithoutCase(parameter.first, "data");
    if (!is_ours) query.push_back(parameter);
  }
  query.emplace_back("data", "true");
  return (call.is_over_tls ? "https://" : "http://") + call.authority + "/webhdfs/v1" +
         http::EncodePath(call.path) + "?" + http::EncodeQuery(query);
}

http::Response LocationDocument(const Call& call) {
  return TextDocument("Location", DataUrl(call));
}

Outcome RedirectToData(const Call& call) {
  ASSIGN_OR_RETURN(const bool wants_location, WantsLocation(call));
  if (wants_location) return http::Answer(LocationDocument(call));
  return http::Answer(http::Response{.code = 307,
                                     .content_type = "application/octet-stream",
                                     .headers = {{"Location", DataUrl(call)}}});
}

}  // namespace slipstream::gateway::webhdfs
