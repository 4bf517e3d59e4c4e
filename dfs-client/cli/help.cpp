#include "dfs-client/cli/help.h"

#include <algorithm>

#include <fmt/format.h>

namespace slipstream::dfs::cli {
namespace {

// "-ls [-C] [-d] …"
std::string Signature(const Verb& verb, std::string_view name) {
  return *verb.usage == '\0' ? fmt::format("-{}", name) : fmt::format("-{} {}", name, verb.usage);
}

std::string_view FirstLine(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

std::string_view BareName(std::string_view word) {
  if (word.starts_with('-')) word.remove_prefix(1);
  return word;
}

std::string Overview() {
  std::string out =
      "dfs - the file system's command line, with the verbs of `hdfs dfs`,\n"
      "`hdfs dfsadmin` and `hdfs fsck`\n"
      "\n"
      "Usage: dfs [--master HOST:PORT] VERB [FLAG ...] [OPERAND ...]\n"
      "\n"
      "  --master HOST:PORT         the master; else DFS_MASTER, else 127.0.0.1:7400\n"
      "  --connect-timeout SECONDS  how long to try while no master or too few\n"
      "                             datanodes answer (30)\n"
      "  --tls-dir DIR              where the cluster speaks TLS: ca.pem and host.pem,\n"
      "                             or ca.pem and token; else SLIPSTREAM_TLS_DIR\n"
      "  --help, --version\n"
      "\n"
      "Verbs (with or without a leading dash; `dfs help VERB` says more):\n";
  for (const Verb& verb : AllVerbs()) {
    if (!verb.replacement.empty()) continue;
    out += fmt::format("  {:<18} {}\n", verb.names.front(), FirstLine(verb.help));
  }
  out +=
      "  completion         a script for your shell: eval \"$(dfs completion bash)\"\n"
      "\n"
      "Patterns * ? [] {} in paths are resolved by dfs: quote them. Relative paths are\n"
      "below /user/<you>. Exit codes: 0 done, 1 something failed, 255 wrong usage,\n"
      "130 interrupted.\n"
      "\n"
      "Examples:\n"
      "  dfs mkdir -p /data/2013\n"
      "  dfs put -t 8 flights /data/2013/\n"
      "  zcat flights.csv.gz | dfs put - /data/2013/flights.csv\n"
      "  dfs ls -h '/data/*'\n"
      "  dfs cat '/delays/part-*.json' | sort\n"
      "  dfs get /data/2013 .\n"
      "  dfs fsck / -files -blocks -locations\n"
      "  dfs --master 10.0.0.1:7400 report\n";
  return out;
}

std::string UsageForAll() {
  std::string out = "Usage: dfs [--master HOST:PORT]\n";
  for (const Verb& verb : AllVerbs()) {
    if (!verb.replacement.empty()) continue;
    for (std::string_view name : verb.names)
      out += fmt::format("\t[{}]\n", Signature(verb, name));
  }
  return out;
}

std::string HelpForAll() {
  std::string out = UsageForAll();
  for (const Verb& verb : AllVerbs()) {
    if (verb.replacement.empty()) out += "\n" + HelpFor(verb, verb.names.front());
  }
  return out;
}

std::string HelpFor(const Verb& verb, std::string_view name) {
  std::string out = Signature(verb, BareName(name)) + " :\n";
  if (!verb.replacement.empty()) {
    return out + fmt::format("  (DEPRECATED) Same as '{}'\n", verb.replacement);
  }
  std::string_view rest = verb.help;
  while (!rest.empty()) {
    const std::string_view line = FirstLine(rest);
    out += fmt::format("  {}\n", line);
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  }
  return out;
}

}  // namespace slipstream::dfs::cli
