#pragma once

#include <string>

#include "common/status/status.h"

namespace slipstream::rpc {

// What a failed call says, with what to do about it where no connection came about for want of
// trust: no TLS on one of the sides, another authority, an expired certificate, another name. Any
// other status is returned as it is. `tls_dir`: that of the calling side, or empty.
//
// The code stays kUnavailable: certificates change while processes run, and the next attempt may
// find better ones.
Status ExplainConnectError(Status status, const std::string& tls_dir);

}  // namespace slipstream::rpc
