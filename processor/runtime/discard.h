#pragma once

#include <stop_token>
#include <string>

#include "common/kafka/admin.h"
#include "common/status/status.h"
#include "dfs-client/append_store.h"
#include "processor/runtime/job_context.h"
#include "processor/state/mark.h"

namespace slipstream::runtime {

// Discards what the job has committed: the group's offsets, the changelog and the shared time.
// Results stay where they are; what Kafka has recorded of files becomes visible first, and the
// job's open files are closed, so that nothing is left behind at the master (see GiveUpFiles).
// Errors: kFailedPrecondition if members of the group stay alive, kCancelled, kUnavailable.
Status DiscardJob(kafka::Admin& admin, const JobContext& context, const std::stop_token& stop);

// Makes visible what `mark` has recorded of the owner's files, discards whatever else is prepared
// in its name, and closes what it has open. What the master does not know of is only said in the
// log. Errors: kUnavailable (call again).
Status GiveUpFiles(dfs::AppendStore& store, const std::string& owner, const Mark& mark);

// Makes visible what Kafka has recorded of the files of all the job's tasks, wherever they ran: for
// a job that is done, of which some owner died before it could tell the master.
// Errors: kUnavailable (call again).
Status SettleJob(kafka::Admin& admin, const JobContext& context);

}  // namespace slipstream::runtime
