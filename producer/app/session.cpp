#include "producer/app/session.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include <fmt/format.h>

#include "common/daemon/admin_server.h"
#include "common/daemon/endpoint.h"
#include "common/daemon/flags.h"
#include "common/net/host_port.h"
#include "producer/faults/faulty_source.h"
#include "producer/pacing/pacer.h"
#include "producer/pipeline/kafka_sink.h"
#include "producer/pipeline/stdout_sink.h"

namespace slipstream::producer {
namespace {

Progress::Style StyleFor(const OutputOptions& options) {
  // A bar between messages on the same terminal helps nobody.
  bool shares_terminal = options.is_dry_run && ::isatty(STDOUT_FILENO) == 1;
  return options.is_quiet || shares_terminal ? Progress::Style::kQuiet : Progress::StyleFor(stderr);
}

bool HasFaults(const FaultOptions& faults) {
  return faults.disorder.count() > 0 || faults.late_ratio > 0 || faults.corrupt_ratio > 0;
}

}  // namespace

Session::Session(const OutputOptions& options, std::stop_token stop)
    : options_(options),
      stop_(std::move(stop)),
      clock_(SystemClock::Get()),
      progress_(StyleFor(options), stderr, clock_),
      rejected_([this](const std::string& line) { progress_.Say(line); }),
      view_(rows_read_, rejected_) {}

Session::~Session() = default;

Status Session::OpenAdminPort() {
  const daemon::DaemonFlags& flags = options_.daemon;
  ASSIGN_OR_RETURN(HostPort listen, ParseHostPort(flags.admin_listen));
  RETURN_IF_ERROR(
      CheckListenAddress("--admin-listen", listen, GuardOf(options_.tls_dir, flags.insecure)));
  ASSIGN_OR_RETURN(admin_,
                   daemon::AdminServer::Start(
                       {.listen = flags.admin_listen,
                        .tls_dir = options_.tls_dir,
                        .daemon = "producer",
                        .registry = &view_,
                        .ready = {{.name = "kafka", .check = [this] { return view_.Ready(); }}},
                        .status_json = [this] { return view_.StatusJson(); }}));
  return {};
}

Status Session::Connect() {
  start_ = clock_.Now();
  if (const std::string& path = options_.faults.planted_file; !path.empty()) {
    ASSIGN_OR_RETURN(planted_file_, PlantedFile::Create(path));
  }
  if (options_.is_dry_run) {
    sink_ = std::make_unique<StdoutSink>(STDOUT_FILENO);
    return {};
  }
  RETURN_IF_ERROR(OpenAdminPort());
  KafkaSink::Options options{.brokers = options_.brokers,
                             .topic = options_.topic,
                             .partitions = options_.partitions,
                             .properties = options_.properties,
                             .connect_timeout = options_.connect_timeout,
                             .delivery_timeout = options_.delivery_timeout,
                             .acks_file = options_.acks_file};
  ASSIGN_OR_RETURN(sink_, KafkaSink::Connect(options, stop_, [this](const std::string& reason) {
                     view_.WaitFor("kafka: " + reason);
                     progress_.Say("waiting for kafka: " + reason);
                   }));
  start_ = clock_.Now();  // waiting for a broker is not part of the speed
  view_.Show(*sink_);
  return daemon::AnnounceReady(
      "producer", {.rpc = "", .admin = admin_->address()}, options_.daemon.endpoint_file);
}

int Session::Send(RecordSource& source, uint64_t total) {
  Pacer pacer({.speed = options_.speed, .rows_per_second = options_.rows_per_second});
  if (options_.limit > 0) total = total > 0 ? std::min(total, options_.limit) : options_.limit;
  // Records are given up by themselves when their time is over; the flush only has to outlast it.
  PipelineOptions options{.limit = options_.limit,
                          .total = total,
                          .flush_timeout = options_.delivery_timeout + std::chrono::seconds(10),
                          .planted_file = planted_file_.get()};
  const FaultOptions& faults = options_.faults;
  FaultySource faulty(source,
                      {.disorder = faults.disorder,
                       .late_ratio = faults.late_ratio,
                       .late_by = faults.late_by,
                       .corrupt_ratio = faults.corrupt_ratio,
                       .seed = faults.seed});
  RecordSource& sending = HasFaults(faults) ? static_cast<RecordSource&>(faulty) : source;
  PipelineOutcome outcome = RunPipeline(options, sending, *sink_, pacer, clock_, progress_, stop_);
  std::chrono::duration<double> elapsed = clock_.Now() - start_;
  uint64_t acknowledged = sink_->acknowledged_count();
  Summarise(outcome.sent, acknowledged, elapsed.count());
  if (outcome.status.code() == Code::kCancelled && options_.is_dry_run) {
    return daemon::kExitDone;  // `| head` has seen enough
  }
  if (!outcome.status.ok()) return Fail(outcome.status);
  if (acknowledged < outcome.sent) {
    return Fail(DataLoss(fmt::format(
        "{} of {} records were not acknowledged", outcome.sent - acknowledged, outcome.sent)));
  }
  return outcome.is_interrupted ? daemon::kExitInterrupted : daemon::kExitDone;
}

int Session::Fail(const Status& status) {
  if (status.code() == Code::kCancelled && stop_.stop_requested()) {
    progress_.Say("producer: interrupted");
    return daemon::kExitInterrupted;
  }
  progress_.Say("producer: " + status.message());
  return daemon::kExitFailed;
}

void Session::Summarise(uint64_t sent, uint64_t acknowledged, double seconds) {
  progress_.Say(
      fmt::format("rows_read={} rows_sent={} rows_acknowledged={} rows_skipped={} seconds={:.2f} "
                  "rows_per_second={:.0f}",
                  rows_read_ + rejected_.count(),
                  sent,
                  acknowledged,
                  rejected_.count(),
                  seconds,
                  static_cast<double>(sent) / std::max(seconds, 1e-3)));
  for (const auto& [reason, count] : rejected_.by_reason()) {
    progress_.Say(fmt::format("skipped {}: {}", count, reason));
  }
}

}  // namespace slipstream::producer
