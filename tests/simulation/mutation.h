#pragma once

#include <array>
#include <string_view>

namespace slipstream::simulation {

// Mutation: a mistake planted on purpose, to see that the simulator finds such mistakes. They are
// made around the product's code, in what the simulation puts in its place (disk, log, network), so
// that the product knows nothing of them.
enum class Mutation {
  kNone,
  // The disk.
  kSkipFileSync,       // what was written is said to be durable, and is not
  kSkipDirectorySync,  // nor are names
  // The master's log.
  kAnswerBeforeSync,   // an answer is given before the log is durable
  kTornBatch,          // half of a request's changes survive a crash
  kForgetIdMark,       // the allocation mark is not durable: a block id is given twice
  kForgetRequests,     // retried requests are carried out again
  kForgetReservation,  // a prepared file's name is free for others
  // What the master is told, and does.
  kAcceptStaleWriter,  // an incarnation that was fenced may prepare
  kTrustOldReport,     // a full report takes newer changes back
  kDeleteTooEarly,     // a copy's source is deleted before the copy is there
  kCollectPrepared,    // blocks of a prepared append are garbage
  // What a datanode says, and does.
  kAckBeforeNext,  // a chain acknowledges before its next node has
  kNeverScrub,     // damage that no reader meets is not found
};

struct MutationName {
  Mutation mutation;
  std::string_view name;
};

inline constexpr std::array kMutations = {
    MutationName{Mutation::kSkipFileSync, "skip_file_sync"},
    MutationName{Mutation::kSkipDirectorySync, "skip_directory_sync"},
    MutationName{Mutation::kAnswerBeforeSync, "answer_before_sync"},
    MutationName{Mutation::kTornBatch, "torn_batch"},
    MutationName{Mutation::kForgetIdMark, "forget_id_mark"},
    MutationName{Mutation::kForgetRequests, "forget_requests"},
    MutationName{Mutation::kForgetReservation, "forget_reservation"},
    MutationName{Mutation::kAcceptStaleWriter, "accept_stale_writer"},
    MutationName{Mutation::kTrustOldReport, "trust_old_report"},
    MutationName{Mutation::kDeleteTooEarly, "delete_too_early"},
    MutationName{Mutation::kCollectPrepared, "collect_prepared"},
    MutationName{Mutation::kAckBeforeNext, "ack_before_next"},
    MutationName{Mutation::kNeverScrub, "never_scrub"},
};

}  // namespace slipstream::simulation
