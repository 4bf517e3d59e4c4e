#pragma once

#include "common/status/status.h"

namespace grpc {
class Status;
}

// The one place where our Status and gRPC's meet. Code and message pass unchanged; details that a
// foreign server attached are dropped.

namespace slipstream::rpc {

grpc::Status ToGrpc(const Status& status);
Status FromGrpc(const grpc::Status& status);

}  // namespace slipstream::rpc
