#include "dfs-datanode/daemon.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include "common/clock/clock.h"
#include "common/daemon/admin_server.h"
#include "common/daemon/control_loop.h"
#include "common/daemon/endpoint.h"
#include "common/daemon/flags.h"
#include "common/fs/posix_file_system.h"
#include "common/log/log.h"
#include "common/net/host_port.h"
#include "common/rpc/grpc_transport.h"
#include "common/rpc/library.h"
#include "common/rpc/server.h"
#include "dfs-datanode/datanode_service.h"
#include "dfs-datanode/metrics.h"
#include "dfs-datanode/node.h"
#include "dfs-datanode/step_loop.h"

namespace slipstream::datanode {
namespace {

constexpr char kLogName[] = "datanode";
constexpr std::chrono::milliseconds kDrainTime{5'000};
constexpr std::chrono::milliseconds kGaugePeriod{1'000};
constexpr int kCopyThreads = 2;
// A frame as it is read, and as it is sent, with room for gRPC's own.
constexpr size_t kKeptMemoryBytes = size_t{8} << 20;

Status CheckAddresses(const DaemonOptions& options) {
  const Guard guard = GuardOf(options.tls_dir, options.insecure);
  ASSIGN_OR_RETURN(HostPort listen, ParseHostPort(options.listen));
  RETURN_IF_ERROR(CheckListenAddress("--listen", listen, guard));
  ASSIGN_OR_RETURN(HostPort admin, ParseHostPort(options.admin_listen));
  RETURN_IF_ERROR(CheckListenAddress("--admin-listen", admin, guard));
  RETURN_IF_ERROR(ParseHostPort(options.master).status().WithContext("--master"));
  if (options.advertise.empty()) {
    if (!IsEveryAddress(listen.host)) return {};
    return InvalidArgument("--listen takes every address: --advertise must say which others use");
  }
  return ParseHostPort(options.advertise).status().WithContext("--advertise");
}

// What others are told; a port 0 in --advertise stands for the one it got.
Result<HostPort> AdvertisedAddress(const DaemonOptions& options, const rpc::Server& server) {
  ASSIGN_OR_RETURN(HostPort advertised,
                   ParseHostPort(options.advertise.empty() ? server.address() : options.advertise));
  if (advertised.port == 0) advertised.port = server.port();
  return advertised;
}

}  // namespace

// In the order in which they may be used, so that destruction is the reverse.
struct Daemon::Impl {
  explicit Impl(DaemonOptions given) : options(std::move(given)) {}

  const DaemonOptions options;
  daemon::ControlLoop control;
  std::atomic<bool> is_stopped = false;
  prometheus::Registry registry;
  Metrics metrics{registry};
  std::shared_ptr<rpc::Transport> transport =
      rpc::MakeGrpcTransport(options.tls_dir);  // shared with its peers
  std::unique_ptr<Node> node;
  std::unique_ptr<StepLoop> session;
  std::unique_ptr<StepLoop> scrubber;
  std::unique_ptr<StepLoop> merger;
  std::unique_ptr<StepLoop> reclaimer;
  std::vector<std::unique_ptr<StepLoop>> copiers;
  std::unique_ptr<DatanodeService> service;
  std::unique_ptr<rpc::Server> server;
  std::unique_ptr<daemon::AdminServer> admin;

  Status OpenNode();
  void MakeLoops();
  Status Listen();
  std::vector<daemon::ReadyCheck> ReadyChecks();
  void UpdateGauges();
  std::string StatusJson();
  std::vector<StepLoop*> Loops() const;
  void Stop();
};

Status Daemon::Impl::OpenNode() {
  std::vector<DiskLocation> disks;
  for (const std::string& path : options.data_dirs)
    disks.push_back({.path = path, .fs = &PosixFileSystem::Get()});
  ASSIGN_OR_RETURN(node,
                   Node::Open({.disks = std::move(disks),
                               .disks_min = options.disks_min,
                               .reserve_bytes = options.reserve_bytes,
                               .park_time = options.park_time,
                               .session = {.master = options.master,
                                           .failure_domain = options.failure_domain,
                                           .rack = options.rack,
                                           .host = options.host,
                                           .version = daemon::Version()},
                               .scrubber = {.bytes_per_second = options.scrub_bytes_per_second,
                                            .pass_interval = options.scrub_interval},
                               .wants_tokens = !options.tls_dir.empty()},
                              *transport,
                              SystemClock::Get(),
                              metrics));
  MakeLoops();
  return {};
}

void Daemon::Impl::MakeLoops() {
  session = std::make_unique<StepLoop>(
      [this](const std::stop_token& stop) { return node->session().Step(stop); },
      MasterSession::Options().change_delay);
  scrubber = std::make_unique<StepLoop>(
      [this](const std::stop_token&) { return node->scrubber().Step(); });
  merger = std::make_unique<StepLoop>(
      [this](const std::stop_token& stop) { return node->merger().Step(stop); });
  reclaimer = std::make_unique<StepLoop>(
      [this](const std::stop_token& stop) { return node->reclaimer().Step(stop); });
  for (int i = 0; i < kCopyThreads; ++i) {
    copiers.push_back(std::make_unique<StepLoop>(
        [this](const std::stop_token& stop) { return node->copier().Step(stop); }));
  }
  node->SetWakers({.session = [this] { session->Wake(); },
                   .scrubber = [this] { scrubber->Wake(); },
                   .copier =
                       [this] {
                         for (const std::unique_ptr<StepLoop>& loop : copiers)
                           loop->Wake();
                       },
                   .merger = [this] { merger->Wake(); }});
}

std::vector<StepLoop*> Daemon::Impl::Loops() const {
  std::vector<StepLoop*> loops = {scrubber.get(), merger.get(), reclaimer.get()};
  for (const std::unique_ptr<StepLoop>& loop : copiers)
    loops.push_back(loop.get());
  return loops;
}

Status Daemon::Impl::Listen() {
  service = std::make_unique<DatanodeService>(node->server(), metrics.calls, SystemClock::Get());
  ASSIGN_OR_RETURN(server,
                   rpc::Server::Start({.listen = options.listen,
                                       .threads_max = options.rpc_threads,
                                       .tls_dir = options.tls_dir,
                                       .access = {.role_needed = DatanodeService::RoleNeeded,
                                                  .asks_itself = DatanodeService::AsksItself}},
                                      {&service->service()}));
  ASSIGN_OR_RETURN(admin,
                   daemon::AdminServer::Start({.listen = options.admin_listen,
                                               .tls_dir = options.tls_dir,
                                               .daemon = "dfs-datanode",
                                               .registry = &registry,
                                               .ready = ReadyChecks(),
                                               .status_json = [this] { return StatusJson(); }}));
  return {};
}

std::vector<daemon::ReadyCheck> Daemon::Impl::ReadyChecks() {
  return {{.name = "serving",
           .check = [this] { return is_stopped ? Unavailable("draining") : Status(); }},
          {.name = "master",
           .check =
               [this] {
                 if (node->session().has_master()) return Status();
                 return Unavailable("no answer from master " + options.master);
               }},
          {.name = "disks", .check = [this] { return node->health(); }}};
}

void Daemon::Impl::UpdateGauges() {
  metrics.has_master.Set(node->session().has_master() ? 1 : 0);
  Result<ReplicaStore::Usage> usage = node->store().GetUsage();
  if (!usage.ok()) return;
  metrics.replicas.Set(static_cast<double>(usage->replica_count));
  metrics.parked_replicas.Set(static_cast<double>(usage->parked_count));
  metrics.used_bytes.Set(static_cast<double>(usage->used_bytes));
  metrics.free_bytes.Set(static_cast<double>(usage->free_bytes));
}

std::string Daemon::Impl::StatusJson() {
  nlohmann::json status = {{"node_id", node->node_id()},
                           {"version", daemon::Version()},
                           {"master", options.master},
                           {"has_master", node->session().has_master()},
                           {"master_log_position", node->session().log_position()},
                           {"active_writes", metrics.active_writes.Value()}};
  if (Result<ReplicaStore::Usage> usage = node->store().GetUsage(); usage.ok()) {
    for (const ReplicaStore::DiskUsage& disk : usage->disks) {
      status["disks"].push_back({{"path", disk.path},
                                 {"capacity_bytes", disk.capacity_bytes},
                                 {"used_bytes", disk.used_bytes},
                                 {"free_bytes", disk.free_bytes},
                                 {"failure", disk.failure}});
    }
    status["capacity_bytes"] = usage->capacity_bytes;
    status["used_bytes"] = usage->used_bytes;
    status["free_bytes"] = usage->free_bytes;
    status["replicas"] = usage->replica_count;
    status["parked_replicas"] = usage->parked_count;
  }
  return status.dump();
}

void Daemon::Impl::Stop() {
  if (is_stopped.exchange(true)) return;
  if (server != nullptr) {
    server->SetServing(false);
    server->Shutdown(kDrainTime);
  }
  if (node == nullptr) return;
  // After the last write, so that the master hears of it.
  session->Stop();
  for (StepLoop* loop : Loops())
    loop->Stop();
  node->SaveState();
}

Daemon::Daemon(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Daemon::~Daemon() {
  impl_->Stop();
}

Result<std::unique_ptr<Daemon>> Daemon::Start(const DaemonOptions& options) {
  RETURN_IF_ERROR(CheckAddresses(options));
  rpc::KeepMessageMemory(kKeptMemoryBytes);
  std::unique_ptr<Daemon> daemon(new Daemon(std::make_unique<Impl>(options)));
  Impl& impl = *daemon->impl_;
  RETURN_IF_ERROR(impl.OpenNode());
  RETURN_IF_ERROR(impl.Listen());
  ASSIGN_OR_RETURN(const HostPort address, AdvertisedAddress(options, *impl.server));
  ASSIGN_OR_RETURN(const HostPort admin, ParseHostPort(impl.admin->address()));
  impl.node->session().SetAddresses(address.ToString(), ReachedAt(admin, address.host).ToString());
  for (StepLoop* loop : impl.Loops())
    loop->Start();
  impl.session->Start();
  impl.control.Every(kGaugePeriod, [&impl] {
    impl.UpdateGauges();
    if (!impl.node->health().ok()) impl.control.Stop();
  });
  impl.server->SetServing(true);
  log::Get(kLogName)->info("datanode_started node_id={} data_dirs={} replicas={} address={}",
                           impl.node->node_id(),
                           log::Quoted(fmt::format("{}", fmt::join(options.data_dirs, " "))),
                           impl.node->store().List().replicas.size(),
                           address.ToString());
  RETURN_IF_ERROR(
      daemon::AnnounceReady(kLogName,
                            {.rpc = impl.server->address(), .admin = impl.admin->address()},
                            options.endpoint_file));
  return daemon;
}

Status Daemon::Run() {
  const int signal = impl_->control.Run();
  Status health = impl_->node->health();
  log::Get(kLogName)->info(
      "datanode_stopping signal={} health={}", signal, log::Quoted(health.ToString()));
  impl_->Stop();
  return health;
}

}  // namespace slipstream::datanode
