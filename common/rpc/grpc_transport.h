#pragma once

#include <memory>
#include <string>

#include "common/rpc/transport.h"

namespace slipstream::rpc {

// The transport between real processes: gRPC over TCP, and over TLS where `tls_dir` is not empty
// (credentials.h). A peer is a channel (channel.h says how it connects, reconnects and notices that
// the other side has vanished).
std::shared_ptr<Transport> MakeGrpcTransport(const std::string& tls_dir = {});

}  // namespace slipstream::rpc
