#include "dfs-master/daemon.h"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <stop_token>
#include <thread>

#include <spdlog/logger.h>

#include "common/access/process_user.h"
#include "common/access/token_file.h"
#include "common/clock/clock.h"
#include "common/daemon/admin_server.h"
#include "common/daemon/control_loop.h"
#include "common/daemon/endpoint.h"
#include "common/fs/posix_file_system.h"
#include "common/log/log.h"
#include "common/net/host_port.h"
#include "common/rpc/server.h"
#include "common/sync/mutex.h"
#include "dfs-master/backup.h"
#include "dfs-master/master_service.h"
#include "dfs-master/method_roles.h"
#include "dfs-master/metrics.h"
#include "dfs-master/rocksdb_store.h"

namespace slipstream::dfs::master {
namespace {

constexpr std::chrono::seconds kTickPeriod{1};
// For others, between two steps that take the master's lock for some milliseconds each.
constexpr std::chrono::milliseconds kStepPause{5};
constexpr std::chrono::seconds kDrainGrace{5};
constexpr uint32_t kRootMode = 01777;
// A call that waits for the disk holds a thread; past this many calls are refused.
constexpr int kRpcThreadsMax = 256;
constexpr const char* kLogger = "dfs_master";

// Whatever the state in memory is, it is not what is on disk any more.
void EndOnStoreFailure(const Status& status) {
  auto logger = log::Get(kLogger);
  logger->critical("metadata_store_failed error={}", log::Quoted(status.ToString()));
  logger->flush();
  std::_Exit(daemon::kExitFailed);
}

// Master::Tick once a second, on a thread of its own since it waits for the disk.
class HousekeepingLoop final {
 public:
  HousekeepingLoop(Master& master, Metrics& metrics)
      : thread_([this, &master, &metrics](const std::stop_token& stop) {
          std::stop_callback wake(stop, [this] {
            MutexLock lock(mutex_);
            wake_.NotifyAll();
          });
          while (!stop.stop_requested()) {
            const SteadyTime next = SystemClock::Get().Now() + kTickPeriod;
            Step(master, metrics);
            while (!stop.stop_requested() && master.FollowStep()) {
              MutexLock lock(mutex_);
              wake_.WaitFor(mutex_, kStepPause);
            }
            MutexLock lock(mutex_);
            const auto rest = next - SystemClock::Get().Now();
            if (!stop.stop_requested() && rest.count() > 0) wake_.WaitFor(mutex_, rest);
          }
        }) {}

 private:
  static void Step(Master& master, Metrics& metrics) {
    if (Status status = master.Tick(); !status.ok()) {
      log::Get(kLogger)->error("housekeeping_failed error={}", log::Quoted(status.ToString()));
    }
    if (auto state = master.GetClusterState(); state.ok()) metrics.SetClusterState(*state);
  }

  Mutex mutex_;
  CondVar wake_;
  std::jthread thread_;
};

// Master::LoadStep until all blocks are known. A failure ends the process.
class LoadingLoop final {
 public:
  explicit LoadingLoop(Master& master)
      : thread_([&master](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            const Result<bool> has_more = master.LoadStep();
            if (!has_more.ok() || !*has_more) return;
          }
        }) {}

 private:
  std::jthread thread_;
};

}  // namespace

struct Daemon::Impl {
  explicit Impl(const Options& given) : options(given) {}

  const Options& options;
  daemon::ControlLoop control;
  Metrics metrics;
  std::unique_ptr<RocksDbStore> store;
  std::unique_ptr<Master> master;
  std::unique_ptr<LoadingLoop> loading;
  std::unique_ptr<HousekeepingLoop> housekeeping;
  BlockTokenIssuer block_tokens{SystemClock::Get()};
  // Shared with the server's credentials.
  std::shared_ptr<const rpc::Authenticator> authenticator =
      std::make_shared<rpc::Authenticator>(nullptr);
  std::unique_ptr<MasterService> service;
  std::unique_ptr<rpc::Server> server;
  std::unique_ptr<daemon::AdminServer> admin;
  std::atomic<bool> is_draining{false};
};

Daemon::Daemon(const Options& options) : impl_(std::make_unique<Impl>(options)) {}

Daemon::~Daemon() {
  Stop();
}

Status Daemon::Run(const Options& options) {
  Daemon daemon(options);
  RETURN_IF_ERROR(daemon.Start());
  int signal_number = daemon.impl_->control.Run();
  log::Get(kLogger)->info("drain_started signal={}", signal_number);
  daemon.Stop();
  log::Get(kLogger)->info("stopped");
  return {};
}

Status Daemon::Start() {
  const Options& options = impl_->options;
  for (const auto& [flag, address] : {std::pair{"--listen", options.listen},
                                      std::pair{"--admin-listen", options.flags.admin_listen}}) {
    ASSIGN_OR_RETURN(HostPort listen, ParseHostPort(address));
    RETURN_IF_ERROR(
        CheckListenAddress(flag, listen, GuardOf(options.tls_dir, options.flags.insecure)));
  }
  if (!options.token_file.empty()) {
    if (options.tls_dir.empty()) {
      return InvalidArgument(
          "--tokens needs --tls-dir: nobody shows a token over a plain connection");
    }
    ASSIGN_OR_RETURN(std::unique_ptr<access::TokenFile> tokens,
                     access::TokenFile::Open(options.token_file));
    impl_->authenticator = std::make_shared<rpc::Authenticator>(std::move(tokens));
  }
  RETURN_IF_ERROR(CheckRestoreIsWhole(options.data_dir));
  // Half of it for rows, which save the most: they are decoded, and found by one lookup.
  ASSIGN_OR_RETURN(impl_->store,
                   RocksDbStore::Open({.directory = options.data_dir / "meta",
                                       .on_fatal = EndOnStoreFailure,
                                       .block_cache_bytes = options.cache_bytes / 4,
                                       .write_buffer_bytes = options.cache_bytes / 4}));
  Master::Options master = options.master;
  master.cache_bytes = options.cache_bytes / 2;
  master.on_fatal = EndOnStoreFailure;
  const std::string user = access::UserOfProcess();
  // As a directory for everybody's: what one makes there is nobody else's to remove.
  master.root = {.owner = user, .group = options.supergroup, .mode = kRootMode};
  master.free_bytes = [directory = options.data_dir]() -> Result<uint64_t> {
    ASSIGN_OR_RETURN(const DiskSpace space, PosixFileSystem::Get().Space(directory.string()));
    return space.available_bytes;
  };
  master.backup = [this](const std::string& directory) {
    const Now now{.steady = SystemClock::Get().Now(), .wall = SystemClock::Get().WallNow()};
    return MakeBackup(*impl_->store, directory, PosixFileSystem::Get(), now.wall_ms());
  };
  ASSIGN_OR_RETURN(impl_->master, Master::Open(master, *impl_->store, SystemClock::Get()));
  log::Get(kLogger)->info("placement_seeded seed={}", master.seed);
  std::vector<std::string> superusers = options.superusers;
  superusers.push_back(user);
  impl_->service = std::make_unique<MasterService>(
      *impl_->master,
      impl_->metrics,
      SystemClock::Get(),
      MasterService::Options{
          .version = daemon::Version(),
          .callers = {.is_checking = options.checks_permissions,
                      .superusers = std::move(superusers),
                      .supergroup = options.supergroup},
          // Without TLS nobody is known, and whoever listens would have the tokens.
          .authenticator = options.tls_dir.empty() ? nullptr : impl_->authenticator,
          .block_tokens = options.tls_dir.empty() ? nullptr : &impl_->block_tokens});
  ASSIGN_OR_RETURN(impl_->server,
                   rpc::Server::Start({.listen = options.listen,
                                       .threads_max = kRpcThreadsMax,
                                       .tls_dir = options.tls_dir,
                                       .access = {.role_needed = RoleNeeded,
                                                  .authenticator = impl_->authenticator}},
                                      impl_->service->services()));
  impl_->loading = std::make_unique<LoadingLoop>(*impl_->master);
  impl_->housekeeping = std::make_unique<HousekeepingLoop>(*impl_->master, impl_->metrics);
  ASSIGN_OR_RETURN(impl_->admin,
                   daemon::AdminServer::Start({.listen = options.flags.admin_listen,
                                               .tls_dir = options.tls_dir,
                                               .daemon = "dfs-master",
                                               .registry = &impl_->metrics.registry(),
                                               .ready = {{.name = "serving",
                                                          .check =
                                                              [this] {
                                                                return impl_->is_draining
                                                                           ? Unavailable("draining")
                                                                           : Status();
                                                              }}},
                                               .status_json = [this]() -> std::string {
                                                 auto state = impl_->master->GetClusterState();
                                                 return state.ok() ? ToJson(*state) : "{}";
                                               }}));
  impl_->server->SetServing(true);
  return daemon::AnnounceReady(kLogger,
                               {.rpc = impl_->server->address(), .admin = impl_->admin->address()},
                               options.flags.endpoint_file);
}

void Daemon::Stop() {
  impl_->is_draining = true;
  if (impl_->server) {
    impl_->server->SetServing(false);
    impl_->server->Shutdown(kDrainGrace);
  }
  impl_->housekeeping.reset();
  impl_->loading.reset();
  impl_->admin.reset();
  impl_->server.reset();
  impl_->service.reset();
  impl_->master.reset();
  impl_->store.reset();
}

}  // namespace slipstream::dfs::master
