// The parts of the shell that need no file system: flags, patterns, expressions, modes, times, the
// columns of count, what text decompresses.

#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include <bzlib.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "dfs-client/cli/arguments.h"
#include "dfs-client/cli/find_expression.h"
#include "dfs-client/cli/format.h"
#include "dfs-client/cli/glob.h"
#include "dfs-client/cli/mode_change.h"
#include "dfs-client/cli/text_decoder.h"
#include "dfs-client/cli/times.h"

namespace slipstream::dfs::cli {
namespace {

using Words = std::vector<std::string>;

// ---- flags -------------------------------------------------------------------------------------

TEST(ArgumentsTest, FlagsComeFirstAndAreWordsOfTheirOwn) {
  auto arguments = Arguments::Parse(Words{"-R", "--h", "/a", "-R"}, {"R", "h"}, {});

  ASSERT_TRUE(arguments.ok());
  EXPECT_TRUE(arguments->Has("R") && arguments->Has("h"));
  EXPECT_EQ(arguments->operands(), (Words{"/a", "-R"}));
  EXPECT_EQ(Arguments::Parse(Words{"-Rh"}, {"R", "h"}, {}).status().message(),
            "Illegal option -Rh");
}

TEST(ArgumentsTest, DoubleDashEndsFlagsAndDashIsAnOperand) {
  EXPECT_EQ(Arguments::Parse(Words{"-f", "--", "-f"}, {"f"}, {})->operands(), Words{"-f"});
  EXPECT_EQ(Arguments::Parse(Words{"-", "/a"}, {"f"}, {})->operands(), (Words{"-", "/a"}));
}

TEST(ArgumentsTest, ValuesFollowOrAreAttached) {
  const Arguments::FlagNames known{"abort=", "t?", "p*"};

  EXPECT_EQ(Arguments::Parse(Words{"--abort", "x"}, known, {})->Value("abort"), "x");
  EXPECT_EQ(Arguments::Parse(Words{"--abort=x=y"}, known, {})->Value("abort"), "x=y");
  EXPECT_EQ(Arguments::Parse(Words{"-ptop", "/a"}, known, {})->Value("p"), "top");
  EXPECT_EQ(Arguments::Parse(Words{"-p", "/a"}, known, {})->Value("p"), "");
  EXPECT_FALSE(Arguments::Parse(Words{"--abort"}, known, {}).ok());
}

// `count -t /path` is a flag without a value: the verb needs the operand.
TEST(ArgumentsTest, PossibleValueIsLeftToOperandsThatAreNeeded) {
  const Arguments::Bounds one{.operands_min = 1};

  auto without = Arguments::Parse(Words{"-t", "/path"}, {"t?"}, one);
  auto with = Arguments::Parse(Words{"-t", "ssd", "/path"}, {"t?"}, one);

  EXPECT_EQ(without->Value("t"), "");
  EXPECT_EQ(without->operands(), Words{"/path"});
  EXPECT_EQ(with->Value("t"), "ssd");
}

TEST(ArgumentsTest, CountsOperandsAndBoundsNumbers) {
  const Arguments::Bounds bounds{.operands_min = 1, .operands_max = 2};

  EXPECT_FALSE(Arguments::Parse(Words{}, {}, bounds).ok());
  EXPECT_FALSE(Arguments::Parse(Words{"a", "b", "c"}, {}, bounds).ok());
  for (const std::string text : {"0", "11", "-1", "x", "1x", "99999999999999999999"}) {
    auto arguments = Arguments::Parse(Words{"--n=" + text}, {"n="}, {});
    ASSERT_TRUE(arguments.ok());
    EXPECT_FALSE(arguments->Number("n", 1, 10).ok()) << text;
  }
  EXPECT_EQ(**Arguments::Parse(Words{"--n=10"}, {"n="}, {})->Number("n", 1, 10), 10u);
}

// ---- patterns ----------------------------------------------------------------------------------

TEST(GlobTest, MatchesAsHdfsDoes) {
  struct Case {
    const char* pattern;
    const char* name;
    bool matches;
  };
  for (const Case& one : std::vector<Case>{{"*", "", true},
                                           {"*", "abc", true},
                                           {"a*c", "abbc", true},
                                           {"a*c*e", "abcde", true},
                                           {"a*c", "abcd", false},
                                           {"a?c", "abc", true},
                                           {"a?c", "ac", false},
                                           {"?", "ü", true},
                                           {"[a-c]x", "bx", true},
                                           {"[^a-c]x", "bx", false},
                                           {"[!a-c]x", "dx", true},
                                           {"[a-ü]", "ö", true},
                                           {"[]a]", "]", true},
                                           {"[a", "[a", true},  // not closed
                                           {"\\*", "*", true},
                                           {"\\*", "a", false},
                                           {"a\\", "a\\", true},
                                           {"", "", true},
                                           {"", "a", false}}) {
    EXPECT_EQ(GlobMatches(one.pattern, one.name), one.matches) << one.pattern << " " << one.name;
  }
}

// A star that went back one character at a time in a recursion would not come to an end here.
TEST(GlobTest, ManyStarsTakeNoTime) {
  std::string pattern;
  for (int i = 0; i < 100; ++i)
    pattern += "*a";

  EXPECT_FALSE(GlobMatches(pattern + "b", std::string(10'000, 'a')));
}

TEST(GlobTest, AlternativesAreExpandedInOrder) {
  EXPECT_EQ(ExpandAlternatives("/{a,b/{c,d}}x"), (Words{"/ax", "/b/cx", "/b/dx"}));
  EXPECT_EQ(ExpandAlternatives("{a,}b"), (Words{"ab", "b"}));
  EXPECT_EQ(ExpandAlternatives("{a"), Words{"{a"});
  EXPECT_EQ(ExpandAlternatives("\\{a,b}"), Words{"\\{a,b}"});
  EXPECT_EQ(
      ExpandAlternatives(std::string("{0,1}{0,1}{0,1}{0,1}{0,1}{0,1}{0,1}{0,1}{0,1}{0,1}{0,1}"))
          .size(),
      kAlternativesMax);
}

// ---- find --------------------------------------------------------------------------------------

class FindTest : public ::testing::Test {
 protected:
  // What is printed for a file of 3 bytes, an empty one and an empty directory.
  std::string Find(const Words& words) {
    std::string out;
    auto expression = FindExpression::Parse(words, [&](const std::string& text) { out += text; });
    if (!expression.ok()) return expression.status().message();
    for (const Item& item : {Named("Data.txt", FileKind::kFile, 3),
                             Named("empty", FileKind::kFile, 0),
                             Named("dir", FileKind::kDirectory, 0)}) {
      expression->Apply(item);
    }
    return out;
  }

 private:
  static Item Named(const std::string& name, FileKind kind, uint64_t length) {
    return {.shown = name,
            .path = "/" + name,
            .status = {.name = name, .kind = kind, .length_bytes = length}};
  }
};

TEST_F(FindTest, TestsCombine) {
  EXPECT_EQ(Find({}), "Data.txt\nempty\ndir\n");
  EXPECT_EQ(Find({"-name", "data*"}), "");
  EXPECT_EQ(Find({"-iname", "data*"}), "Data.txt\n");
  EXPECT_EQ(Find({"-empty", "-type", "f"}), "empty\n");
  EXPECT_EQ(Find({"-type", "d", "-o", "-name", "*.txt"}), "Data.txt\ndir\n");
  EXPECT_EQ(Find({"!", "-empty"}), "Data.txt\n");
  EXPECT_EQ(Find({"-not", "(", "-type", "d", "-or", "-name", "e*", ")"}), "Data.txt\n");
}

// "and" binds closer, and what is printed explicitly is not printed twice.
TEST_F(FindTest, PrintIsATestThatHolds) {
  EXPECT_EQ(Find({"-print", "-print"}), "Data.txt\nData.txt\nempty\nempty\ndir\ndir\n");
  EXPECT_EQ(Find({"-type", "d", "-print", "-o", "-empty"}), "dir\n");
  EXPECT_EQ(Find({"-type", "d", "-print0"}), std::string("dir\0", 4));
}

TEST_F(FindTest, AsManyTestsAsFitOnACommandLineAreNotNested) {
  Words all = {"-empty"};
  Words any = {"-empty"};
  for (int i = 0; i < 100'000; ++i) {
    all.insert(all.end(), {"-a", "-empty"});
    any.insert(any.end(), {"-o", "-empty"});
  }
  EXPECT_EQ(Find(all), "empty\ndir\n");
  EXPECT_EQ(Find(any), "empty\ndir\n");
}

TEST_F(FindTest, NonsenseIsRefused) {
  EXPECT_EQ(Find({"-nonsense"}), "Unexpected argument: -nonsense");
  EXPECT_EQ(Find({"-name"}), "Missing argument for -name");
  EXPECT_EQ(Find({"-type", "x"}), "Unexpected argument: x");
  EXPECT_EQ(Find({"(", "-empty"}), "a ) is missing");
  EXPECT_EQ(Find({")"}), "Unexpected argument: )");
  EXPECT_EQ(Find({"-empty", "-o"}), "an expression is expected after -o");
  EXPECT_EQ(Find(Words(10'000, "!")), "the expression is nested too deeply");
  EXPECT_EQ(Find(Words(10'000, "(")), "the expression is nested too deeply");
}

// ---- modes, times ------------------------------------------------------------------------------

uint32_t Changed(const std::string& text, uint32_t mode, FileKind kind = FileKind::kFile) {
  const auto change = ModeChange::Parse(text);
  EXPECT_TRUE(change.has_value()) << text;
  return change.has_value() ? change->Apply(kind, mode) : 0;
}

TEST(ModeChangeTest, ChangesWhatIsAskedFor) {
  EXPECT_EQ(Changed("754", 0), 0754u);
  EXPECT_EQ(Changed("754", 01000), 01754u);
  EXPECT_EQ(Changed("0754", 01000), 0754u);
  EXPECT_EQ(Changed("u+x,g-w,o=r", 0662), 0744u);
  EXPECT_EQ(Changed("+x", 0644), 0755u);
  EXPECT_EQ(Changed("a=", 0777), 0u);
  EXPECT_EQ(Changed("u+r-w", 0200), 0400u);
  EXPECT_EQ(Changed("a+X", 0644), 0644u);
  EXPECT_EQ(Changed("a+X", 0744), 0755u);
  EXPECT_EQ(Changed("a+X", 0644, FileKind::kDirectory), 0755u);
  EXPECT_EQ(Changed("+t", 0755), 01755u);
}

TEST(ModeChangeTest, RefusesAnythingElse) {
  for (const char* text : {"", "8", "88", "888", "2777", "07777", "u", "rwx", "u+q", "+r,", "z+r"})
    EXPECT_FALSE(ModeChange::Parse(text).has_value()) << text;
}

class TimesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("TZ", "UTC", 1);
    tzset();
  }
};

TEST_F(TimesTest, TimesAreReadWholeOrNotAtAll) {
  EXPECT_EQ(ParseTouchTime("20210425:100101"), 1'619'344'861'000);
  EXPECT_EQ(ParseCheckpointTime("210425100101"), 1'619'344'861'000);
  EXPECT_EQ(ParseCheckpointTime("210425100101-3"), 1'619'344'861'000);
  EXPECT_EQ(CheckpointName(1'619'344'861'000), "210425100101");
  for (const char* text :
       {"", "20210425", "20211325:100101", "2021 425:100101", "20210425:1001011"})
    EXPECT_FALSE(ParseTouchTime(text).has_value()) << text;
  for (const char* text : {"", "Current", "2104251001", "210425100101-", "210425100101-x"})
    EXPECT_FALSE(ParseCheckpointTime(text).has_value()) << text;
}

// ---- count -------------------------------------------------------------------------------------

TEST(CountFormatTest, ColumnsAreThoseOfHdfs) {
  const ContentTotals plain{.shown = "/d", .directories = 1, .files = 1, .length_bytes = 15};
  EXPECT_EQ(FormatCount(plain, {}), "           1            1                 15 /d\n");
  EXPECT_EQ(CountHeader({}), "   DIR_COUNT   FILE_COUNT       CONTENT_SIZE PATHNAME\n");
  EXPECT_EQ(FormatCount(plain, {.quotas = true, .contents = false}),
            "        none             inf            none             inf /d\n");
}

TEST(CountFormatTest, QuotasThatAreExceededHaveLessThanNothingLeft) {
  const ContentTotals totals{
      .shown = "/d",
      .quota = Quota{.names_max = 3, .space_max_bytes = 1024, .names = 5, .space_bytes = 2048}};

  EXPECT_EQ(FormatCount(totals, {.quotas = true, .contents = false}),
            "           3              -2            1024           -1024 /d\n");
  EXPECT_EQ(FormatCount(totals, {.quotas = true, .contents = false, .human_sizes = true}),
            "           3              -2             1 K            -1 K /d\n");
}

// ---- text --------------------------------------------------------------------------------------

std::string Gzip(const std::string& text) {
  z_stream stream{};
  constexpr int kGzip = 16;
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + kGzip, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(text.size() + 1000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string Bzip2(std::string text) {
  std::string out(text.size() + 1000, '\0');
  auto length = static_cast<unsigned>(out.size());
  EXPECT_EQ(BZ2_bzBuffToBuffCompress(
                out.data(), &length, text.data(), static_cast<unsigned>(text.size()), 1, 0, 0),
            BZ_OK);
  out.resize(length);
  return out;
}

// Fed in pieces of `step` bytes.
Result<std::string> Decode(const std::string& name, const std::string& bytes, size_t step) {
  ASSIGN_OR_RETURN(auto decoder, TextDecoder::For(name, bytes.substr(0, 16)));
  if (decoder == nullptr) return bytes;
  std::string out;
  for (size_t at = 0; at < bytes.size(); at += step) {
    RETURN_IF_ERROR(decoder->Decode(std::string_view(bytes).substr(at, step),
                                    [&](std::string_view text) { out += text; }));
  }
  RETURN_IF_ERROR(decoder->Finish());
  return out;
}

TEST(TextDecoderTest, StreamsComeBackInPiecesOfAnySize) {
  std::string text;
  for (int i = 0; i < 20'000; ++i)
    text += std::to_string(i) + "\n";
  for (const size_t step : {size_t{1}, size_t{1000}, size_t{1} << 20}) {
    EXPECT_TRUE(Decode("x", Gzip(text), step) == text) << step;
    EXPECT_TRUE(Decode("x.gz", Gzip(text) + Gzip("more"), step) == text + "more") << step;
    EXPECT_TRUE(Decode("x.bz2", Bzip2(text) + Bzip2("more"), step) == text + "more") << step;
  }
  EXPECT_EQ(Decode("x", "plain", 1), "plain");
  EXPECT_EQ(Decode("x.txt", "", 1), "");
}

TEST(TextDecoderTest, DamageIsNoText) {
  const std::string gzip = Gzip(std::string(10'000, 'a'));
  const std::string bzip2 = Bzip2(std::string(10'000, 'a'));
  std::string bad_gzip = gzip;
  bad_gzip[gzip.size() - 5] ^= 1;  // its checksum

  EXPECT_EQ(Decode("x.gz", gzip.substr(0, gzip.size() - 1), 7).status().code(), Code::kDataLoss);
  EXPECT_EQ(Decode("x.gz", bad_gzip, 7).status().code(), Code::kDataLoss);
  EXPECT_EQ(Decode("x.bz2", bzip2.substr(0, bzip2.size() - 1), 7).status().code(), Code::kDataLoss);
  EXPECT_EQ(Decode("x.bz2", "nonsense", 7).status().code(), Code::kDataLoss);
}

TEST(TextDecoderTest, WhatIsNotSupportedIsNamed) {
  EXPECT_EQ(Decode("x", "SEQ\x06", 7).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(Decode("x", "Obj\x01", 7).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(Decode("x.lz4", "x", 7).status().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace slipstream::dfs::cli
