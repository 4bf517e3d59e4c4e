// TLS between real servers and clients on loopback, with certificates as `slipstream certs` makes
// them.

#include <filesystem>

#include <google/protobuf/empty.pb.h>
#include <gtest/gtest.h>

#include "common/access/bearer_token.h"
#include "common/access/token_file.h"
#include "common/rpc/grpc_transport.h"
#include "common/rpc/server.h"
#include "common/tls/tls_dir.h"
#include "tests/support/certificates.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace slipstream::rpc {
namespace {

using access::Role;
using std::chrono::milliseconds;

// gRPC's own service, whose messages may be empty.
constexpr std::string_view kHealthCheck = "/grpc.health.v1.Health/Check";

class TlsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new test_support::TempDir("tls");
    ASSERT_EQ(Ours().Make({"node"}), Status());
    ASSERT_EQ(Ours().Make({"elsewhere"}), Status());
    ASSERT_EQ(Ours().Make({"--role", "read", "reader"}), Status());
    ASSERT_EQ(Theirs().Make({"node"}), Status());
  }
  static void TearDownTestSuite() { delete folder_; }

  static test_support::Certificates Ours() { return test_support::Certificates(*folder_ / "ours"); }
  static test_support::Certificates Theirs() {
    return test_support::Certificates(*folder_ / "theirs");
  }

  static std::unique_ptr<Server> Serve(const std::string& tls_dir, ServerAccess access = {}) {
    auto server = Server::Start(
        {.listen = "127.0.0.1:0", .tls_dir = tls_dir, .access = std::move(access)}, {});
    if (!server.ok()) return nullptr;
    (*server)->SetServing(true);
    return std::move(*server);
  }

  static Status Call(const Server& server, const std::string& tls_dir) {
    return CallAt(server.address(), tls_dir);
  }
  static Status CallAt(const std::string& address,
                       const std::string& tls_dir,
                       const std::string& token = {}) {
    google::protobuf::Empty request;
    google::protobuf::Empty response;
    return MakeGrpcTransport(tls_dir)->Connect(address)->Call(
        kHealthCheck,
        request,
        response,
        {.timeout = milliseconds(10'000), .stop = {}, .token = token});
  }

  static const test_support::TempDir* folder_;
};

const test_support::TempDir* TlsTest::folder_ = nullptr;

bool Says(const Status& status, std::string_view text) {
  return status.message().find(text) != std::string::npos;
}

TEST_F(TlsTest, CertificatesOfOneAuthorityUnderstandEachOther) {
  const auto server = Serve(Ours().DirOf("node"));

  EXPECT_EQ(Call(*server, Ours().DirOf("node")), Status());
  EXPECT_EQ(Call(*server, Ours().DirOf("reader")), Status());
}

TEST_F(TlsTest, AClientWithoutCertificateIsRefusedAndToldOfTlsDir) {
  const auto server = Serve(Ours().DirOf("node"));

  const Status status = Call(*server, "");

  EXPECT_EQ(status.code(), Code::kUnavailable);
  EXPECT_TRUE(Says(status, "--tls-dir")) << status.message();
}

TEST_F(TlsTest, AnotherAuthoritysCertificateIsRefusedByEitherSide) {
  const auto server = Serve(Ours().DirOf("node"));

  const Status status = Call(*server, Theirs().DirOf("node"));
  EXPECT_EQ(status.code(), Code::kUnavailable);
  EXPECT_TRUE(Says(status, "not signed by the authority")) << status.message();

  // One that takes our word for the server, but has only theirs for itself.
  const std::filesystem::path mixed = *folder_ / "mixed";
  std::filesystem::create_directory(mixed);
  std::filesystem::copy_file(tls::AuthorityFile(Ours().DirOf("node")), mixed / "ca.pem");
  std::filesystem::copy_file(tls::HostFile(Theirs().DirOf("node")), mixed / "host.pem");
  EXPECT_EQ(Call(*server, mixed.string()).code(), Code::kUnavailable);
}

TEST_F(TlsTest, AServerWithoutTlsIsNotTalkedTo) {
  const auto server = Serve("");

  const Status status = Call(*server, Ours().DirOf("node"));

  EXPECT_EQ(status.code(), Code::kUnavailable);
  EXPECT_TRUE(Says(status, "speaks no TLS")) << status.message();
}

TEST_F(TlsTest, AServerUnderAnotherNameIsNotTalkedTo) {
  auto server =
      Server::Start({.listen = "127.0.0.2:0", .tls_dir = Ours().DirOf("node")}, {}).value();

  const Status status = Call(*server, Ours().DirOf("node"));

  EXPECT_EQ(status.code(), Code::kUnavailable);
  EXPECT_TRUE(Says(status, "for other names")) << status.message();
}

TEST_F(TlsTest, ARoleBelowWhatAMethodNeedsIsRefused) {
  const auto server = Serve(Ours().DirOf("node"), {.role_needed = [](std::string_view method) {
                              return method == kHealthCheck ? Role::kWrite : Role::kRead;
                            }});

  EXPECT_EQ(Call(*server, Ours().DirOf("node")), Status());
  EXPECT_EQ(Call(*server, Ours().DirOf("reader")).code(), Code::kPermissionDenied);
}

// A folder with the authority's certificate alone, as of those who have a token.
std::string AuthorityAlone(const test_support::TempDir& scratch, const std::string& node_dir) {
  std::filesystem::copy_file(tls::AuthorityFile(node_dir), scratch / "ca.pem");
  return scratch.path().string();
}

TEST_F(TlsTest, ATokenIsTakenInPlaceOfACertificate) {
  const test_support::TempDir scratch("tls-token");
  const std::string client = AuthorityAlone(scratch, Ours().DirOf("node"));
  // Of "secret" and "other".
  ASSERT_EQ(test_support::WriteFile(
                scratch / "tokens",
                "ann write 2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\n"
                "bob read d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa\n"),
            Status());
  const auto server = Serve(Ours().DirOf("node"),
                            {.role_needed = [](std::string_view) { return Role::kWrite; },
                             .authenticator = std::make_shared<Authenticator>(
                                 access::TokenFile::Open((scratch / "tokens").string()).value())});

  EXPECT_EQ(CallAt(server->address(), client, "secret"), Status());
  EXPECT_EQ(CallAt(server->address(), client, "other").code(), Code::kPermissionDenied);
  for (const char* unknown : {"", "Secret", "secret "})
    EXPECT_EQ(CallAt(server->address(), client, unknown).code(), Code::kUnauthenticated);
  // A certificate counts as before, and one of another authority is no better than before.
  EXPECT_EQ(Call(*server, Ours().DirOf("node")), Status());
  EXPECT_EQ(CallAt(server->address(), Ours().DirOf("reader"), "secret").code(),
            Code::kPermissionDenied);
  EXPECT_EQ(CallAt(server->address(), Theirs().DirOf("node"), "secret").code(), Code::kUnavailable);
}

TEST_F(TlsTest, AServerWithoutTokensWantsACertificate) {
  const test_support::TempDir scratch("tls-token");
  const auto server = Serve(Ours().DirOf("node"));

  EXPECT_EQ(
      CallAt(server->address(), AuthorityAlone(scratch, Ours().DirOf("node")), "secret").code(),
      Code::kUnavailable);
}

TEST_F(TlsTest, AMethodThatAsksItselfIsForEverybody) {
  const test_support::TempDir scratch("tls-token");
  const std::string stranger = AuthorityAlone(scratch, Ours().DirOf("node"));
  const auto open =
      Serve(Ours().DirOf("node"),
            {.asks_itself = [](std::string_view method) { return method == kHealthCheck; }});
  EXPECT_EQ(Call(*open, stranger), Status());

  const auto other =
      Serve(Ours().DirOf("node"), {.asks_itself = [](std::string_view) { return false; }});
  EXPECT_EQ(Call(*other, stranger).code(), Code::kUnauthenticated);
}

// First another authority is trusted beside ours, then the server's own certificate becomes the
// other's, all while it runs.
TEST_F(TlsTest, NewFilesAreTakenForNewConnectionsWithoutARestart) {
  const test_support::TempDir changing("tls-changing");
  const auto copy = [&](const std::string& from, const std::string& name) {
    std::filesystem::copy_file(from, changing / (name + ".new"));
    std::filesystem::rename(changing / (name + ".new"), changing / name);
  };
  copy(tls::AuthorityFile(Ours().DirOf("node")), "ca.pem");
  copy(tls::HostFile(Ours().DirOf("node")), "host.pem");
  const auto server = Serve(changing.path().string());
  ASSERT_EQ(Call(*server, Ours().DirOf("node")), Status());
  ASSERT_EQ(Call(*server, Theirs().DirOf("node")).code(), Code::kUnavailable);

  copy(tls::AuthorityFile(Theirs().DirOf("node")), "ca.pem");
  copy(tls::HostFile(Theirs().DirOf("node")), "host.pem");

  EXPECT_TRUE(test_support::Eventually([&] { return Call(*server, Theirs().DirOf("node")); },
                                       std::chrono::seconds(20)));
  EXPECT_EQ(Call(*server, Ours().DirOf("node")).code(), Code::kUnavailable);
}

class TlsDirTest : public TlsTest {
 protected:
  TlsDirTest() : scratch_("tls-dir") {
    std::filesystem::copy_file(tls::AuthorityFile(Ours().DirOf("node")), scratch_ / "ca.pem");
    std::filesystem::copy_file(tls::HostFile(Ours().DirOf("node")), scratch_ / "host.pem");
  }

  Status Check() const { return tls::CheckTlsDir(scratch_.path().string()); }
  void Replace(const std::string& name, const std::string& content) const {
    ASSERT_EQ(test_support::WriteFile(scratch_ / name, content), Status());
  }

  const test_support::TempDir scratch_;
};

TEST_F(TlsDirTest, WhatTheScriptMakesIsGood) {
  EXPECT_EQ(Check(), Status());
}

TEST_F(TlsDirTest, MissingFilesAreNotFound) {
  std::filesystem::remove(scratch_ / "ca.pem");
  EXPECT_EQ(Check().code(), Code::kNotFound);
  std::filesystem::remove(scratch_ / "host.pem");
  EXPECT_EQ(Check().code(), Code::kNotFound);
}

TEST_F(TlsDirTest, AKeyThatEverybodyMayReadIsRefused) {
  std::filesystem::permissions(scratch_ / "host.pem", std::filesystem::perms(0644));
  EXPECT_EQ(Check().code(), Code::kPermissionDenied);
}

TEST_F(TlsDirTest, WhatIsNoPemIsRefused) {
  Replace("ca.pem", "nonsense");
  EXPECT_TRUE(Says(Check(), "ca.pem: no certificate"));
  Replace("host.pem", std::string(100'000, 'x'));
  EXPECT_TRUE(Says(Check(), "host.pem: no private key"));
  Replace("host.pem", "");
  EXPECT_TRUE(Says(Check(), "host.pem: no private key"));
}

TEST_F(TlsDirTest, AKeyThatIsNotTheCertificatesIsRefused) {
  const std::string own = test_support::ReadFile(scratch_ / "host.pem");
  const std::string other = test_support::ReadFile(tls::HostFile(Ours().DirOf("elsewhere")));
  const std::string_view begin = "-----BEGIN CERTIFICATE";
  Replace("host.pem", own.substr(0, own.find(begin)) + other.substr(other.find(begin)));
  EXPECT_TRUE(Says(Check(), "not that of its certificate")) << Check().message();
}

TEST_F(TlsDirTest, ACertificateOfAnotherAuthorityIsRefused) {
  std::filesystem::copy_file(tls::AuthorityFile(Theirs().DirOf("node")),
                             scratch_ / "ca.pem",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_TRUE(Says(Check(), "not signed by the authority")) << Check().message();
}

TEST_F(TlsDirTest, OfAPersonTheAuthorityAloneIsEnough) {
  std::filesystem::remove(scratch_ / "host.pem");
  EXPECT_EQ(tls::CheckClientTlsDir(scratch_.path().string()), Status());
  Replace("ca.pem", "nonsense");
  EXPECT_TRUE(Says(tls::CheckClientTlsDir(scratch_.path().string()), "ca.pem: no certificate"));
}

TEST_F(TlsDirTest, ATokenIsReadWhenItChangesAndRefusedWhenEverybodyMayReadIt) {
  const std::string path = tls::TokenFile(scratch_.path().string());
  access::BearerToken token(path);
  EXPECT_EQ(token.Get(), "");
  EXPECT_EQ(access::BearerToken::Check(path).code(), Code::kNotFound);

  Replace("token", "first\n");
  std::filesystem::permissions(path, std::filesystem::perms(0644));
  EXPECT_EQ(access::BearerToken::Check(path).code(), Code::kPermissionDenied);

  const auto write = [&](const std::string& text) {
    Replace("token.new", text);
    std::filesystem::permissions(scratch_ / "token.new", std::filesystem::perms(0600));
    std::filesystem::rename(scratch_ / "token.new", path);
  };
  write("first\n");
  EXPECT_EQ(access::BearerToken::Check(path), Status());
  EXPECT_EQ(token.Get(), "first");
  write("second");
  EXPECT_EQ(token.Get(), "second");
  for (const std::string& none :
       {std::string(), std::string("two words"), std::string(5'000, 'x')}) {
    write(none);
    EXPECT_EQ(access::BearerToken::Check(path).code(), Code::kInvalidArgument);
    EXPECT_EQ(token.Get(), "");
  }
}

TEST_F(TlsDirTest, AnExpiredCertificateIsSaidToHaveExpired) {
  constexpr const char* kMake =
      "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=old "
      "-keyout key -out request && "
      "openssl x509 -req -in request -signkey key -days -1 -out ca.pem";
  const auto made = test_support::RunTool(
      {.program = "/bin/sh", .args = {"-c", kMake}, .environment = {}, .dir = scratch_.path()});
  ASSERT_TRUE(made.ok() && made->exit.code == 0);
  Replace("host.pem",
          test_support::ReadFile(scratch_ / "key") + test_support::ReadFile(scratch_ / "ca.pem"));
  EXPECT_TRUE(Says(Check(), "has expired")) << Check().message();
}

}  // namespace
}  // namespace slipstream::rpc
