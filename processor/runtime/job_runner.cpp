#include "processor/runtime/job_runner.h"

#include <thread>

#include <fmt/format.h>
#include <pthread.h>

#include "common/clock/clock.h"
#include "common/kafka/admin.h"
#include "common/log/log.h"
#include "common/sync/mutex.h"
#include "processor/runtime/discard.h"
#include "processor/runtime/job_context.h"
#include "processor/runtime/job_start.h"
#include "processor/runtime/patience.h"
#include "processor/runtime/status_publisher.h"
#include "processor/state/slot.h"

namespace slipstream::runtime {
namespace {

constexpr std::chrono::milliseconds kStatusPeriod{1'000};

}  // namespace

struct JobRunner::Impl {
  Status Prepare(const std::stop_token& stop);
  Status StartWorkers();
  Status SettleIfDone(const std::stop_token& stop);
  Status DiscardIfTemporary();
  Status RunWorkers(const std::stop_token& stop);
  void OnWorkerEnd(const Status& status);

  JobContext context;
  std::string description;
  std::shared_ptr<spdlog::logger> log = log::Get("processor.job");
  std::vector<std::unique_ptr<Slot>> slots;
  std::stop_source stop_workers;
  std::unique_ptr<StatusPublisher> publisher;
  bool has_topics = false;  // of the job's own

  mutable Mutex mutex;
  CondVar changed;
  std::vector<std::unique_ptr<Worker>> workers GUARDED_BY(mutex);
  size_t running_count GUARDED_BY(mutex) = 0;
  Status failure GUARDED_BY(mutex);
};

JobRunner::JobRunner(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JobRunner::~JobRunner() = default;

Result<std::unique_ptr<JobRunner>> JobRunner::Create(const JobProgram& program,
                                                     JobOptions options,
                                                     std::string description) {
  if (options.worker_count == 0) return InvalidArgument("--workers must be at least 1");
  auto impl = std::make_unique<Impl>();
  ASSIGN_OR_RETURN(impl->context, MakeJobContext(program, std::move(options)));
  impl->description = std::move(description);
  return std::unique_ptr<JobRunner>(new JobRunner(std::move(impl)));
}

// Everything that must stand before the first worker joins.
Status JobRunner::Impl::Prepare(const std::stop_token& stop) {
  RETURN_IF_ERROR(PrepareTopics(context, stop));
  has_topics = true;
  if (context.options.is_status_published) {
    ASSIGN_OR_RETURN(publisher, StatusPublisher::Create(context, SystemClock::Get(), description));
  }
  return {};
}

Status JobRunner::Impl::StartWorkers() {
  for (size_t i = 0; i < context.options.worker_count; ++i) {
    ASSIGN_OR_RETURN(std::unique_ptr<Slot> slot,
                     Slot::Take(context.options.state_dir, context.options.job_name));
    MutexLock lock(mutex);
    workers.push_back(std::make_unique<Worker>(context, slot->name(), SystemClock::Get()));
    slots.push_back(std::move(slot));
  }
  MutexLock lock(mutex);
  running_count = workers.size();
  return {};
}

void JobRunner::Impl::OnWorkerEnd(const Status& status) {
  MutexLock lock(mutex);
  --running_count;
  if (!status.ok()) {
    if (failure.ok()) failure = status;
    stop_workers.request_stop();
  }
  changed.NotifyAll();
}

Status JobRunner::Impl::RunWorkers(const std::stop_token& stop) {
  std::stop_callback forward(stop, [this] { stop_workers.request_stop(); });
  std::vector<Worker*> all;
  {
    MutexLock lock(mutex);
    for (const auto& worker : workers)
      all.push_back(worker.get());
  }
  std::vector<std::jthread> threads;
  for (size_t i = 0; i < all.size(); ++i) {
    threads.emplace_back([this, worker = all[i], i] {
      pthread_setname_np(pthread_self(), fmt::format("worker-{}", i).c_str());
      OnWorkerEnd(worker->Run(stop_workers.get_token()));
    });
  }
  for (;;) {
    std::vector<WorkerStatus> now;
    now.reserve(all.size());
    for (const Worker* worker : all)
      now.push_back(worker->status());
    if (publisher != nullptr) publisher->Publish(now);
    MutexLock lock(mutex);
    if (running_count == 0) break;
    changed.WaitFor(mutex, kStatusPeriod);
  }
  threads.clear();  // joins
  MutexLock lock(mutex);
  return failure;
}

// A task that was done may have died with its owner before the master was told; whoever sees the
// job done tells it.
Status JobRunner::Impl::SettleIfDone(const std::stop_token& stop) {
  if (context.store == nullptr) return {};
  {
    MutexLock lock(mutex);
    for (const auto& worker : workers) {
      if (worker->status().state != "done") return {};
    }
  }
  ASSIGN_OR_RETURN(std::unique_ptr<kafka::Admin> admin,
                   kafka::Admin::Create({.properties = context.source_properties}));
  return Persist({.waiting_for = "files", .timeout = context.options.connect_timeout, .stop = stop},
                 [&] { return SettleJob(*admin, context); });
}

// Not ended by the job's stop, which is what it follows; DiscardJob has a limit of its own.
Status JobRunner::Impl::DiscardIfTemporary() {
  if (!context.options.is_temporary || !has_topics) return {};
  {
    MutexLock lock(mutex);
    workers.clear();  // their clients leave the group
  }
  ASSIGN_OR_RETURN(std::unique_ptr<kafka::Admin> admin,
                   kafka::Admin::Create({.properties = context.source_properties}));
  return DiscardJob(*admin, context, {}).WithContext("remove what the query left in Kafka");
}

Status JobRunner::Run(const std::stop_token& stop) {
  Status status = impl_->Prepare(stop);
  if (status.ok()) status = impl_->StartWorkers();
  if (!status.ok()) {
    const Status discarded = impl_->DiscardIfTemporary();
    if (!discarded.ok())
      impl_->log->warn("job_not_discarded reason={}", log::Quoted(discarded.ToString()));
    return status.code() == Code::kCancelled && stop.stop_requested() ? Status() : status;
  }
  impl_->log->info("job_started job={} workers={} tasks={}",
                   impl_->context.options.job_name,
                   impl_->context.options.worker_count,
                   impl_->context.task_count());
  status = impl_->RunWorkers(stop);
  if (status.ok()) status = impl_->SettleIfDone(stop);
  if (status.ok() && impl_->publisher != nullptr) impl_->publisher->Retire(workers());
  const Status discarded = impl_->DiscardIfTemporary();
  return status.ok() ? discarded : status;
}

bool JobRunner::is_ready() const {
  const std::vector<WorkerStatus> all = workers();
  for (const WorkerStatus& worker : all) {
    if (worker.state != "running" || !worker.waiting_for.empty()) return false;
  }
  return !all.empty();
}

std::vector<WorkerStatus> JobRunner::workers() const {
  MutexLock lock(impl_->mutex);
  std::vector<WorkerStatus> all;
  for (const auto& worker : impl_->workers)
    all.push_back(worker->status());
  return all;
}

uint64_t JobRunner::lookup_rows_bad() const {
  return impl_->context.program->lookup_rows_bad();
}

std::string JobRunner::status_json() const {
  std::string json = "[";
  for (const WorkerStatus& worker : workers()) {
    if (json.size() > 1) json += ",";
    json += WorkerStatusJson(impl_->context, worker, {}, SystemClock::Get().WallNow());
  }
  return json + "]";
}

}  // namespace slipstream::runtime
