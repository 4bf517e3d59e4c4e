#include "gateway/webhdfs/file_sinks.h"

#include <algorithm>
#include <utility>

namespace slipstream::gateway::webhdfs {
namespace {

constexpr uint64_t kBlockBytesMax = 64ULL << 20;
constexpr int kOpenAttemptsMax = 5;
constexpr size_t kUploadsMax = 1;            // blocks on their way, beside the one being filled
constexpr uint64_t kBaseBytes = 1ULL << 20;  // buffers of compressor and socket

http::Response ExceptionResponse(const Status& status, const std::string& path) {
  return ExceptionFor(status, path).ToResponse();
}

}  // namespace

uint64_t UploadMemoryFor(const std::optional<uint64_t>& body_bytes) {
  constexpr uint64_t kMost = (kUploadsMax + 1) * kBlockBytesMax;
  return std::min(body_bytes.value_or(kMost), kMost) + kBaseBytes;
}

dfs::FileWriter& CreateSink::writer() {
  if (writer_ == nullptr) {
    dfs::FileWriter::Options options = options_;
    options.uploads_max = kUploadsMax;
    writer_ = call_.client->CreateFile(call_.path, options);
  }
  return *writer_;
}

std::optional<http::Response> CreateSink::Write(std::string_view bytes) {
  const Status written = writer().Write(bytes);
  if (written.ok()) return std::nullopt;
  return ExceptionResponse(written, call_.path);
}

http::Response CreateSink::Finish() {
  const Status closed = writer().Close();
  if (closed.code() == Code::kFailedPrecondition) {
    return ParentNotDirectory(closed.message()).ToResponse();
  }
  if (!closed.ok()) return ExceptionResponse(closed, call_.path);
  return {.code = 201,
          .headers = {{"Location",
                       (call_.is_over_tls ? "swebhdfs://" : "webhdfs://") + call_.authority +
                           http::EncodePath(call_.path)}}};
}

Status AppendSink::Open() {
  if (appender_ != nullptr) return {};
  // Somebody else's append that ended this instant is no reason to fail: then it is our turn.
  for (int attempt = 1;; ++attempt) {
    auto opened = call_.client->AppendFile(call_.path, {.uploads_max = kUploadsMax});
    if (opened.ok()) appender_ = std::move(*opened);
    if (opened.status().code() != Code::kAborted || attempt == kOpenAttemptsMax) {
      return opened.status();
    }
  }
}

std::optional<http::Response> AppendSink::Write(std::string_view bytes) {
  if (Status opened = Open(); !opened.ok()) {
    // Somebody else has the file, or changed it this instant.
    if (opened.code() == Code::kFailedPrecondition || opened.code() == Code::kAborted) {
      return AlreadyBeingCreated(opened.message()).ToResponse();
    }
    return ExceptionResponse(opened, call_.path);
  }
  const Status written = appender_->Write(bytes);
  if (written.ok()) return std::nullopt;
  return ExceptionResponse(written, call_.path);
}

http::Response AppendSink::Finish() {
  if (appender_ == nullptr) return {};  // nothing was sent
  const Status closed = appender_->Close();
  if (!closed.ok()) return ExceptionResponse(closed, call_.path);
  return {};
}

}  // namespace slipstream::gateway::webhdfs
