#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "common/status/status.h"
#include "tests/simulation/mutation.h"

namespace slipstream::dfs::v1 {
class ReportBlocksRequest;
}

namespace slipstream::simulation {

// MasterMutator: what a master with a planted mistake hears and says: stands between the network
// and the master's handlers, and without a mutation changes nothing.
class MasterMutator final {
 public:
  using Dispatch = std::function<Result<std::string>(const std::string& request)>;

  explicit MasterMutator(Mutation mutation) : mutation_(mutation) {}

  // Answers a call with one request by `dispatch`.
  Result<std::string> Answer(std::string_view method,
                             const std::string& request,
                             const Dispatch& dispatch);
  void Falsify(dfs::v1::ReportBlocksRequest& chunk) const;

 private:
  Result<std::string> Prepare(const std::string& request, const Dispatch& dispatch);
  Result<std::string> Heartbeat(const std::string& request, const Dispatch& dispatch);

  const Mutation mutation_;
  std::map<std::string, uint64_t> incarnations_;           // by owner, the newest
  std::map<std::string, std::set<uint64_t>> prepared_on_;  // by node id: blocks
};

}  // namespace slipstream::simulation
