#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "common/log/log.h"
#include "tests/fuzz/target.h"

// Every fuzz target over its seeds and over the inputs that once broke it, built by the compiler
// and with the flags of everything else. A target ends the process where something is wrong; the
// trace says over which input.

namespace slipstream::fuzz {
namespace {

std::filesystem::path SourceDirectory() {
  const char* const root = std::getenv("SLIPSTREAM_SOURCE_DIR");
  return root == nullptr ? "." : root;
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class ReplayTest : public ::testing::TestWithParam<const Target*> {
 protected:
  // Damage is warned about, as it should be.
  static void SetUpTestSuite() { log::Init({.level = "off"}); }
};

TEST_P(ReplayTest, SeedsHold) {
  const std::vector<std::string> seeds = GetParam()->seeds();
  ASSERT_FALSE(seeds.empty());
  for (const std::string& seed : seeds) {
    GetParam()->run(seed);
    // What a fuzzer tries first.
    GetParam()->run(std::string_view(seed).substr(0, seed.size() / 2));
  }
  GetParam()->run("");
}

TEST_P(ReplayTest, InputsThatOnceBrokeItHold) {
  const std::filesystem::path folder =
      SourceDirectory() / "tests" / "fuzz" / "corpus" / GetParam()->name;
  if (!std::filesystem::exists(folder)) return;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::fprintf(stderr, "%s\n", entry.path().c_str());
    GetParam()->run(ReadFile(entry.path()));
  }
}

const Target* const kTargets[] = {&kAvroRecords,
                                  &kBlockRecord,
                                  &kCsvRecords,
                                  &kCsvText,
                                  &kDatanodeRequests,
                                  &kExchangedRows,
                                  &kJsonRecords,
                                  &kMasterRecords,
                                  &kMasterRequests,
                                  &kNames,
                                  &kReplicaDamage,
                                  &kSqlState,
                                  &kSqlText,
                                  &kStateRecords,
                                  &kValues,
                                  &kWebRequests};

INSTANTIATE_TEST_SUITE_P(Targets,
                         ReplayTest,
                         ::testing::ValuesIn(kTargets),
                         [](const auto& target) { return target.param->name; });

}  // namespace
}  // namespace slipstream::fuzz
