#include "dfs-client/cli/uploader.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <set>

#include <fmt/format.h>

#include "dfs-client/cli/destination.h"
#include "dfs-client/cli/local_file.h"
#include "dfs-client/cli/session.h"
#include "dfs-client/path.h"

namespace slipstream::dfs::cli {
namespace {

namespace fs = std::filesystem;

// Files of up to this size go in batches: the bytes take less time than the calls around them.
constexpr uint64_t kSmallBytes = 256ULL << 10;
// Of a batch. Several are under way at a time, each with its bytes in memory.
constexpr size_t kBatchFilesMax = 500;
constexpr uint64_t kBatchBytesMax = 16ULL << 20;

// The bytes of a regular file of up to kSmallBytes; kOutOfRange: it has become larger.
Result<std::string> ReadSmall(const std::string& local) {
  ASSIGN_OR_RETURN(auto file, OutgoingFile::Open(local));
  std::string content;
  while (true) {
    ASSIGN_OR_RETURN(const std::string_view bytes, file->Read());
    if (bytes.empty()) return content;
    if (content.size() + bytes.size() > kSmallBytes) {
      return Status(Code::kOutOfRange, local + ": no small file any more");
    }
    content += bytes;
  }
}

bool HaveOnePlaceEach(const std::vector<NewFile>& files) {
  std::set<std::string_view> places;
  return std::all_of(files.begin(), files.end(), [&](const NewFile& file) {
    return places.insert(file.path).second;
  });
}

}  // namespace

Place Place::Child(const std::string& name) const {
  return {.path = JoinPath(path, name), .shown = ChildShown(shown, name)};
}

Uploader::Uploader(Session& session, const PutOptions& options)
    : session_(session), options_(options), pool_(session, options.threads) {}

void Uploader::Copy(const std::string& local, const Place& place) {
  // Names on this machine may be what no name there can be.
  if (auto path = NormalizePath(place.path); !path.ok()) {
    Fail(place.shown, path.status());
    return;
  }
  std::error_code error;
  if (local != "-" && fs::is_directory(local, error)) {
    CopyDirectory(local, place);
  } else {
    CopyFile(local, place);
  }
}

void Uploader::Fail(const std::string& shown, const Status& status) {
  FlushBatch();
  pool_.AddFailure(shown, status);
}

void Uploader::Finish() {
  FlushBatch();
  pool_.Finish();
  // Those below first: what is done to a directory must come after all that changes it.
  for (auto directory = directories_.rbegin(); directory != directories_.rend(); ++directory) {
    const auto& [local, path] = *directory;
    if (options_.preserves) {
      const Status status = Preserve(local, path);
      if (!status.ok()) session_.Fail(local, status);
    }
    // What could not be copied is still there, and keeps its directory.
    std::error_code error;
    if (options_.moves && !session_.has_failed()) fs::remove(local, error);
    if (error) session_.Fail(fmt::format("remove `{}': {}", local, error.message()));
  }
}

void Uploader::CopyDirectory(const std::string& local, const Place& place) {
  auto existing = session_.client().Stat(place.path);
  if (existing.ok() && options_.moves) {
    Fail(place.shown, AlreadyExists(""));
    return;
  }
  if (existing.ok() && existing->kind == FileKind::kFile) {
    Fail("", FailedPrecondition(fmt::format("`{}': Is not a directory", place.shown)));
    return;
  }
  const Status made = session_.client().MakeDirectory(place.path, true).status();
  if (!made.ok()) {
    Fail(place.shown, made);
    return;
  }
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator entry(local, error), end; !error && entry != end;
       entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error) {
    Fail("", FailedPrecondition(fmt::format("{} ({})", local, error.message())));
    return;
  }
  directories_.emplace_back(local, place.path);
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    if (session_.is_master_gone()) return;
    Copy(ChildShown(local, name), place.Child(name));
  }
}

void Uploader::CopyFile(const std::string& local, const Place& place) {
  std::error_code error;
  const bool is_regular = local != "-" && fs::is_regular_file(local, error);
  const uint64_t size = is_regular ? fs::file_size(local, error) : 0;
  pool_.progress().Expect(place.shown, error ? 0 : size);
  Upload upload{.local = local, .place = place};
  if (!is_regular || error || size > kSmallBytes) {
    FlushBatch();
    pool_.Add([this, upload = std::move(upload)] { return PutOne(upload); });
    return;
  }
  if (batch_.size() == kBatchFilesMax || batch_bytes_ + size > kBatchBytesMax) FlushBatch();
  batch_.push_back(std::move(upload));
  batch_bytes_ += size;
}

void Uploader::FlushBatch() {
  if (batch_.empty()) return;
  batch_bytes_ = 0;
  pool_.Add([this, uploads = std::exchange(batch_, {})] { return PutBatch(uploads); });
}

CopyFailures Uploader::PutBatch(std::span<const Upload> uploads) {
  if (uploads.size() > 1) {
    const Status status = PutTogether(uploads);
    // Without a master, or without datanodes, each of them would fail as slowly.
    if (IsMasterGone(status)) return FailureOf(uploads.front().place.shown, status);
    if (status.ok()) {
      CopyFailures failures;
      for (const Upload& upload : uploads)
        std::ranges::move(Conclude(upload), std::back_inserter(failures));
      return failures;
    }
  }
  CopyFailures failures;
  for (const Upload& upload : uploads) {
    for (CopyFailure& failure : PutOne(upload)) {
      failures.push_back(std::move(failure));
      if (IsMasterGone(failures.back().status)) return failures;
    }
  }
  return failures;
}

Status Uploader::PutTogether(std::span<const Upload> uploads) {
  std::vector<std::string> contents;
  contents.reserve(uploads.size());
  uint64_t bytes = 0;
  for (const Upload& upload : uploads) {
    ASSIGN_OR_RETURN(std::string content, ReadSmall(upload.local));
    bytes += content.size();
    contents.push_back(std::move(content));
  }
  std::vector<NewFile> files;
  files.reserve(uploads.size());
  for (size_t i = 0; i < uploads.size(); ++i)
    files.push_back({.path = uploads[i].place.path, .content = contents[i]});
  // The later of two replaces the earlier, or fails: one after the other, then.
  if (!HaveOnePlaceEach(files)) return FailedPrecondition("two files for one place");
  RETURN_IF_ERROR(session_.client().PutFiles(files,
                                             {.replace = options_.replaces,
                                              .compression_level = options_.level,
                                              .replication = options_.replication}));
  pool_.progress().Add(bytes);
  return {};
}

CopyFailures Uploader::PutOne(const Upload& upload) {
  const auto& [local, place] = upload;
  auto file = OutgoingFile::Open(local);
  if (!file.ok()) {
    const bool is_missing = file.status().code() == Code::kNotFound;
    return FailureOf(is_missing ? local : "", file.status());
  }
  // Before the bytes go anywhere; what happens meanwhile shows when the file is closed.
  auto existing = session_.client().Stat(place.path);
  if (existing.ok() && (existing->kind == FileKind::kDirectory || !options_.replaces)) {
    return FailureOf(place.shown, AlreadyExists(""));
  }
  if (!existing.ok() && existing.status().code() != Code::kNotFound) {
    return FailureOf(place.shown, existing.status());
  }
  if (const Status status = Send(**file, upload); !status.ok()) {
    return FailureOf(place.shown, status);
  }
  return Conclude(upload);
}

Status Uploader::Send(OutgoingFile& file, const Upload& upload) {
  auto writer = session_.client().CreateFile(upload.place.path,
                                             {.replace = options_.replaces,
                                              .compression_level = options_.level,
                                              .replication = options_.replication});
  while (true) {
    ASSIGN_OR_RETURN(std::string_view bytes, file.Read());
    if (bytes.empty()) break;
    RETURN_IF_ERROR(writer->Write(bytes));
    pool_.progress().Add(bytes.size());
  }
  return writer->Close();
}

CopyFailures Uploader::Conclude(const Upload& upload) {
  const auto& [local, place] = upload;
  if (local == "-") return {};
  if (options_.preserves) {
    const Status status = Preserve(local, place.path);
    if (!status.ok()) return FailureOf(place.shown, status);
  }
  if (options_.moves && std::remove(local.c_str()) != 0) {
    return FailureOf("", FailedPrecondition(fmt::format("remove `{}': Input/output error", local)));
  }
  return {};
}

Status Uploader::Preserve(const std::string& local, const std::string& path) {
  ASSIGN_OR_RETURN(const AttributeChange change, LocalAttributes(local));
  return session_.client().SetAttributes(path, change).status();
}

}  // namespace slipstream::dfs::cli
