#include "common/rpc/server.h"

#include <utility>

#include <grpc/support/time.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>

#include "common/net/host_port.h"
#include "common/rpc/channel.h"
#include "common/rpc/library.h"

namespace slipstream::rpc {
namespace {

// Clients send keepalive pings every 10 s, on idle connections too; gRPC's default would cut them
// off as abusive.
constexpr int kPingIntervalMsMin = 5'000;

// Threads that stay when they have nothing to do. Handlers block, and with gRPC's default of two a
// busy server would make a thread for every call and end it again.
constexpr int kIdleThreadsMax = 16;

}  // namespace

struct Server::Impl {
  std::unique_ptr<grpc::Server> server;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() {
  Shutdown(std::chrono::milliseconds(0));
}

Result<std::unique_ptr<Server>> Server::Start(const Options& options,
                                              const std::vector<grpc::Service*>& services) {
  KeepLibrary();
  ASSIGN_OR_RETURN(HostPort listen, ParseHostPort(options.listen));

  // Both are process-wide switches of gRPC, and idempotent.
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();

  grpc::ResourceQuota quota("server");
  quota.SetMaxThreads(options.threads_max);
  grpc::ServerBuilder builder;
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MAX_POLLERS, kIdleThreadsMax);
  builder.SetResourceQuota(quota);
  builder.SetMaxReceiveMessageSize(static_cast<int>(kMessageBytesMax));
  builder.SetMaxSendMessageSize(static_cast<int>(kMessageBytesMax));
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kPingIntervalMsMin);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // Without this a second process could listen on the same port and take half of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  int port = 0;
  builder.AddListeningPort(
      options.listen, MakeServerCredentials(options.tls_dir, options.access), &port);
  for (grpc::Service* service : services)
    builder.RegisterService(service);

  auto impl = std::make_unique<Impl>();
  impl->server = builder.BuildAndStart();
  if (impl->server == nullptr || port == 0) {
    return Unavailable("cannot listen on " + options.listen +
                       ": port in use, or address not of this host");
  }
  std::unique_ptr<Server> server(new Server(std::move(impl)));
  server->port_ = static_cast<uint16_t>(port);
  server->address_ = HostPort{.host = listen.host, .port = server->port_}.ToString();
  server->SetServing(false);
  return server;
}

void Server::SetServing(bool is_serving) {
  impl_->server->GetHealthCheckService()->SetServingStatus(is_serving);
}

void Server::Shutdown(std::chrono::milliseconds grace) {
  impl_->server->Shutdown(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                       gpr_time_from_millis(grace.count(), GPR_TIMESPAN)));
  impl_->server->Wait();
}

}  // namespace slipstream::rpc
