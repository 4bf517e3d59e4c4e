#include "dfs-client/block_pipeline.h"

#include <algorithm>
#include <utility>

#include "dfs-client/block_writer.h"
#include "dfs-client/worker_pool.h"

namespace slipstream::dfs {

BlockPipeline::BlockPipeline(const Options& options, const Parts& parts, std::string writer)
    : options_(options),
      parts_(parts),
      writer_(std::move(writer)),
      compressor_(options.compression_level),
      encoder_(compressor_) {}

BlockPipeline::~BlockPipeline() {
  for (Pending& upload : uploads_)
    upload.wait();
}

void BlockPipeline::StartUpload() {
  uploads_.push_back(
      parts_.pool.Submit([this, encoded = encoder_.Finish()] { return Upload(encoded); }));
}

Result<std::vector<DurableBlock>> BlockPipeline::Upload(const block::EncodedBlock& encoded) {
  const block::EncodedBlock* blocks[] = {&encoded};
  return parts_.blocks.Write(writer_, blocks);
}

Status BlockPipeline::FinishUpload() {
  Result<std::vector<DurableBlock>> uploaded = uploads_.front().get();
  uploads_.pop_front();
  RETURN_IF_ERROR(uploaded.status());
  durable_.insert(durable_.end(), uploaded->begin(), uploaded->end());
  return {};
}

Status BlockPipeline::Write(std::string_view raw) {
  while (!raw.empty() && error_.ok()) {
    const auto taken = static_cast<size_t>(std::min<uint64_t>(raw.size(), encoder_.room_bytes()));
    error_ = encoder_.Append(raw.substr(0, taken));
    if (!error_.ok()) break;
    raw.remove_prefix(taken);
    written_bytes_ += taken;
    if (encoder_.room_bytes() > 0) continue;
    if (uploads_.size() == options_.uploads_max) error_ = FinishUpload();
    if (error_.ok()) StartUpload();
  }
  return error_;
}

Result<std::vector<DurableBlock>> BlockPipeline::Drain() {
  // The last one is the caller's own work: there is nothing else for him to do meanwhile.
  Result<std::vector<DurableBlock>> last = std::vector<DurableBlock>();
  if (error_.ok() && !encoder_.empty()) last = Upload(encoder_.Finish());
  while (error_.ok() && !uploads_.empty())
    error_ = FinishUpload();
  if (error_.ok()) error_ = last.status();
  RETURN_IF_ERROR(error_);
  durable_.insert(durable_.end(), last->begin(), last->end());
  return std::exchange(durable_, {});
}

}  // namespace slipstream::dfs
