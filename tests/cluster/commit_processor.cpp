// A processor without SQL, for the tests of the commit protocol: it counts records by key, sends
// every record on to a topic and into files, and at the end of its bounded input gives the counts.

#include <csignal>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>

#include "common/log/log.h"
#include "dfs-client/dfs_client.h"
#include "processor/runtime/job_runner.h"
#include "processor/runtime/task_program.h"

namespace slipstream::runtime {
namespace {

class CountingTask final : public TaskProgram {
 public:
  CountingTask(int32_t partition, std::chrono::milliseconds batch_delay, bool has_files)
      : partition_(partition), batch_delay_(batch_delay), has_files_(has_files) {}

  Status Process(std::span<const InputRecord> records,
                 const std::shared_ptr<const void>& /*buffer*/,
                 TaskOutput& out) override {
    // Slow enough that a test can strike between commits.
    std::this_thread::sleep_for(batch_delay_);
    for (const InputRecord& record : records) {
      ++counters_.rows_in;
      if (!record.key || !record.value) {
        out.ToDeadLetters(record, "key or value is missing");
        ++counters_.rows_dead;
        continue;
      }
      const std::string key(*record.key);
      ++counts_[key];
      changed_.insert(key);
      watermark_ = std::max(watermark_, record.timestamp_ms * 1'000);
      out.ToKafka(0, {.key = record.key, .value = record.value});
      if (has_files_) {
        row_.assign(*record.value);
        row_ += '\n';
        out.ToFile(0, "key=" + key + "/", row_, 1);
      }
      ++counters_.rows_out;
    }
    return {};
  }

  Status Advance(EventTimeUs watermark, TaskOutput& out) override {
    watermark_ = std::max(watermark_, watermark);
    const std::string key = "advanced-" + std::to_string(partition_);
    const std::string value = std::to_string(watermark_);
    out.ToKafka(1, {.key = key, .value = value});
    return {};
  }

  Status EndOfInput(TaskOutput& out) override {
    watermark_ = kEndOfTime;
    for (const auto& [key, count] : counts_) {
      const std::string value = std::to_string(count);
      out.ToKafka(1, {.key = key, .value = value});
    }
    return {};
  }

  Status ProcessExchanged(size_t, std::span<const std::string_view>, TaskOutput&) override {
    return Internal("the job has one stage");
  }
  Status AdvanceExchange(size_t, EventTimeUs, TaskOutput&) override {
    return Internal("the job has one stage");
  }
  Status EndEpoch(TaskOutput& /*out*/) override { return {}; }

  EventTimeUs watermark() const override { return watermark_; }
  EventTimeUs sent_watermark() const override { return watermark_; }
  void RestoreWatermark(EventTimeUs watermark) override { watermark_ = watermark; }
  void RestoreExchangeWatermark(size_t, EventTimeUs) override {}

  Status SaveChanges(StateWriter& writer) override {
    for (const std::string& key : changed_)
      writer.Put(key, std::to_string(counts_[key]));
    changed_.clear();
    return {};
  }
  Status Restore(std::string_view key, std::string_view value) override {
    counts_[std::string(key)] = std::stoull(std::string(value));
    return {};
  }
  Counters counters() const override { return counters_; }

 private:
  const int32_t partition_;
  const std::chrono::milliseconds batch_delay_;
  const bool has_files_;
  std::map<std::string, uint64_t> counts_;
  std::set<std::string> changed_;
  std::string row_;
  EventTimeUs watermark_ = kNoWatermark;
  Counters counters_;
};

struct Flags {
  std::string brokers;
  std::string master;
  std::string job = "commit-test";
  std::string source;
  std::string sink;
  std::string files;  // empty: no file sink
  std::string state_dir;
  size_t workers = 1;
  size_t standbys = 0;
  int commit_interval_ms = 100;
  int session_timeout_ms = 10'000;
  int batch_delay_ms = 0;
  int connect_timeout_ms = 30'000;
  int idle_timeout_ms = 0;  // 0: never idle
  bool unbounded = false;
  bool fresh = false;
};

class CountingJob final : public JobProgram {
 public:
  explicit CountingJob(const Flags& flags) : flags_(flags) {
    KafkaSourceSpec& source = sources_.emplace_back();
    source.topics = {flags.source};
    source.startup = KafkaSourceSpec::Startup::kEarliest;
    source.is_bounded = !flags.unbounded;
    if (flags.idle_timeout_ms > 0) source.idle_timeout_ms = flags.idle_timeout_ms;
    kafka_sinks_ = {{.topic = flags.sink}, {.topic = flags.sink + "-counts", .is_upsert = true}};
    if (!flags.files.empty()) {
      file_sinks_ = {{.path = flags.files, .extension = ".txt", .roll_bytes = 1 << 20}};
    }
  }

  const std::vector<KafkaSourceSpec>& sources() const override { return sources_; }
  const std::vector<RepartitionSpec>& repartitions() const override { return repartitions_; }
  const std::vector<KafkaSinkSpec>& kafka_sinks() const override { return kafka_sinks_; }
  const std::vector<FileSinkSpec>& file_sinks() const override { return file_sinks_; }
  const std::vector<PrintSinkSpec>& print_sinks() const override { return print_sinks_; }
  bool is_stateful(uint32_t /*stage*/) const override { return true; }
  std::string fingerprint() const override { return "counting-job-1"; }
  std::string state_text() const override { return "counting-job-1"; }
  std::unique_ptr<TaskProgram> MakeSourceTask(size_t /*source*/,
                                              std::string_view /*topic*/,
                                              int32_t partition) const override {
    return std::make_unique<CountingTask>(
        partition, std::chrono::milliseconds(flags_.batch_delay_ms), !file_sinks_.empty());
  }

  std::unique_ptr<TaskProgram> MakeStageTask(uint32_t, int32_t) const override { return nullptr; }

 private:
  const Flags flags_;
  std::vector<KafkaSourceSpec> sources_;
  std::vector<RepartitionSpec> repartitions_;  // none
  std::vector<KafkaSinkSpec> kafka_sinks_;
  std::vector<FileSinkSpec> file_sinks_;
  std::vector<PrintSinkSpec> print_sinks_;
};

JobOptions MakeOptions(const Flags& flags) {
  JobOptions options{.job_name = flags.job,
                     .kafka_properties = {{"bootstrap.servers", flags.brokers}},
                     .state_dir = flags.state_dir,
                     .worker_count = flags.workers,
                     .standby_count = flags.standbys,
                     .is_fresh = flags.fresh,
                     .commit_interval = std::chrono::milliseconds(flags.commit_interval_ms),
                     .session_timeout = std::chrono::milliseconds(flags.session_timeout_ms),
                     .connect_timeout = std::chrono::milliseconds(flags.connect_timeout_ms)};
  options.open_store =
      [&flags](const std::string& authority) -> Result<std::shared_ptr<dfs::AppendStore>> {
    const std::string& master = authority.empty() ? flags.master : authority;
    std::unique_ptr<dfs::DfsClient> client =
        dfs::DfsClient::Connect({.master = master,
                                 .timeout = std::chrono::seconds(10),
                                 .write_timeout = std::chrono::seconds(10)});
    return std::shared_ptr<dfs::AppendStore>(std::move(client));
  };
  return options;
}

Status Run(const Flags& flags) {
  const CountingJob job(flags);
  ASSIGN_OR_RETURN(std::unique_ptr<JobRunner> runner, JobRunner::Create(job, MakeOptions(flags)));
  std::stop_source stop;
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  // Blocked in every thread (see main), so that only this one hears of it.
  std::jthread listener([&](const std::stop_token& ended) {
    const timespec period{.tv_sec = 0, .tv_nsec = 50'000'000};
    while (!ended.stop_requested()) {
      if (sigtimedwait(&signals, nullptr, &period) == SIGTERM) stop.request_stop();
    }
  });
  return runner->Run(stop.get_token());
}

int Main(int argc, char** argv) {
  Flags flags;
  CLI::App app("A processor for the tests of the commit protocol");
  app.add_option("--brokers", flags.brokers)->required();
  app.add_option("--master", flags.master);
  app.add_option("--job", flags.job);
  app.add_option("--source", flags.source)->required();
  app.add_option("--sink", flags.sink)->required();
  app.add_option("--files", flags.files);
  app.add_option("--state-dir", flags.state_dir)->required();
  app.add_option("--workers", flags.workers);
  app.add_option("--standby", flags.standbys);
  app.add_option("--commit-interval-ms", flags.commit_interval_ms);
  app.add_option("--session-timeout-ms", flags.session_timeout_ms);
  app.add_option("--batch-delay-ms", flags.batch_delay_ms);
  app.add_option("--connect-timeout-ms", flags.connect_timeout_ms);
  app.add_option("--idle-timeout-ms", flags.idle_timeout_ms);
  app.add_flag("--unbounded", flags.unbounded);
  app.add_flag("--fresh", flags.fresh);
  CLI11_PARSE(app, argc, argv);
  log::Init({});
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  Status status = Run(flags);
  if (status.ok()) return 0;
  std::fprintf(stderr, "commit_processor: %s\n", status.ToString().c_str());
  return 1;
}

}  // namespace
}  // namespace slipstream::runtime

int main(int argc, char** argv) {
  return slipstream::runtime::Main(argc, argv);
}
