#include "processor/runtime/unguarded_sinks.h"

namespace slipstream::runtime {

Status UnguardedSinks::Open(const JobContext& context) {
  const std::vector<KafkaSinkSpec>& specs = context.program->kafka_sinks();
  sinks_.resize(specs.size());
  for (size_t i = 0; i < specs.size(); ++i) {
    if (specs[i].exactly_once) continue;
    ASSIGN_OR_RETURN(sinks_[i].producer,
                     kafka::Producer::Create({.properties = Join(context.options.kafka_properties,
                                                                 specs[i].properties)}));
    ASSIGN_OR_RETURN(sinks_[i].topic, sinks_[i].producer->OpenTopic(specs[i].topic));
  }
  return {};
}

Status UnguardedSinks::Send(size_t sink,
                            const kafka::OutgoingRecord& record,
                            const std::stop_token& stop) {
  return sinks_[sink].producer->Produce(*sinks_[sink].topic, record, stop);
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
