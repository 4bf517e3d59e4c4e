#include "processor/app/streaming_job.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <re2/re2.h>

#include "common/daemon/admin_server.h"
#include "common/daemon/endpoint.h"
#include "common/kafka/admin.h"
#include "common/log/log.h"
#include "common/net/host_port.h"
#include "common/scratch/rocksdb_scratch.h"
#include "dfs-client/dfs_client.h"
#include "processor/app/job_description.h"
#include "processor/app/job_file_systems.h"
#include "processor/app/job_view.h"
#include "processor/app/registry.h"
#include "processor/engine/job_compiler.h"
#include "processor/engine/state_backend.h"
#include "processor/planner/table_options.h"
#include "processor/runtime/job_context.h"
#include "processor/runtime/job_runner.h"
#include "processor/savepoint/restore_savepoint.h"

namespace slipstream::processor {
namespace {

constexpr char kLogName[] = "processor";
constexpr std::chrono::milliseconds kStoreCallTimeout{10'000};
constexpr char kCommitIntervalSetting[] = "execution.checkpointing.interval";

// The topics' partitions together. Asks the brokers; a topic that is not there yet is an error.
Result<int32_t> CountPartitions(const RunFlags& flags, const runtime::KafkaSourceSpec& source) {
  ASSIGN_OR_RETURN(std::unique_ptr<kafka::Admin> admin,
                   kafka::Admin::Create(
                       {.properties = runtime::Join(KafkaProperties(flags.job), source.properties),
                        .timeout = flags.job.connect_timeout}));
  int32_t partitions = 0;
  for (const std::string& topic : source.topics) {
    ASSIGN_OR_RETURN(int32_t count, admin->PartitionCount(topic));
    partitions += count;
  }
  return partitions;
}

// The topics that the source's pattern finds whole, in order, but for Kafka's own and dead letters.
Result<std::vector<std::string>> FindTopics(const RunFlags& flags,
                                            const runtime::KafkaSourceSpec& source) {
  const re2::RE2 pattern(source.topic_pattern, re2::RE2::Quiet);
  if (!pattern.ok()) {
    return InvalidArgument("'topic-pattern' = '" + source.topic_pattern + "': " + pattern.error());
  }
  ASSIGN_OR_RETURN(std::unique_ptr<kafka::Admin> admin,
                   kafka::Admin::Create(
                       {.properties = runtime::Join(KafkaProperties(flags.job), source.properties),
                        .timeout = flags.job.connect_timeout}));
  ASSIGN_OR_RETURN(const auto topics, admin->ListTopics());
  std::vector<std::string> found;
  for (const auto& [topic, partitions] : topics) {
    if (topic.ends_with(".dead-letter") || !re2::RE2::FullMatch(topic, pattern)) continue;
    found.push_back(topic);
  }
  if (found.empty()) return NotFound("no topic is like '" + source.topic_pattern + "'");
  return found;
}

Result<std::chrono::milliseconds> CommitInterval(const RunFlags& flags,
                                                 const sql::Options& settings) {
  if (flags.commit_interval.count() > 0) return flags.commit_interval;
  auto setting = settings.find(kCommitIntervalSetting);
  if (setting == settings.end()) return std::chrono::milliseconds(1'000);
  Result<std::chrono::milliseconds> interval = sql::ParseDuration(setting->second);
  if (!interval.ok()) return interval.status().WithContext(kCommitIntervalSetting);
  return interval;
}

// The bytes of a file, some at a time.
runtime::SavepointReader::Source ReadFile(std::unique_ptr<sql::FileReader> file) {
  constexpr size_t kChunkBytes = size_t{1} << 20;
  return [file = std::shared_ptr<sql::FileReader>(std::move(file))]() -> Result<std::string> {
    std::string chunk(kChunkBytes, '\0');
    ASSIGN_OR_RETURN(const size_t bytes, file->Read(chunk));
    chunk.resize(bytes);
    return chunk;
  };
}

// nullptr: all state is kept in memory.
Result<std::unique_ptr<ScratchStore>> OpenScratch(const sql::Options& settings,
                                                  const std::string& name,
                                                  const RunFlags& flags) {
  ASSIGN_OR_RETURN(const sql::StateBackend backend, sql::StateBackendOf(settings));
  if (!backend.is_on_disk) return std::unique_ptr<ScratchStore>();
  ASSIGN_OR_RETURN(
      std::unique_ptr<ScratchStore> scratch,
      OpenRocksDbScratch(
          {.dir = flags.state_dir, .name = name, .memory_bytes = backend.memory_bytes}));
  log::Get(kLogName)->info("state_backend_opened backend=rocksdb dir={} memory_bytes={}",
                           log::Quoted(flags.state_dir),
                           backend.memory_bytes);
  return scratch;
}

Status RestoreFrom(const std::string& savepoint,
                   const runtime::JobProgram& program,
                   const runtime::JobOptions& options,
                   TableFiles& files,
                   const std::stop_token& stop) {
  ASSIGN_OR_RETURN(runtime::JobContext context, runtime::MakeJobContext(program, options));
  const auto open = [&]() -> Result<std::unique_ptr<runtime::SavepointReader>> {
    ASSIGN_OR_RETURN(std::unique_ptr<sql::FileReader> file, files.Open(savepoint));
    return std::make_unique<runtime::SavepointReader>(ReadFile(std::move(file)));
  };
  return runtime::RestoreSavepoint(context, open, stop).WithContext("savepoint " + savepoint);
}

}  // namespace

Result<runtime::JobOptions> MakeJobOptions(const sql::JobPlan& plan,
                                           const std::string& name,
                                           const RunFlags& flags,
                                           const std::string& admin_address) {
  runtime::JobOptions options{.job_name = name,
                              .kafka_properties = KafkaProperties(flags.job),
                              .state_dir = flags.state_dir,
                              .worker_count = flags.workers,
                              .standby_count = flags.standbys,
                              .is_fresh = flags.is_fresh,
                              .is_temporary = flags.is_temporary,
                              .connect_timeout = flags.job.connect_timeout,
                              .admin_address = admin_address,
                              .is_status_published = !flags.is_temporary};
  ASSIGN_OR_RETURN(options.commit_interval, CommitInterval(flags, plan.settings));
  // Not ended by `stop`: what the job has read until then is still committed. Workers call again,
  // and serve their group in between.
  options.open_store =
      [&flags](const std::string& authority) -> Result<std::shared_ptr<dfs::AppendStore>> {
    return std::shared_ptr<dfs::AppendStore>(
        dfs::DfsClient::Connect({.master = authority.empty() ? flags.job.master : authority,
                                 .timeout = kStoreCallTimeout,
                                 .write_timeout = kStoreCallTimeout,
                                 .tls_dir = flags.job.tls_dir}));
  };
  return options;
}

Result<std::unique_ptr<runtime::JobProgram>> CompileStreamingJob(const sql::JobPlan& plan,
                                                                 const RunFlags& flags,
                                                                 TableFiles& files,
                                                                 ScratchStore* scratch) {
  return sql::CompileJob(
      plan,
      {.is_bounded = flags.is_bounded,
       .partition_count =
           [&flags](const runtime::KafkaSourceSpec& source) {
             return CountPartitions(flags, source);
           },
       .find_topics =
           [&flags](const runtime::KafkaSourceSpec& source) { return FindTopics(flags, source); },
       .files = &files,
       .open_registry = OpenRegistry,
       .scratch = scratch});
}

Status RunStreamingJob(const sql::JobPlan& plan,
                       const std::string& name,
                       const std::string& text,
                       const RunFlags& flags,
                       const std::stop_token& stop) {
  ASSIGN_OR_RETURN(HostPort admin_listen, ParseHostPort(flags.daemon.admin_listen));
  RETURN_IF_ERROR(CheckListenAddress(
      "--admin-listen", admin_listen, GuardOf(flags.job.tls_dir, flags.daemon.insecure)));
  FileSystems file_systems = FileSystemsOf(flags.job, kStoreCallTimeout, {});
  TableFiles files(file_systems);  // what lookup joins and watched folders read
  ASSIGN_OR_RETURN(const std::unique_ptr<ScratchStore> scratch,
                   OpenScratch(plan.settings, name, flags));
  ASSIGN_OR_RETURN(std::unique_ptr<runtime::JobProgram> program,
                   CompileStreamingJob(plan, flags, files, scratch.get()));
  JobView view(scratch.get());
  std::unique_ptr<runtime::JobRunner> runner;  // outlives the admin port, which shows it
  ASSIGN_OR_RETURN(std::unique_ptr<daemon::AdminServer> admin,
                   daemon::AdminServer::Start(
                       {.listen = flags.daemon.admin_listen,
                        .tls_dir = flags.job.tls_dir,
                        .daemon = "processor",
                        .registry = &view,
                        .ready = {{.name = "serving",
                                   .check =
                                       [&stop] {
                                         return stop.stop_requested() ? Unavailable("draining")
                                                                      : Status();
                                       }},
                                  {.name = "job", .check = [&view] { return view.Ready(); }}},
                        .status_json = [&view] { return view.StatusJson(); }}));
  ASSIGN_OR_RETURN(const std::string host, OwnHostName());
  ASSIGN_OR_RETURN(HostPort admin_address, ParseHostPort(admin->address()));
  admin_address = ReachedAt(std::move(admin_address), host);
  ASSIGN_OR_RETURN(runtime::JobOptions options,
                   MakeJobOptions(plan, name, flags, admin_address.ToString()));
  options.scratch = scratch.get();
  if (!flags.savepoint.empty()) {
    RETURN_IF_ERROR(RestoreFrom(flags.savepoint, *program, options, files, stop));
    options.is_fresh = false;  // that has been done
  }
  ASSIGN_OR_RETURN(
      runner,
      runtime::JobRunner::Create(*program, std::move(options), DescribeJob(plan, name, text)));
  view.Show(runner.get());
  RETURN_IF_ERROR(daemon::AnnounceReady(
      kLogName, {.rpc = "", .admin = admin->address()}, flags.daemon.endpoint_file));
  return runner->Run(stop);
}

}  // namespace slipstream::processor
