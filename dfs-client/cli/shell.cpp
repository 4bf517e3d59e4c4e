#include "dfs-client/cli/shell.h"

#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>
#include <pwd.h>

#include "common/net/host_port.h"
#include "dfs-client/cli/arguments.h"
#include "dfs-client/cli/local_file.h"
#include "dfs-client/cli/session.h"
#include "dfs-client/cli/verbs.h"
#include "dfs-client/dfs_client.h"

namespace slipstream::dfs::cli {
namespace {

constexpr int kExitDone = 0;
constexpr int kExitUsage = 2;
constexpr int kExitVerbUsage = 255;

constexpr const char* kDefaultMaster = "127.0.0.1:7400";
constexpr int kTimeoutSecondsDefault = 30;
constexpr int kTimeoutSecondsMax = 86'400;
constexpr const char* kGroup = "supergroup";  // as HDFS names it

struct GlobalFlags {
  std::string master;
  int timeout_seconds = kTimeoutSecondsDefault;
};

std::string HelpText() {
  std::string out =
      "dfs - the file system's command line, with the verbs of `hdfs dfs`\n"
      "\n"
      "Usage: dfs [--master HOST:PORT] VERB [FLAG ...] [OPERAND ...]\n"
      "\n"
      "  --master HOST:PORT         the master; else DFS_MASTER, else 127.0.0.1:7400\n"
      "  --connect-timeout SECONDS  how long to try while no master or too few datanodes answer\n"
      "                             (30)\n"
      "  --help, --version\n"
      "\n"
      "Verbs (with or without a leading dash):\n";
  for (const Verb& verb : AllVerbs()) {
    out += fmt::format("  {} {}\n      {}\n", verb.names.front(), verb.usage, verb.summary);
  }
  out +=
      "\n"
      "Patterns * ? [] {} in paths are resolved by dfs: quote them. Relative paths are below\n"
      "/user/<you>.\n"
      "\n"
      "Examples:\n"
      "  dfs mkdir -p /data/2013\n"
      "  dfs put flights.csv /data/2013/\n"
      "  zcat flights.csv.gz | dfs put - /data/2013/flights.csv\n"
      "  dfs ls -h '/data/*'\n"
      "  dfs cat '/delays/part-*.json' | sort\n"
      "  dfs get /data/2013 .\n"
      "  dfs --master 10.0.0.1:7400 report\n";
  return out;
}

int UsageError(const std::string& text) {
  fmt::print(stderr, "dfs: {} (see --help)\n", text);
  return kExitUsage;
}

int VerbUsageError(const Verb& verb, const Status& status) {
  fmt::print(stderr,
             "{}: {}\nUsage: dfs [--master HOST:PORT] {} {}\n",
             verb.names.front(),
             status.message(),
             verb.names.front(),
             verb.usage);
  return kExitVerbUsage;
}

std::string UserName() {
  if (const char* name = std::getenv("HADOOP_USER_NAME"); name != nullptr && *name != '\0') {
    return name;
  }
  const passwd* entry = getpwuid(geteuid());
  return entry != nullptr ? entry->pw_name : std::to_string(geteuid());
}

Result<GlobalFlags> ReadFlags(const Arguments& arguments) {
  const char* from_environment = std::getenv("DFS_MASTER");
  GlobalFlags flags{.master = kDefaultMaster};
  if (from_environment != nullptr && *from_environment != '\0') flags.master = from_environment;
  flags.master = arguments.Value("master").value_or(flags.master);
  if (auto parsed = ParseHostPort(flags.master); !parsed.ok()) {
    return parsed.status().WithContext("--master");
  }
  if (auto text = arguments.Value("connect-timeout"); text.has_value()) {
    const char* end = text->data() + text->size();
    const auto [stop, error] = std::from_chars(text->data(), end, flags.timeout_seconds);
    if (error != std::errc() || stop != end || flags.timeout_seconds < 1 ||
        flags.timeout_seconds > kTimeoutSecondsMax) {
      return InvalidArgument(
          fmt::format("--connect-timeout: {} is not a number of seconds from 1 to {}",
                      *text,
                      kTimeoutSecondsMax));
    }
  }
  return flags;
}

int RunVerb(const GlobalFlags& flags, const Verb& verb, const Arguments& arguments) {
  const std::string name(verb.names.front());
  const std::string user = UserName();
  const std::chrono::seconds timeout(flags.timeout_seconds);
  auto client = DfsClient::Connect(
      {.master = flags.master,
       .timeout = timeout,
       .write_timeout = timeout,
       .read_timeout = timeout,
       .file_owner = user,
       .file_group = kGroup,
       .on_notice = [&](const std::string& text) { fmt::print(stderr, "{}: {}\n", name, text); }});
  Session session({.verb = name, .master = flags.master, .user = user}, *client);
  ExitCleanlyOnSignals();
  verb.run(session, arguments);
  return session.Finish();
}

// Where our own flags end: at the first word that is none, or that names a verb with its dash.
size_t CountFlagWords(std::span<const std::string> words) {
  size_t count = 0;
  while (count < words.size() && words[count].starts_with("--")) {
    const bool takes_next = words[count] == "--master" || words[count] == "--connect-timeout";
    count += takes_next ? 2 : 1;
  }
  return std::min(count, words.size());
}

}  // namespace

int RunShell(std::span<const std::string> words) {
  const size_t flag_words = CountFlagWords(words);
  auto global = Arguments::Parse(words.first(flag_words),
                                 {"master=", "connect-timeout=", "help", "version"},
                                 {.operands_max = 0});
  if (!global.ok()) return UsageError(global.status().message());
  words = words.subspan(flag_words);
  const bool wants_help =
      global->Has("help") || (!words.empty() && (words[0] == "-help" || words[0] == "help"));
  if (wants_help) {
    fmt::print("{}", HelpText());
    return kExitDone;
  }
  if (global->Has("version")) {
    fmt::print("dfs {}\n", SLIPSTREAM_VERSION);
    return kExitDone;
  }
  auto flags = ReadFlags(*global);
  if (!flags.ok()) return UsageError(flags.status().message());
  if (words.empty()) return UsageError("a verb is expected");

  const Verb* verb = FindVerb(words.front());
  if (verb == nullptr) {
    fmt::print(stderr, "{}: Unknown command\nUsage: dfs --help\n", words.front());
    return kExitVerbUsage;
  }
  words = words.subspan(1);
  if (!words.empty() && words.front() == "--help") {
    fmt::print("dfs {} {}\n    {}\n", verb->names.front(), verb->usage, verb->summary);
    return kExitDone;
  }
  auto arguments = Arguments::Parse(words, verb->flags, verb->operands);
  if (!arguments.ok()) return VerbUsageError(*verb, arguments.status());
  return RunVerb(*flags, *verb, *arguments);
}

}  // namespace slipstream::dfs::cli
