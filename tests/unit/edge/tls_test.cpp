// TLS between real servers and clients on loopback, with certificates as `slipstream certs` makes
// them.

#include <filesystem>

#include <google/protobuf/empty.pb.h>
#include <gtest/gtest.h>

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

  static std::unique_ptr<Server> Serve(const std::string& tls_dir, RoleNeeded needed = nullptr) {
    auto server =
        Server::Start({.listen = "127.0.0.1:0", .tls_dir = tls_dir, .role_needed = needed}, {});
    if (!server.ok()) return nullptr;
    (*server)->SetServing(true);
    return std::move(*server);
  }

  static Status Call(const Server& server, const std::string& tls_dir) {
    return CallAt(server.address(), tls_dir);
  }
  static Status CallAt(const std::string& address, const std::string& tls_dir) {
    google::protobuf::Empty request;
    google::protobuf::Empty response;
    return MakeGrpcTransport(tls_dir)->Connect(address)->Call(
        kHealthCheck, request, response, {.timeout = milliseconds(10'000), .stop = {}});
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
  const auto server = Serve(Ours().DirOf("node"), [](std::string_view method) {
    return method == kHealthCheck ? Role::kWrite : Role::kRead;
  });

  EXPECT_EQ(Call(*server, Ours().DirOf("node")), Status());
  EXPECT_EQ(Call(*server, Ours().DirOf("reader")).code(), Code::kPermissionDenied);
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
