#pragma once

#include <cstdint>
#include <optional>

#include "common/kafka/admin.h"
#include "common/status/status.h"
#include "processor/runtime/job_context.h"
#include "processor/runtime/task.h"
#include "processor/state/job_record.h"
#include "processor/state/mark.h"

namespace slipstream::runtime {

// What a job lays down at its first start (JobRecord), and what that means to those who come later.
// Blocking  where an Admin is given, the brokers are asked. Errors: as kafka::Admin's.

// A record of what the topics are now, under a new name.
Result<JobRecord> MintJobRecord(const JobContext& job, kafka::Admin& admin);

// kFailedPrecondition: the task's topic is another than at the first start, or has grown since, and
// its state would no longer fit the keys.
Status CheckJobRecord(const JobContext& job, const JobRecord& record, const TaskId& task);

// Where a partition of a bounded source ends: what the task's last mark says, else the record; a
// job that began unbounded, or a partition that came later, gets the end it has now.
Result<int64_t> BoundedEnd(const JobContext& job,
                           kafka::Admin& admin,
                           const JobRecord& record,
                           const std::optional<Mark>& mark,
                           const TaskId& task);

}  // namespace slipstream::runtime
