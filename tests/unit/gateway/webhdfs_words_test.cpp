#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "gateway/user_name.h"
#include "gateway/webhdfs/handler.h"
#include "gateway/webhdfs/json.h"
#include "gateway/webhdfs/operations.h"
#include "gateway/webhdfs/parameters.h"
#include "gateway/webhdfs/redirect.h"

namespace slipstream::gateway::webhdfs {
namespace {

using nlohmann::json;

Parameters Parse(std::string_view query) {
  return Parameters::Parse(query).value();
}

TEST(ParametersTest, AreReadAsHadoopReadsThem) {
  const Parameters parameters = Parse("OFFSET=12&recursive=True&permission=1755&empty=&x=1&x=2");
  EXPECT_EQ(parameters.Number("offset", 0, 100).value(), 12);
  EXPECT_TRUE(parameters.Boolean("recursive", false).value());
  EXPECT_TRUE(parameters.Boolean("absent", true).value());
  EXPECT_EQ(parameters.Permission("permission").value(), 01755U);
  EXPECT_EQ(parameters.Text("empty"), std::nullopt);
  EXPECT_EQ(parameters.Text("x"), "1");
}

TEST(ParametersTest, RefuseWhatTheyAreNot) {
  for (const char* query : {"n=1x", "n=", "n=99999999999999999999", "n=101", "n=-1"}) {
    const auto number = Parse(query).Number("n", 0, 100);
    EXPECT_TRUE(std::string(query) == "n=" ? number.ok() && !number->has_value()
                                           : number.status().code() == Code::kInvalidArgument)
        << query;
  }
  EXPECT_FALSE(Parse("b=yes").Boolean("b", false).ok());
  for (const char* query : {"p=888", "p=2755", "p=-1", "p=07777"})
    EXPECT_FALSE(Parse(query).Permission("p").ok()) << query;
}

TEST(ParametersTest, UserIsWhoAsks) {
  EXPECT_EQ(UserOf(Parse("").query(), "eve").value(), "eve");
  EXPECT_EQ(UserOf(Parse("user.name=ann").query(), "eve").value(), "ann");
  EXPECT_EQ(UserOf(Parse("user.name=ann&doas=bob").query(), "eve").value(), "bob");
  EXPECT_EQ(UserOf(Parse("user.name=host$").query(), "eve").value(), "host$");
  for (const char* bad : {"user.name=a/b", "user.name=..", "user.name=1a", "user.name=a%0Ab"})
    EXPECT_FALSE(UserOf(Parse(bad).query(), "eve").ok()) << bad;
}

RemoteException Refusal(std::string_view verb, std::string_view name) {
  return std::get<RemoteException>(FindOperation(verb, name));
}

TEST(OperationsTest, AreFoundByVerbAndNameInAnyCase) {
  EXPECT_EQ(std::get<Operation>(FindOperation("GET", "OPEN")), &Open);
  EXPECT_EQ(std::get<Operation>(FindOperation("PUT", "mkdirs")), &MakeDirectories);
}

TEST(OperationsTest, UnknownOnesAreRefusedInHadoopsWords) {
  const RemoteException unknown = Refusal("GET", "CREATE");
  EXPECT_EQ(unknown.code, 400);
  EXPECT_EQ(unknown.java_class, "java.lang.IllegalArgumentException");
  EXPECT_EQ(unknown.message,
            "Invalid value for webhdfs parameter \"op\": CREATE is not a valid GET operation.");
  EXPECT_EQ(Refusal("GET", "GETACLSTATUS").java_class, "java.lang.UnsupportedOperationException");
  EXPECT_EQ(Refusal("GET", "GETACLSTATUS").code, 400);
}

TEST(RemoteExceptionTest, HasCodeAndClass) {
  const http::Response response = ExceptionFor(NotFound("no such file"), "/a\xff").ToResponse();
  EXPECT_EQ(response.code, 404);
  EXPECT_EQ(response.content_type, "application/json");
  const json body = json::parse(response.body)["RemoteException"];
  EXPECT_EQ(body["exception"], "FileNotFoundException");
  EXPECT_EQ(body["javaClassName"], "java.io.FileNotFoundException");
  EXPECT_EQ(body["message"], "File does not exist: /a\xef\xbf\xbd");
  EXPECT_EQ(ExceptionFor(Unavailable("x"), "/").java_class,
            "org.apache.hadoop.ipc.RetriableException");
  EXPECT_EQ(ExceptionFor(Internal("x"), "/").code, 500);
}

TEST(JsonTest, FileStatusHasWhatClientsRead) {
  const dfs::FileStatus file{.name = "a",
                             .inode_id = 7,
                             .length_bytes = 12,
                             .replication = 2,
                             .modified_at_ms = 5,
                             .owner = "ann",
                             .group = "g",
                             .mode = 0644};
  const json status = json::parse(FileStatusDocument(file).body)["FileStatus"];
  EXPECT_EQ(status["pathSuffix"], "");
  EXPECT_EQ(status["type"], "FILE");
  EXPECT_EQ(status["length"], 12);
  EXPECT_EQ(status["permission"], "644");
  EXPECT_EQ(status["blockSize"], 128 << 20);
  EXPECT_EQ(status["replication"], 2);
  EXPECT_EQ(status["modificationTime"], 5);
  const json directory = json::parse(FileStatusText({.kind = dfs::FileKind::kDirectory}, "d"));
  EXPECT_EQ(directory["replication"], 0);
  EXPECT_EQ(directory["blockSize"], 0);
  EXPECT_EQ(directory["pathSuffix"], "d");
}

TEST(RedirectTest, LeadsToTheSameOperationWithData) {
  const Call call{
      .parameters = Parse("op=CREATE&NoRedirect=false&DATA=false&user.name=a&x=b%26c%0d%0a"),
      .path = "/a b/%",
      .user = "a",
      .authority = "host:1",
      .remote = "r"};
  EXPECT_EQ(DataUrl(call),
            "http://host:1/webhdfs/v1/a%20b/%25?op=CREATE&user.name=a&x=b%26c%0D%0A&data=true");
}

TEST(HandlerTest, RefusesWhatAnotherSiteMakesABrowserSend) {
  const auto from = [](http::Headers headers) {
    return IsCrossSite({.headers = std::move(headers)});
  };
  EXPECT_FALSE(from({{"Host", "a:1"}}));
  EXPECT_FALSE(from({{"Host", "a:1"}, {"Origin", "http://a:1"}}));
  EXPECT_FALSE(from({{"Host", "a:1"}, {"Sec-Fetch-Site", "same-origin"}}));
  EXPECT_TRUE(from({{"Host", "a:1"}, {"Origin", "http://evil"}}));
  EXPECT_TRUE(from({{"Host", "a:1"}, {"Origin", "null"}}));
  EXPECT_TRUE(from({{"host", "a:1"}, {"sec-fetch-site", "cross-site"}}));
}

}  // namespace
}  // namespace slipstream::gateway::webhdfs
