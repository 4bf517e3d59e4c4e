#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "common/clock/clock.h"
#include "common/kafka/group_metadata.h"
#include "common/status/status.h"
#include "dfs-client/append_store.h"
#include "processor/runtime/job_context.h"
#include "processor/runtime/task.h"
#include "processor/runtime/transaction_client.h"

namespace slipstream::runtime {

// What a commit has come to, and what must happen before the next.
struct CommitOutcome {
  enum class Kind {
    kCommitted,
    // Nothing of the epoch counts, or nobody knows: throw all tasks away and take the partitions
    // over like any new owner.
    kTakeOver,
    kNewProducer,  // kTakeOver, and the producer is of no more use
    kTooLong,      // kNewProducer: the transaction ran for its whole timeout. The next has longer
    kFailed,       // the job cannot go on
  };
  Kind kind = Kind::kCommitted;
  Status why;  // not OK unless committed

  bool ok() const { return kind == Kind::kCommitted; }
};

// CommitRound: makes one epoch of a worker's tasks permanent, in the order that exactly-once
// stands on:
//
//   0. what tasks held back for the exchanges is given
//   1. files flushed: blocks durable on datanodes
//   2. one Prepare for all tasks; it carries their previous Commit
//   3. one Kafka transaction: outputs, changed state, marks, offsets; behind all rows for other
//      stages the marks that those wait for. The only commit point
//   4. (later, with the next Prepare or by Settle) Commit at the master, of what Kafka recorded
//
// A crash before 3 leaves nothing visible; one after it is finished by whoever gets the partition
// next. Failpoints "commit.*" lie before and after every step.
//
// Calls bear the name of the first task's records that have one, and each task's own stands in the
// log beside it (trace::Id): a round makes one call for all tasks.
//
// Threads   the worker's. Blocking  every step; while the file system is away, until `give_up`.
class CommitRound final {
 public:
  struct Parties {
    const JobContext& context;
    TransactionClient& transactions;
    const kafka::GroupMetadata& group;
    const Clock& clock;
    // Flushes what at-least-once sinks have sent: the input must not be committed before.
    std::function<Status()> flush_unguarded;
    bool is_time_shared = false;
    // How long the file system may be away, over all calls of the round together, before the epoch
    // is given up. A member of the group that does not poll for two minutes loses its partitions
    // anyway.
    std::chrono::milliseconds store_patience{90'000};
    std::stop_token stop;  // shortens the patience to nothing
    // Told what is waited for.
    std::function<void(const Status&)> on_waiting;
  };

  explicit CommitRound(Parties parties) : parties_(std::move(parties)) {}

  // Commits `tasks`, each of them dirty. After kCommitted every task has had OnCommitted(); after
  // anything else none is of any more use.
  CommitOutcome Run(std::span<Task* const> tasks);

 private:
  CommitOutcome FlushFiles(std::span<Task* const> tasks);
  CommitOutcome WriteBlocks(std::span<Task* const> tasks);
  CommitOutcome Prepare(std::span<Task* const> tasks);
  // Some files were deleted by a user: their tasks go on under new incarnations.
  CommitOutcome PrepareAgain(std::span<Task* const> tasks);
  CommitOutcome Transact(std::span<Task* const> tasks);
  Status RunTransaction(std::span<Task* const> tasks);
  Status ProduceAll(std::span<Task* const> tasks);
  // One record for each partition of each stage, with the marks of all tasks that feed it.
  StagedRecords SenderMarks(std::span<Task* const> tasks) const;
  // Repeats `call` while it gives kUnavailable and patience lasts.
  Status WithPatience(const std::function<Status()>& call);

  Parties parties_;
  SteadyTime give_up_at_;
};

// Tells the master which pairs Kafka has recorded, for all tasks where it does not know yet.
Status Settle(dfs::AppendStore& store, std::span<Task* const> tasks);

}  // namespace slipstream::runtime
