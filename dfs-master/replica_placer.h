#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "dfs-master/node_table.h"

namespace slipstream::dfs::master {

// How near a node is to others: 0 where it shares nothing with any of them, then a rack, a failure
// domain, a host.
int Nearness(const Node& node, const std::vector<const Node*>& others);

// ReplicaPlacer: chooses nodes for replicas.
//
// Only live nodes in service with room. In this order: never two replicas on one host while there
// is another choice; then another failure domain; then another rack, where nodes told their racks;
// then nodes that are not strained, which is to have little room left or over twice the average
// number of writes under way. Among those that are equal in this it draws at random with a weight
// that grows with free space and falls with load, so that a new, empty node is filled faster but
// not with everything. Threads: none; under the master's lock. Its choices depend on the seed and
// the order of calls.
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
