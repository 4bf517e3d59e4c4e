#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/kafka/admin.h"

namespace slipstream::runtime {

// Who gets a task when processes die.
//
// Groups share partitions out by range: of each topic every worker gets as many, side by side, in
// the order of the workers' names. So who will own a partition once some workers are gone can be
// told beforehand, and nothing has to be arranged with Kafka or among the workers: each comes to
// the same answer by itself.
//
// A process dies with all of its workers, and then its neighbours' shares move as well, from one
// living worker to another. The heirs of a partition are, in this order: who gets it when its
// owner's process dies; who gets it when another process does; and, once the first heir's process
// is dead too, the one after it, and so on.
//
// So the first heir is enough for the tasks of a process that dies. Of processes with one worker
// each, two heirs are enough for all tasks, whichever process it is; of two processes with one
// worker each the first.

// The place, among `worker_count` workers in order, of the one that gets the partition.
size_t RangeOwner(int32_t partition, int32_t partition_count, size_t worker_count);

// Places in `workers`, which are in order (kafka::Admin::GroupMembers), of the owner and up to
// `heirs_max` heirs: fewer where there are no more; none without workers. Workers are of one
// process if they have the same client id.
std::vector<size_t> SuccessionOf(int32_t partition,
                                 int32_t partition_count,
                                 std::span<const kafka::Admin::GroupMember> workers,
                                 size_t heirs_max);

}  // namespace slipstream::runtime
