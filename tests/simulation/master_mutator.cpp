#include "tests/simulation/master_mutator.h"

#include <limits>
#include <vector>

#include "proto/dfs_master.pb.h"

#include "common/check/check.h"

namespace slipstream::simulation {
namespace {

template <class Message>
Message Parse(const std::string& bytes) {
  Message message;
  SLIPSTREAM_CHECK(message.ParseFromString(bytes), "a message of our own");
  return message;
}

}  // namespace

Result<std::string> MasterMutator::Answer(std::string_view method,
                                          const std::string& request,
                                          const Dispatch& dispatch) {
  if (mutation_ == Mutation::kAcceptStaleWriter && method.ends_with("/AcquireAppender")) {
    Result<std::string> answer = dispatch(request);
    if (answer.ok()) {
      incarnations_[Parse<dfs::v1::AcquireAppenderRequest>(request).owner()] =
          Parse<dfs::v1::AcquireAppenderResponse>(*answer).incarnation();
    }
    return answer;
  }
  if (method.ends_with("/Prepare")) return Prepare(request, dispatch);
  if (method.ends_with("/Heartbeat")) return Heartbeat(request, dispatch);
  return dispatch(request);
}

Result<std::string> MasterMutator::Prepare(const std::string& request, const Dispatch& dispatch) {
  if (mutation_ == Mutation::kAcceptStaleWriter) {
    auto message = Parse<dfs::v1::PrepareRequest>(request);
    for (auto& appender : *message.mutable_appenders()) {
      auto newest = incarnations_.find(appender.owner());
      if (newest != incarnations_.end()) appender.set_incarnation(newest->second);
    }
    return dispatch(message.SerializeAsString());
  }
  Result<std::string> answer = dispatch(request);
  if (mutation_ == Mutation::kCollectPrepared && answer.ok()) {
    const auto message = Parse<dfs::v1::PrepareRequest>(request);
    for (const auto& appender : message.appenders()) {
      if (message.commit()) break;
      for (const auto& file : appender.files()) {
        for (const auto& block : file.blocks()) {
          for (const std::string& node_id : block.holder_node_ids())
            prepared_on_[node_id].insert(block.block().block_id());
        }
      }
    }
  }
  return answer;
}

Result<std::string> MasterMutator::Heartbeat(const std::string& request, const Dispatch& dispatch) {
  Result<std::string> answer = dispatch(request);
  const bool adds_deletes =
      mutation_ == Mutation::kCollectPrepared || mutation_ == Mutation::kDeleteTooEarly;
  if (!adds_deletes || !answer.ok()) return answer;
  auto response = Parse<dfs::v1::HeartbeatResponse>(*answer);
  std::vector<uint64_t> deletes;
  if (mutation_ == Mutation::kCollectPrepared) {
    auto& blocks = prepared_on_[Parse<dfs::v1::HeartbeatRequest>(request).node_id()];
    deletes.assign(blocks.begin(), blocks.end());
    blocks.clear();
  } else {
    for (const auto& command : response.commands()) {
      if (command.has_copy()) deletes.push_back(command.copy().block().block_id());
    }
  }
  for (const uint64_t block_id : deletes)
    response.add_commands()->mutable_delete_()->set_block_id(block_id);
  return response.SerializeAsString();
}

void MasterMutator::Falsify(dfs::v1::ReportBlocksRequest& chunk) const {
  if (mutation_ != Mutation::kTrustOldReport) return;
  chunk.set_sequence(std::numeric_limits<uint64_t>::max());
}

}  // namespace slipstream::simulation
