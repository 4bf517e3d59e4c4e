#include "processor/batch/batch_output.h"

#include <cerrno>
#include <cstdio>
#include <utility>

#include "common/check/check.h"
#include "dfs-client/random_id.h"
#include "processor/connectors/partition_commits.h"
#include "processor/connectors/sink_location.h"

namespace slipstream::processor {
namespace {

constexpr int kCompressionLevel = 3;
constexpr uint64_t kOnlyEpoch = 1;

}  // namespace

BatchOutput::BatchOutput(std::vector<runtime::PrintSinkSpec> prints,
                         std::unique_ptr<BatchTopics> topics,
                         const Clock& clock)
    : prints_(std::move(prints)),
      topics_(std::move(topics)),
      clock_(clock),
      id_(dfs::NewRandomId()),
      namer_(0, 0, 0, id_, 0),
      compressor_(kCompressionLevel) {}

BatchOutput::~BatchOutput() = default;

Result<std::unique_ptr<BatchOutput>> BatchOutput::Create(
    const std::string& name,
    const std::vector<runtime::FileSinkSpec>& files,
    std::vector<runtime::PrintSinkSpec> prints,
    std::unique_ptr<BatchTopics> topics,
    FileSystems& file_systems,
    const Clock& clock) {
  std::unique_ptr<BatchOutput> output(new BatchOutput(std::move(prints), std::move(topics), clock));
  RETURN_IF_ERROR(output->AddFileSinks(name, files, file_systems));
  return output;
}

Status BatchOutput::AddFileSinks(const std::string& name,
                                 const std::vector<runtime::FileSinkSpec>& files,
                                 FileSystems& file_systems) {
  runtime::DfsFiles::Options dfs_options{.owner = name + "/" + id_ + "/batch", .targets = {}};
  runtime::LocalFiles::Options local_options;
  for (size_t sink = 0; sink < files.size(); ++sink) {
    ASSIGN_OR_RETURN(runtime::SinkLocation location, runtime::ParseSinkLocation(files[sink].path));
    runtime::FileSinkTarget target{.folder = location.folder, .spec = files[sink]};
    targets_.push_back(target);
    if (!location.is_dfs) {
      local_options.targets.emplace_back(sink, std::move(target));
      continue;
    }
    dfs::DfsClient& store = file_systems.At(location.authority);
    if (store_ != nullptr && store_ != &store) {
      return Unimplemented("one batch cannot write to two file systems: " + files[sink].path);
    }
    store_ = &store;
    dfs_options.targets.emplace_back(sink, std::move(target));
  }
  if (store_ != nullptr) {
    dfs_files_ = std::make_unique<runtime::DfsFiles>(
        std::move(dfs_options), compressor_, namer_, std::vector<runtime::OpenFile>());
  }
  local_files_ = std::make_unique<runtime::LocalFiles>(
      std::move(local_options), namer_, std::vector<runtime::OpenFile>());
  return {};
}

void BatchOutput::ToKafka(size_t sink, const runtime::OutputRecord& record) {
  if (failure_.ok()) failure_ = topics_->Send(sink, record);
}

void BatchOutput::ToFile(size_t sink,
                         std::string_view partition_path,
                         std::string_view rows,
                         uint64_t) {
  if (!failure_.ok()) return;
  if (!targets_[sink].spec.success_file.empty()) partitions_[sink].emplace(partition_path);
  bool is_dfs = dfs_files_ != nullptr && dfs_files_->has_sink(sink);
  failure_ = is_dfs ? dfs_files_->Append(sink, partition_path, rows, NowMs())
                    : local_files_->Append(sink, partition_path, rows, NowMs());
}

// A batch is one task: its plan is not cut.
void BatchOutput::ToExchange(size_t, uint64_t, std::string_view) {}

void BatchOutput::ToPrint(size_t sink, std::string_view line) {
  std::printf("%s%.*s\n", prints_[sink].prefix.c_str(), static_cast<int>(line.size()), line.data());
}

void BatchOutput::ToDeadLetters(const runtime::InputRecord&, std::string_view) {
  SLIPSTREAM_CHECK(false, "a batch reports its bad rows itself");
}

void BatchOutput::ToLateRows(size_t, const runtime::InputRecord&, std::string_view) {
  SLIPSTREAM_CHECK(false, "no row of a batch is late");
}

Status BatchOutput::CommitDfs() {
  ASSIGN_OR_RETURN(dfs::AppenderState appender, store_->AcquireAppender(dfs_files_->owner()));
  dfs_files_->EndEpoch(NowMs(), true);
  if (!dfs_files_->has_epoch()) return {};
  runtime::DfsFiles* const all[] = {dfs_files_.get()};
  RETURN_IF_ERROR(runtime::DfsFiles::WriteEpochs(*store_, all));
  dfs::AppenderEpoch epoch{.owner = dfs_files_->owner(),
                           .incarnation = appender.incarnation,
                           .epoch = kOnlyEpoch,
                           .committed = {},
                           .files = dfs_files_->MakeEpoch()};
  for (std::string& marker : Markers(true))
    epoch.files.push_back({.target = std::move(marker), .close = true, .replace = true});
  // There is no other commit point, so preparing and committing are one write.
  return store_->Prepare({&epoch, 1}, true).status();
}

Status BatchOutput::Flush() {
  RETURN_IF_ERROR(failure_);
  if (std::fflush(stdout) != 0) return ErrnoStatus(errno, "print");
  return topics_ == nullptr ? Status() : topics_->Flush();
}

std::vector<std::string> BatchOutput::Markers(bool is_dfs) const {
  std::vector<std::string> markers;
  for (const auto& [sink, folders] : partitions_) {
    if ((dfs_files_ != nullptr && dfs_files_->has_sink(sink)) != is_dfs) continue;
    for (const std::string& folder : folders)
      markers.push_back(targets_[sink].folder + folder + targets_[sink].spec.success_file);
  }
  return markers;
}

Status BatchOutput::Commit() {
  RETURN_IF_ERROR(Flush());
  RETURN_IF_ERROR(local_files_->Flush(NowMs(), true));
  for (const std::string& marker : Markers(false))
    RETURN_IF_ERROR(runtime::WriteSuccessFile(marker));
  return dfs_files_ == nullptr ? Status() : CommitDfs();
}

}  // namespace slipstream::processor
