#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "common/kafka/group_metadata.h"
#include "common/kafka/types.h"
#include "common/status/status.h"

namespace slipstream::kafka {

// TransactionalProducer: sends records and consumer offsets that become visible together.
//
//   Init → (Begin → Produce… → SendOffsets → Commit | Abort)*
//
// Threads   not thread-safe: one worker thread calls it.
// Blocking  every call, up to about the transaction's timeout; Produce while the queue is full.
// Errors    by what has to be done, whatever the cause was:
//             kAborted             the transaction has failed: Abort() it; this object goes on
//             kFailedPrecondition  fenced by a newer producer of the same id, or broken: destroy
//                                  this object, make a new one, Init() it
//             kUnavailable         Init only: nothing happened yet, call again
//             kOutOfRange          Init only: the brokers allow no timeout that long. Make another
//             kDeadlineExceeded    Commit only: nobody knows whether it is committed. Treat as
//                                  kFailedPrecondition: only what can be read afterwards tells
class TransactionalProducer final {
 public:
  struct Options {
    Properties properties;  // at least bootstrap.servers
    std::string transactional_id;
    std::chrono::milliseconds transaction_timeout{10'000};
    // Called several times a second while Produce waits for room and Commit for the records that
    // are on their way.
    std::function<void()> while_waiting = [] {};
    std::string logger = "kafka.transactions";
  };

  static Result<std::unique_ptr<TransactionalProducer>> Create(Options options);
  ~TransactionalProducer();
  TransactionalProducer(const TransactionalProducer&) = delete;
  TransactionalProducer& operator=(const TransactionalProducer&) = delete;

  // Fences older producers of this id, aborts or completes what they left. May be called again
  // after kUnavailable.
  Status Init(std::chrono::milliseconds timeout);

  Status Begin();

  class Topic;
  // A topic to send to, kept with the producer; the same for the same name.
  Result<Topic*> OpenTopic(const std::string& name);
  // Copies and queues; waits while the queue is full.
  Status Produce(Topic& topic, const OutgoingRecord& record);

  // Puts the positions into the transaction, with their metadata, as member `group`. With none it
  // does nothing, and such a transaction is not fenced by the group at all.
  Status SendOffsets(std::span<const PartitionOffset> offsets, const GroupMetadata& group);

  Status Commit();
  // After kAborted. kFailedPrecondition if even that was not possible.
  Status Abort();

  std::string last_error() const;

 private:
  struct Impl;
  explicit TransactionalProducer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::kafka
