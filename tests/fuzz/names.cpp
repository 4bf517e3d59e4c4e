#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/check/check.h"
#include "dfs-client/cli/arguments.h"
#include "dfs-client/cli/find_expression.h"
#include "dfs-client/cli/glob.h"
#include "dfs-client/cli/mode_change.h"
#include "dfs-client/cli/text_decoder.h"
#include "dfs-client/cli/times.h"
#include "dfs-client/path.h"
#include "dfs-master/path.h"
#include "tests/fuzz/input_reader.h"
#include "tests/fuzz/target.h"

// What people type at the shell, and the names they give: paths, patterns, expressions, modes,
// times; and the compressed text they look at. Paths have one spelling, patterns match what they
// were made of, and nothing takes long.

namespace slipstream::fuzz {
namespace {

void CheckPath(std::string_view text) {
  const auto split = dfs::master::ParsePath(text);
  if (split.ok()) {
    SLIPSTREAM_CHECK(dfs::master::ToString(*split) == text, "a second spelling");
    for (const std::string& name : *split)
      SLIPSTREAM_CHECK(dfs::master::CheckName(name, text).ok(), "a bad name");
  }
  const auto normal = dfs::NormalizePath(text);
  if (split.ok()) SLIPSTREAM_CHECK(normal.ok() && *normal == text, "the client has it otherwise");
  if (!normal.ok()) return;
  const auto again = dfs::NormalizePath(*normal);
  SLIPSTREAM_CHECK(again.ok() && *again == *normal, "normal twice is another");
  if (*normal != "/") {
    SLIPSTREAM_CHECK(dfs::JoinPath(dfs::ParentPath(*normal), dfs::BaseName(*normal)) == *normal,
                     "parent and name are not it");
  }
  if (normal->size() <= dfs::master::kPathBytesMax && dfs::master::IsPrintableUtf8(*normal)) {
    SLIPSTREAM_CHECK(dfs::master::ParsePath(*normal).ok(), "the master refuses a normal path");
  }
}

void CheckGlob(InputReader& reader) {
  namespace cli = dfs::cli;
  const std::string name(reader.Text());
  const std::string pattern(reader.Rest());
  const bool matches = cli::GlobMatches(pattern, name);
  if (!cli::HasGlob(pattern)) SLIPSTREAM_CHECK(matches == (pattern == name), "not itself");
  const std::vector<std::string> alternatives = cli::ExpandAlternatives(pattern);
  SLIPSTREAM_CHECK(!alternatives.empty() && alternatives.size() <= cli::kAlternativesMax,
                   "{} alternatives",
                   alternatives.size());
  if (dfs::master::IsPrintableUtf8(name)) {
    std::string escaped;
    for (const char c : name)
      escaped += (static_cast<unsigned char>(c) < 0x80 ? "\\" : "") + std::string(1, c);
    SLIPSTREAM_CHECK(cli::GlobMatches(escaped, name), "escaped it is another");
    SLIPSTREAM_CHECK(cli::GlobMatches("*" + escaped + "*", name), "not found in itself");
  }
}

std::vector<std::string> WordsOf(InputReader& reader) {
  static constexpr std::string_view kWords[] = {
      "-name", "-iname", "-type",   "f",  "d", "-empty", "(",  ")",  "!",       "-not",     "-a",
      "-o",    "-print", "-print0", "--", "-", "-R",     "-t", "-p", "-ptopax", "--abort=x"};
  std::vector<std::string> words;
  while (!reader.is_empty() && words.size() < 200) {
    const uint8_t choice = reader.Byte();
    words.emplace_back(choice < 0xc0 ? kWords[choice % std::size(kWords)] : reader.Text());
  }
  return words;
}

void CheckWords(InputReader& reader) {
  namespace cli = dfs::cli;
  const std::vector<std::string> words = WordsOf(reader);
  std::string printed;
  const auto expression =
      cli::FindExpression::Parse(words, [&](const std::string& text) { printed += text; });
  if (expression.ok()) {
    cli::Item item;
    item.shown = "/a/b.txt";
    item.path = "/a/b.txt";
    expression->Apply(item);
    const std::string first = printed;
    printed.clear();
    expression->Apply(item);
    SLIPSTREAM_CHECK(printed == first, "it has a memory");
  }
  using Rule = cli::Arguments::FlagRule;
  for (const Rule rule : {Rule::kFirst, Rule::kAnywhere, Rule::kUnknownStay}) {
    const auto arguments =
        cli::Arguments::Parse(words,
                              {"R", "abort=", "t?", "p*"},
                              {.operands_min = 1, .operands_max = 5, .flag_rule = rule});
    if (!arguments.ok()) continue;
    const size_t count = arguments->operands().size();
    SLIPSTREAM_CHECK(count >= 1 && count <= 5, "{} operands", count);
    (void)arguments->Number("abort", 1, 9);
  }
}

void CheckTexts(const std::string& text) {
  namespace cli = dfs::cli;
  if (const auto change = cli::ModeChange::Parse(text)) {
    for (const uint32_t mode : {0U, 0644U, 07777U}) {
      for (const dfs::FileKind kind : {dfs::FileKind::kFile, dfs::FileKind::kDirectory})
        SLIPSTREAM_CHECK(change->Apply(kind, mode) <= 07777, "more than permissions");
    }
  }
  (void)cli::ParseTouchTime(text);
  if (const auto time = cli::ParseCheckpointTime(text)) {
    SLIPSTREAM_CHECK(cli::ParseCheckpointTime(cli::CheckpointName(*time)) == time, "{}", *time);
  }
  (void)cli::ParseNumber(text);
}

// What is decoded in pieces of `piece` bytes, up to a length; nothing where it is damaged.
std::optional<std::string> Decoded(std::string_view bytes, size_t piece) {
  constexpr size_t kShownMax = 1 << 20;
  auto decoder = dfs::cli::TextDecoder::For("f.bz2", bytes.substr(0, 16));
  if (!decoder.ok() || *decoder == nullptr) return std::nullopt;
  std::string text;
  const auto show = [&](std::string_view part) {
    text += part.substr(0, kShownMax - std::min(kShownMax, text.size()));
  };
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    if (!(*decoder)->Decode(bytes.substr(0, piece), show).ok()) return std::nullopt;
  }
  if (!(*decoder)->Finish().ok()) return std::nullopt;
  return text;
}

enum Kind : uint8_t { kPath, kGlob, kWords, kTexts, kCompressed, kKinds };

void Run(std::string_view input) {
  InputReader reader(input);
  switch (reader.Byte() % kKinds) {
    case kPath:
      return CheckPath(reader.Rest());
    case kGlob:
      return CheckGlob(reader);
    case kWords:
      return CheckWords(reader);
    case kTexts:
      return CheckTexts(std::string(reader.Rest()));
    default: {
      const std::string_view bytes = reader.Rest();
      SLIPSTREAM_CHECK(Decoded(bytes, bytes.size()) == Decoded(bytes, 7), "other text in pieces");
    }
  }
}

std::vector<std::string> Seeds() {
  const auto input = [](Kind kind, std::string_view text) {
    return static_cast<char>(kind) + std::string(text);
  };
  using std::string_view_literals::operator""sv;
  return {
      input(kPath, "/"),
      input(kPath, "/a/größe/.b"),
      input(kPath, "//a/./../b/"),
      input(kGlob, "\5a.txt*.t[w-y]?"),
      input(kGlob, "\3a{bx{a,b{c,d}}*[^a-c]\\*"),
      input(kGlob,
            "\x14"
            "aaaaaaaaaaaaaaaaaaaa*a*a*a*a*a*a*a*b"),
      input(kWords, "\0\xc0\2*.\6\2\3\7\0\xc0\1x\12\2\4\13\15"sv),
      input(kWords, "\20\21\23\24\22\xc0\1x"),
      input(kTexts, "u+x,g-w,a+rX"),
      input(kTexts, "1777"),
      input(kTexts, "20130101:051500"),
      input(kTexts, "130101051500-2"),
      input(
          kCompressed,
          "\037\213\010\000\000\000\000\000\000\003\113\324\111\342\002\000\305\020\227\044\004\000\000\000"sv),
      input(kCompressed,
            "\x28\xb5\x2f\xfd\x20\x04\x21\0\0"
            "a,b\n"sv),
      input(
          kCompressed,
          "\102\132\150\071\061\101\131\046\123\131\003\103\072\340\000\000\001\121\000\000\020\000\004\060\000\040\000\041\232\150\063\115\027\074\135\311\024\341\102\100\015\014\353\200"sv)};
}

}  // namespace

const Target kNames{.name = "names", .run = Run, .seeds = Seeds};

}  // namespace slipstream::fuzz
