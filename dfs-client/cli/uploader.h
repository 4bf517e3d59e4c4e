#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/status/status.h"
#include "dfs-client/cli/copy_pool.h"

namespace slipstream::dfs::cli {

class OutgoingFile;
class Session;

struct PutOptions {
  bool replaces = false;
  bool preserves = false;  // times, owner, group and mode
  bool moves = false;      // what was copied is deleted here
  size_t threads = CopyPool::kThreadsDefault;
  int level = 3;             // zstd's
  uint32_t replication = 0;  // 0: the master's default
};

// A place in the file system, and how it is shown.
struct Place {
  std::string path;
  std::string shown;

  Place Child(const std::string& name) const;
};

// Uploader: copies local files and trees to places in the file system.
//
// Small files  go in batches, many in one step of the master's. A batch in which one of them is
//              refused is taken apart, and its files copied one by one, so that the others are
//              there and each failure is told by itself.
// Order        failures are told in the order of the files, whatever is copied beside them.
// Threads      not thread-safe; copies run in threads of its own.
class Uploader final {
 public:
  Uploader(Session& session, const PutOptions& options);

  // `local`: a path, or "-" for standard input.
  void Copy(const std::string& local, const Place& place);
  // What is given to Copy() and cannot be copied, in its turn.
  void Fail(const std::string& shown, const Status& status);
  // Returns when everything is copied, or has failed and been reported.
  void Finish();

 private:
  // A local file and where it goes.
  struct Upload {
    std::string local;
    Place place;
  };

  void CopyDirectory(const std::string& local, const Place& place);
  void CopyFile(const std::string& local, const Place& place);
  void FlushBatch();

  // Run by the pool.
  CopyFailures PutBatch(std::span<const Upload> uploads);
  // The batch in one step; whatever comes of it, nothing of it is visible after an error.
  Status PutTogether(std::span<const Upload> uploads);
  CopyFailures PutOne(const Upload& upload);
  Status Send(OutgoingFile& file, const Upload& upload);
  // What is done with a local file once it is there.
  CopyFailures Conclude(const Upload& upload);
  Status Preserve(const std::string& local, const std::string& path);

  Session& session_;
  const PutOptions options_;
  std::vector<std::pair<std::string, std::string>> directories_;  // local, remote
  std::vector<Upload> batch_;
  uint64_t batch_bytes_ = 0;
  CopyPool pool_;  // last: its copies use the above
};

}  // namespace slipstream::dfs::cli
