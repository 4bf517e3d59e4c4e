#include "processor/runtime/job_start.h"

#include <memory>

#include "common/kafka/admin.h"
#include "common/kafka/reachability.h"
#include "common/log/log.h"
#include "processor/runtime/discard.h"
#include "processor/runtime/job_topics.h"

namespace slipstream::runtime {

Status PrepareTopics(JobContext& context, const std::stop_token& stop) {
  RETURN_IF_ERROR(kafka::WaitForBrokers(
      {.properties = context.source_properties,
       .connect_timeout = context.options.connect_timeout,
       .stop = stop,
       .on_waiting = [](const std::string& reason) {
         log::Get("processor.job")->warn("waiting for=kafka reason={}", log::Quoted(reason));
       }}));
  ASSIGN_OR_RETURN(std::unique_ptr<kafka::Admin> admin,
                   kafka::Admin::Create({.properties = context.source_properties}));
  RETURN_IF_ERROR(WaitForSourceTopics(*admin, context, stop));
  if (context.options.is_fresh) RETURN_IF_ERROR(DiscardJob(*admin, context, stop));
  return EnsureJobTopics(*admin, context);
}

}  // namespace slipstream::runtime
