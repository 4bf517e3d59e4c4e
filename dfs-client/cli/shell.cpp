#include "dfs-client/cli/shell.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "common/access/bearer_token.h"
#include "common/access/process_user.h"
#include "common/net/host_port.h"
#include "common/rpc/library.h"
#include "common/sync/mutex.h"
#include "common/tls/tls_dir.h"
#include "dfs-client/cli/arguments.h"
#include "dfs-client/cli/completion.h"
#include "dfs-client/cli/help.h"
#include "dfs-client/cli/local_file.h"
#include "dfs-client/cli/session.h"
#include "dfs-client/cli/verbs.h"
#include "dfs-client/dfs_client.h"

namespace slipstream::dfs::cli {
namespace {

constexpr int kExitDone = 0;
constexpr int kExitFailed = 1;
constexpr int kExitUsage = 255;

constexpr const char* kDefaultMaster = "127.0.0.1:7400";
constexpr int kTimeoutSecondsDefault = 30;
constexpr int kTimeoutSecondsMax = 86'400;
// What a thread needs that reads a large file: a segment, and the frames it comes in.
constexpr size_t kKeptMemoryBytes = size_t{32} << 20;
constexpr const char* kGroup = "supergroup";  // as HDFS names it

struct GlobalFlags {
  std::string master;
  std::string tls_dir;  // empty: no TLS
  int timeout_seconds = kTimeoutSecondsDefault;
};

int UsageError(const std::string& text) {
  fmt::print(stderr, "dfs: {} (see --help)\n", text);
  return kExitUsage;
}

Result<GlobalFlags> ReadFlags(const Arguments& arguments) {
  const char* from_environment = std::getenv("DFS_MASTER");
  GlobalFlags flags{.master = kDefaultMaster};
  if (from_environment != nullptr && *from_environment != '\0') flags.master = from_environment;
  flags.master = arguments.Value("master").value_or(flags.master);
  if (auto parsed = ParseHostPort(flags.master); !parsed.ok()) {
    return parsed.status().WithContext("--master");
  }
  if (const char* tls_dir = std::getenv("SLIPSTREAM_TLS_DIR"); tls_dir != nullptr) {
    flags.tls_dir = tls_dir;
  }
  flags.tls_dir = arguments.Value("tls-dir").value_or(flags.tls_dir);
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

// A verb as it was called.
struct Call {
  const Verb& verb;
  std::string name;   // without dash
  std::string typed;  // as on the command line
};

// NoticePrinter: what the client waits for, on stderr; the same reason once. Threads: thread-safe.
class NoticePrinter final {
 public:
  explicit NoticePrinter(std::string verb) : verb_(std::move(verb)) {}

  void Print(const std::string& text) {
    MutexLock lock(mutex_);
    if (text == last_) return;
    last_ = text;
    fmt::print(stderr, "{}: {}\n", verb_, text);
  }

 private:
  const std::string verb_;
  Mutex mutex_;
  std::string last_ GUARDED_BY(mutex_);
};

// A folder with a certificate, or with the authority's and a token.
Status CheckTls(const std::string& tls_dir) {
  if (tls_dir.empty()) return {};
  RETURN_IF_ERROR(tls::CheckClientTlsDir(tls_dir));
  if (tls::HasCertificate(tls_dir)) return {};
  return access::BearerToken::Check(tls::TokenFile(tls_dir))
      .WithContext("no certificate in " + tls_dir + ", and");
}

int RunVerb(const GlobalFlags& flags, const Call& call, const Arguments& arguments) {
  const std::string user = access::ActingUser();
  const std::chrono::seconds timeout(flags.timeout_seconds);
  NoticePrinter notices(call.name);
  if (const Status status = CheckTls(flags.tls_dir); !status.ok()) {
    fmt::print(stderr, "{}: {}\n", call.name, status.message());
    return kExitFailed;
  }
  auto client =
      DfsClient::Connect({.master = flags.master,
                          .timeout = timeout,
                          .write_timeout = timeout,
                          .read_timeout = timeout,
                          .tls_dir = flags.tls_dir,
                          .user = user,
                          .file_group = kGroup,
                          .on_notice = [&](const std::string& text) { notices.Print(text); }});
  Session session({.verb = call.name,
                   .typed = call.typed,
                   .usage = UsageOf(call.verb, call.name),
                   .master = flags.master,
                   .user = user},
                  *client);
  ExitCleanlyOnSignals();
  call.verb.run(session, arguments);
  return session.Finish();
}

// `-usage [VERB …]`, `-help [VERB …]`: of those named, else of all.
int Describe(bool in_full, std::span<const std::string> names) {
  if (names.empty()) {
    fmt::print("{}", in_full ? HelpForAll() : UsageForAll());
    return kExitDone;
  }
  for (const std::string& name : names) {
    const Verb* verb = FindVerb(name);
    if (verb == nullptr) {
      const char* asked = in_full ? "-help" : "-usage";
      fmt::print(stderr, "{}: `{}': Unknown command\n", asked, name);
      return kExitUsage;
    }
    fmt::print("{}", in_full ? HelpFor(*verb, name) : UsageOf(*verb, BareName(name)) + "\n");
  }
  return kExitDone;
}

// What needs no master: help, and the scripts of completion. Nothing: it is an ordinary verb.
std::optional<int> RunOffline(std::span<const std::string> words) {
  const std::string_view name = BareName(words.front());
  if (name == "help" || name == "usage") return Describe(name == "help", words.subspan(1));
  if (name == "completion") {
    const auto script = words.size() == 2 ? CompletionScript(words[1]) : std::nullopt;
    if (!script.has_value()) {
      fmt::print(stderr, "completion: bash or zsh\nUsage: dfs completion bash|zsh\n");
      return kExitUsage;
    }
    fmt::print("{}", *script);
    return kExitDone;
  }
  return std::nullopt;
}

// The words of a name that HDFS gave up ("lsr"), in those that say the same.
std::vector<std::string> Modernise(const Verb& verb, std::span<const std::string> words) {
  std::vector<std::string> out;
  std::string_view rest = verb.replacement;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(' '), rest.size());
    out.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  out.insert(out.end(), words.begin() + 1, words.end());
  fmt::print(stderr,
             "{}: DEPRECATED: Please use '{}' instead.\n",
             BareName(words.front()),
             verb.replacement);
  return out;
}

int RunWords(const GlobalFlags& flags, std::span<const std::string> words) {
  const Verb* verb = FindVerb(words.front());
  if (verb == nullptr) {
    fmt::print(stderr, "{}: Unknown command\nUsage: dfs --help\n", words.front());
    return kExitUsage;
  }
  if (!verb->replacement.empty()) return RunWords(flags, Modernise(*verb, words));
  const Call call{
      .verb = *verb, .name = std::string(BareName(words.front())), .typed = words.front()};
  words = words.subspan(1);
  if (!words.empty() && words.front() == "--help") {
    fmt::print("{}", HelpFor(*verb, call.name));
    return kExitDone;
  }
  auto arguments = Arguments::Parse(words, verb->flags, verb->operands);
  if (!arguments.ok()) {
    fmt::print(stderr,
               "{}: {}\n{}\n",
               call.typed,
               arguments.status().message(),
               UsageOf(*verb, call.name));
    return kExitUsage;
  }
  return RunVerb(flags, call, *arguments);
}

// Where our own flags end: at the first word that is none, or that names a verb with its dash.
size_t CountFlagWords(std::span<const std::string> words) {
  size_t count = 0;
  while (count < words.size() && words[count].starts_with("--")) {
    const bool takes_next = words[count] == "--master" || words[count] == "--connect-timeout" ||
                            words[count] == "--tls-dir";
    count += takes_next ? 2 : 1;
  }
  return std::min(count, words.size());
}

}  // namespace

int RunShell(std::span<const std::string> words) {
  const size_t flag_words = CountFlagWords(words);
  auto global = Arguments::Parse(words.first(flag_words),
                                 {"master=", "connect-timeout=", "tls-dir=", "help", "version"},
                                 {.operands_max = 0});
  if (!global.ok()) return UsageError(global.status().message());
  words = words.subspan(flag_words);
  if (global->Has("help")) {
    fmt::print("{}", Overview());
    return kExitDone;
  }
  if (global->Has("version")) {
    fmt::print("dfs {}\n", SLIPSTREAM_VERSION);
    return kExitDone;
  }
  rpc::KeepMessageMemory(kKeptMemoryBytes);
  auto flags = ReadFlags(*global);
  if (!flags.ok()) return UsageError(flags.status().message());
  if (words.empty()) {
    fmt::print(stderr, "{}", UsageForAll());
    return kExitUsage;
  }
  if (auto code = RunOffline(words); code.has_value()) return *code;
  return RunWords(*flags, words);
}

}  // namespace slipstream::dfs::cli
