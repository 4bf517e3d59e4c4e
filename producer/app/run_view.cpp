#include "producer/app/run_view.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "common/daemon/flags.h"

namespace slipstream::producer {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily Total(std::string name, std::string help, uint64_t value) {
  ClientMetric metric;
  metric.counter.value = static_cast<double>(value);
  return {std::move(name), std::move(help), MetricType::Counter, {std::move(metric)}};
}

}  // namespace

RunView::RunView(const std::atomic<uint64_t>& rows_read, const RejectedRows& rejected)
    : rows_read_(rows_read), rejected_(rejected) {}

void RunView::WaitFor(std::string reason) {
  MutexLock lock(mutex_);
  waiting_for_ = std::move(reason);
}

void RunView::Show(const RecordSink& sink) {
  MutexLock lock(mutex_);
  waiting_for_.clear();
  sink_ = &sink;
}

RunView::Counts RunView::Count() const {
  Counts counts;
  {
    MutexLock lock(mutex_);
    if (sink_ != nullptr) {
      // From the last a row passes to the first: while rows move on, none is acknowledged that
      // was not sent.
      counts.failed = sink_->failed_count();
      counts.acknowledged = sink_->acknowledged_count();
      counts.sent = sink_->sent_count();
    }
  }
  counts.skipped = rejected_.count();
  counts.read = rows_read_ + counts.skipped;
  return counts;
}

std::vector<MetricFamily> RunView::Collect() const {
  const Counts counts = Count();
  return {
      Total("slipstream_producer_rows_read_total",
            "Rows read, those that were skipped among them.",
            counts.read),
      Total("slipstream_producer_rows_skipped_total",
            "Rows that could not be read and were passed over.",
            counts.skipped),
      Total("slipstream_producer_rows_sent_total", "Rows given to the Kafka client.", counts.sent),
      Total("slipstream_producer_rows_acknowledged_total",
            "Rows that all in-sync replicas have.",
            counts.acknowledged),
      Total("slipstream_producer_acknowledge_failures_total",
            "Rows sent that were given up without an acknowledgement.",
            counts.failed),
  };
}

Status RunView::Ready() const {
  MutexLock lock(mutex_);
  return sink_ != nullptr ? Status() : Unavailable("waiting for " + waiting_for_);
}

std::string RunView::StatusJson() const {
  const Counts counts = Count();
  nlohmann::json status = {{"version", daemon::Version()},
                           {"rows_read", counts.read},
                           {"rows_skipped", counts.skipped},
                           {"rows_sent", counts.sent},
                           {"rows_acknowledged", counts.acknowledged},
                           {"acknowledge_failures", counts.failed}};
  MutexLock lock(mutex_);
  status["waiting_for"] = waiting_for_;
  // A broker's error text may hold anything: what is not UTF-8 is replaced, never thrown at.
  return status.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace slipstream::producer
