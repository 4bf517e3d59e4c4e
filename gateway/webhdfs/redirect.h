#pragma once

#include <string>

#include "gateway/webhdfs/call.h"

// WebHDFS takes data at another URL than it is asked at; here both are the gateway's, told apart by
// data=true. So it works behind NAT, and clients that insist on a redirect get one.

namespace slipstream::gateway::webhdfs {

// Whether the request is the one that carries the data.
Result<bool> IsDataRequest(const Call& call);
// Whether the URL for the data is asked for as a document (noredirect=true), not as a redirect.
Result<bool> WantsLocation(const Call& call);

// The same operation with data=true, at the address by which the client reached us.
std::string DataUrl(const Call& call);

http::Response LocationDocument(const Call& call);
// 307, or the document for who wants that.
Outcome RedirectToData(const Call& call);

}  // namespace slipstream::gateway::webhdfs
