#include "gateway/gatekeeper.h"

#include <memory>
#include <optional>

#include <gtest/gtest.h>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace slipstream::gateway {
namespace {

// The digests of "r", "w" and "a".
constexpr const char* kTokens =
    "rita read 454349e422f05297191ead13e21d3db520e5abef52055e4964b82fb213f593a1\n"
    "will write 50e721e49c013f00c62cf59f2163542a9d8df02464efeb615d31051b0fddc326\n"
    "ada admin ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb\n";

// Remembers what got in.
class Inside final : public http::Handler {
 public:
  http::Answer Handle(const http::Request& request) override {
    query = request.query;
    return http::Response{.code = 200};
  }
  http::Response Overloaded(const http::Request&) override { return {.code = 503}; }

  std::optional<std::string> query;
};

class GatekeeperTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(test_support::WriteFile(dir_ / "tokens", kTokens), Status());
    tokens_ = access::TokenFile::Open((dir_ / "tokens").string()).value();
    gatekeeper_ = std::make_unique<Gatekeeper>(*tokens_, inside_);
  }

  http::Response Ask(const std::string& method,
                     const std::string& query,
                     const std::string& authorization,
                     const std::string& path = "/webhdfs/v1/x") {
    inside_.query.reset();
    http::Request request{.method = method, .path = path, .query = query};
    if (!authorization.empty()) request.headers.emplace_back("Authorization", authorization);
    return std::get<http::Response>(gatekeeper_->Handle(request));
  }
  int CodeOf(const std::string& method, const std::string& query, const std::string& token) {
    return Ask(method, query, "Bearer " + token).code;
  }

  const test_support::TempDir dir_{"gatekeeper"};
  std::unique_ptr<access::TokenFile> tokens_;
  Inside inside_;
  std::unique_ptr<Gatekeeper> gatekeeper_;
};

TEST_F(GatekeeperTest, WithoutATokenThatIsKnownNothingGetsIn) {
  for (const char* authorization :
       {"", "Bearer", "Bearer ", "Bearer x", "Basic !", "Digest r", "r"}) {
    const http::Response response = Ask("GET", "op=OPEN", authorization);
    EXPECT_EQ(response.code, 401) << authorization;
    EXPECT_FALSE(inside_.query.has_value()) << authorization;
    EXPECT_NE(response.body.find("SecurityException"), std::string::npos) << response.body;
    int asked = 0;
    for (const auto& [name, value] : response.headers)
      asked += name == "WWW-Authenticate" ? 1 : 0;
    EXPECT_EQ(asked, 2);
  }
  EXPECT_EQ(Ask("GET", "", "", "/").code, 401);
  EXPECT_EQ(Ask("GET", "", "", "/api/v1/cluster").code, 401);
}

TEST_F(GatekeeperTest, ARoleDoesWhatItIsFor) {
  EXPECT_EQ(CodeOf("GET", "op=OPEN", "r"), 200);
  EXPECT_EQ(CodeOf("HEAD", "", "r"), 200);
  for (const char* method : {"PUT", "POST", "DELETE", "PATCH"}) {
    EXPECT_EQ(CodeOf(method, "op=MKDIRS", "r"), 403) << method;
    EXPECT_FALSE(inside_.query.has_value());
    EXPECT_EQ(CodeOf(method, "op=MKDIRS", "w"), 200) << method;
  }
  EXPECT_EQ(CodeOf("PUT", "op=SETQUOTA", "w"), 403);
  EXPECT_EQ(CodeOf("PUT", "OP=setQuota", "w"), 403);
  EXPECT_EQ(CodeOf("PUT", "op=MKDIRS&%6Fp=SETQUOTA", "w"), 403);
  EXPECT_EQ(CodeOf("PUT", "op=SETQUOTA", "a"), 200);
  const http::Response refused = Ask("DELETE", "op=DELETE", "Bearer r");
  EXPECT_NE(refused.body.find("AccessControlException"), std::string::npos) << refused.body;
}

TEST_F(GatekeeperTest, ATokenIsItsNameAndOnlyAnAdminActsForOthers) {
  (void)Ask("PUT", "op=MKDIRS&user.name=root&DoAs=hdfs&x=a%20b", "Bearer w");
  EXPECT_EQ(inside_.query, "op=MKDIRS&x=a%20b&user.name=will");
  (void)Ask("PUT", "op=MKDIRS&user.name=root", "Bearer a");
  EXPECT_EQ(inside_.query, "op=MKDIRS&user.name=root");
}

TEST_F(GatekeeperTest, ATokenComesAsABearersOrAsAPassword) {
  EXPECT_EQ(TokenOf("Bearer abc"), "abc");
  EXPECT_EQ(TokenOf("bearer   abc"), "abc");
  EXPECT_EQ(TokenOf("Basic YW5uOnNlY3JldA=="), "secret");
  EXPECT_EQ(TokenOf("basic OmE6Yg=="), "a:b");
  EXPECT_EQ(TokenOf("Basic YW5u"), std::nullopt);
  EXPECT_EQ(TokenOf("Basic"), std::nullopt);
  EXPECT_EQ(TokenOf("Negotiate YW5uOnNlY3JldA=="), std::nullopt);
}

}  // namespace
}  // namespace slipstream::gateway
