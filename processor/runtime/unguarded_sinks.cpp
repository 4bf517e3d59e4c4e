#include "processor/runtime/unguarded_sinks.h"

namespace slipstream::runtime {

Status UnguardedSinks::Open(const JobContext& context) {
  const std::vector<KafkaSinkSpec>& specs = context.program->kafka_sinks();
  sinks_.resize(specs.size());
  for (size_t i = 0; i < specs.size(); ++i) {
    if (specs[i].exactly_once) continue;
    sinks_[i].properties = Join(context.options.kafka_properties, specs[i].properties);
    sinks_[i].topic_name = specs[i].topic;
    RETURN_IF_ERROR(sinks_[i].MakeProducer());
  }
  return {};
}

Status UnguardedSinks::Sink::MakeProducer() {
  ASSIGN_OR_RETURN(producer, kafka::Producer::Create({.properties = properties}));
  ASSIGN_OR_RETURN(topic, producer->OpenTopic(topic_name));
  is_broken = false;
  return {};
}

Status UnguardedSinks::RenewFailed() {
  for (Sink& sink : sinks_) {
    if (sink.producer == nullptr) continue;
    if (sink.is_broken || !sink.producer->failure().ok()) RETURN_IF_ERROR(sink.MakeProducer());
  }
  return {};
}

Status UnguardedSinks::Send(size_t sink,
                            const kafka::OutgoingRecord& record,
                            const std::stop_token& stop) {
  Status status = sinks_[sink].producer->Produce(*sinks_[sink].topic, record, stop);
  if (status.code() != Code::kFailedPrecondition) return status;
  sinks_[sink].is_broken = true;
  return Aborted(status.message());
}

Status UnguardedSinks::Flush(std::chrono::milliseconds timeout) {
  for (const Sink& sink : sinks_) {
    if (sink.producer == nullptr) continue;
    RETURN_IF_ERROR(sink.producer->Flush(timeout));
    RETURN_IF_ERROR(sink.producer->failure());
  }
  return {};
}

}  // namespace slipstream::runtime
