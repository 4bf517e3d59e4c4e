#include "dfs-datanode/daemon.h"

#include <algorithm>
#include <utility>

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
#include "common/rpc/server.h"
#include "dfs-datanode/data_dir.h"
#include "dfs-datanode/datanode_service.h"
#include "dfs-datanode/master_link.h"
#include "dfs-datanode/metrics.h"
#include "dfs-datanode/peers.h"
#include "dfs-datanode/replica_copier.h"
#include "dfs-datanode/replica_store.h"
#include "dfs-datanode/scrubber.h"
#include "dfs-datanode/space_reclaimer.h"

namespace slipstream::datanode {
namespace {

constexpr char kLogName[] = "datanode";
constexpr std::chrono::milliseconds kDrainTime{5'000};
constexpr std::chrono::milliseconds kGaugePeriod{1'000};
constexpr uint64_t kReserveBytesMax = uint64_t{1} << 30;
constexpr uint64_t kReserveDivisor = 20;

Result<uint64_t> ReserveBytes(const DaemonOptions& options, FileSystem& fs) {
  if (options.reserve_bytes != 0) return options.reserve_bytes;
  ASSIGN_OR_RETURN(DiskSpace space, fs.Space(options.data_dir));
  return std::min(kReserveBytesMax, space.capacity_bytes / kReserveDivisor);
}

Status CheckAddresses(const DaemonOptions& options) {
  ASSIGN_OR_RETURN(HostPort listen, ParseHostPort(options.listen));
  RETURN_IF_ERROR(CheckListenAddress("--listen", listen, options.insecure));
  ASSIGN_OR_RETURN(HostPort admin, ParseHostPort(options.admin_listen));
  RETURN_IF_ERROR(CheckListenAddress("--admin-listen", admin, options.insecure));
  RETURN_IF_ERROR(ParseHostPort(options.master).status().WithContext("--master"));
  if (options.advertise.empty()) {
    if (listen.host != "0.0.0.0" && listen.host != "::") return {};
    return InvalidArgument("--listen takes every address: --advertise must say which others use");
  }
  return ParseHostPort(options.advertise).status().WithContext("--advertise");
}

// What others are told; a port 0 in --advertise stands for the one it got.
Result<std::string> AdvertisedAddress(const DaemonOptions& options, const rpc::Server& server) {
  if (options.advertise.empty()) return server.address();
  ASSIGN_OR_RETURN(HostPort advertised, ParseHostPort(options.advertise));
  if (advertised.port == 0) advertised.port = server.port();
  return advertised.ToString();
}

}  // namespace

// In the order in which they may be used, so that destruction is the reverse.
struct Daemon::Impl {
  DaemonOptions options;
  daemon::ControlLoop control;
  prometheus::Registry registry;
  Metrics metrics{registry};
  Peers peers;
  std::unique_ptr<DataDir> data_dir;
  std::unique_ptr<ReplicaStore> store;
  std::unique_ptr<Scrubber> scrubber;
  std::unique_ptr<ReplicaCopier> copier;
  std::unique_ptr<SpaceReclaimer> reclaimer;
  std::unique_ptr<MasterLink> link;
  std::unique_ptr<DatanodeService> service;
  std::unique_ptr<rpc::Server> server;
  std::unique_ptr<daemon::AdminServer> admin;

  Status OpenStores();
  Status Listen();
  void UpdateGauges();
  std::string StatusJson() const;
  void Stop() const;
};

Status Daemon::Impl::OpenStores() {
  FileSystem& fs = PosixFileSystem::Get();
  const Clock& clock = SystemClock::Get();
  ASSIGN_OR_RETURN(data_dir, DataDir::Open(options.data_dir, fs));
  ASSIGN_OR_RETURN(const uint64_t reserve_bytes, ReserveBytes(options, fs));
  ASSIGN_OR_RETURN(store,
                   ReplicaStore::Open({.root = options.data_dir,
                                       .reserve_bytes = reserve_bytes,
                                       .park_time = options.park_time},
                                      fs,
                                      clock));
  scrubber = std::make_unique<Scrubber>(
      Scrubber::Options{.bytes_per_second = options.scrub_bytes_per_second,
                        .pass_interval = options.scrub_interval},
      *store,
      *data_dir,
      clock);
  copier = std::make_unique<ReplicaCopier>(*store, peers);
  reclaimer = std::make_unique<SpaceReclaimer>(*store);
  link = std::make_unique<MasterLink>(
      MasterLink::Options{
          .master = options.master,
          .failure_domain = options.failure_domain,
          .version = daemon::Version(),
          .active_writes = [this] { return static_cast<uint32_t>(metrics.active_writes.Value()); }},
      *data_dir,
      *store,
      *scrubber,
      *copier,
      clock);
  store->SetChangeListener([this] { link->NotifyChange(); });
  return {};
}

Status Daemon::Impl::Listen() {
  service = std::make_unique<DatanodeService>(
      DatanodeService::Options{.node_id = data_dir->node_id(),
                               .has_master = [this] { return link->has_master(); }},
      *store,
      peers,
      metrics);
  ASSIGN_OR_RETURN(
      server,
      rpc::Server::Start({.listen = options.listen, .threads_max = options.rpc_threads},
                         {&service->service()}));
  ASSIGN_OR_RETURN(admin,
                   daemon::AdminServer::Start({.listen = options.admin_listen,
                                               .registry = &registry,
                                               .ready =
                                                   [this] {
                                                     if (link->has_master()) return Status();
                                                     return Unavailable("no answer from master " +
                                                                        options.master);
                                                   },
                                               .status_json = [this] { return StatusJson(); }}));
  return {};
}

void Daemon::Impl::UpdateGauges() {
  metrics.has_master.Set(link->has_master() ? 1 : 0);
  Result<ReplicaStore::Usage> usage = store->GetUsage();
  if (!usage.ok()) return;
  metrics.replicas.Set(static_cast<double>(usage->replica_count));
  metrics.parked_replicas.Set(static_cast<double>(usage->parked_count));
  metrics.used_bytes.Set(static_cast<double>(usage->used_bytes));
  metrics.free_bytes.Set(static_cast<double>(usage->free_bytes));
}

std::string Daemon::Impl::StatusJson() const {
  nlohmann::json status = {{"node_id", data_dir->node_id()},
                           {"version", daemon::Version()},
                           {"master", options.master},
                           {"has_master", link->has_master()},
                           {"master_log_position", link->log_position()},
                           {"active_writes", metrics.active_writes.Value()}};
  if (Result<ReplicaStore::Usage> usage = store->GetUsage(); usage.ok()) {
    status["capacity_bytes"] = usage->capacity_bytes;
    status["used_bytes"] = usage->used_bytes;
    status["free_bytes"] = usage->free_bytes;
    status["replicas"] = usage->replica_count;
    status["parked_replicas"] = usage->parked_count;
  }
  return status.dump();
}

void Daemon::Impl::Stop() const {
  if (server != nullptr) {
    server->SetServing(false);
    server->Shutdown(kDrainTime);
  }
  // After the last write, so that the master hears of it.
  if (link != nullptr) link->Stop();
  if (copier != nullptr) copier->Stop();
  if (reclaimer != nullptr) reclaimer->Stop();
  if (scrubber != nullptr) scrubber->Stop();
}

Daemon::Daemon(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Daemon::~Daemon() {
  impl_->Stop();
}

Result<std::unique_ptr<Daemon>> Daemon::Start(const DaemonOptions& options) {
  RETURN_IF_ERROR(CheckAddresses(options));
  std::unique_ptr<Daemon> daemon(new Daemon(std::make_unique<Impl>()));
  Impl& impl = *daemon->impl_;
  impl.options = options;
  RETURN_IF_ERROR(impl.OpenStores().WithContext("data directory " + options.data_dir));
  RETURN_IF_ERROR(impl.Listen());
  ASSIGN_OR_RETURN(const std::string address, AdvertisedAddress(options, *impl.server));
  impl.copier->Start();
  impl.reclaimer->Start();
  impl.scrubber->Start();
  impl.link->Start(address, impl.admin->address());
  impl.control.Every(kGaugePeriod, [&impl] { impl.UpdateGauges(); });
  impl.server->SetServing(true);
  log::Get(kLogName)->info("datanode_started node_id={} data_dir={} replicas={} address={}",
                           impl.data_dir->node_id(),
                           log::Quoted(options.data_dir),
                           impl.store->List().replicas.size(),
                           address);
  RETURN_IF_ERROR(
      daemon::AnnounceReady(kLogName,
                            {.rpc = impl.server->address(), .admin = impl.admin->address()},
                            options.endpoint_file));
  return daemon;
}

void Daemon::Run() {
  const int signal = impl_->control.Run();
  log::Get(kLogName)->info("datanode_stopping signal={}", signal);
  impl_->Stop();
}

}  // namespace slipstream::datanode
