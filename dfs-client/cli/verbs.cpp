#include "dfs-client/cli/verbs.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace slipstream::dfs::cli {

std::span<const Verb> AllVerbs() {
  static const std::vector<Verb> verbs = [] {
    std::vector<Verb> all;
    for (auto* family : {&ListVerbs,
                         &FindVerbs,
                         &UsageVerbs,
                         &ReadVerbs,
                         &GetVerbs,
                         &PutVerbs,
                         &CopyVerbs,
                         &AppendVerbs,
                         &NameVerbs,
                         &DeleteVerbs,
                         &AttributeVerbs,
                         &ReportVerbs,
                         &CheckVerbs,
                         &AdminVerbs,
                         &RefusedVerbs}) {
      std::ranges::move(family(), std::back_inserter(all));
    }
    return all;
  }();
  return verbs;
}

const Verb* FindVerb(std::string_view word) {
  if (word.starts_with('-')) word.remove_prefix(1);
  for (const Verb& verb : AllVerbs()) {
    if (std::find(verb.names.begin(), verb.names.end(), word) != verb.names.end()) return &verb;
  }
  return nullptr;
}

std::string UsageOf(const Verb& verb, std::string_view name) {
  std::string out = fmt::format("Usage: dfs [--master HOST:PORT] -{}", name);
  if (*verb.usage != '\0') out += fmt::format(" {}", verb.usage);
  return out;
}

}  // namespace slipstream::dfs::cli
