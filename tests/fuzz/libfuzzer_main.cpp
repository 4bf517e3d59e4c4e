#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "common/log/log.h"
#include "tests/fuzz/target.h"

// libFuzzer's entries for the target SLIPSTREAM_FUZZ_TARGET. With SLIPSTREAM_FUZZ_SEEDS set its
// seeds are written into that folder first, for libFuzzer to read them as a corpus.

namespace {
constexpr const slipstream::fuzz::Target& kTarget = slipstream::fuzz::SLIPSTREAM_FUZZ_TARGET;
}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  slipstream::log::Init({.level = "off"});
  const char* const folder = std::getenv("SLIPSTREAM_FUZZ_SEEDS");
  if (folder == nullptr) return 0;
  std::filesystem::create_directories(folder);
  size_t number = 0;
  for (const std::string& seed : kTarget.seeds()) {
    std::ofstream file(std::filesystem::path(folder) / ("seed-" + std::to_string(number++)),
                       std::ios::binary);
    file << seed;
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  kTarget.run({reinterpret_cast<const char*>(data), size});
  return 0;
}
