#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "dfs-client/admin_client.h"
#include "dfs-client/cli/format.h"
#include "dfs-client/dfs_client.h"

namespace slipstream::dfs::cli {

// Session: what a verb runs in: the client, where its output goes, what became of it.
//
// Errors go to stderr as `verb: text`, in the HDFS shell's words; the verb goes on with its other
// operands, and the process ends with 1. Without a master there is no going on.
// Threads: not thread-safe.
class Session final {
 public:
  struct Options {
    std::string verb;    // the name that was used
    std::string typed;   // as it was typed: with its dash, if it had one
    std::string usage;   // "Usage: dfs …"
    std::string master;  // HOST:PORT
    std::string user;    // relative paths are below /user/<user>
  };

  Session(Options options, DfsClient& client)
      : options_(std::move(options)), client_(client), admin_(client) {}

  DfsClient& client() { return client_; }
  AdminClient& admin() { return admin_; }
  const std::string& verb() const { return options_.verb; }
  const std::string& user() const { return options_.user; }
  std::string home() const { return "/user/" + options_.user; }
  // "hdfs://HOST:PORT/x": how the shell of HDFS names a path in full, which scripts look for.
  std::string Uri(std::string_view path) const;

  void Print(std::string_view text);
  void Flush();
  // A line on stderr that is no error.
  void Warn(const std::string& text);
  void Fail(const std::string& text);
  // The words for `status` of `shown`: "`/x': No such file or directory".
  void Fail(const std::string& shown, const Status& status);
  // `shown` cannot be made because its parent is missing.
  void FailForMissingParent(const std::string& shown, const std::string& path);
  // The operands are wrong in a way that only the verb sees: says so with the usage, and the
  // process ends with 255.
  void FailUsage(const std::string& text);
  // The process ends with `code` without a word: the answer of `test`, of `fsck`.
  void SetExitCode(int code) { exit_code_ = code; }
  bool has_failed() const { return has_failed_; }
  bool is_master_gone() const { return is_master_gone_; }
  // Flushes stdout; the exit code.
  int Finish();

  // The absolute path of an operand: relative ones are below the home directory; hdfs://HOST:PORT/x
  // and hdfs:///x (or dfs:) mean this master.
  Result<std::string> Resolve(const std::string& operand) const;
  // How `path`, which `operand` named, is shown: as absolute, relative or full as the operand is,
  // in its one spelling ("a//b/" is "a/b").
  std::string ShownFor(const std::string& operand, const std::string& path) const;

  // The one that an operand without patterns names.
  Result<Item> Find(const std::string& operand);
  // Entries of a directory, named below what was shown for it.
  Result<std::vector<Item>> Children(const Item& directory);
  // All that an operand names, patterns resolved; kNotFound where that is nothing.
  Result<std::vector<Item>> Expand(const std::string& operand);
  // Calls `work` for everything that the operands name; what is not there is reported as an error.
  void ForEach(std::span<const std::string> operands, const std::function<void(const Item&)>& work);
  // The same, but what is not there is passed over.
  void ForEachThatExists(std::span<const std::string> operands,
                         const std::function<void(const Item&)>& work);
  // Calls `work` for `root` and all below it, parents first. False after an error, reported.
  bool Walk(const Item& root, const std::function<void(const Item&)>& work);

 private:
  enum class Missing { kFail, kPassOver };
  void ForEachOperand(std::span<const std::string> operands,
                      Missing missing,
                      const std::function<void(const Item&)>& work);
  Result<std::vector<Item>> Matches(const std::string& directory, const std::string& name);
  Status ExpandPattern(const std::string& text, std::vector<Item>& out);

  const Options options_;
  DfsClient& client_;
  AdminClient admin_;
  bool has_failed_ = false;
  bool is_master_gone_ = false;
  std::optional<int> exit_code_;
};

// The words people know for an error; `shown` may be empty. Where there are none, the message.
std::string WordsFor(const std::string& shown, const Status& status);

// Whether it makes no sense to go on: nobody answers.
bool IsMasterGone(const Status& status);

bool IsDirectory(const Item& item);

}  // namespace slipstream::dfs::cli
