#pragma once

#include <memory>

#include "common/rpc/channel.h"
#include "common/rpc/transport.h"

namespace slipstream::rpc {

// The transport between real processes: gRPC over TCP. A peer is a channel (channel.h says how it
// connects, reconnects and notices that the other side has vanished).
std::shared_ptr<Transport> MakeGrpcTransport(const ChannelOptions& options = {});

}  // namespace slipstream::rpc
