#include "processor/runtime/first_start.h"

#include <fmt/format.h>

#include "processor/runtime/source_bounds.h"

namespace slipstream::runtime {
namespace {

Result<int64_t> EndNow(const JobContext& job,
                       kafka::Admin& admin,
                       const KafkaSourceSpec& source,
                       const kafka::TopicPartition& partition) {
  ASSIGN_OR_RETURN(kafka::Admin::OffsetRange range, admin.QueryOffsets(partition));
  return EndOffset(source, admin, job.group_id, partition, range);
}

}  // namespace

Result<JobRecord> MintJobRecord(const JobContext& job, kafka::Admin& admin) {
  JobRecord record{.uuid = MintUuid(), .inputs = {}};
  for (const JobInput& input : job.inputs) {
    JobRecord::Input& minted = record.inputs.emplace_back();
    minted.topic = input.topic;
    for (int32_t p = 0; p < input.partition_count; ++p) {
      int64_t end = -1;
      if (input.spec != nullptr && input.spec->is_bounded) {
        ASSIGN_OR_RETURN(end, EndNow(job, admin, *input.spec, {input.topic, p}));
      }
      minted.ends.push_back(end);
    }
  }
  return record;
}

Status CheckJobRecord(const JobContext& job, const JobRecord& record, const TaskId& task) {
  const std::vector<JobRecord::Input>& inputs = record.inputs;
  const std::string name = kafka::ToString(task.partition);
  if (task.input >= inputs.size() || inputs[task.input].topic != task.partition.topic) {
    return FailedPrecondition(fmt::format(
        "{}: the job has read other topics before; run it with --fresh, or under another name",
        name));
  }
  const auto partition = static_cast<size_t>(task.partition.partition);
  const size_t known = inputs[task.input].ends.size();
  if (partition < known || !job.program->is_stateful(task.stage)) return {};
  return FailedPrecondition(fmt::format(
      "{}: the topic has grown since the job's first start (it had {} partitions), and its keys "
      "lie elsewhere now: the state no longer fits. Run the job with --fresh",
      name,
      known));
}

Result<int64_t> BoundedEnd(const JobContext& job,
                           kafka::Admin& admin,
                           const JobRecord& record,
                           const std::optional<Mark>& mark,
                           const TaskId& task) {
  if (mark && mark->end >= 0) return mark->end;
  const std::vector<int64_t>& ends = record.inputs[task.input].ends;
  const auto partition = static_cast<size_t>(task.partition.partition);
  if (!mark && partition < ends.size() && ends[partition] >= 0) return ends[partition];
  return EndNow(job, admin, *job.inputs[task.input].spec, task.partition);
}

}  // namespace slipstream::runtime
