#include <algorithm>

#include "dfs-client/cli/find_expression.h"
#include "dfs-client/cli/session.h"
#include "dfs-client/cli/verbs.h"

namespace slipstream::dfs::cli {
namespace {

// Whether an expression begins here: paths come first.
bool BeginsExpression(const std::string& word) {
  return word.starts_with('-') || word == "(" || word == "!";
}

void RunFind(Session& session, const Arguments& arguments) {
  const std::span<const std::string> words = arguments.operands();
  const auto begin = std::find_if(words.begin(), words.end(), BeginsExpression);
  const auto path_count = static_cast<size_t>(begin - words.begin());
  auto expression = FindExpression::Parse(words.subspan(path_count),
                                          [&](const std::string& text) { session.Print(text); });
  if (!expression.ok()) {
    session.Fail(expression.status().message());
    return;
  }
  const std::vector<std::string> home{"."};
  session.ForEach(path_count == 0 ? home : words.first(path_count), [&](const Item& item) {
    session.Walk(item, [&](const Item& found) { expression->Apply(found); });
  });
}

}  // namespace

std::vector<Verb> FindVerbs() {
  return {{.names = {"find"},
           .usage = "<path> ... <expression> ...",
           .help = "Print what an expression holds for, at and below paths.\n"
                   "-name PATTERN, -iname PATTERN: its name matches; -iname in any case\n"
                   "-type f|d, -empty: a file or a directory; nothing in it\n"
                   "-print, -print0: print it, with a line end or a zero byte\n"
                   "EXPR EXPR, EXPR -a EXPR, EXPR -and EXPR: both hold\n"
                   "EXPR -o EXPR, EXPR -or EXPR: one holds; ! EXPR, -not EXPR: it does not\n"
                   "( EXPR ): binds together\n"
                   "Without a path, your home directory; without -print, as if it stood behind.",
           .flags = {"L", "H"},
           .operands = {.operands_min = 1, .flag_rule = Arguments::FlagRule::kUnknownStay},
           .run = RunFind}};
}

}  // namespace slipstream::dfs::cli
