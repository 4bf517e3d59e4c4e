// A whole file system whose processes speak TLS with one another: who gets in, and what happens to
// those at work while every certificate and the authority itself are replaced.

#include <atomic>
#include <filesystem>
#include <map>
#include <thread>

#include <gtest/gtest.h>

#include "proto/dfs_datanode.pb.h"

#include "common/rpc/grpc_transport.h"
#include "common/tls/tls_dir.h"
#include "dfs-client/dfs_client.h"
#include "dfs-client/file_writer.h"
#include "tests/support/assert_ok.h"
#include "tests/support/certificates.h"
#include "tests/support/dfs_cluster.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_environment.h"

namespace slipstream::dfs {
namespace {

using test_support::Certificates;
using test_support::DfsCluster;
using test_support::Eventually;
using test_support::ToolResult;

class TlsClusterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(ours_.Make({"node"}));
    ASSERT_OK(ours_.Make({"--role", "read", "reader"}));
    ASSERT_OK(ours_.Make({"--role", "admin", "admin"}));
    ASSERT_OK(theirs_.Make({"node"}));
    bobs_token_ = NewToken("bob", "write");
    std::filesystem::create_directory(tls_dir_);
    Install("ca.pem", test_support::ReadFile(tls::AuthorityFile(ours_.DirOf("node"))));
    Install("host.pem", test_support::ReadFile(tls::HostFile(ours_.DirOf("node"))));
    ASSERT_OK_AND_ASSIGN(
        cluster_,
        DfsCluster::Start({.dir = dir_.path(),
                           .datanodes = 2,
                           .master_flags = {"--tokens=" + (dir_ / "tokens").string()},
                           .tls_dir = tls_dir_.string()}));
    ASSERT_OK(cluster_->WaitUntilWritable());
  }

  // As an administrator puts a new file in the place of one: by a rename.
  void Install(const std::string& name, const std::string& content) const {
    const std::filesystem::path file = tls_dir_ / (name + ".new");
    ASSERT_OK(test_support::WriteFile(file, content));
    std::filesystem::permissions(file, std::filesystem::perms(0600));
    std::filesystem::rename(file, tls_dir_ / name);
  }

  // Says in whose name it asks, too, where `user` is not empty.
  Result<ToolResult> DfsAs(const std::string& tls_dir,
                           std::vector<std::string> args,
                           const std::string& user = {}) const {
    args.insert(args.begin(), {"--master=" + cluster_->master_address(), "--connect-timeout=2"});
    if (!tls_dir.empty()) args.insert(args.begin(), "--tls-dir=" + tls_dir);
    std::map<std::string, std::string> environment;
    if (!user.empty()) environment.emplace("HADOOP_USER_NAME", user);
    return test_support::RunTool(
        {.program = "dfs", .args = std::move(args), .environment = std::move(environment)});
  }

  // One that the master and the gateway take from now on.
  std::string NewToken(const std::string& name, const std::string& role) const {
    const auto made = test_support::RunTool(
        {.program = test_support::SourceDir() / "deploy/certs/slipstream-certs",
         .args = {"--dir", dir_.path(), "--token", "--role", role, name},
         .environment = {}});
    return made->out.substr(0, made->out.find('\n'));
  }
  // A folder for --tls-dir with the authority's certificate and a token.
  std::string DirWithToken(const std::string& name, const std::string& token) const {
    const std::filesystem::path folder = dir_ / name;
    std::filesystem::create_directory(folder);
    std::filesystem::copy_file(tls_dir_ / "ca.pem", folder / "ca.pem");
    EXPECT_OK(test_support::WriteFile(folder / "token", token + "\n"));
    std::filesystem::permissions(folder / "token", std::filesystem::perms(0600));
    return folder.string();
  }

  // OK where the master and a datanode take such a certificate.
  Status Reaches(const std::string& tls_dir) const {
    ASSIGN_OR_RETURN(const ToolResult result, DfsAs(tls_dir, {"cat", "/greeting"}));
    return result.exit.code == 0 ? Status() : Unavailable(result.err);
  }

  const test_support::TempDir dir_{"tls"};
  const Certificates ours_{dir_ / "ours"};
  const Certificates theirs_{dir_ / "theirs"};
  const std::filesystem::path tls_dir_ = dir_ / "tls";
  std::string bobs_token_;
  std::unique_ptr<DfsCluster> cluster_;
};

TEST_F(TlsClusterTest, OnlyCertificatesOfTheAuthorityGetInAndOnlyForTheirRole) {
  ASSERT_OK(cluster_->DfsWithInput({"put", "-", "/greeting"}, "hello"));
  EXPECT_EQ(cluster_->MustDfs({"cat", "/greeting"}), "hello");

  ASSERT_OK_AND_ASSIGN(const ToolResult without, DfsAs("", {"ls", "/"}));
  EXPECT_EQ(without.exit.code, 1);
  EXPECT_NE(without.err.find("--tls-dir"), std::string::npos) << without.err;

  ASSERT_OK_AND_ASSIGN(const ToolResult stranger, DfsAs(theirs_.DirOf("node"), {"ls", "/"}));
  EXPECT_EQ(stranger.exit.code, 1);
  EXPECT_NE(stranger.err.find("not signed by the authority"), std::string::npos) << stranger.err;

  ASSERT_OK_AND_ASSIGN(const ToolResult read, DfsAs(ours_.DirOf("reader"), {"cat", "/greeting"}));
  EXPECT_EQ(read.out, "hello") << read.err;
  for (const std::vector<std::string>& changing : {std::vector<std::string>{"rm", "/greeting"},
                                                   {"mkdir", "/x"},
                                                   {"put", "/etc/hostname", "/x"}}) {
    ASSERT_OK_AND_ASSIGN(const ToolResult refused, DfsAs(ours_.DirOf("reader"), changing));
    EXPECT_EQ(refused.exit.code, 1) << changing.front();
    EXPECT_NE(refused.err.find("has the role read"), std::string::npos) << refused.err;
  }
  ASSERT_OK_AND_ASSIGN(const ToolResult safe_mode,
                       DfsAs(ours_.DirOf("admin"), {"safemode", "enter"}));
  EXPECT_EQ(safe_mode.exit.code, 0) << safe_mode.err;
}

// Who knows a block's id, and has any certificate, has not its data: that takes the master's word.
TEST_F(TlsClusterTest, ADatanodeServesOnlyWhatTheMasterGranted) {
  ASSERT_OK(cluster_->DfsWithInput({"put", "-", "/secret"}, "hello"));
  ASSERT_OK(cluster_->DfsWithInput({"put", "-", "/other"}, "world"));
  const std::unique_ptr<DfsClient> client =
      DfsClient::Connect({.master = cluster_->master_address(), .tls_dir = tls_dir_.string()});
  ASSERT_OK_AND_ASSIGN(const FileBlocks secret, client->LocateBlocks("/secret", 0));
  ASSERT_OK_AND_ASSIGN(const FileBlocks other, client->LocateBlocks("/other", 0));
  const LocatedBlock& block = secret.blocks.at(0);
  const auto admins = rpc::MakeGrpcTransport(ours_.DirOf("admin"));
  const auto read_with = [&](const std::string& token) {
    v1::ReadBlockRequest request;
    request.mutable_block()->set_block_id(block.block.block_id);
    request.mutable_block()->set_raw_bytes(block.block.raw_bytes);
    request.mutable_block()->set_stored_bytes(block.block.stored_bytes);
    request.mutable_block()->set_crc32c(block.block.crc32c);
    request.set_length_bytes(1);
    request.set_token(token);
    v1::ReadRangeResponse response;
    return admins->Connect(block.nodes.at(0).address)
        ->Call("/slipstream.dfs.v1.DfsDatanode/ReadRange",
               request,
               response,
               {.timeout = std::chrono::seconds(10)});
  };

  EXPECT_OK(read_with(block.token));
  EXPECT_EQ(read_with("").code(), Code::kPermissionDenied);
  EXPECT_EQ(read_with(other.blocks.at(0).token).code(), Code::kPermissionDenied);
}

// A restarted master makes tokens by keys of its own, and so a datanode that was away knows only
// those: who opened a file before it all reads on.
TEST_F(TlsClusterTest, AReaderGoesOnAfterRestartsOfMasterAndDatanodes) {
  ASSERT_OK(cluster_->DfsWithInput({"put", "-", "/f"}, "hello"));
  const std::unique_ptr<DfsClient> client =
      DfsClient::Connect({.master = cluster_->master_address(), .tls_dir = tls_dir_.string()});
  ASSERT_OK_AND_ASSIGN(const auto reader, client->OpenFile("/f"));

  cluster_->KillMaster();
  ASSERT_OK(cluster_->StartMaster());
  EXPECT_EQ(reader->ReadAt(0, 5).value_or("nothing"), "hello");
  for (int i = 0; i < 2; ++i) {
    cluster_->KillDatanode(i);
    ASSERT_OK(cluster_->StartDatanode(i));
  }
  EXPECT_EQ(reader->ReadAt(0, 5).value_or("nothing"), "hello");
}

// Somebody who has no certificate but a token: the master knows him by it, and the datanodes by
// what it grants him.
TEST_F(TlsClusterTest, ATokenDoesInPlaceOfACertificate) {
  const std::string bob = DirWithToken("bob", bobs_token_);
  ASSERT_OK(test_support::WriteFile(dir_ / "content", std::string(3 << 20, 'x')));

  ASSERT_OK_AND_ASSIGN(const ToolResult put,
                       DfsAs(bob, {"put", (dir_ / "content").string(), "/content"}));
  EXPECT_EQ(put.exit.code, 0) << put.err;
  ASSERT_OK_AND_ASSIGN(const ToolResult got, DfsAs(bob, {"cat", "/content"}));
  EXPECT_EQ(got.out.size(), size_t{3} << 20) << got.err;

  const std::string eve = DirWithToken("eve", NewToken("eve", "read"));
  ASSERT_OK_AND_ASSIGN(const ToolResult refused, DfsAs(eve, {"mkdir", "/x"}));
  EXPECT_NE(refused.err.find("eve has the role read"), std::string::npos) << refused.err;

  const std::string wrong = DirWithToken("wrong", std::string(64, '0'));
  ASSERT_OK_AND_ASSIGN(const ToolResult unknown, DfsAs(wrong, {"ls", "/"}));
  EXPECT_EQ(unknown.exit.code, 1);
  EXPECT_NE(unknown.err.find("wants to know who calls"), std::string::npos) << unknown.err;

  std::filesystem::remove(dir_ / "wrong" / "token");
  ASSERT_OK_AND_ASSIGN(const ToolResult nobody, DfsAs(wrong, {"ls", "/"}));
  EXPECT_NE(nobody.err.find("no certificate in"), std::string::npos) << nobody.err;
}

// Certificates of people, and tokens, are their names, whatever the client says; daemons and
// administrators act for others.
TEST_F(TlsClusterTest, NobodyPassesForAnother) {
  const std::string bob = DirWithToken("bob", bobs_token_);
  ASSERT_OK(test_support::WriteFile(dir_ / "content", "bob's"));
  ASSERT_OK_AND_ASSIGN(
      const ToolResult put,
      DfsAs(bob, {"put", (dir_ / "content").string(), "/content"}, "somebody-else"));
  ASSERT_EQ(put.exit.code, 0) << put.err;
  ASSERT_OK_AND_ASSIGN(const ToolResult owner, DfsAs(bob, {"stat", "%u", "/content"}));
  EXPECT_EQ(owner.out, "bob\n");
  ASSERT_OK_AND_ASSIGN(const ToolResult closed, DfsAs(bob, {"chmod", "600", "/content"}));
  ASSERT_EQ(closed.exit.code, 0) << closed.err;

  for (const char* user : {"", "bob", "hdfs"}) {
    ASSERT_OK_AND_ASSIGN(const ToolResult other,
                         DfsAs(ours_.DirOf("reader"), {"cat", "/content"}, user));
    EXPECT_EQ(other.exit.code, 1) << user;
    EXPECT_NE(other.err.find("user=reader"), std::string::npos) << other.err;
  }
  ASSERT_OK_AND_ASSIGN(const ToolResult for_bob,
                       DfsAs(ours_.DirOf("admin"), {"cat", "/content"}, "bob"));
  EXPECT_EQ(for_bob.out, "bob's") << for_bob.err;
}

// The gateway's clients: over HTTPS, with a token, streaming both ways.
TEST_F(TlsClusterTest, AGatewayServesHttpsToThoseWithAToken) {
  const std::string reader = NewToken("read", "read");
  const std::string writer = NewToken("write", "write");
  ASSERT_OK_AND_ASSIGN(
      const auto gateway,
      test_support::Process::Start({.program = "gateway",
                                    .args = {"--master=" + cluster_->master_address(),
                                             "--listen=0.0.0.0:0",
                                             "--admin-listen=0.0.0.0:0",
                                             "--tls-dir=" + tls_dir_.string(),
                                             "--https",
                                             "--tokens=" + (dir_ / "tokens").string()},
                                    .environment = {},
                                    .dir = dir_.path(),
                                    .is_daemon = true}));
  ASSERT_OK_AND_ASSIGN(const auto endpoint, gateway->WaitForEndpoint());
  const auto port_of = [](const std::string& address) {
    return address.substr(address.rfind(':') + 1);
  };
  const std::string url = "https://localhost:" + port_of(endpoint.rpc) + "/webhdfs/v1/";
  const auto curl = [&](const std::string& token, std::vector<std::string> args) {
    args.insert(args.begin(), {"-sSL", "--cacert", (tls_dir_ / "ca.pem").string()});
    if (!token.empty()) args.insert(args.begin(), {"-H", "Authorization: Bearer " + token});
    const auto result = test_support::RunTool(
        {.program = "/usr/bin/curl", .args = std::move(args), .environment = {}});
    return result->out + result->err;
  };
  // Many frames of TLS, through the redirect and back.
  std::string content;
  for (int i = 0; content.size() < (size_t{5} << 20); ++i)
    content += "line " + std::to_string(i) + "\n";
  ASSERT_OK(test_support::WriteFile(dir_ / "content", content));

  EXPECT_EQ(curl(writer, {"-T", dir_ / "content", url + "big?op=CREATE"}), "");
  EXPECT_EQ(curl(reader, {url + "big?op=OPEN"}), content);
  EXPECT_NE(curl(reader, {url + "big?op=GETFILESTATUS"}).find("\"owner\":\"write\""),
            std::string::npos);
  EXPECT_NE(curl(reader, {"-X", "DELETE", url + "big?op=DELETE"}).find("AccessControlException"),
            std::string::npos);
  EXPECT_NE(curl("", {url + "big?op=OPEN"}).find("SecurityException"), std::string::npos);
  EXPECT_EQ(curl("", {"-u", "any:" + reader, url + "big?op=OPEN"}), content);
  // Whoever speaks plain HTTP gets no answer.
  EXPECT_NE(curl(reader, {"http://localhost:" + port_of(endpoint.rpc) + "/"}).find("curl: ("),
            std::string::npos);

  // Metrics beyond loopback are for those with a certificate, as the cluster's Prometheus has one.
  const std::string metrics = "https://localhost:" + port_of(endpoint.admin) + "/livez";
  EXPECT_NE(curl("", {metrics}).find("curl: ("), std::string::npos);
  EXPECT_EQ(curl("", {"--cert", tls::HostFile(ours_.DirOf("reader")), metrics}), "ok\n");

  // A new certificate, without a restart.
  const std::string theirs = test_support::ReadFile(tls::AuthorityFile(theirs_.DirOf("node")));
  Install("host.pem", test_support::ReadFile(tls::HostFile(theirs_.DirOf("node"))));
  Install("ca.pem", test_support::ReadFile(tls_dir_ / "ca.pem") + theirs);
  ASSERT_OK(test_support::WriteFile(dir_ / "theirs.pem", theirs));
  EXPECT_TRUE(Eventually([&] {
    return curl("",
                {"--cacert",
                 dir_ / "theirs.pem",
                 "https://localhost:" + port_of(endpoint.rpc) + "/"}) == "a token is needed\n";
  }));
}

TEST_F(TlsClusterTest, BeyondLoopbackAGatewayWantsHttpsAndTokensOrAWordOfTheUser) {
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{"--tls-dir=" + tls_dir_.string()},
        {"--tls-dir=" + tls_dir_.string(), "--https"},
        {"--https", "--insecure"}}) {
    std::vector<std::string> args = {"--listen=0.0.0.0:0"};
    args.insert(args.end(), flags.begin(), flags.end());
    ASSERT_OK_AND_ASSIGN(
        const ToolResult result,
        test_support::RunTool({.program = "gateway", .args = args, .environment = {}}));
    EXPECT_EQ(result.exit.code, 2) << flags.back();
    EXPECT_NE(result.err.find("--https"), std::string::npos) << result.err;
  }
}

TEST_F(TlsClusterTest, AGatewayReachesTheFileSystemByItsCertificate) {
  ASSERT_OK(cluster_->DfsWithInput({"put", "-", "/greeting"}, "hello"));
  ASSERT_OK_AND_ASSIGN(
      const auto gateway,
      test_support::Process::Start({.program = "gateway",
                                    .args = {"--master=" + cluster_->master_address(),
                                             "--listen=127.0.0.1:0",
                                             "--tls-dir=" + tls_dir_.string()},
                                    .environment = {},
                                    .dir = dir_.path(),
                                    .is_daemon = true}));
  ASSERT_OK_AND_ASSIGN(const auto endpoint, gateway->WaitForEndpoint());

  EXPECT_EQ(test_support::RunTool(
                {.program = "/usr/bin/curl",
                 .args = {"-sL", "http://" + endpoint.rpc + "/webhdfs/v1/greeting?op=OPEN"},
                 .environment = {}})
                ->out,
            "hello");
}

// The authority is replaced by another in three steps, as one has to: both are trusted, then every
// certificate is the new one's, then the old one is trusted no more. A client that began before it
// all writes on, over connections that stand and over new ones.
TEST_F(TlsClusterTest, AuthorityAndCertificatesAreReplacedUnderAWriter) {
  ASSERT_OK(cluster_->DfsWithInput({"put", "-", "/greeting"}, "hello"));
  const std::string old_authority = test_support::ReadFile(tls::AuthorityFile(ours_.DirOf("node")));
  const std::string new_authority =
      test_support::ReadFile(tls::AuthorityFile(theirs_.DirOf("node")));
  const std::unique_ptr<DfsClient> client =
      DfsClient::Connect({.master = cluster_->master_address(), .tls_dir = tls_dir_.string()});
  std::atomic<int> written = 0;
  Status outcome;
  std::jthread writer([&](const std::stop_token& stop) {
    while (!stop.stop_requested() && outcome.ok()) {
      const std::string path = "/written/" + std::to_string(written.load());
      outcome = [&]() -> Status {
        const auto file = client->CreateFile(path);
        RETURN_IF_ERROR(file->Write("line\n"));
        return file->Close();
      }();
      ++written;
    }
  });

  Install("ca.pem", old_authority + new_authority);
  // Until what runs takes both.
  const std::filesystem::path both = dir_ / "both";
  std::filesystem::create_directory(both);
  std::filesystem::copy_file(tls_dir_ / "ca.pem", both / "ca.pem");
  std::filesystem::copy_file(tls::HostFile(theirs_.DirOf("node")), both / "host.pem");
  EXPECT_TRUE(Eventually([&] { return Reaches(both.string()); }));
  Install("host.pem", test_support::ReadFile(tls::HostFile(theirs_.DirOf("node"))));
  // New connections, in the middle of it.
  cluster_->KillDatanode(0);
  ASSERT_OK(cluster_->StartDatanode(0));
  EXPECT_TRUE(Eventually([&] { return Reaches(theirs_.DirOf("node")); }));
  Install("ca.pem", new_authority);
  EXPECT_TRUE(Eventually(
      [&] { return Reaches(both.string()).ok() && !Reaches(ours_.DirOf("node")).ok(); }));
  const int so_far = written.load();
  EXPECT_TRUE(Eventually([&] { return written.load() > so_far + 3; }));
  writer.request_stop();
  writer.join();

  EXPECT_OK(outcome);
  ASSERT_OK_AND_ASSIGN(const std::string listed, cluster_->MustDfs({"count", "/written"}));
  EXPECT_NE(listed.find(" " + std::to_string(written.load()) + " "), std::string::npos) << listed;
}

}  // namespace
}  // namespace slipstream::dfs
