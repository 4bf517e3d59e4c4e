#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace slipstream::simulation {

struct Seeds {
  uint64_t first = 1;
  uint64_t last = 1;
};

// Asks `judge` about each seed, in `processes` processes, made for it, that share the work; what it
// said, by seed, where that is not empty. A process that dies is what was to be said of the seed it
// died of, and of those it did not come to. Before any thread was started.
std::map<uint64_t, std::string> JudgeSeeds(const Seeds& seeds,
                                           unsigned processes,
                                           const std::function<std::string(uint64_t)>& judge);

}  // namespace slipstream::simulation
