#include "processor/engine/folder_feed.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "common/log/log.h"
#include "processor/engine/stable_hash.h"
#include "processor/engine/table_folder.h"

namespace slipstream::sql {
namespace {

// Files without records are passed over; so many, before others have their turn.
constexpr int kEmptyFilesMax = 64;
constexpr int64_t kRetryUs = 1'000'000;
constexpr size_t kSkipBytes = size_t{1} << 20;

bool IsAway(const Status& status) {
  return status.code() == Code::kUnavailable || status.code() == Code::kDeadlineExceeded;
}

}  // namespace

FolderFeed::FolderFeed(const FileTable& table,
                       const ScanLayout& layout,
                       PartitionFilter filter,
                       FileSource& files,
                       Share share)
    : table_(table),
      layout_(layout),
      filter_(std::move(filter)),
      files_(files),
      share_(share),
      log_(log::Get("processor.folder")) {}

FolderFeed::~FolderFeed() = default;

Result<FolderFeed::Records> FolderFeed::Next(int64_t now_us) {
  if (now_us < retry_us_) return Records();
  for (int i = 0; i < kEmptyFilesMax; ++i) {
    Status status = reader_ == nullptr ? OpenNext(now_us) : Status();
    if (status.ok() && reader_ == nullptr) {
      if (pending_.empty()) return Records{.is_caught_up = true};
      continue;
    }
    if (status.ok()) {
      Result<std::vector<std::string_view>> lines = lines_->Next();
      if (lines.ok() && !lines->empty()) return Given(*std::move(lines));
      Close();
      if (lines.ok()) {
        seen_.Finish();
      } else {
        // What is away is opened again where it was.
        status = IsAway(lines.status()) ? lines.status() : Lose(lines.status().message());
      }
    }
    if (IsAway(status)) {
      retry_us_ = now_us + kRetryUs;
      return Unavailable("table " + layout_.table().name + ": " + status.message());
    }
    RETURN_IF_ERROR(status);
  }
  return Records();
}

FolderFeed::Records FolderFeed::Given(std::vector<std::string_view> lines) {
  given_ = lines.size();
  return {
      .lines = std::move(lines), .first_number = seen_.record_count(), .path = current_.file.path};
}

void FolderFeed::Taken() {
  seen_.Take(std::exchange(given_, 0), skipped_bytes_ + lines_->given_bytes());
}

// ---- Which file ----

Status FolderFeed::OpenNext(int64_t now_us) {
  if (pending_.empty() && now_us >= next_look_us_) RETURN_IF_ERROR(Look(now_us));
  // By a task before this one, or by this one until it could not go on.
  if (seen_.reading()) return OpenBegun();
  if (pending_.empty()) return {};
  current_ = std::move(pending_.front());
  pending_.pop_front();
  Result<std::unique_ptr<FileReader>> opened = files_.Open(current_.file.path);
  if (opened.status().code() == Code::kNotFound) {
    log_->info("file_gone path={}", log::Quoted(current_.file.path));
    return {};
  }
  seen_.Begin(current_.file);
  if (!opened.ok()) {
    return IsAway(opened.status()) ? opened.status() : Lose(opened.status().message());
  }
  StartReading(*std::move(opened), 0);
  return {};
}

Status FolderFeed::Look(int64_t now_us) {
  Result<std::vector<SourceFile>> listed = ListTable(files_, table_);
  if (!listed.ok()) {
    // Whoever fills it may come later; and what is not there says nothing of what has gone.
    if (listed.status().code() == Code::kNotFound) return Unavailable(listed.status().message());
    return listed.status();
  }
  std::erase_if(*listed, [this](const SourceFile& file) {
    return StableHash(file.relative_path) % share_.of != share_.task;
  });
  seen_.Compare(*listed, now_us);
  for (SourceFile& file : *listed) {
    const bool is_begun = seen_.reading() && seen_.reading()->relative_path == file.relative_path;
    if (is_begun || (!file.is_open && !seen_.IsRead(file.relative_path))) {
      RETURN_IF_ERROR(AddPending(std::move(file)));
    }
  }
  std::sort(pending_.begin(), pending_.end(), [](const File& a, const File& b) {
    return std::tie(a.file.modified_us, a.file.relative_path) <
           std::tie(b.file.modified_us, b.file.relative_path);
  });
  next_look_us_ = now_us + table_.watch->interval_us;
  return {};
}

Status FolderFeed::AddPending(SourceFile file) {
  Result<std::vector<Value>> partition = PartitionValues(file, layout_);
  if (!partition.ok()) return partition.status().WithContext("table " + layout_.table().name);
  if (filter_.Wants(*partition)) {
    pending_.push_back({std::move(file), *std::move(partition)});
  } else {
    seen_.Skip(file.relative_path);  // no query of the job ever wants it
  }
  return {};
}

Status FolderFeed::OpenBegun() {
  const BegunFile begun = *seen_.reading();
  const auto found = std::find_if(pending_.begin(), pending_.end(), [&](const File& file) {
    return file.file.relative_path == begun.relative_path;
  });
  if (found != pending_.end()) {
    current_ = std::move(*found);
    pending_.erase(found);
  }
  const Status status = OpenAt(begun);
  if (status.ok() || IsAway(status)) return status;
  if (begun.taken_bytes > 0 || status.code() != Code::kNotFound) return Lose(status.message());
  seen_.GiveUp();
  return {};
}

Status FolderFeed::OpenAt(const BegunFile& begun) {
  if (current_.file.relative_path != begun.relative_path) {
    current_.file.path = begun.relative_path;
    return NotFound("it is no longer there");
  }
  if (current_.file.length < begun.length) return OutOfRange("it has been cut");
  ASSIGN_OR_RETURN(std::unique_ptr<FileReader> reader, files_.Open(current_.file.path));
  std::string chunk(kSkipBytes, '\0');
  for (uint64_t rest = begun.taken_bytes; rest > 0;) {
    const auto wanted = static_cast<size_t>(std::min<uint64_t>(rest, chunk.size()));
    ASSIGN_OR_RETURN(const size_t bytes, reader->Read(std::span(chunk).first(wanted)));
    if (bytes == 0) return OutOfRange("it has been cut");
    rest -= bytes;
  }
  StartReading(std::move(reader), begun.taken_bytes);
  return {};
}

void FolderFeed::StartReading(std::unique_ptr<FileReader> reader, uint64_t skipped_bytes) {
  reader_ = std::move(reader);
  lines_ = std::make_unique<LineReader>(*reader_, table_.format);
  skipped_bytes_ = skipped_bytes;
}

Status FolderFeed::Lose(const std::string& why) {
  const std::string message = "table " + layout_.table().name + ": file " + current_.file.path +
                              ", of which " + std::to_string(seen_.reading()->taken_bytes) +
                              " bytes have been read: " + why;
  if (!table_.watch->source.continue_on_data_loss) {
    return FailedPrecondition(message +
                              " (put it back as it was; or 'scan.on-data-loss' = 'continue' goes "
                              "on without the rest of it)");
  }
  log_->warn("records_lost {}", log::Quoted(message));
  seen_.Finish();
  return {};
}

void FolderFeed::Close() {
  lines_.reset();
  reader_.reset();
}

}  // namespace slipstream::sql
