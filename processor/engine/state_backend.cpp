#include "processor/engine/state_backend.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "processor/planner/table_options.h"

namespace slipstream::sql {
namespace {

constexpr uint64_t kMemoryMin = uint64_t{4} << 20;

}  // namespace

Result<StateBackend> StateBackendOf(const Options& settings) {
  StateBackend backend;
  for (const char* setting : {"state.backend", "state.backend.type"}) {
    const auto found = settings.find(setting);
    if (found == settings.end()) continue;
    std::string name = found->second;
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
      return static_cast<char>(std::tolower(c));
    });
    if (name != "memory" && name != "hashmap" && name != "rocksdb") {
      return InvalidArgument("'" + std::string(setting) + "' = '" + found->second +
                             "': it is 'memory' or 'rocksdb'");
    }
    backend.is_on_disk = name == "rocksdb";
  }
  const auto memory = settings.find("state.rocksdb.memory");
  if (memory == settings.end()) return backend;
  Result<uint64_t> bytes = ParseMemorySize(memory->second);
  if (!bytes.ok()) return bytes.status().WithContext("'state.rocksdb.memory'");
  if (*bytes < kMemoryMin) {
    return InvalidArgument("'state.rocksdb.memory' = '" + memory->second + "': 4 mb is the least");
  }
  backend.memory_bytes = *bytes;
  return backend;
}

}  // namespace slipstream::sql
