#include "dfs-client/block_writer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/failpoint/failpoint.h"
#include "common/rpc/retry.h"
#include "dfs-client/notices.h"
#include "dfs-client/suspect_nodes.h"
#include "dfs-client/worker_pool.h"

namespace slipstream::dfs {
namespace {

using std::chrono::milliseconds;

// How many batches of one call are on their way at a time.
constexpr size_t kStreamsMax = 4;
// A stream that takes longer than this, and longer than its bytes at this rate, is given up.
constexpr milliseconds kStreamTimeout{20'000};
constexpr uint64_t kBytesPerMillisecondMin = 2'048;
// Data that arrives damaged so often is damaged on this side.
constexpr int kDamagedAttemptsMax = 5;

milliseconds StreamTimeout(uint64_t stored_bytes) {
  return kStreamTimeout + milliseconds(stored_bytes / kBytesPerMillisecondMin);
}

uint64_t StoredBytes(std::span<const block::EncodedBlock* const> blocks) {
  uint64_t bytes = 0;
  for (const block::EncodedBlock* encoded : blocks)
    bytes += encoded->stored_bytes();
  return bytes;
}

// Whether another attempt, under new ids and on other nodes, may end better.
bool IsWorthAnother(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
    case Code::kFailedPrecondition:
    case Code::kUnimplemented:
    case Code::kPermissionDenied:
    case Code::kUnauthenticated:
      return false;
    default:
      return true;
  }
}

}  // namespace

std::vector<std::span<const block::EncodedBlock* const>> CutBatches(
    std::span<const block::EncodedBlock* const> blocks) {
  std::vector<std::span<const block::EncodedBlock* const>> batches;
  size_t begin = 0;
  uint64_t bytes = 0;
  for (size_t i = 0; i < blocks.size(); ++i) {
    bytes += blocks[i]->stored_bytes();
    const size_t count = i + 1 - begin;
    if (bytes < BlockWriter::kBatchBytesMin && count < BlockWriter::kBatchBlocksMax) continue;
    batches.push_back(blocks.subspan(begin, count));
    begin = i + 1;
    bytes = 0;
  }
  if (begin < blocks.size()) batches.push_back(blocks.subspan(begin));
  return batches;
}

std::vector<std::string> NodesToBlame(std::span<const NodeAddress> chain, const Status& status) {
  // From the end: the first node's address may stand in a message about the second.
  for (size_t i = chain.size(); i-- > 0;) {
    if (status.message().find(chain[i].node_id) != std::string::npos ||
        status.message().find(chain[i].address) != std::string::npos) {
      return {chain[i].node_id};
    }
  }
  if (status.code() != Code::kDeadlineExceeded) return {chain.front().node_id};
  std::vector<std::string> all;
  for (const NodeAddress& node : chain)
    all.push_back(node.node_id);
  return all;
}

BlockWriter::BlockWriter(Options options,
                         MasterClient& master,
                         NodeClient& nodes,
                         SuspectNodes& suspects,
                         WorkerPool& pool,
                         Notices& notices)
    : options_(std::move(options)),
      master_(master),
      nodes_(nodes),
      suspects_(suspects),
      pool_(pool),
      notices_(notices) {}

Result<std::vector<DurableBlock>> BlockWriter::Write(
    const std::string& writer, std::span<const block::EncodedBlock* const> blocks) {
  std::vector<DurableBlock> durable(blocks.size());
  const std::vector<Batch> batches = CutBatches(blocks);
  std::vector<Status> outcomes(batches.size());
  pool_.ForEach(batches.size(), kStreamsMax, [&](size_t i) {
    const auto begin = static_cast<size_t>(batches[i].data() - blocks.data());
    outcomes[i] =
        WriteBatch(writer, batches[i], std::span(durable).subspan(begin, batches[i].size()));
  });
  for (const Status& outcome : outcomes)
    RETURN_IF_ERROR(outcome);
  return durable;
}

Status BlockWriter::WriteBatch(const std::string& writer,
                               Batch batch,
                               std::span<DurableBlock> durable) {
  int damaged = 0;
  Status last;
  Status status = rpc::Retry(
      {.timeout = options_.timeout,
       .attempt_timeout_max = options_.timeout,  // an attempt has bounds of its own
       .seed = options_.seed,
       .stop = options_.stop,
       .on_retry = [&](const Status&) { notices_.Say("writing blocks: " + last.message()); },
       .clock = options_.clock,
       .sleeper = options_.sleeper},
      [&](milliseconds) -> Status {
        last = Attempt(writer, batch, durable);
        if (last.ok() || !IsWorthAnother(last.code())) return last;
        if (last.code() == Code::kDataLoss && ++damaged == kDamagedAttemptsMax) return last;
        return Unavailable(last.message());
      });
  return status.WithContext(fmt::format("write {} blocks", batch.size()));
}

Result<MasterClient::Allocation> BlockWriter::Allocate(MasterClient::AllocationRequest request) {
  while (true) {
    auto allocation = master_.AllocateBlocksOnce(request);
    if (allocation.ok() || allocation.status().code() != Code::kUnavailable ||
        request.exclude_node_ids.empty()) {
      return allocation;
    }
    // There are not enough others: those that failed first may be back, the last is surely not.
    request.exclude_node_ids.resize(request.exclude_node_ids.size() / 2);
  }
}

std::optional<MasterClient::Allocation> BlockWriter::TakeSpare(
    std::span<const std::string> suspects, SteadyTime now) {
  auto is_suspect = [&](const NodeAddress& node) {
    return std::find(suspects.begin(), suspects.end(), node.node_id) != suspects.end();
  };
  MutexLock lock(mutex_);
  while (!spares_.empty()) {
    Spare& spare = spares_.back();
    const auto& nodes = spare.allocation.nodes;
    if (now >= spare.use_before) {
      spares_.clear();  // those below are older
      ahead_ = 0;
    } else if (std::any_of(nodes.begin(), nodes.end(), is_suspect)) {
      spares_.pop_back();
    } else {
      MasterClient::Allocation taken = spare.allocation;
      ++spare.allocation.first_block_id;
      if (--spare.left == 0) {
        spares_.pop_back();
        ahead_ = std::min(kAheadMax, 2 * ahead_ + 1);
      }
      return taken;
    }
  }
  return std::nullopt;
}

Result<MasterClient::Allocation> BlockWriter::AllocateSmall(
    MasterClient::AllocationRequest request) {
  const SteadyTime now = options_.clock->Now();
  if (auto spare = TakeSpare(request.exclude_node_ids, now)) return *std::move(spare);
  uint32_t ahead = 0;
  {
    MutexLock lock(mutex_);
    ahead_ = now < many_until_ ? std::max(ahead_, 1U) : 0;
    ahead = ahead_;
  }
  request.count += ahead;
  request.stored_bytes *= request.count;
  ASSIGN_OR_RETURN(MasterClient::Allocation allocation, Allocate(std::move(request)));
  if (ahead == 0) return allocation;
  Spare spare{.allocation = allocation, .left = ahead, .use_before = now + kAheadTime};
  ++spare.allocation.first_block_id;
  MutexLock lock(mutex_);
  if (spares_.size() < kSparesMax) spares_.push_back(std::move(spare));
  return allocation;
}

Status BlockWriter::Attempt(const std::string& writer,
                            Batch batch,
                            std::span<DurableBlock> durable) {
  SLIPSTREAM_FAILPOINT("dfs_client.before_allocate");
  const bool is_small = batch.size() == 1 && batch.front()->stored_bytes() <= kSmallBytesMax;
  MasterClient::AllocationRequest request{
      .writer = writer,
      .count = static_cast<uint32_t>(batch.size()),
      .stored_bytes = StoredBytes(batch),
      .exclude_node_ids = suspects_.List(options_.clock->Now())};
  auto allocation = is_small ? AllocateSmall(std::move(request)) : Allocate(std::move(request));
  RETURN_IF_ERROR(allocation.status());

  std::vector<NodeClient::OutgoingBlock> outgoing;
  outgoing.reserve(batch.size());
  for (size_t i = 0; i < batch.size(); ++i) {
    outgoing.push_back({.block = {.block_id = allocation->first_block_id + i,
                                  .raw_bytes = batch[i]->raw_bytes,
                                  .stored_bytes = batch[i]->stored_bytes(),
                                  .crc32c = batch[i]->crc32c},
                        .encoded = batch[i]});
  }
  const std::vector<NodeAddress>& chain = allocation->nodes;
  SLIPSTREAM_FAILPOINT("dfs_client.before_send");
  Status status =
      nodes_.WriteBlocks(chain, allocation->grant, outgoing, StreamTimeout(StoredBytes(batch)));
  SLIPSTREAM_FAILPOINT("dfs_client.after_send");
  if (!status.ok()) {
    Blame(chain, status);
    return status.WithContext(
        fmt::format("datanode {} ({})", chain.front().address, chain.front().node_id));
  }

  std::vector<std::string> holders;
  for (const NodeAddress& node : chain) {
    suspects_.Remove(node.node_id);
    holders.push_back(node.node_id);
  }
  for (size_t i = 0; i < batch.size(); ++i)
    durable[i] = {.block = outgoing[i].block, .holder_node_ids = holders};
  if (is_small) {
    MutexLock lock(mutex_);
    many_until_ = options_.clock->Now() + kAheadTime;
  }
  return {};
}

void BlockWriter::Blame(std::span<const NodeAddress> chain, const Status& status) {
  // An id that is taken is nobody's fault; new ids come with the next attempt.
  if (status.code() == Code::kAlreadyExists || status.code() == Code::kCancelled) return;
  const SteadyTime now = options_.clock->Now();
  for (const std::string& node_id : NodesToBlame(chain, status))
    suspects_.Add(node_id, now);
}

}  // namespace slipstream::dfs
