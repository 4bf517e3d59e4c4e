#include "common/daemon/flags.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <CLI/CLI.hpp>
#include <gtest/gtest.h>

namespace slipstream::daemon {
namespace {

class FlagsTest : public ::testing::Test {
 protected:
  ~FlagsTest() override {
    for (const char* name : {"SLIPSTREAM_DATA_DIR", "SLIPSTREAM_INSECURE", "SLIPSTREAM_CONFIG"}) {
      ::unsetenv(name);
    }
    std::filesystem::remove(config_);
  }
  std::optional<int> Parse(std::vector<const char*> arguments) {
    CLI::App app("text", "tool");
    AddDaemonFlags(app, flags_);
    app.add_option("--data-dir", data_dir_)->required();
    arguments.insert(arguments.begin(), "tool");
    return ParseFlags(app, static_cast<int>(arguments.size()), arguments.data());
  }
  void WriteConfig(const std::string& text) { std::ofstream(config_) << text; }

  DaemonFlags flags_;
  std::string data_dir_;
  const std::string config_ =
      (std::filesystem::temp_directory_path() / ("flags_test_" + std::to_string(::getpid())))
          .string();
};

TEST_F(FlagsTest, CommandLineGoesBeforeConfigAndConfigBeforeEnvironment) {
  ::setenv("SLIPSTREAM_DATA_DIR", "environment", 1);
  ::setenv("SLIPSTREAM_INSECURE", "true", 1);

  EXPECT_EQ(Parse({}), std::nullopt);
  EXPECT_EQ(data_dir_, "environment");
  EXPECT_TRUE(flags_.insecure);
  WriteConfig("data-dir = \"config\"\n");
  EXPECT_EQ(Parse({"--config", config_.c_str()}), std::nullopt);
  EXPECT_EQ(data_dir_, "config");
  EXPECT_EQ(Parse({"--config", config_.c_str(), "--data-dir", "line"}), std::nullopt);
  EXPECT_EQ(data_dir_, "line");
}

TEST_F(FlagsTest, ConfigMayComeFromTheEnvironment) {
  WriteConfig("data-dir = \"config\"\n");
  ::setenv("SLIPSTREAM_CONFIG", config_.c_str(), 1);

  EXPECT_EQ(Parse({}), std::nullopt);
  EXPECT_EQ(data_dir_, "config");
}

TEST_F(FlagsTest, UsageErrorsAreTwo) {
  EXPECT_EQ(Parse({}), kExitUsage);
  EXPECT_EQ(Parse({"--data-dir", "d", "--unknown"}), kExitUsage);
  EXPECT_EQ(Parse({"--data-dir", "d", "--log-level", "loud"}), kExitUsage);
  EXPECT_EQ(Parse({"--data-dir", "d", "--config", "/nothing"}), kExitUsage);
  WriteConfig("data-dir = \"d\"\nunknown = 1\n");
  EXPECT_EQ(Parse({"--config", config_.c_str()}), kExitUsage);
  ::setenv("SLIPSTREAM_CONFIG", "/nothing", 1);
  EXPECT_EQ(Parse({"--data-dir", "d"}), kExitUsage);
}

TEST_F(FlagsTest, HelpAndVersionAreDone) {
  EXPECT_EQ(Parse({"--help"}), kExitDone);
  EXPECT_EQ(Parse({"--version"}), kExitDone);
}

}  // namespace
}  // namespace slipstream::daemon
