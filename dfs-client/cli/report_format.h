#pragma once

#include <string>

#include "dfs-client/cluster_types.h"

namespace slipstream::dfs::cli {

// `dfs report`: totals, then the nodes of the sections wanted. A section without nodes is left out.
struct ReportSections {
  bool live = true;
  bool dead = true;
  bool decommissioning = true;
  bool maintenance = true;
};
std::string FormatReport(const ClusterState& state, const ReportSections& sections);

}  // namespace slipstream::dfs::cli
