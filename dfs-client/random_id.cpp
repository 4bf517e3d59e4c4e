#include "dfs-client/random_id.h"

#include <cstdint>
#include <random>

#include <fmt/format.h>

namespace slipstream::dfs {

std::string NewRandomId() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", device(), device(), device(), device());
}

}  // namespace slipstream::dfs
