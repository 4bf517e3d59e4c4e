#include "dfs-client/cli/find_expression.h"

#include <algorithm>
#include <cctype>
#include <utility>
#include <vector>

#include "dfs-client/cli/glob.h"
#include "dfs-client/path.h"

namespace slipstream::dfs::cli {
namespace {

// Far beyond what anyone writes; keeps the recursion shallow.
constexpr int kDepthMax = 100;

std::string LowerCase(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return text;
}

bool IsEmpty(const FileStatus& status) {
  return status.kind == FileKind::kDirectory ? status.child_count == 0 : status.length_bytes == 0;
}

}  // namespace

// By recursive descent: alternatives, sequences, one.
class FindExpression::Parser final {
 public:
  Parser(std::span<const std::string> words, Print print)
      : words_(words), print_(std::move(print)) {}

  Result<Test> Parse() {
    ASSIGN_OR_RETURN(Test test, words_.empty() ? Result<Test>(Always()) : ParseAlternatives());
    if (!AtEnd()) return InvalidArgument("Unexpected argument: " + words_[at_]);
    if (prints_) return test;
    return Test([test = std::move(test), print = print_](const Item& item) {
      if (!test(item)) return false;
      print(item.shown + "\n");
      return true;
    });
  }

 private:
  static Test Always() {
    return [](const Item&) { return true; };
  }

  bool AtEnd() const { return at_ == words_.size(); }

  bool Take(std::initializer_list<std::string_view> names) {
    if (AtEnd() || std::find(names.begin(), names.end(), words_[at_]) == names.end()) return false;
    ++at_;
    return true;
  }

  // As many as there are words stand side by side, not one within the other.
  Result<Test> ParseAlternatives() {
    std::vector<Test> tests;
    do {
      ASSIGN_OR_RETURN(Test test, ParseSequence());
      tests.push_back(std::move(test));
    } while (Take({"-o", "-or"}));
    if (tests.size() == 1) return std::move(tests.front());
    return Test([tests = std::move(tests)](const Item& item) {
      return std::any_of(tests.begin(), tests.end(), [&](const Test& test) { return test(item); });
    });
  }

  Result<Test> ParseSequence() {
    std::vector<Test> tests;
    do {
      if (!tests.empty()) (void)Take({"-a", "-and"});
      ASSIGN_OR_RETURN(Test test, ParseOne());
      tests.push_back(std::move(test));
    } while (!AtEnd() && words_[at_] != ")" && words_[at_] != "-o" && words_[at_] != "-or");
    if (tests.size() == 1) return std::move(tests.front());
    return Test([tests = std::move(tests)](const Item& item) {
      return std::all_of(tests.begin(), tests.end(), [&](const Test& test) { return test(item); });
    });
  }

  Result<Test> ParseOne() {
    if (++depth_ > kDepthMax) return InvalidArgument("the expression is nested too deeply");
    // It does not follow the moves of a std::function.
    // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks)
    ASSIGN_OR_RETURN(Test test, ParsePrimary());
    --depth_;
    return test;
  }

  Result<Test> ParsePrimary() {
    if (AtEnd()) return InvalidArgument("an expression is expected after " + words_.back());
    if (Take({"!", "-not"})) {
      ASSIGN_OR_RETURN(Test test, ParseOne());
      return Test([test = std::move(test)](const Item& item) { return !test(item); });
    }
    if (Take({"("})) {
      ASSIGN_OR_RETURN(Test test, ParseAlternatives());
      if (!Take({")"})) return InvalidArgument("a ) is missing");
      return test;
    }
    const std::string word = words_[at_++];
    if (word == "-print" || word == "-print0") {
      prints_ = true;
      const std::string end = word == "-print" ? std::string("\n") : std::string(1, '\0');
      return Test([print = print_, end](const Item& item) {
        print(item.shown + end);
        return true;
      });
    }
    if (word == "-empty") return Test([](const Item& item) { return IsEmpty(item.status); });
    if (word != "-name" && word != "-iname" && word != "-type") {
      return InvalidArgument("Unexpected argument: " + word);
    }
    if (AtEnd()) return InvalidArgument("Missing argument for " + word);
    const std::string& value = words_[at_++];
    return word == "-type" ? OfType(value) : Named(value, word == "-iname");
  }

  static Result<Test> OfType(const std::string& type) {
    if (type != "f" && type != "d") return InvalidArgument("Unexpected argument: " + type);
    const FileKind kind = type == "f" ? FileKind::kFile : FileKind::kDirectory;
    return Test([kind](const Item& item) { return item.status.kind == kind; });
  }

  static Test Named(const std::string& pattern, bool ignores_case) {
    std::vector<std::string> patterns =
        ExpandAlternatives(ignores_case ? LowerCase(pattern) : pattern);
    return [patterns = std::move(patterns), ignores_case](const Item& item) {
      std::string name(BaseName(item.path));
      if (ignores_case) name = LowerCase(name);
      return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& one) {
        return GlobMatches(one, name);
      });
    };
  }

  const std::span<const std::string> words_;
  const Print print_;
  size_t at_ = 0;
  int depth_ = 0;
  bool prints_ = false;
};

Result<FindExpression> FindExpression::Parse(std::span<const std::string> words, Print print) {
  ASSIGN_OR_RETURN(Test root, Parser(words, std::move(print)).Parse());
  return FindExpression(std::move(root));
}

}  // namespace slipstream::dfs::cli
