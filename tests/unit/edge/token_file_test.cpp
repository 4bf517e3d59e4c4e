#include "common/access/token_file.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace slipstream::access {
namespace {

// Of "secret" and "other", as sha256sum has them.
constexpr const char* kSecret = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
constexpr const char* kOther = "d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa";

class TokenFileTest : public ::testing::Test {
 protected:
  // By a rename, as an administrator does it.
  void Write(const std::string& text) const {
    ASSERT_EQ(test_support::WriteFile(dir_ / "new", text), Status());
    std::filesystem::rename(dir_ / "new", path());
  }
  std::string path() const { return (dir_ / "tokens").string(); }
  static std::string Line(const std::string& name, const std::string& role, const char* digest) {
    return name + " " + role + " " + digest + "\n";
  }

  const test_support::TempDir dir_{"tokens"};
};

TEST_F(TokenFileTest, ATokenIsFoundWithItsNameAndRole) {
  Write("# people\n\n" + Line("ann", "write", kSecret) + Line("bob", "read", kOther));
  const auto tokens = TokenFile::Open(path()).value();

  const auto ann = tokens->Find("secret");
  ASSERT_TRUE(ann.has_value());
  EXPECT_EQ(ann->name, "ann");
  EXPECT_EQ(ann->role, Role::kWrite);
  EXPECT_EQ(tokens->Find("other")->name, "bob");
  EXPECT_FALSE(tokens->Find("Secret").has_value());
  EXPECT_FALSE(tokens->Find("").has_value());
  EXPECT_FALSE(tokens->Find(kSecret).has_value());
}

TEST_F(TokenFileTest, AChangedFileCountsAtOnceAndABadOneNotAtAll) {
  Write(Line("ann", "write", kSecret));
  const auto tokens = TokenFile::Open(path()).value();

  Write(Line("bob", "read", kOther));
  EXPECT_FALSE(tokens->Find("secret").has_value());
  EXPECT_TRUE(tokens->Find("other").has_value());
  Write("nonsense\n");
  EXPECT_TRUE(tokens->Find("other").has_value());
  std::filesystem::remove(path());
  EXPECT_TRUE(tokens->Find("other").has_value());
}

TEST_F(TokenFileTest, BadLinesAreRefusedByNumberWithoutTheirContent) {
  const std::vector<std::string> bad = {"ann write\n",
                                        Line("ann", "node", kSecret),
                                        Line("ann", "root", kSecret),
                                        Line("a/b", "read", kSecret),
                                        Line("-a", "read", kSecret),
                                        "ann read 2bb8\n",
                                        "ann read " + std::string(64, 'g') + "\n"};
  for (const std::string& line : bad) {
    Write("# first\n" + line);
    const Status status = TokenFile::Open(path()).status();
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << line;
    EXPECT_NE(status.message().find("line 2"), std::string::npos) << status.message();
    EXPECT_EQ(status.message().find(kSecret), std::string::npos) << status.message();
  }
}

TEST_F(TokenFileTest, NoFileIsAnErrorAtTheStart) {
  EXPECT_EQ(TokenFile::Open(path()).status().code(), Code::kNotFound);
  EXPECT_EQ(TokenFile::Open(dir_.path().string()).status().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace slipstream::access
