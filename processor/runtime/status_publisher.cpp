#include "processor/runtime/status_publisher.h"

#include <unistd.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "processor/runtime/job_topics.h"

namespace slipstream::runtime {
namespace {

constexpr std::chrono::milliseconds kRetireTimeout{2'000};
constexpr std::chrono::seconds kDescriptionPeriod{60};
constexpr char kDescriptionKey[] = "job:";  // then the job's name; no slot's name has a colon

using Flow = TaskProgram::Counters::Flow;

nlohmann::json FlowJson(const Flow& flow) {
  return {{"rows", flow.rows}, {"bytes", flow.bytes}};
}

nlohmann::json FlowsJson(const std::map<std::string, Flow>& flows) {
  nlohmann::json json = nlohmann::json::object();
  for (const auto& [place, flow] : flows)
    json[place] = FlowJson(flow);
  return json;
}

nlohmann::json FlowsJson(const std::vector<Flow>& flows) {
  nlohmann::json json = nlohmann::json::array();
  for (const Flow& flow : flows)
    json.push_back(FlowJson(flow));
  return json;
}

nlohmann::json TaskJson(const WorkerStatus::TaskStatus& task, const TaskShares& shares) {
  nlohmann::json json = {{"topic", task.topic},
                         {"partition", task.partition},
                         {"position", task.position},
                         {"idle", task.is_idle},
                         {"done", task.is_done},
                         {"busy_share", shares.busy},
                         {"held_back_share", shares.held_back}};
  if (task.end >= 0) {
    json["end"] = task.end;
    json["lag"] = std::max<int64_t>(task.end - task.position, 0);
  }
  // Absent: nothing was seen yet, or the input has ended.
  if (task.watermark != kNoWatermark && task.watermark != kEndOfTime) {
    json["watermark_ms"] = task.watermark / 1'000;
  }
  return json;
}

nlohmann::json StandbyJson(const WorkerStatus::StandbyStatus& standby) {
  nlohmann::json json = {{"topic", standby.topic}, {"partition", standby.partition}};
  if (standby.lag >= 0) json["lag"] = standby.lag;
  return json;
}

double PerSecond(uint64_t now, uint64_t before, double seconds) {
  return seconds <= 0 || now < before ? 0 : static_cast<double>(now - before) / seconds;
}

double ShareOf(double now, double before, double seconds) {
  return std::clamp((now - before) / seconds, 0.0, 1.0);
}

// Of each of the worker's tasks; one that has just been made has spent no time before.
std::vector<TaskShares> SharesOf(const WorkerStatus& worker,
                                 const WorkerStatus& before,
                                 double seconds) {
  std::vector<TaskShares> shares;
  for (const WorkerStatus::TaskStatus& task : worker.tasks) {
    const auto earlier =
        std::find_if(before.tasks.begin(), before.tasks.end(), [&](const auto& other) {
          return other.topic == task.topic && other.partition == task.partition &&
                 other.busy_seconds <= task.busy_seconds;
        });
    const WorkerStatus::TaskStatus then =
        earlier == before.tasks.end() ? WorkerStatus::TaskStatus() : *earlier;
    shares.push_back(
        {.busy = ShareOf(task.busy_seconds, then.busy_seconds, seconds),
         .held_back = ShareOf(task.held_back_seconds, then.held_back_seconds, seconds)});
  }
  return shares;
}

}  // namespace

std::string WorkerStatusJson(const JobContext& context,
                             const WorkerStatus& worker,
                             const WorkerRates& rates,
                             WallTime now) {
  nlohmann::json json = {{"version", 1},
                         {"job", context.options.job_name},
                         {"worker", worker.slot},
                         {"host", context.host},
                         {"pid", getpid()},
                         {"admin", context.options.admin_address},
                         {"at_ms", now.time_since_epoch().count()},
                         {"state", worker.state},
                         {"rows_in", worker.counters.rows_in},
                         {"rows_out", worker.counters.rows_out},
                         {"rows_late", worker.counters.rows_late},
                         {"rows_dead", worker.counters.rows_dead},
                         {"rows_in_per_second", rates.rows_in_per_second},
                         {"rows_out_per_second", rates.rows_out_per_second},
                         {"busy_share", rates.busy_share},
                         {"commit_share", rates.commit_share},
                         {"commits", worker.commits},
                         {"commits_failed", worker.commits_failed},
                         {"commit_seconds", worker.commit_seconds},
                         {"takeovers", worker.takeovers},
                         {"inputs", FlowsJson(worker.counters.inputs)},
                         {"outputs", FlowsJson(worker.counters.outputs)},
                         {"exchanges", FlowsJson(worker.counters.exchanges)},
                         {"operators", FlowsJson(worker.counters.operators)},
                         {"tasks", nlohmann::json::array()},
                         {"standbys", nlohmann::json::array()}};
  if (!worker.waiting_for.empty()) json["waiting_for"] = worker.waiting_for;
  for (const auto& [table, rows] : worker.counters.rows_late_by_table)
    json["rows_late_by_table"][table] = rows;
  for (size_t i = 0; i < worker.tasks.size(); ++i) {
    const TaskShares shares = i < rates.tasks.size() ? rates.tasks[i] : TaskShares();
    json["tasks"].push_back(TaskJson(worker.tasks[i], shares));
  }
  for (const WorkerStatus::StandbyStatus& standby : worker.standbys)
    json["standbys"].push_back(StandbyJson(standby));
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<std::unique_ptr<StatusPublisher>> StatusPublisher::Create(const JobContext& context,
                                                                 const Clock& clock,
                                                                 std::string description) {
  std::unique_ptr<StatusPublisher> publisher(
      new StatusPublisher(context, clock, std::move(description)));
  ASSIGN_OR_RETURN(
      publisher->producer_,
      kafka::Producer::Create({.properties = Join(context.source_properties,
                                                  {{"queue.buffering.max.messages", "1000"},
                                                   {"message.timeout.ms", "5000"}}),
                               .logger = "kafka.status"}));
  ASSIGN_OR_RETURN(publisher->topic_, publisher->producer_->OpenTopic(kStatusTopic));
  return publisher;
}

void StatusPublisher::DescribeJob() {
  if (description_.empty()) return;
  const SteadyTime now = clock_.Now();
  if (described_at_.has_value() && now - *described_at_ < kDescriptionPeriod) return;
  described_at_ = now;
  std::stop_source no_wait;
  no_wait.request_stop();
  (void)producer_->Produce(
      *topic_,
      {.key = kDescriptionKey + context_.options.job_name, .value = description_},
      no_wait.get_token());
}

WorkerRates StatusPublisher::RatesOf(const WorkerStatus& worker, SteadyTime now) const {
  const auto last = std::find_if(last_.begin(), last_.end(), [&](const Published& published) {
    return published.worker.slot == worker.slot;
  });
  if (last == last_.end()) return {};
  const double seconds = std::chrono::duration<double>(now - last->at).count();
  if (seconds <= 0) return {};
  const WorkerStatus& before = last->worker;
  return {
      .rows_in_per_second = PerSecond(worker.counters.rows_in, before.counters.rows_in, seconds),
      .rows_out_per_second = PerSecond(worker.counters.rows_out, before.counters.rows_out, seconds),
      .busy_share = ShareOf(worker.busy_seconds, before.busy_seconds, seconds),
      .commit_share = ShareOf(worker.commit_seconds, before.commit_seconds, seconds),
      .tasks = SharesOf(worker, before, seconds)};
}

void StatusPublisher::Publish(const std::vector<WorkerStatus>& workers) {
  DescribeJob();
  const SteadyTime now = clock_.Now();
  std::stop_source no_wait;
  no_wait.request_stop();
  std::vector<Published> published;
  for (const WorkerStatus& worker : workers) {
    if (worker.slot.empty()) continue;
    const WorkerRates rates = RatesOf(worker, now);
    published.push_back({.worker = worker, .at = now});
    const std::string json = WorkerStatusJson(context_, worker, rates, clock_.WallNow());
    // With the brokers away the queue fills up, and then old news are no loss.
    (void)producer_->Produce(*topic_, {.key = worker.slot, .value = json}, no_wait.get_token());
  }
  last_ = std::move(published);
}

void StatusPublisher::Retire(const std::vector<WorkerStatus>& workers) {
  for (const WorkerStatus& worker : workers) {
    if (worker.slot.empty()) continue;
    (void)producer_->Produce(*topic_, {.key = worker.slot, .value = std::nullopt});
  }
  (void)producer_->Flush(kRetireTimeout);
}

}  // namespace slipstream::runtime
