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

std::string JsonTotals(const std::vector<ContentTotals>& totals);
// `df`: the space of all nodes together, as one of them.
std::string JsonSpace(const std::string& filesystem, const NodeReport& all);
std::string JsonAppenders(const std::vector<AppenderReport>& appenders);
std::string JsonBalance(const BalanceStatus& status);

}  // namespace slipstream::dfs::cli
