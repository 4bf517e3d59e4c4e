#include "processor/app/job_view.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace slipstream::processor {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using runtime::WorkerStatus;

MetricFamily Family(std::string name, std::string help, MetricType type) {
  MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = type;
  return family;
}

void Add(MetricFamily& family, std::vector<ClientMetric::Label> labels, double value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  if (family.type == MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  family.metric.push_back(std::move(metric));
}

// One counter of all workers together.
MetricFamily Total(const std::vector<WorkerStatus>& workers,
                   std::string name,
                   std::string help,
                   uint64_t (*value)(const WorkerStatus&)) {
  MetricFamily family = Family(std::move(name), std::move(help), MetricType::Counter);
  uint64_t total = 0;
  for (const WorkerStatus& worker : workers)
    total += value(worker);
  Add(family, {}, static_cast<double>(total));
  return family;
}

MetricFamily LateRows(const std::vector<WorkerStatus>& workers) {
  MetricFamily family = Family("slipstream_processor_table_rows_late_total",
                               "Rows of the table that came too late for a window.",
                               MetricType::Counter);
  std::map<std::string, uint64_t> totals;
  for (const WorkerStatus& worker : workers) {
    for (const auto& [table, rows] : worker.counters.rows_late_by_table)
      totals[table] += rows;
  }
  for (const auto& [table, rows] : totals)
    Add(family, {{"table", table}}, static_cast<double>(rows));
  return family;
}

std::vector<ClientMetric::Label> TaskLabels(const WorkerStatus::TaskStatus& task) {
  return {{"topic", task.topic}, {"partition", std::to_string(task.partition)}};
}

// How many commits there were, and how long they took together.
MetricFamily CommitTime(const std::vector<WorkerStatus>& workers) {
  MetricFamily family = Family("slipstream_processor_commit_seconds",
                               "Time that commits took, those that failed included.",
                               MetricType::Summary);
  ClientMetric metric;
  for (const WorkerStatus& worker : workers) {
    metric.summary.sample_count += worker.commits + worker.commits_failed;
    metric.summary.sample_sum += worker.commit_seconds;
  }
  family.metric.push_back(std::move(metric));
  return family;
}

MetricFamily Lag(const std::vector<WorkerStatus>& workers) {
  MetricFamily family = Family("slipstream_processor_task_lag_records",
                               "Records of the partition behind the task's position.",
                               MetricType::Gauge);
  for (const WorkerStatus& worker : workers) {
    for (const WorkerStatus::TaskStatus& task : worker.tasks) {
      if (task.end < 0) continue;
      Add(family, TaskLabels(task), static_cast<double>(task.end - task.position));
    }
  }
  return family;
}

MetricFamily Watermarks(const std::vector<WorkerStatus>& workers) {
  MetricFamily family = Family("slipstream_processor_task_watermark_seconds",
                               "The task's watermark, in seconds of event time since 1970.",
                               MetricType::Gauge);
  for (const WorkerStatus& worker : workers) {
    for (const WorkerStatus::TaskStatus& task : worker.tasks) {
      if (task.watermark == runtime::kNoWatermark || task.watermark == runtime::kEndOfTime)
        continue;
      Add(family, TaskLabels(task), static_cast<double>(task.watermark) / 1e6);
    }
  }
  return family;
}

MetricFamily StandbyTasks(const std::vector<WorkerStatus>& workers) {
  MetricFamily family = Family("slipstream_processor_standby_tasks",
                               "Tasks of other processes that this one keeps a copy of.",
                               MetricType::Gauge);
  size_t total = 0;
  for (const WorkerStatus& worker : workers)
    total += worker.standbys.size();
  Add(family, {}, static_cast<double>(total));
  return family;
}

MetricFamily StandbyLag(const std::vector<WorkerStatus>& workers) {
  MetricFamily family = Family("slipstream_processor_standby_lag_records",
                               "Records of the task's changelog that its copy here is behind; "
                               "absent until it has caught up once.",
                               MetricType::Gauge);
  for (const WorkerStatus& worker : workers) {
    for (const WorkerStatus::StandbyStatus& standby : worker.standbys) {
      if (standby.lag < 0) continue;
      Add(family,
          {{"topic", standby.topic}, {"partition", std::to_string(standby.partition)}},
          static_cast<double>(standby.lag));
    }
  }
  return family;
}

// Of state that is out of memory.
void AddScratch(const ScratchStore& scratch, std::vector<MetricFamily>& families) {
  const ScratchStore::Counters counters = scratch.counters();
  const auto add = [&](const char* name, const char* help, MetricType type, uint64_t value) {
    Add(families.emplace_back(Family(name, help, type)), {}, static_cast<double>(value));
  };
  add("slipstream_processor_state_cached_bytes",
      "State in memory that is in front of what is on disk, about.",
      MetricType::Gauge,
      counters.cached_bytes);
  add("slipstream_processor_state_disk_bytes",
      "Size of the files that state which does not fit into memory is in.",
      MetricType::Gauge,
      counters.disk_bytes);
  add("slipstream_processor_state_written_bytes_total",
      "Keys and values of state written to disk.",
      MetricType::Counter,
      counters.written_bytes);
  add("slipstream_processor_state_reads_total",
      "Keys looked for on disk since they were not in memory.",
      MetricType::Counter,
      counters.reads);
  add("slipstream_processor_state_reads_found_total",
      "Keys looked for on disk that were there.",
      MetricType::Counter,
      counters.reads_found);
}

}  // namespace

void JobView::Show(const runtime::JobRunner* runner) {
  MutexLock lock(mutex_);
  runner_ = runner;
}

Status JobView::Ready() const {
  MutexLock lock(mutex_);
  if (runner_ == nullptr) return Unavailable("the job is starting");
  if (runner_->is_ready()) return {};
  for (const WorkerStatus& worker : runner_->workers()) {
    if (!worker.waiting_for.empty()) return Unavailable("waiting for " + worker.waiting_for);
  }
  return Unavailable("taking partitions over");
}

std::string JobView::StatusJson() const {
  MutexLock lock(mutex_);
  return runner_ == nullptr ? "[]" : runner_->status_json();
}

std::vector<MetricFamily> JobView::Collect() const {
  std::vector<WorkerStatus> workers;
  MetricFamily lookup_rows_bad =
      Family("slipstream_processor_lookup_rows_bad_total",
             "Rows of files of lookup joins that could not be read, each time they were tried.",
             MetricType::Counter);
  {
    MutexLock lock(mutex_);
    if (runner_ != nullptr) {
      workers = runner_->workers();
      Add(lookup_rows_bad, {}, static_cast<double>(runner_->lookup_rows_bad()));
    }
  }
  std::vector<MetricFamily> families = {
      Total(workers,
            "slipstream_processor_rows_in_total",
            "Rows read from the source.",
            [](const WorkerStatus& worker) { return worker.counters.rows_in; }),
      Total(workers,
            "slipstream_processor_rows_out_total",
            "Rows given to sinks.",
            [](const WorkerStatus& worker) { return worker.counters.rows_out; }),
      Total(workers,
            "slipstream_processor_rows_late_total",
            "Rows that came after all their windows had fired.",
            [](const WorkerStatus& worker) { return worker.counters.rows_late; }),
      LateRows(workers),
      Total(workers,
            "slipstream_processor_rows_dead_total",
            "Records sent to the dead-letter topic.",
            [](const WorkerStatus& worker) { return worker.counters.rows_dead; }),
      std::move(lookup_rows_bad),
      Total(workers,
            "slipstream_processor_commits_total",
            "Transactions committed.",
            [](const WorkerStatus& worker) { return worker.commits; }),
      Total(workers,
            "slipstream_processor_commits_failed_total",
            "Commits of which nothing counted: what they held was read again.",
            [](const WorkerStatus& worker) { return worker.commits_failed; }),
      CommitTime(workers),
      Total(workers,
            "slipstream_processor_takeovers_total",
            "Times that a worker took its partitions over.",
            [](const WorkerStatus& worker) { return worker.takeovers; }),
      Lag(workers),
      Watermarks(workers),
      StandbyTasks(workers),
      StandbyLag(workers),
  };
  if (scratch_ != nullptr) AddScratch(*scratch_, families);
  return families;
}

}  // namespace slipstream::processor
