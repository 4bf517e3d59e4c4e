#include "common/rpc/call_trace.h"

#include <string>

#include <grpcpp/client_context.h>
#include <grpcpp/server_context.h>

namespace slipstream::rpc {

void AddTrace(grpc::ClientContext& context) {
  const trace::Id id = trace::Current();
  if (id.is_set()) context.AddMetadata(std::string(trace::kHeader), trace::ToHeader(id));
}

trace::Id TraceOf(const grpc::ServerContextBase& context) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find(grpc::string_ref(trace::kHeader.data(), trace::kHeader.size()));
  if (found == metadata.end()) return {};
  return trace::FromHeader({found->second.data(), found->second.size()}).value_or(trace::Id());
}

}  // namespace slipstream::rpc
