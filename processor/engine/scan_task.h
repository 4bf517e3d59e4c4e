#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "processor/engine/folder_feed.h"
#include "processor/engine/source_rows.h"
#include "processor/engine/sql_task.h"

namespace slipstream::sql {

// ScanTask: a task of stage 0: a partition of a topic, from records on, for every table of the job
// that the topic is read as; or one of the tasks that share a watched folder. Each table has a
// watermark of its own; where there are several, what each is at is part of the task's state.
class ScanTask final : public SqlTask {
 public:
  // `readers`: one for each table of the group, in their order. `feed`: where its records come
  // from if they are in no topic; then Pull is called in place of Process.
  ScanTask(const CompiledJob& job,
           size_t group,
           std::vector<std::unique_ptr<SourceRows>> readers,
           std::unique_ptr<FolderFeed> feed,
           std::string topic,
           int32_t partition);

  Status Process(std::span<const runtime::InputRecord> records,
                 const std::shared_ptr<const void>& buffer,
                 runtime::TaskOutput& out) override;
  // Records of files have their file's path as key, and are numbered over all files of the task.
  Result<Pulled> Pull(runtime::TaskOutput& out) override;
  Status Advance(runtime::EventTimeUs watermark, runtime::TaskOutput& out) override;
  Status ProcessExchanged(size_t exchange,
                          std::span<const std::string_view> rows,
                          runtime::TaskOutput& out) override;
  Status AdvanceExchange(size_t exchange,
                         runtime::EventTimeUs watermark,
                         runtime::TaskOutput& out) override;
  // The least of its tables that have one.
  runtime::EventTimeUs watermark() const override;
  void RestoreWatermark(runtime::EventTimeUs watermark) override;
  void RestoreExchangeWatermark(size_t exchange, runtime::EventTimeUs watermark) override;
  Status SaveChanges(runtime::StateWriter& writer) override;
  Status Restore(std::string_view key, std::string_view value) override;

 private:
  // One table's way from records to rows.
  struct Reading {
    const CompiledSource& source;
    std::unique_ptr<SourceRows> rows;
    std::vector<OperatorGraph::Target> scans;
    runtime::EventTimeUs watermark = runtime::kNoWatermark;
    runtime::EventTimeUs saved = runtime::kNoWatermark;  // the watermark that was saved last
  };

  Status ProcessSlice(Reading& reading, size_t first, size_t count);
  // Gives the rows on and raises the watermark behind them, or, with on-event watermarks, after
  // each row that raises it.
  Status PushRows(Reading& reading, SourceRows::Rows rows);
  Status Raise(Reading& reading, runtime::EventTimeUs watermark);
  // Columns that are not in the records: of folders' names, and of Kafka.
  void FillColumns(const Reading& reading,
                   const std::vector<uint32_t>& origins,
                   size_t first,
                   Batch& batch) const;

  std::vector<Reading> readings_;
  const std::unique_ptr<FolderFeed> feed_;  // null: of a topic
  const std::string topic_;
  const int32_t partition_;
  RowPlaces places_;  // of the call at hand, if the job asks for it
};

}  // namespace slipstream::sql
