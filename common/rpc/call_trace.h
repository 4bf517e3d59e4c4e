#pragma once

#include "common/trace/trace.h"

namespace grpc {
class ClientContext;
class ServerContextBase;
}  // namespace grpc

// The name of what a call is about, as its metadata.

namespace slipstream::rpc {

// Passes on what this thread is at work on. Before the call begins.
void AddTrace(grpc::ClientContext& context);
// What the caller was at work on; not set where it said nothing.
trace::Id TraceOf(const grpc::ServerContextBase& context);

}  // namespace slipstream::rpc
