#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "dfs-client/dfs_client.h"
#include "gateway/http/message.h"
#include "gateway/webhdfs/call.h"

// Where uploads go. Both begin with the first bytes that come, so that an upload which waits for
// its turn holds nothing; both have closed the file when Finish() answers; and of a body that was
// broken off neither leaves anything: nothing is visible before that close, and the writer's blocks
// are collected by the master. An append that breaks off gives the file free at once.

namespace slipstream::gateway::webhdfs {

// What an upload of so many bytes (nothing: unknown) holds at most: a block being filled and one on
// its way, both compressed, of at most 64 MiB each where the data does not compress.
uint64_t UploadMemoryFor(const std::optional<uint64_t>& body_bytes);

class CreateSink final : public http::BodySink {
 public:
  CreateSink(Call call, dfs::FileWriter::Options options)
      : call_(std::move(call)), options_(options) {}

  std::optional<http::Response> Write(std::string_view bytes) override;
  http::Response Finish() override;

 private:
  dfs::FileWriter& writer();

  const Call call_;  // before the writer, which borrows its client
  const dfs::FileWriter::Options options_;
  std::unique_ptr<dfs::FileWriter> writer_;
};

class AppendSink final : public http::BodySink {
 public:
  explicit AppendSink(Call call) : call_(std::move(call)) {}

  std::optional<http::Response> Write(std::string_view bytes) override;
  http::Response Finish() override;

 private:
  Status Open();

  const Call call_;
  std::unique_ptr<dfs::FileAppender> appender_;
};

}  // namespace slipstream::gateway::webhdfs
