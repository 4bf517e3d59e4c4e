#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
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
    std::string verb;
    std::string master;  // HOST:PORT
    std::string user;    // relative paths are below /user/<user>
  };

  Session(Options options, DfsClient& client) : options_(std::move(options)), client_(client) {}

  DfsClient& client() { return client_; }
  const std::string& user() const { return options_.user; }

  void Print(std::string_view text);
  void Fail(const std::string& text);
  // The words for `status` of `shown`: "`/x': No such file or directory".
  void Fail(const std::string& shown, const Status& status);
  // `shown` cannot be made because its parent is missing.
  void FailForMissingParent(const std::string& shown, const std::string& path);
  // Ends with 1 without a word: the answer of `test`.
  void SetFailed() { has_failed_ = true; }
  // Flushes stdout; 0 or 1.
  int Finish();

  // The absolute path of an operand: relative ones are below the home directory; dfs://HOST:PORT/x
  // and dfs:///x mean this master.
  Result<std::string> Resolve(const std::string& operand) const;

  // The one that an operand without patterns names.
  Result<Item> Find(const std::string& operand);
  // Entries of a directory, named below what was shown for it.
  Result<std::vector<Item>> Children(const Item& directory);
  // Calls `work` for everything that the operands name, patterns resolved; what is not there is
  // reported as an error.
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
  Result<std::vector<Item>> Expand(const std::string& operand);
  Result<std::vector<Item>> Matches(const Item& directory, const std::string& name);
  Status ExpandPattern(const std::string& text, std::vector<Item>& out);

  const Options options_;
  DfsClient& client_;
  bool has_failed_ = false;
  bool is_master_gone_ = false;
};

}  // namespace slipstream::dfs::cli
