#pragma once

#include <memory>

#include "common/rpc/transport.h"
#include "dfs-client/block_writer.h"
#include "dfs-client/dfs_client.h"
#include "dfs-client/file_publisher.h"
#include "dfs-client/hedged_reader.h"
#include "dfs-client/master_client.h"
#include "dfs-client/master_connection.h"
#include "dfs-client/node_client.h"
#include "dfs-client/notices.h"
#include "dfs-client/random_id.h"
#include "dfs-client/suspect_nodes.h"
#include "dfs-client/worker_pool.h"

namespace slipstream::dfs {

// ClientParts: what a DfsClient is made of. Private to the library. The order is that of who
// borrows whom: each part only those above it.
struct ClientParts {
  explicit ClientParts(ClientOptions wanted);

  const ClientOptions options;
  const std::shared_ptr<rpc::Transport> transport;  // shared with whoever made it, if anyone did
  RandomIds ids;
  Notices notices;
  SuspectNodes suspects;
  MasterConnection connection;
  MasterClient master;
  FilePublisher publisher;
  NodeClient nodes;
  HedgedReader hedged;
  WorkerPool pool;
  BlockWriter blocks;
};

}  // namespace slipstream::dfs
