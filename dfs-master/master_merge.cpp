// Master's merging of small blocks into larger ones.

#include <algorithm>
#include <set>
#include <utility>

#include "common/log/log.h"
#include "dfs-master/master.h"
#include "dfs-master/master_write.h"

namespace slipstream::dfs::master {
namespace {

// In whose name the id of a merged block is given.
std::string MergeWriter(InodeId file) {
  return "master:merge/" + std::to_string(file);
}

Status NotMerged(const std::string& why) {
  return FailedPrecondition(why);
}

}  // namespace

Status Master::MergeStep() {
  return Write("order_merge",
               [&](State& state, Transaction& txn, BlockChanges& changes, const Now& now) {
                 for (const MergePlanner::Merge& merge : state.merges.TakeOverdue(now)) {
                   changes.discarded.push_back(merge.id);
                   state.merge_finder.Rest(merge.run.file, now);
                   log_->warn("merge_overdue block={} inode={}", merge.id, merge.run.file);
                 }
                 if (!MayRepair(state, now) || state.restore.is_waiting()) return Status();
                 return OrderMerges(state, txn, now);
               });
}

Status Master::OrderMerges(State& state, Transaction& txn, const Now& now) {
  for (InodeId file : state.merges.files())
    state.ledger.Touch(MergeWriter(file), now);
  state.merge_finder.BeginStep(now);
  while (state.merges.HasRoom()) {
    ASSIGN_OR_RETURN(std::optional<MergeRun> run,
                     state.merge_finder.Next(state.merges.files(), now));
    if (!run.has_value()) break;
    ASSIGN_OR_RETURN(const std::optional<Inode> inode, state.tree.FindReachable(txn, run->file));
    std::optional<MergePlanner::Place> place;
    if (inode.has_value()) {
      place = state.merges.Choose(*run, std::max(inode->replication, options_.min_replicas));
    }
    // What nobody could take, or reach, is looked at again later.
    if (!place.has_value() || 1 + place->next.size() < options_.min_replicas) {
      state.merge_finder.Rest(run->file, now);
      continue;
    }
    ASSIGN_OR_RETURN(const BlockIdRange ids,
                     state.ledger.Allocate(txn, MergeWriter(run->file), 1, now));
    state.merges.Begin(ids.first, std::move(*run), std::move(*place), now);
  }
  return {};
}

std::optional<MergeOrder> Master::TakeMergeOrder(State& state, NodeNumber node, const Now& now) {
  const MergePlanner::Merge* merge = state.merges.TakeOrder(node, now);
  if (merge == nullptr) return std::nullopt;
  MergeOrder order{.block_id = merge->id, .sources = {}, .next = {}};
  for (const FileBlock& source : merge->run.blocks)
    order.sources.push_back(state.locator.LocateBlock(source));
  for (NodeNumber next : merge->place.next)
    order.next.push_back(state.locator.AddressOf(next));
  return order;
}

Result<FileBlock> Master::CheckMerged(const State& state,
                                      const MergePlanner::Merge& merge,
                                      const MergeReport& report) const {
  const Block& block = report.block;
  if (!report.failure.empty()) return NotMerged(report.failure);
  if (block.raw_bytes != merge.run.raw_bytes() || block.stored_bytes == 0 ||
      block.stored_bytes > kBlockStoredBytesMax) {
    return NotMerged("made " + std::to_string(block.raw_bytes) + " bytes, " +
                     std::to_string(block.stored_bytes) + " stored, of " +
                     std::to_string(merge.run.raw_bytes()));
  }
  if (state.ledger.IsCollected(block.id)) return NotMerged("its id is collected");
  std::set<NodeNumber> holders;
  for (const std::string& node_id : report.holder_node_ids) {
    const Node* node = state.nodes.FindById(node_id);
    if (node != nullptr) holders.insert(node->number);
  }
  if (holders.size() < options_.min_replicas || holders.size() > kReplicationMax) {
    return NotMerged("it is on " + std::to_string(holders.size()) + " nodes");
  }
  return FileBlock{
      .block = block, .replication = 0, .first_holders = {holders.begin(), holders.end()}};
}

Result<bool> Master::FinishMerge(std::string_view node_id,
                                 uint64_t session,
                                 const MergeReport& report) {
  const BlockId id = report.block.id;
  return Write(
      "merge",
      [&](State& state, Transaction& txn, BlockChanges& changes, const Now& now) -> Result<bool> {
        ASSIGN_OR_RETURN(Node * node, state.nodes.Authenticate(node_id, session));
        if (state.is_safe_by_hand) return Unavailable("safe mode, entered by hand");
        // Told before, and the answer was lost.
        if (state.blocks.Contains(id)) return true;
        const std::optional<MergePlanner::Merge> merge = state.merges.End(id, node->number);
        if (!merge.has_value()) return false;
        const MergeRun& run = merge->run;
        Result<FileBlock> merged = CheckMerged(state, *merge, report);
        bool is_taken = false;
        if (merged.ok()) {
          ASSIGN_OR_RETURN(is_taken, state.files.Merge(txn, run, std::move(*merged), changes));
        }
        if (!is_taken) changes.discarded.push_back(id);
        // What failed once may fail again; what only changed meanwhile is looked at anew.
        if (merged.ok()) {
          state.merge_finder.LookAgain(run.file, run.offset_bytes);
        } else {
          state.merge_finder.Rest(run.file, now);
        }
        log_->info(
            "blocks_merged block={} inode={} sources={} raw_bytes={} taken={} "
            "error={}",
            id,
            run.file,
            run.blocks.size(),
            run.raw_bytes(),
            is_taken,
            log::Quoted(merged.status().message()));
        return is_taken;
      });
}

}  // namespace slipstream::dfs::master
