#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "dfs-master/node_table.h"

namespace slipstream::dfs::master {

// ReplicaPlacer: chooses nodes for replicas.
//
// Only live nodes with room, drawn at random with a weight that grows with free space and falls
// with load, so that a new, empty node is filled faster but not with everything. Never two replicas
// in one failure domain, nor on one host, while there is another choice.
// Threads: none; under the master's lock. Its choices depend on the seed and the order of calls.
class ReplicaPlacer final {
 public:
  struct Request {
    uint32_t count = 0;
    uint64_t bytes = 0;                // that each node chosen gets
    std::vector<NodeNumber> excluded;  // never chosen
    std::vector<NodeNumber> present;   // have a replica already: never chosen, kept apart from
  };

  explicit ReplicaPlacer(uint64_t seed) : random_(seed) {}

  // At most `count` nodes, fewer where there are no more.
  std::vector<NodeNumber> Pick(const NodeTable& nodes, const Request& request);

 private:
  const Node* Draw(const std::vector<const Node*>& candidates);

  std::mt19937_64 random_;
};

}  // namespace slipstream::dfs::master
