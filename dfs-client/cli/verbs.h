#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "dfs-client/cli/arguments.h"

namespace slipstream::dfs::cli {

class Session;

// A verb of the shell.
struct Verb {
  std::vector<std::string_view> names;  // without dash; the first is the one shown
  const char* usage;                    // what may follow it
  const char* summary;
  Arguments::FlagNames flags;
  Arguments::Bounds operands;
  void (*run)(Session& session, const Arguments& arguments);
};

std::span<const Verb> AllVerbs();

// By name, with or without its dash; null for none.
const Verb* FindVerb(std::string_view word);

// list_verbs.cpp
void RunLs(Session& session, const Arguments& arguments);
void RunStat(Session& session, const Arguments& arguments);
void RunTest(Session& session, const Arguments& arguments);
// usage_verbs.cpp
void RunDu(Session& session, const Arguments& arguments);
void RunCount(Session& session, const Arguments& arguments);
// name_verbs.cpp
void RunMkdir(Session& session, const Arguments& arguments);
void RunRm(Session& session, const Arguments& arguments);
void RunMv(Session& session, const Arguments& arguments);
void RunTouchz(Session& session, const Arguments& arguments);
// put_verb.cpp
void RunPut(Session& session, const Arguments& arguments);
// get_verbs.cpp
void RunGet(Session& session, const Arguments& arguments);
void RunCat(Session& session, const Arguments& arguments);
void RunHead(Session& session, const Arguments& arguments);
void RunTail(Session& session, const Arguments& arguments);
// cluster_verbs.cpp
void RunReport(Session& session, const Arguments& arguments);
void RunAppenders(Session& session, const Arguments& arguments);

}  // namespace slipstream::dfs::cli
