#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dfs-client/cli/arguments.h"

namespace slipstream::dfs::cli {

class Session;

// A verb of the shell: how it is written, what it says of itself, what it does.
struct Verb {
  std::vector<std::string_view> names;  // without dash; the first is the one shown
  const char* usage;                    // what may follow it
  const char* help;                     // one line or several; the first is the summary
  Arguments::FlagNames flags;
  Arguments::Bounds operands;
  void (*run)(Session& session, const Arguments& arguments);
  // Of a name that HDFS gave up: the words that say the same, "ls -R".
  std::string_view replacement;
};

// By families, in the order of the help.
std::span<const Verb> AllVerbs();

// By name, with or without its dash; null for none.
const Verb* FindVerb(std::string_view word);

// "Usage: dfs [--master HOST:PORT] -ls [-C] …"
std::string UsageOf(const Verb& verb, std::string_view name);

// The families, each in the file of its name.
std::vector<Verb> ListVerbs();
std::vector<Verb> FindVerbs();
std::vector<Verb> UsageVerbs();
std::vector<Verb> ReadVerbs();
std::vector<Verb> GetVerbs();
std::vector<Verb> PutVerbs();
std::vector<Verb> CopyVerbs();
std::vector<Verb> AppendVerbs();
std::vector<Verb> NameVerbs();
std::vector<Verb> DeleteVerbs();
std::vector<Verb> AttributeVerbs();
std::vector<Verb> ReportVerbs();
std::vector<Verb> CheckVerbs();
std::vector<Verb> AdminVerbs();
std::vector<Verb> RefusedVerbs();

}  // namespace slipstream::dfs::cli
