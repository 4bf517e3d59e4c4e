#pragma once

#include <stop_token>

#include "common/status/status.h"
#include "dfs-client/file_types.h"
#include "dfs-client/replica_reader.h"

namespace slipstream::dfs {

class WorkerPool;

// Computes a file's checksum from CRC32Cs that datanodes make, some blocks at a time. Private to
// the library. `blocks` begins at the beginning of the file; `master` gives the rest.
// Errors: as ReplicaReader; kFailedPrecondition: the file was changed meanwhile.
Result<FileChecksum> ChecksumFile(ReplicaReader& replicas,
                                  MasterClient& master,
                                  WorkerPool& pool,
                                  FileBlocks blocks,
                                  const std::stop_token& stop);

}  // namespace slipstream::dfs
