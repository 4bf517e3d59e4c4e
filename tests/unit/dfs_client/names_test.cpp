#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dfs-client/cli/arguments.h"
#include "dfs-client/cli/glob.h"
#include "dfs-client/path.h"

namespace slipstream::dfs {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

TEST(PathTest, HasOneSpelling) {
  EXPECT_EQ(NormalizePath("/"), "/");
  EXPECT_EQ(NormalizePath("//a///b/"), "/a/b");
  EXPECT_EQ(NormalizePath("/a/./b/../c"), "/a/c");
  EXPECT_EQ(NormalizePath("/a/.."), "/");
  EXPECT_EQ(NormalizePath("/ä/日本"), "/ä/日本");
}

TEST(PathTest, RefusesWhatIsNoPath) {
  for (const std::string& path : {std::string(""),
                                  std::string("a"),
                                  std::string("/.."),
                                  std::string("/a/../.."),
                                  std::string("/a\nb"),
                                  std::string("/a\xff"),
                                  std::string("/\xc3"),              // cut off
                                  std::string("/\xc0\xaf"),          // overlong
                                  std::string("/\xed\xa0\x80"),      // a surrogate
                                  std::string("/\xf4\x90\x80\x80"),  // too large
                                  std::string("/a\0b", 4),
                                  "/" + std::string(256, 'x'),
                                  std::string(9000, '/')}) {
    EXPECT_EQ(NormalizePath(path).status().code(), Code::kInvalidArgument) << path;
  }
  EXPECT_TRUE(NormalizePath("/" + std::string(255, 'x')).ok());
  EXPECT_TRUE(NormalizePath("/\x7e\u0080\u07ff\u0800\ud7ff\uffff\U00010000\U0010ffff").ok());
}

TEST(PathTest, ComesApartAndTogether) {
  EXPECT_EQ(ParentPath("/a/b"), "/a");
  EXPECT_EQ(ParentPath("/a"), "/");
  EXPECT_EQ(ParentPath("/"), "/");
  EXPECT_EQ(BaseName("/a/b"), "b");
  EXPECT_EQ(BaseName("/"), "");
  EXPECT_EQ(JoinPath("/", "a"), "/a");
  EXPECT_EQ(JoinPath("/a", "b"), "/a/b");
}

}  // namespace

namespace cli {
namespace {

TEST(GlobTest, MatchesNames) {
  EXPECT_TRUE(GlobMatches("*", ""));
  EXPECT_TRUE(GlobMatches("*", "anything"));
  EXPECT_TRUE(GlobMatches("part-*.json", "part-0-1.json"));
  EXPECT_FALSE(GlobMatches("part-*.json", "part-0-1.json.zst"));
  EXPECT_TRUE(GlobMatches("*a*b*", "xxaxxbxx"));
  EXPECT_FALSE(GlobMatches("*a*b", "xxaxxbxx"));
  EXPECT_TRUE(GlobMatches("?", "x"));
  EXPECT_FALSE(GlobMatches("?", ""));
  EXPECT_FALSE(GlobMatches("?", "xy"));
  EXPECT_TRUE(GlobMatches("???", "日本語"));
  EXPECT_TRUE(GlobMatches("*?", "日"));
}

TEST(GlobTest, MatchesSets) {
  EXPECT_TRUE(GlobMatches("[abc]", "b"));
  EXPECT_FALSE(GlobMatches("[abc]", "d"));
  EXPECT_TRUE(GlobMatches("[a-c]x", "bx"));
  EXPECT_TRUE(GlobMatches("[^a-c]", "d"));
  EXPECT_FALSE(GlobMatches("[!a-c]", "b"));
  EXPECT_TRUE(GlobMatches("[]]", "]"));
  EXPECT_TRUE(GlobMatches("[a-]", "-"));
  EXPECT_TRUE(GlobMatches("[ä-ü]", "ö"));
  EXPECT_TRUE(GlobMatches("[a", "[a"));
}

TEST(GlobTest, TakesEscapedCharactersAsTheyAre) {
  EXPECT_TRUE(GlobMatches("\\*", "*"));
  EXPECT_FALSE(GlobMatches("\\*", "x"));
  EXPECT_TRUE(GlobMatches("a\\[b", "a[b"));
}

TEST(GlobTest, EndsSoonOnPatternsMadeToBeSlow) {
  EXPECT_FALSE(GlobMatches("*a*a*a*a*a*a*a*a*a*a*a*b", std::string(5000, 'a')));
}

TEST(GlobTest, ExpandsAlternatives) {
  EXPECT_THAT(ExpandAlternatives("/a"), ElementsAre("/a"));
  EXPECT_THAT(ExpandAlternatives("/{a,b}/c"), ElementsAre("/a/c", "/b/c"));
  EXPECT_THAT(ExpandAlternatives("{a,b{1,2}}"), ElementsAre("a", "b1", "b2"));
  EXPECT_THAT(ExpandAlternatives("{a,b}{1,2}"), ElementsAre("a1", "a2", "b1", "b2"));
  EXPECT_THAT(ExpandAlternatives("/{a/x,b/y}"), ElementsAre("/a/x", "/b/y"));
  EXPECT_THAT(ExpandAlternatives("{x{a}{b,c}"), ElementsAre("{xab", "{xac"));
  // As many pairs as fit on a command line, none within another.
  std::string pairs;
  for (int i = 0; i < 20'000; ++i)
    pairs += "{a}";
  EXPECT_THAT(ExpandAlternatives(pairs), ElementsAre(std::string(20'000, 'a')));
  std::string choices;
  for (int i = 0; i < 2'000; ++i)
    choices += "{a,b}";
  const auto chosen = ExpandAlternatives(choices);
  ASSERT_EQ(chosen.size(), kAlternativesMax);
  EXPECT_EQ(chosen[999], std::string(1'990, 'a') + "bbbbbaabbb");
  std::string names = "{a";
  for (int i = 0; i < 100'000; ++i)
    names += ",b";
  EXPECT_EQ(ExpandAlternatives(names + "}").size(), kAlternativesMax);
  EXPECT_THAT(ExpandAlternatives("a{b"), ElementsAre("a{b"));
  EXPECT_THAT(ExpandAlternatives("a\\{b,c}"), ElementsAre("a\\{b,c}"));
}

TEST(GlobTest, BoundsAlternatives) {
  std::string pattern;
  for (int i = 0; i < 40; ++i)
    pattern += "{a,b}";

  EXPECT_THAT(ExpandAlternatives(pattern), SizeIs(kAlternativesMax));
}

TEST(ArgumentsTest, FlagsComeFirst) {
  const std::vector<std::string> words{"-R", "--json", "/a", "-h"};

  auto arguments = Arguments::Parse(words, {"R", "json", "h"}, {});

  ASSERT_TRUE(arguments.ok());
  EXPECT_TRUE(arguments->Has("R"));
  EXPECT_TRUE(arguments->Has("json"));
  EXPECT_FALSE(arguments->Has("h"));
  EXPECT_THAT(arguments->operands(), ElementsAre("/a", "-h"));
}

TEST(ArgumentsTest, TakesValuesDashesAndTheEndOfFlags) {
  const std::vector<std::string> next{"--abort", "x/y"};
  EXPECT_EQ(Arguments::Parse(next, {"abort="}, {})->Value("abort"), "x/y");
  const std::vector<std::string> same{"--abort=x=y"};
  EXPECT_EQ(Arguments::Parse(same, {"abort="}, {})->Value("abort"), "x=y");
  const std::vector<std::string> dashes{"--", "-f", "-"};
  EXPECT_THAT(Arguments::Parse(dashes, {"f"}, {})->operands(), ElementsAre("-f", "-"));
}

TEST(ArgumentsTest, RefusesWhatItDoesNotKnow) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"-x"}, {"-Rh"}, {"--abort"}, {"-R=1"}, {"---"}, {"a", "b"}}) {
    EXPECT_EQ(Arguments::Parse(words, {"R", "h", "abort="}, {.operands_max = 1}).status().code(),
              Code::kInvalidArgument);
  }
  EXPECT_EQ(Arguments::Parse({}, {}, {.operands_min = 1}).status().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace cli
}  // namespace slipstream::dfs
