#include "dfs-client/cli/verbs.h"

#include <algorithm>
#include <iterator>

namespace slipstream::dfs::cli {
namespace {

std::vector<Verb> ReadingVerbs() {
  return {
      {.names = {"ls"},
       .usage = "[-C] [-d] [-h] [-q] [-R] [-t] [-S] [-r] [--json] [PATH ...]",
       .summary = "list files and the contents of directories",
       .flags = {"C", "d", "h", "q", "R", "t", "S", "r", "json"},
       .operands = {},
       .run = RunLs},
      {.names = {"stat"},
       .usage = "[--json] [FORMAT] PATH ...   (%a %A %b %F %g %n %o %r %u %y %Y)",
       .summary = "print what is known of a file",
       .flags = {"json"},
       .operands = {.operands_min = 1},
       .run = RunStat},
      {.names = {"test"},
       .usage = "-[defswrz] PATH",
       .summary = "exit with 0 if it holds, with 1 if not",
       .flags = {"d", "e", "f", "s", "w", "r", "z"},
       .operands = {.operands_min = 1, .operands_max = 1},
       .run = RunTest},
      {.names = {"du"},
       .usage = "[-s] [-h] [-v] [--json] PATH ...",
       .summary = "bytes, and bytes on disk with all replicas",
       .flags = {"s", "h", "v", "json"},
       .operands = {.operands_min = 1},
       .run = RunDu},
      {.names = {"count"},
       .usage = "[-h] [-v] PATH ...",
       .summary = "count directories, files and bytes",
       .flags = {"h", "v"},
       .operands = {.operands_min = 1},
       .run = RunCount},
      {.names = {"cat"},
       .usage = "SRC ...",
       .summary = "write files to standard output",
       .flags = {},
       .operands = {.operands_min = 1},
       .run = RunCat},
      {.names = {"head"},
       .usage = "FILE",
       .summary = "write the first 1 KB of a file",
       .flags = {},
       .operands = {.operands_min = 1, .operands_max = 1},
       .run = RunHead},
      {.names = {"tail"},
       .usage = "FILE",
       .summary = "write the last 1 KB of a file",
       .flags = {},
       .operands = {.operands_min = 1, .operands_max = 1},
       .run = RunTail},
      {.names = {"get", "copyToLocal"},
       .usage = "[-f] SRC ... LOCAL",
       .summary = "copy files and directories to local ones",
       .flags = {"f"},
       .operands = {.operands_min = 1},
       .run = RunGet},
  };
}

std::vector<Verb> ChangingVerbs() {
  return {
      {.names = {"mkdir"},
       .usage = "[-p] PATH ...",
       .summary = "make directories; with -p their parents too",
       .flags = {"p"},
       .operands = {.operands_min = 1},
       .run = RunMkdir},
      {.names = {"put", "copyFromLocal"},
       .usage = "[-f] LOCAL ... DST   (LOCAL `-': standard input)",
       .summary = "copy local files and directories; visible whole or not at all",
       .flags = {"f"},
       .operands = {.operands_min = 1},
       .run = RunPut},
      {.names = {"rm"},
       .usage = "[-f] [-r|-R] [-skipTrash] PATH ...",
       .summary = "delete files; with -r directories (there is no trash)",
       .flags = {"f", "r", "R", "skipTrash"},
       .operands = {.operands_min = 1},
       .run = RunRm},
      {.names = {"mv"},
       .usage = "SRC ... DST",
       .summary = "rename, or move into a directory",
       .flags = {},
       .operands = {.operands_min = 2},
       .run = RunMv},
      {.names = {"touchz"},
       .usage = "PATH ...",
       .summary = "make empty files",
       .flags = {},
       .operands = {.operands_min = 1},
       .run = RunTouchz},
  };
}

std::vector<Verb> ClusterVerbs() {
  return {
      {.names = {"report"},
       .usage = "[-live] [-dead] [--json]",
       .summary = "the cluster's space, health and datanodes",
       .flags = {"live", "dead", "json"},
       .operands = {.operands_max = 0},
       .run = RunReport},
      {.names = {"appenders"},
       .usage = "[--abort OWNER] [PREFIX]",
       .summary = "writers that append, and what they have prepared",
       .flags = {"abort="},
       .operands = {.operands_max = 1},
       .run = RunAppenders},
  };
}

}  // namespace

std::span<const Verb> AllVerbs() {
  static const std::vector<Verb> verbs = [] {
    std::vector<Verb> all = ReadingVerbs();
    std::ranges::move(ChangingVerbs(), std::back_inserter(all));
    std::ranges::move(ClusterVerbs(), std::back_inserter(all));
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

}  // namespace slipstream::dfs::cli
