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
    for (const char* name : {"SLIPSTREAM_DATA_DIR",
                             "SLIPSTREAM_INSECURE",
                             "SLIPSTREAM_CONFIG",
                             "SLIPSTREAM_KAFKA_PROPERTY"}) {
      ::unsetenv(name);
    }
    std::filesystem::remove(config_);
  }
  std::optional<int> Parse(std::vector<const char*> arguments) {
    CLI::App app("text", "tool");
    AddDaemonFlags(app, flags_);
    AddKafkaPropertyFlag(app, properties_);
    app.add_option("--data-dir", data_dir_)->required();
    app.add_option("file", file_);
    arguments.insert(arguments.begin(), "tool");
    return ParseFlags(app, static_cast<int>(arguments.size()), arguments.data());
  }
  void WriteConfig(const std::string& text) { std::ofstream(config_) << text; }

  DaemonFlags flags_;
  std::vector<std::pair<std::string, std::string>> properties_;
  std::string data_dir_;
  std::string file_;
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

TEST_F(FlagsTest, PropertiesOfKafkaComeFromEveryPlaceSeveralAtOnce) {
  const std::vector<std::pair<std::string, std::string>> both = {{"security.protocol", "sasl_ssl"},
                                                                 {"sasl.password", "a=b"}};

  EXPECT_EQ(Parse({"--data-dir=d",
                   "--kafka-property",
                   "security.protocol=sasl_ssl",
                   "--kafka-property",
                   "sasl.password=a=b",
                   "job.sql"}),
            std::nullopt);
  EXPECT_EQ(properties_, both);
  EXPECT_EQ(file_, "job.sql");
  WriteConfig("kafka-property = [\"security.protocol=sasl_ssl\", \"sasl.password=a=b\"]\n");
  EXPECT_EQ(Parse({"--data-dir=d", "--config", config_.c_str()}), std::nullopt);
  EXPECT_EQ(properties_, both);
  ::setenv("SLIPSTREAM_KAFKA_PROPERTY", "[security.protocol=sasl_ssl,sasl.password=a=b]", 1);
  EXPECT_EQ(Parse({"--data-dir=d"}), std::nullopt);
  EXPECT_EQ(properties_, both);
  ::setenv("SLIPSTREAM_KAFKA_PROPERTY", "sasl.password=a=b", 1);
  EXPECT_EQ(Parse({"--data-dir=d"}), std::nullopt);
  EXPECT_EQ(properties_, decltype(both)(1, both.back()));
}

TEST_F(FlagsTest, APropertyThatIsNoneIsNotRepeated) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Parse({"--data-dir=d", "--kafka-property", "hunter2"}), kExitUsage);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("--kafka-property"), std::string::npos) << said;
  EXPECT_EQ(said.find("hunter2"), std::string::npos) << said;
}

TEST_F(FlagsTest, HelpAndVersionAreDone) {
  EXPECT_EQ(Parse({"--help"}), kExitDone);
  EXPECT_EQ(Parse({"--version"}), kExitDone);
}

}  // namespace
}  // namespace slipstream::daemon
