// The client of a schema registry, against one that serves HTTP and HTTPS on loopback.

#include "processor/connectors/http_schema_registry.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "common/tls/tls_dir.h"
#include "tests/support/assert_ok.h"
#include "tests/support/certificates.h"
#include "tests/support/process.h"
#include "tests/support/schema_registry.h"
#include "tests/support/temp_dir.h"

namespace slipstream::runtime {
namespace {

using test_support::SchemaRegistry;

constexpr char kSchema[] = R"("string")";

Result<int32_t> RegisterAt(const sql::RegistryAddress& address) {
  ASSIGN_OR_RETURN(const std::shared_ptr<sql::SchemaRegistry> client,
                   HttpSchemaRegistry::Create({.address = address}));
  return client->Register("subject", kSchema);
}

TEST(HttpSchemaRegistryTest, SchemasAreRegisteredAndFoundAndRemembered) {
  SchemaRegistry registry;
  ASSERT_OK_AND_ASSIGN(const std::shared_ptr<sql::SchemaRegistry> client,
                       HttpSchemaRegistry::Create({.address = {.url = registry.url() + "/"}}));

  ASSERT_OK_AND_ASSIGN(const int32_t id, client->Register("subject", kSchema));
  EXPECT_OK(client->SchemaOf(id));
  EXPECT_EQ(client->SchemaOf(id + 1).status().code(), Code::kNotFound);
  const int asked = registry.request_count();
  EXPECT_OK(client->SchemaOf(id));
  EXPECT_EQ(client->SchemaOf(id + 1).status().code(), Code::kNotFound);
  EXPECT_EQ(registry.request_count(), asked);
}

TEST(HttpSchemaRegistryTest, SaysWhoItIs) {
  SchemaRegistry registry;

  EXPECT_OK(RegisterAt({.url = registry.url(), .user_info = "ann:secret"}));
  EXPECT_EQ(registry.last_authorization(), "Basic YW5uOnNlY3JldA==");
  EXPECT_OK(RegisterAt({.url = registry.url(), .bearer_token = "token"}));
  EXPECT_EQ(registry.last_authorization(), "Bearer token");
}

TEST(HttpSchemaRegistryTest, OfSeveralAddressesTheNextIsAskedWhereOneDoesNotAnswer) {
  SchemaRegistry away;
  SchemaRegistry there;
  away.FailNext(1'000);
  ASSERT_OK_AND_ASSIGN(
      const std::shared_ptr<sql::SchemaRegistry> client,
      HttpSchemaRegistry::Create({.address = {.url = away.url() + ", " + there.url()}}));

  EXPECT_OK(client->Register("subject", kSchema));
  EXPECT_OK(client->Register("other", kSchema));
  EXPECT_EQ(away.request_count(), 1);
  EXPECT_EQ(there.request_count(), 2);
}

TEST(HttpSchemaRegistryTest, AddressesThatAreNoneAreRefused) {
  for (const char* url :
       {"", "ftp://a:1", "localhost:8081", "http://a:1,", "http://:1", "https://"}) {
    EXPECT_EQ(RegisterAt({.url = url}).status().code(), Code::kInvalidArgument) << url;
  }
}

class HttpsSchemaRegistryTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new test_support::TempDir("registry-tls");
    ASSERT_OK(Ours().Make({"node"}));
    ASSERT_OK(Theirs().Make({"node"}));
  }
  static void TearDownTestSuite() { delete folder_; }

  static test_support::Certificates Ours() { return test_support::Certificates(*folder_ / "ours"); }
  static test_support::Certificates Theirs() {
    return test_support::Certificates(*folder_ / "theirs");
  }
  static std::string AuthorityOf(const test_support::Certificates& certificates) {
    return tls::AuthorityFile(certificates.DirOf("node"));
  }

  // As a PKCS #12 store.
  static std::string Pkcs12(const std::string& pem,
                            const std::string& name,
                            const std::string& password,
                            std::vector<std::string> more = {}) {
    const std::string file = (*folder_ / name).string();
    more.insert(more.begin(), {"pkcs12", "-export", "-in", pem, "-out", file});
    more.push_back("-passout");
    more.push_back("pass:" + password);
    const auto made = test_support::RunTool(
        {.program = "/usr/bin/openssl", .args = std::move(more), .environment = {}});
    EXPECT_EQ(made->exit.code, 0) << made->err;
    return file;
  }

  static const test_support::TempDir* folder_;
};

const test_support::TempDir* HttpsSchemaRegistryTest::folder_ = nullptr;

TEST_F(HttpsSchemaRegistryTest, IsReachedWhereItsAuthorityIsTrusted) {
  SchemaRegistry registry({.tls_dir = Ours().DirOf("node")});

  EXPECT_OK(RegisterAt({.url = registry.url(), .truststore = AuthorityOf(Ours())}));
  EXPECT_EQ(
      RegisterAt({.url = registry.url(), .truststore = AuthorityOf(Theirs())}).status().code(),
      Code::kUnavailable);
  // The machine's authorities do not know ours.
  EXPECT_EQ(RegisterAt({.url = registry.url()}).status().code(), Code::kUnavailable);
  EXPECT_EQ(registry.request_count(), 1);
}

TEST_F(HttpsSchemaRegistryTest, UnderAnotherNameItIsNotTalkedTo) {
  SchemaRegistry registry({.address = "127.0.0.2", .tls_dir = Ours().DirOf("node")});

  EXPECT_EQ(RegisterAt({.url = registry.url(), .truststore = AuthorityOf(Ours())}).status().code(),
            Code::kUnavailable);
  EXPECT_EQ(registry.request_count(), 0);
}

TEST_F(HttpsSchemaRegistryTest, ACertificateIsShownToWhomWantsOne) {
  SchemaRegistry registry({.tls_dir = Ours().DirOf("node"), .wants_certificate = true});
  const std::string pem = tls::HostFile(Ours().DirOf("node"));

  EXPECT_EQ(RegisterAt({.url = registry.url(), .truststore = AuthorityOf(Ours())}).status().code(),
            Code::kUnavailable);
  EXPECT_OK(
      RegisterAt({.url = registry.url(), .truststore = AuthorityOf(Ours()), .keystore = pem}));
  EXPECT_OK(
      RegisterAt({.url = registry.url(),
                  .truststore = Pkcs12(AuthorityOf(Ours()), "trust.p12", "trusted", {"-nokeys"}),
                  .truststore_password = "trusted",
                  .keystore = Pkcs12(pem, "key.p12", "secret"),
                  .keystore_password = "secret"}));
}

TEST_F(HttpsSchemaRegistryTest, StoresThatCannotBeReadAreSaidToBeSo) {
  const std::string store = Pkcs12(tls::HostFile(Ours().DirOf("node")), "other.p12", "secret");
  const auto with = [&](const std::string& truststore, const std::string& password) {
    return HttpSchemaRegistry::Create({.address = {.url = "https://localhost:1",
                                                   .truststore = truststore,
                                                   .truststore_password = password}})
        .status();
  };
  EXPECT_NE(with(store, "wrong").message().find("another password"), std::string::npos);
  EXPECT_EQ(with((*folder_ / "none").string(), "").code(), Code::kNotFound);
  const std::string jks = (*folder_ / "store.jks").string();
  ASSERT_OK(test_support::WriteFile(jks, "\xFE\xED\xFE\xED and more"));
  EXPECT_NE(with(jks, "").message().find("keytool"), std::string::npos);
  ASSERT_OK(test_support::WriteFile(jks, "nonsense"));
  EXPECT_EQ(with(jks, "").code(), Code::kInvalidArgument);
  ASSERT_OK(test_support::WriteFile(jks, "-----BEGIN NOTHING-----\n"));
  EXPECT_EQ(with(jks, "").code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace slipstream::runtime
