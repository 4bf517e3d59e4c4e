#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dfs-client/cli/format.h"
#include "dfs-client/cluster_types.h"

// What --json prints: one document and a line end. Names are those of the plain types.

namespace slipstream::dfs::cli {

std::string JsonListing(const std::vector<Item>& items);
std::string JsonReport(const ClusterState& state);

struct Usage {
  std::string shown;
  uint64_t length_bytes = 0;
  uint64_t stored_bytes = 0;  // with all replicas
};
std::string JsonUsage(const std::vector<Usage>& usages);

}  // namespace slipstream::dfs::cli
