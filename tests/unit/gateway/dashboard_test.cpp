#include <algorithm>
#include <regex>
#include <string>
#include <variant>

#include <gtest/gtest.h>

#include "gateway/dashboard/assets.h"
#include "gateway/dashboard/handler.h"
#include "gateway/http/host_names.h"

namespace slipstream::gateway {
namespace {

http::Response Get(const std::string& path, const std::string& method = "GET") {
  dashboard::Handler handler;
  return std::get<http::Response>(handler.Handle({.method = method, .path = path}));
}

TEST(DashboardHandlerTest, ServesItsFilesWithAStrictPolicy) {
  const http::Response page = Get("/");
  EXPECT_EQ(page.code, 200);
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_TRUE(page.body.starts_with("<!doctype html>"));
  const auto policy = std::find_if(page.headers.begin(), page.headers.end(), [](const auto& own) {
    return own.first == "Content-Security-Policy";
  });
  ASSERT_NE(policy, page.headers.end());
  EXPECT_EQ(policy->second.find("unsafe"), std::string::npos);
  EXPECT_EQ(Get("/ui/app.js").content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(Get("/ui/none.js").code, 404);
  EXPECT_EQ(Get("/ui/../app.js").code, 404);
  EXPECT_EQ(Get("/", "POST").code, 405);
  EXPECT_TRUE(dashboard::Handler::Serves({.method = "GET", .path = "/"}));
  EXPECT_FALSE(dashboard::Handler::Serves({.method = "GET", .path = "/x"}));
}

// The policy would not let it run.
TEST(DashboardHandlerTest, HasNoScriptOrStyleWithinAPage) {
  for (const dashboard::Asset& asset : dashboard::Assets()) {
    EXPECT_FALSE(asset.content.empty()) << asset.name;
    if (!asset.name.ends_with(".html")) continue;
    EXPECT_EQ(asset.content.find("style="), std::string_view::npos) << asset.name;
    const std::string text(asset.content);
    EXPECT_FALSE(std::regex_search(text, std::regex(R"(\son[a-z]+=|<script>|<style)")))
        << asset.name;
  }
}

TEST(HostNamesTest, TakesAddressesAndOwnNamesAlone) {
  const http::HostNames names({"Gateway.lab", "0.0.0.0"});
  for (const char* good : {"",
                           "localhost",
                           "LOCALHOST:9870",
                           "x.localhost",
                           "127.0.0.1:9870",
                           "10.1.2.3",
                           "[::1]:9870",
                           "gateway.lab",
                           "GATEWAY.LAB:80",
                           "gateway.lab."})
    EXPECT_TRUE(names.Accepts(good)) << good;
  for (const char* bad : {"evil.example",
                          "localhost.evil.example",
                          "127.0.0.1.evil.example",
                          ":9870",
                          "gateway",
                          "[::1",
                          "notlocalhost",
                          "1",
                          "127.1"})
    EXPECT_FALSE(names.Accepts(bad)) << bad;
}

}  // namespace
}  // namespace slipstream::gateway
