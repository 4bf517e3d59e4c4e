#include "gateway/daemon.h"

#include <sys/resource.h>

#include <atomic>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <prometheus/registry.h>

#include "common/clock/clock.h"
#include "common/daemon/admin_server.h"
#include "common/daemon/control_loop.h"
#include "common/daemon/endpoint.h"
#include "common/daemon/flags.h"
#include "common/kafka/admin.h"
#include "common/log/log.h"
#include "common/net/host_port.h"
#include "common/rpc/grpc_transport.h"
#include "dfs-client/dfs_client.h"
#include "gateway/api/handler.h"
#include "gateway/api/state_board.h"
#include "gateway/api/status_reader.h"
#include "gateway/charts/chart_feed.h"
#include "gateway/charts/file_rows.h"
#include "gateway/charts/records.h"
#include "gateway/charts/topic_rows.h"
#include "gateway/dashboard/handler.h"
#include "gateway/gatekeeper.h"
#include "gateway/http/host_names.h"
#include "gateway/http/metrics.h"
#include "gateway/http/server.h"
#include "gateway/router.h"
#include "gateway/webhdfs/handler.h"

namespace slipstream::gateway {
namespace {

constexpr char kLogName[] = "gateway";
// What everybody sees who looks at the dashboard it may read, and no more.
constexpr char kOwnUser[] = "gateway";
constexpr char kNoBrokers[] = "nothing is known of jobs: the gateway runs without --brokers";
constexpr char kGroup[] = "supergroup";  // as HDFS and `dfs` name it
constexpr std::chrono::milliseconds kWatchPeriod{1'000};
constexpr std::chrono::milliseconds kChartsPeriod{1'000};
constexpr std::chrono::milliseconds kChartsTimeout{5'000};
constexpr std::chrono::milliseconds kWatchTimeout{2'000};
constexpr std::chrono::milliseconds kMasterSilenceMax{10'000};

// What is served to browsers and clients: beyond loopback encrypted, and to those with a token.
Status CheckHttpAddress(const DaemonOptions& options, const HostPort& listen) {
  const bool is_guarded = options.is_https && !options.token_file.empty();
  if (is_guarded || options.insecure || IsLoopback(listen.host)) return {};
  return InvalidArgument("--listen " + listen.ToString() +
                         " can be reached from other machines: add --https and --tokens FILE, so "
                         "that what goes there is encrypted and everybody proves who he is, or, if "
                         "that is not wanted, --insecure");
}

Status CheckAddresses(const DaemonOptions& options) {
  if (options.is_https && options.tls_dir.empty()) {
    return InvalidArgument("--https needs --tls-dir, where its certificate is");
  }
  ASSIGN_OR_RETURN(HostPort listen, ParseHostPort(options.listen));
  RETURN_IF_ERROR(CheckHttpAddress(options, listen));
  ASSIGN_OR_RETURN(HostPort admin, ParseHostPort(options.admin_listen));
  RETURN_IF_ERROR(
      CheckListenAddress("--admin-listen", admin, GuardOf(options.tls_dir, options.insecure)));
  return ParseHostPort(options.master).status().WithContext("--master");
}

// How Kafka is reached; empty where nobody said where it is.
kafka::Properties KafkaProperties(const DaemonOptions& options) {
  if (options.brokers.empty()) return {};
  kafka::Properties properties = {{"bootstrap.servers", options.brokers}};
  properties.insert(
      properties.end(), options.kafka_properties.begin(), options.kafka_properties.end());
  return properties;
}

// A connection is a file descriptor, and the soft limit is often 1,024.
void AllowManyFiles() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

// Ours are what --listen says, what this machine calls itself, and what we are told.
http::HostNames NamesFor(const DaemonOptions& options) {
  std::vector<std::string> names = options.allowed_hosts;
  if (const auto listen = ParseHostPort(options.listen); listen.ok()) names.push_back(listen->host);
  if (auto own = OwnHostName(); own.ok()) names.push_back(*std::move(own));
  return http::HostNames(std::move(names));
}

}  // namespace

// In the order in which they may be used, so that destruction is the reverse.
struct Daemon::Impl {
  explicit Impl(const DaemonOptions& given)
      : options(given),
        kafka_properties(KafkaProperties(given)),
        names(NamesFor(given)),
        clients([this](const std::string& user) { return Connect(user); }) {}

  std::shared_ptr<dfs::DfsClient> Connect(const std::string& user);
  Status Listen();
  void WatchCluster(const std::stop_token& stop_watch);
  Result<std::vector<api::TopicState>> ListTopics() const;
  std::unique_ptr<charts::RowSource> OpenSource(const charts::ChartQuery& query);
  void FeedCharts(const std::stop_token& stop_feed);
  std::vector<daemon::ReadyCheck> ReadyChecks() const;
  Status MasterAnswers() const;
  std::string StatusJson() const;
  void Stop();

  const DaemonOptions options;
  const kafka::Properties kafka_properties;  // empty: Kafka is not looked at
  const http::HostNames names;
  daemon::ControlLoop control;
  prometheus::Registry registry;
  http::Metrics metrics{registry};
  std::stop_source stop;  // of the file system's clients
  std::shared_ptr<rpc::Transport> transport =
      rpc::MakeGrpcTransport(options.tls_dir);  // shared by the clients
  UserClients clients;
  api::StateBoard board;
  std::shared_ptr<dfs::DfsClient> chart_client;      // of the charts' thread
  charts::KafkaReads chart_reads{kafka_properties};  // of the charts' thread alone
  charts::ChartFeed charts{options.dashboards,
                           [this](const charts::ChartQuery& query) { return OpenSource(query); },
                           SystemClock::Get()};
  std::unique_ptr<webhdfs::Handler> webhdfs;
  std::unique_ptr<api::Handler> api;
  dashboard::Handler dashboard;
  std::unique_ptr<Router> router;
  std::unique_ptr<access::TokenFile> tokens;  // null: nobody is asked for one
  std::unique_ptr<Gatekeeper> gatekeeper;     // before the router, if there are tokens
  std::unique_ptr<http::Server> server;
  std::unique_ptr<daemon::AdminServer> admin;
  std::atomic<bool> is_draining = false;
  bool is_stopped = false;
  std::jthread cluster_watch;
  std::jthread jobs_watch;
  std::jthread charts_feed;
};

std::shared_ptr<dfs::DfsClient> Daemon::Impl::Connect(const std::string& user) {
  return dfs::DfsClient::Connect({.master = options.master,
                                  .timeout = options.timeout,
                                  .write_timeout = options.timeout,
                                  .read_timeout = options.timeout,
                                  .user = user,
                                  .file_group = kGroup,
                                  .stop = stop.get_token(),
                                  .transport = transport});
}

Status Daemon::Impl::Listen() {
  webhdfs = std::make_unique<webhdfs::Handler>(clients, options.listen, options.static_user);
  // One that does not answer keeps the other charts waiting.
  chart_client = dfs::DfsClient::Connect({.master = options.master,
                                          .timeout = kChartsTimeout,
                                          .read_timeout = kChartsTimeout,
                                          .user = kOwnUser,
                                          .threads_max = 0,
                                          .on_notice = [](const std::string&) {},
                                          .stop = stop.get_token(),
                                          .transport = transport});
  api = std::make_unique<api::Handler>(
      api::Handler::Parts{.board = board,
                          .clients = clients,
                          .static_user = options.static_user,
                          .clock = SystemClock::Get(),
                          .list_topics = [this] { return ListTopics(); },
                          .charts = charts,
                          .newest_records =
                              [this](const std::string& topic, size_t records_max) {
                                charts::KafkaReads own(kafka_properties);
                                return charts::NewestRecordsText(own, topic, records_max);
                              }});
  router = std::make_unique<Router>(
      Router::Parts{.names = names, .webhdfs = *webhdfs, .api = *api, .dashboard = dashboard});
  if (!options.token_file.empty()) {
    ASSIGN_OR_RETURN(tokens, access::TokenFile::Open(options.token_file));
    gatekeeper = std::make_unique<Gatekeeper>(*tokens, *router);
  }
  http::Handler& front = gatekeeper == nullptr ? static_cast<http::Handler&>(*router) : *gatekeeper;
  ASSIGN_OR_RETURN(server,
                   http::Server::Start({.listen = options.listen,
                                        .tls_dir = options.is_https ? options.tls_dir : "",
                                        .limits = {.connections_max = options.connections_max,
                                                   .memory_bytes_max = options.memory_bytes}},
                                       front,
                                       metrics));
  ASSIGN_OR_RETURN(admin,
                   daemon::AdminServer::Start({.listen = options.admin_listen,
                                               .tls_dir = options.tls_dir,
                                               .daemon = "gateway",
                                               .registry = &registry,
                                               .ready = ReadyChecks(),
                                               .status_json = [this] { return StatusJson(); }}));
  return {};
}

// The master is asked once, however many look at the answer; readiness goes by it, too.
void Daemon::Impl::WatchCluster(const std::stop_token& stop_watch) {
  const auto client = dfs::DfsClient::Connect({.master = options.master,
                                               .timeout = kWatchTimeout,
                                               .threads_max = 0,
                                               .on_notice = [](const std::string&) {},
                                               .stop = stop.get_token(),
                                               .transport = transport});
  do {
    Result<dfs::ClusterState> state = client->GetClusterState();
    if (state.ok()) board.SetCluster(std::move(*state), SystemClock::Get().Now());
  } while (SystemSleeper::Get().Sleep(kWatchPeriod, stop_watch));
}

std::unique_ptr<charts::RowSource> Daemon::Impl::OpenSource(const charts::ChartQuery& query) {
  if (query.source == charts::ChartQuery::Source::kTopic) {
    return std::make_unique<charts::TopicRows>(query.place, chart_reads);
  }
  return std::make_unique<charts::FileRows>(query.place, *chart_client, SystemClock::Get());
}

void Daemon::Impl::FeedCharts(const std::stop_token& stop_feed) {
  do {
    charts.Turn();
  } while (SystemSleeper::Get().Sleep(kChartsPeriod, stop_feed));
}

Result<std::vector<api::TopicState>> Daemon::Impl::ListTopics() const {
  if (kafka_properties.empty()) return Unavailable(kNoBrokers);
  ASSIGN_OR_RETURN(
      const auto kafka,
      kafka::Admin::Create({.properties = kafka_properties, .logger = "kafka.gateway"}));
  ASSIGN_OR_RETURN(const auto counts, kafka->ListTopics());
  std::vector<api::TopicState> topics;
  topics.reserve(counts.size());
  for (const auto& [name, partitions] : counts)
    topics.push_back({.name = name, .partitions = partitions});
  return topics;
}

std::vector<daemon::ReadyCheck> Daemon::Impl::ReadyChecks() const {
  return {{.name = "serving",
           .check = [this] { return is_draining ? Unavailable("draining") : Status(); }},
          {.name = "master", .check = [this] { return MasterAnswers(); }}};
}

Status Daemon::Impl::MasterAnswers() const {
  const auto cluster = board.cluster();
  if (!cluster.has_value() || SystemClock::Get().Now() - cluster->heard_at > kMasterSilenceMax) {
    return Unavailable("no answer from master " + options.master);
  }
  return {};
}

std::string Daemon::Impl::StatusJson() const {
  return nlohmann::json{{"version", daemon::Version()},
                        {"master", options.master},
                        {"address", server->address()},
                        {"ready", !is_draining && MasterAnswers().ok()}}
      .dump();
}

void Daemon::Impl::Stop() {
  if (std::exchange(is_stopped, true)) return;
  is_draining = true;
  cluster_watch = {};
  jobs_watch = {};
  charts_feed.request_stop();
  // Before the server waits for its pools: calls that still run are cut short.
  std::jthread cut_short([this](const std::stop_token& in_time) {
    if (SystemSleeper::Get().Sleep(options.drain_time, in_time)) stop.request_stop();
  });
  if (server != nullptr) server->Stop(options.drain_time);
  charts_feed = {};
}

Daemon::Daemon(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Daemon::~Daemon() {
  impl_->Stop();
}

Result<std::unique_ptr<Daemon>> Daemon::Start(const DaemonOptions& options) {
  RETURN_IF_ERROR(CheckAddresses(options));
  AllowManyFiles();
  std::unique_ptr<Daemon> daemon(new Daemon(std::make_unique<Impl>(options)));
  Impl& impl = *daemon->impl_;
  RETURN_IF_ERROR(impl.Listen());
  impl.cluster_watch =
      std::jthread([&impl](const std::stop_token& stop) { impl.WatchCluster(stop); });
  if (impl.kafka_properties.empty()) {
    impl.board.SetJobsHealth(Unavailable(kNoBrokers));
  } else {
    impl.jobs_watch = std::jthread([&impl](const std::stop_token& stop) {
      api::ReadStatuses(impl.kafka_properties, impl.board, stop);
    });
  }
  impl.charts_feed = std::jthread([&impl](const std::stop_token& stop) { impl.FeedCharts(stop); });
  log::Get(kLogName)->info(
      "gateway_started address={} master={}", impl.server->address(), options.master);
  RETURN_IF_ERROR(
      daemon::AnnounceReady(kLogName,
                            {.rpc = impl.server->address(), .admin = impl.admin->address()},
                            options.endpoint_file));
  return daemon;
}

void Daemon::Run() {
  const int signal = impl_->control.Run();
  log::Get(kLogName)->info("gateway_stopping signal={}", signal);
  impl_->Stop();
}

}  // namespace slipstream::gateway
