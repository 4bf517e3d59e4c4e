#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/block/encoded_block.h"
#include "common/clock/clock.h"
#include "common/status/status.h"
#include "processor/batch/batch_topics.h"
#include "processor/batch/file_systems.h"
#include "processor/connectors/dfs_files.h"
#include "processor/connectors/local_files.h"
#include "processor/runtime/task_program.h"

namespace slipstream::processor {

// BatchOutput: where the results of a batch go. Files of the distributed file system become visible
// together, by one write at the master, when Commit is called; local files are visible as they grow
// and durable after Commit. A run that fails before leaves nothing in the distributed file system.
//
// Memory     what the batch writes to dfs, compressed, until Commit.
// Ownership  borrows the file systems and the clock.
// Threads    one at a time.
class BatchOutput final : public runtime::TaskOutput {
 public:
  // `topics`: the Kafka sinks; null if there are none. `name` (the job's) and a new id name the
  // writer at the master. Errors: kInvalidArgument (a path), kUnimplemented (sinks on several
  // masters).
  static Result<std::unique_ptr<BatchOutput>> Create(
      const std::string& name,
      const std::vector<runtime::FileSinkSpec>& files,
      std::vector<runtime::PrintSinkSpec> prints,
      std::unique_ptr<BatchTopics> topics,
      FileSystems& file_systems,
      const Clock& clock);
  ~BatchOutput() override;

  // Makes what was printed and sent so far visible. Errors: of ToKafka, and ToFile, too.
  Status Flush();
  // Makes everything durable and visible: topics, then files. Call once, after the last row; errors
  // of ToFile show here.
  Status Commit();

  void ToKafka(size_t sink, const runtime::OutputRecord& record) override;
  void ToFile(size_t sink,
              std::string_view partition_path,
              std::string_view rows,
              uint64_t row_count) override;
  void ToExchange(size_t exchange, uint64_t hash, std::string_view row) override;
  void ToPrint(size_t sink, std::string_view line) override;
  void ToDeadLetters(const runtime::InputRecord& record, std::string_view error) override;
  void ToLateRows(size_t source, const runtime::InputRecord& record, std::string_view why) override;

 private:
  BatchOutput(std::vector<runtime::PrintSinkSpec> prints,
              std::unique_ptr<BatchTopics> topics,
              const Clock& clock);

  Status AddFileSinks(const std::string& name,
                      const std::vector<runtime::FileSinkSpec>& files,
                      FileSystems& file_systems);
  Status CommitDfs();
  // The markers of the partitions that were written to dfs, or on this machine.
  std::vector<std::string> Markers(bool is_dfs) const;
  int64_t NowMs() const { return clock_.WallNow().time_since_epoch().count(); }

  const std::vector<runtime::PrintSinkSpec> prints_;
  const std::unique_ptr<BatchTopics> topics_;  // null: no Kafka sink
  const Clock& clock_;
  const std::string id_;
  runtime::FileNamer namer_;
  block::FrameCompressor compressor_;
  dfs::DfsClient* store_ = nullptr;
  std::unique_ptr<runtime::DfsFiles> dfs_files_;
  std::unique_ptr<runtime::LocalFiles> local_files_;
  // Folders with rows, of sinks with a success file: by sink, below its path.
  std::map<size_t, std::set<std::string>> partitions_;
  std::vector<runtime::FileSinkTarget> targets_;  // by file sink
  Status failure_;
};

}  // namespace slipstream::processor
