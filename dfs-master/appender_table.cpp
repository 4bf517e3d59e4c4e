#include "dfs-master/appender_table.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"
#include "dfs-master/codec.h"
#include "dfs-master/path.h"

namespace slipstream::dfs::master {
namespace {

constexpr size_t kHoldersMax = 16;
// Candidates of one owner: one for each attempt since the last commit. More means that a writer
// prepares and never commits.
constexpr size_t kCandidatesMax = 1'000;

// What an epoch's content is told by when its Prepare is sent again. Who holds the blocks is left
// out: a repair may change that.
uint64_t ContentHash(const std::vector<FileAppend>& files) {
  Encoder content;
  for (const FileAppend& file : files) {
    content.Number(file.inode);
    content.String(file.new_path);
    content.Number(file.expected_length_bytes);
    content.Number((file.is_closing ? 1U : 0U) | (file.is_replacing ? 2U : 0U) |
                   (uint64_t{file.replication} << 2U));
    content.Number(file.blocks.size());
    for (const PreparedBlock& prepared : file.blocks) {
      content.Number(prepared.block.id);
      content.Number(prepared.block.raw_bytes);
      content.Number(prepared.block.stored_bytes);
      content.Number(prepared.block.crc32c);
    }
  }
  return HashContent(content.bytes());
}

PrepareResult::Appender AnswerFor(const Candidate& candidate) {
  PrepareResult::Appender answer;
  for (uint32_t i = 0; i < candidate.shares.size(); ++i) {
    answer.inodes.push_back(candidate.shares[i].inode);
    if (candidate.shares[i].kind == PreparedShare::Kind::kLost) answer.lost_files.push_back(i);
  }
  return answer;
}

std::string Context(std::string_view verb, std::string_view owner) {
  return std::string(verb) + " owner=" + log::Quoted(owner);
}

bool Stands(const Appender& appender, EpochPair pair) {
  return std::any_of(appender.candidates.begin(),
                     appender.candidates.end(),
                     [&](const Appender::Candidate& candidate) { return candidate.pair == pair; });
}

Status ContradictsCommitted(EpochPair pair, EpochPair committed, std::string_view why) {
  return FailedPrecondition("pair=" + pair.ToString() + " committed=" + committed.ToString() +
                            " (epoch/incarnation): " + std::string(why));
}

void DiscardBlocks(const PreparedShare& share, BlockChanges& changes) {
  for (const FileBlock& entry : share.blocks)
    changes.discarded.push_back(entry.block.id);
}

}  // namespace

AppenderTable::AppenderTable(const Options& options,
                             NamespaceTree& tree,
                             IdAllocator& incarnations,
                             Seams seams)
    : options_(options), incarnations_(incarnations), seams_(std::move(seams)), binder_(tree) {}

Result<std::optional<Appender>> AppenderTable::Load(const Transaction& txn,
                                                    std::string_view owner) const {
  return txn.Load<Appender>(Table::kAppenders, owner);
}

void AppenderTable::Store(Transaction& txn,
                          std::string_view owner,
                          Appender& appender,
                          const Now& now) const {
  appender.touched_at_ms = now.wall_ms();
  txn.Put(Table::kAppenders, std::string(owner), Encode(appender));
}

Result<Candidate> AppenderTable::LoadCandidate(const Transaction& txn,
                                               std::string_view owner,
                                               EpochPair pair) const {
  ASSIGN_OR_RETURN(std::optional<Candidate> candidate,
                   txn.Load<Candidate>(Table::kPrepared, CandidateKey(owner, pair)));
  if (!candidate.has_value()) return DataLoss("candidate pair=" + pair.ToString() + " is missing");
  return std::move(*candidate);
}

Result<AcquireResult> AppenderTable::Acquire(Transaction& txn,
                                             std::string_view owner,
                                             const Now& now) {
  RETURN_IF_ERROR(CheckOwner(owner));
  ASSIGN_OR_RETURN(std::optional<Appender> existing, Load(txn, owner));
  Appender appender = std::move(existing).value_or(Appender{});
  ASSIGN_OR_RETURN(appender.incarnation, incarnations_.Allocate(txn, 1));
  Store(txn, owner, appender, now);

  AcquireResult result{
      .incarnation = appender.incarnation, .committed = appender.committed, .prepared = {}};
  for (const auto& candidate : appender.candidates)
    result.prepared.push_back(candidate.pair);
  return result;
}

Result<PrepareResult> AppenderTable::Prepare(Transaction& txn,
                                             std::span<const EpochAppend> epochs,
                                             bool commit,
                                             const Caller& caller,
                                             const Now& now,
                                             BlockChanges& changes) {
  PrepareResult result;
  SeenBlocks seen;
  for (const EpochAppend& epoch : epochs) {
    RETURN_IF_ERROR(CheckOwner(epoch.owner));
    Result<PrepareResult::Appender> prepared =
        PrepareOne(txn, epoch, commit, caller, now, seen, changes);
    if (!prepared.ok()) return prepared.status().WithContext(Context("prepare", epoch.owner));
    result.appenders.push_back(std::move(*prepared));
  }
  return result;
}

Result<PrepareResult::Appender> AppenderTable::PrepareOne(Transaction& txn,
                                                          const EpochAppend& epoch,
                                                          bool commit,
                                                          const Caller& caller,
                                                          const Now& now,
                                                          SeenBlocks& seen,
                                                          BlockChanges& changes) {
  std::vector<InodeId> dropped;  // nobody asked for them here: CarryOut has told the log
  RETURN_IF_ERROR(CommitOne(txn, epoch.owner, epoch.committed, now, dropped, changes));
  ASSIGN_OR_RETURN(std::optional<Appender> appender, Load(txn, epoch.owner));
  if (!appender.has_value()) return Aborted("no such appender; acquire it first");
  RETURN_IF_ERROR(CheckFencing(epoch, *appender));

  const uint64_t content_hash = ContentHash(epoch.files);
  const bool is_committed = appender->committed == epoch.pair();
  if (is_committed && appender->committed_content_hash == content_hash) {
    return PrepareResult::Appender{.inodes = appender->committed_inodes,
                                   .lost_files = appender->committed_lost_files};
  }
  if (is_committed) {
    return ContradictsCommitted(epoch.pair(), appender->committed, "committed with other content");
  }
  if (epoch.epoch <= appender->committed.epoch) {
    return Aborted("epoch passed: pair=" + epoch.pair().ToString() +
                   " committed=" + appender->committed.ToString());
  }
  PrepareResult::Appender answer;
  if (Stands(*appender, epoch.pair())) {
    ASSIGN_OR_RETURN(Candidate standing, LoadCandidate(txn, epoch.owner, epoch.pair()));
    if (standing.content_hash != content_hash) {
      return ContradictsCommitted(
          epoch.pair(), appender->committed, "already prepared with other content");
    }
    answer = AnswerFor(standing);
  } else {
    if (appender->candidates.size() >= kCandidatesMax) {
      return ResourceExhausted("too many candidates stand");
    }
    ASSIGN_OR_RETURN(Candidate candidate, BindAll(txn, epoch, caller, now, seen, changes));
    candidate.base = appender->committed;
    candidate.content_hash = content_hash;
    appender->is_self_committing = commit;
    if (commit) {
      RETURN_IF_ERROR(CommitCandidate(
          txn, epoch.owner, epoch.pair(), candidate, *appender, now, dropped, changes));
      return AnswerFor(candidate);
    }
    txn.Put(Table::kPrepared, CandidateKey(epoch.owner, epoch.pair()), Encode(candidate));
    appender->candidates.push_back({.pair = epoch.pair(), .prepared_at_ms = now.wall_ms()});
    Store(txn, epoch.owner, *appender, now);
    answer = AnswerFor(candidate);
  }
  if (commit) RETURN_IF_ERROR(CommitOne(txn, epoch.owner, epoch.pair(), now, dropped, changes));
  return answer;
}

Status AppenderTable::CheckFencing(const EpochAppend& epoch, const Appender& appender) const {
  if (epoch.epoch == 0 || epoch.incarnation == 0) {
    return InvalidArgument("epoch and incarnation begin at 1");
  }
  if (epoch.incarnation < appender.incarnation) {
    return Aborted("fenced: incarnation=" + std::to_string(epoch.incarnation) +
                   " newest=" + std::to_string(appender.incarnation));
  }
  if (epoch.incarnation > appender.incarnation && seams_.is_restored()) {
    return Aborted("incarnation=" + std::to_string(epoch.incarnation) +
                   " is not known to this master, which was restored from a copy");
  }
  if (epoch.incarnation > appender.incarnation) {
    return InvalidArgument("incarnation=" + std::to_string(epoch.incarnation) +
                           " was never given; newest=" + std::to_string(appender.incarnation));
  }
  return {};
}

Result<Candidate> AppenderTable::BindAll(Transaction& txn,
                                         const EpochAppend& epoch,
                                         const Caller& caller,
                                         const Now& now,
                                         SeenBlocks& seen,
                                         BlockChanges& changes) {
  Candidate candidate;
  ShareBinder::Epoch common{.caller = &caller};
  std::unordered_set<InodeId> inodes;
  std::unordered_set<std::string_view> paths;
  candidate.shares.reserve(epoch.files.size());
  for (const FileAppend& file : epoch.files) {
    if ((file.inode == kNoInode) == file.new_path.empty()) {
      return InvalidArgument("a share names an inode or a new path, and not both");
    }
    bool is_first = file.inode != kNoInode ? inodes.insert(file.inode).second
                                           : paths.insert(file.new_path).second;
    if (!is_first) return InvalidArgument("two shares of one epoch name the same file");
    ASSIGN_OR_RETURN(std::vector<FileBlock> blocks, CheckBlocks(file.blocks, seen));
    ASSIGN_OR_RETURN(PreparedShare share,
                     binder_.Bind(txn, epoch.owner, file, std::move(blocks), now, common));
    changes.prepared.insert(changes.prepared.end(), share.blocks.begin(), share.blocks.end());
    candidate.shares.push_back(std::move(share));
  }
  return candidate;
}

Result<std::vector<FileBlock>> AppenderTable::CheckBlocks(const std::vector<PreparedBlock>& blocks,
                                                          SeenBlocks& seen) const {
  std::vector<FileBlock> checked;
  checked.reserve(blocks.size());
  for (const PreparedBlock& prepared : blocks) {
    RETURN_IF_ERROR(CheckBlock(prepared));
    if (!seen.insert(prepared.block.id).second) {
      return InvalidArgument("block id=" + std::to_string(prepared.block.id) + " stands twice");
    }
    FileBlock entry{
        .block = prepared.block, .replication = options_.replication, .first_holders = {}};
    for (const std::string& node_id : prepared.holder_node_ids) {
      std::optional<NodeNumber> number = seams_.number_of_node(node_id);
      if (!number.has_value()) {
        return InvalidArgument("block id=" + std::to_string(prepared.block.id) +
                               ": no such datanode=" + log::Quoted(node_id));
      }
      entry.first_holders.push_back(*number);
    }
    checked.push_back(std::move(entry));
  }
  return checked;
}

Status AppenderTable::CheckBlock(const PreparedBlock& prepared) const {
  const Block& block = prepared.block;
  const std::string name = "block id=" + std::to_string(block.id);
  if (!seams_.is_allocated(block.id)) return InvalidArgument(name + " was never allocated");
  if (seams_.is_collected(block.id)) return Aborted(name + " was collected; write it anew");
  ASSIGN_OR_RETURN(const bool is_live, seams_.is_live(block.id));
  if (is_live) return InvalidArgument(name + " is in a file already");
  if (block.raw_bytes == 0 || block.raw_bytes > kBlockRawBytesMax || block.stored_bytes == 0 ||
      block.stored_bytes > kBlockStoredBytesMax) {
    return InvalidArgument(name + " has an impossible length");
  }
  const auto& holders = prepared.holder_node_ids;
  std::unordered_set<std::string_view> distinct(holders.begin(), holders.end());
  if (distinct.size() != holders.size() || holders.size() > kHoldersMax) {
    return InvalidArgument(name + ": a holder stands twice, or too many holders");
  }
  if (distinct.size() < options_.min_replicas) {
    return FailedPrecondition(name + " is on " + std::to_string(distinct.size()) +
                              " nodes, wants " + std::to_string(options_.min_replicas));
  }
  return {};
}

Result<std::vector<InodeId>> AppenderTable::Commit(Transaction& txn,
                                                   std::span<const EpochCommit> commits,
                                                   const Now& now,
                                                   BlockChanges& changes) {
  std::vector<InodeId> dropped;
  for (const EpochCommit& commit : commits) {
    RETURN_IF_ERROR(CheckOwner(commit.owner));
    Status status = CommitOne(txn, commit.owner, commit.pair, now, dropped, changes);
    if (!status.ok()) return status.WithContext(Context("commit", commit.owner));
  }
  return dropped;
}

Status AppenderTable::CommitOne(Transaction& txn,
                                std::string_view owner,
                                EpochPair pair,
                                const Now& now,
                                std::vector<InodeId>& dropped,
                                BlockChanges& changes) {
  if (pair.is_none()) return {};
  ASSIGN_OR_RETURN(std::optional<Appender> loaded, Load(txn, owner));
  Appender appender = std::move(loaded).value_or(Appender{});
  if (pair == appender.committed || pair.epoch < appender.committed.epoch) return {};
  if (pair.epoch == appender.committed.epoch) {
    return ContradictsCommitted(pair, appender.committed, "another attempt of it was committed");
  }
  if (!Stands(appender, pair)) {
    if (seams_.is_restored()) {
      seams_.on_ahead(owner, pair);
      return ContradictsCommitted(
          pair, appender.committed, "this master was restored from a copy that does not have it");
    }
    return ContradictsCommitted(pair, appender.committed, "no such candidate is prepared");
  }
  ASSIGN_OR_RETURN(Candidate candidate, LoadCandidate(txn, owner, pair));
  if (candidate.base != appender.committed) {
    return ContradictsCommitted(
        pair, appender.committed, "prepared on top of " + candidate.base.ToString());
  }
  txn.Delete(Table::kPrepared, CandidateKey(owner, pair));
  return CommitCandidate(txn, owner, pair, candidate, appender, now, dropped, changes);
}

Status AppenderTable::CommitCandidate(Transaction& txn,
                                      std::string_view owner,
                                      EpochPair pair,
                                      const Candidate& candidate,
                                      Appender& appender,
                                      const Now& now,
                                      std::vector<InodeId>& dropped,
                                      BlockChanges& changes) {
  RETURN_IF_ERROR(CarryOut(txn, owner, candidate, now, dropped, changes));
  std::vector<Appender::Candidate> rest;
  for (const Appender::Candidate& other : appender.candidates) {
    if (other.pair.epoch > pair.epoch) {
      rest.push_back(other);
    } else if (other.pair != pair) {
      RETURN_IF_ERROR(Discard(txn, owner, other.pair, changes));
    }
  }
  PrepareResult::Appender answer = AnswerFor(candidate);
  appender.committed = pair;
  appender.candidates = std::move(rest);
  appender.committed_content_hash = candidate.content_hash;
  appender.committed_inodes = std::move(answer.inodes);
  appender.committed_lost_files = std::move(answer.lost_files);
  Store(txn, owner, appender, now);
  return {};
}

Status AppenderTable::CarryOut(Transaction& txn,
                               std::string_view owner,
                               const Candidate& candidate,
                               const Now& now,
                               std::vector<InodeId>& dropped,
                               BlockChanges& changes) {
  ShareBinder::Epoch common;
  for (const PreparedShare& share : candidate.shares) {
    if (share.kind == PreparedShare::Kind::kLost) continue;
    ASSIGN_OR_RETURN(bool is_carried_out,
                     binder_.CarryOut(txn, owner, share, now, changes, common));
    if (!is_carried_out) {
      log::Get("dfs_master")
          ->warn("share_dropped owner={} inode={} parent={} name={} blocks={}",
                 log::Quoted(owner),
                 share.inode,
                 share.parent,
                 log::Quoted(share.name),
                 share.blocks.size());
      dropped.push_back(share.inode);
      DiscardBlocks(share, changes);
      continue;
    }
    for (const FileBlock& entry : share.blocks)
      changes.committed.push_back(entry.block.id);
  }
  return binder_.Finish(txn, common, now);
}

Status AppenderTable::Discard(Transaction& txn,
                              std::string_view owner,
                              EpochPair pair,
                              BlockChanges& changes) {
  ASSIGN_OR_RETURN(Candidate candidate, LoadCandidate(txn, owner, pair));
  for (const PreparedShare& share : candidate.shares) {
    RETURN_IF_ERROR(binder_.LetGo(txn, share));
    DiscardBlocks(share, changes);
  }
  txn.Delete(Table::kPrepared, CandidateKey(owner, pair));
  return {};
}

Result<AppenderTable::GivenUp> AppenderTable::Abort(Transaction& txn,
                                                    std::string_view owner,
                                                    const Now& now,
                                                    BlockChanges& changes) {
  RETURN_IF_ERROR(CheckOwner(owner));
  ASSIGN_OR_RETURN(std::optional<Appender> appender, Load(txn, owner));
  if (!appender.has_value()) return NotFound("no such appender: owner=" + log::Quoted(owner));
  GivenUp given_up{.candidates = static_cast<uint32_t>(appender->candidates.size())};
  for (const Appender::Candidate& candidate : appender->candidates) {
    RETURN_IF_ERROR(Discard(txn, owner, candidate.pair, changes));
  }
  appender->candidates.clear();

  std::vector<std::string> open_files;
  RETURN_IF_ERROR(txn.Scan(Table::kOpenFiles,
                           OpenFileKey(owner, 0),
                           OpenFilesEnd(owner),
                           [&](std::string_view key, std::string_view) {
                             open_files.emplace_back(key);
                             return true;
                           }));
  for (const std::string& key : open_files) {
    RETURN_IF_ERROR(binder_.Disown(txn, ReadBigEndian(key, key.size() - sizeof(InodeId))));
    txn.Delete(Table::kOpenFiles, key);
  }
  given_up.files = static_cast<uint32_t>(open_files.size());
  ASSIGN_OR_RETURN(appender->incarnation, incarnations_.Allocate(txn, 1));
  Store(txn, owner, *appender, now);
  return given_up;
}

Status AppenderTable::CheckNewest(const Transaction& txn,
                                  std::string_view owner,
                                  uint64_t incarnation) const {
  RETURN_IF_ERROR(CheckOwner(owner));
  ASSIGN_OR_RETURN(std::optional<Appender> appender, Load(txn, owner));
  if (!appender.has_value()) return Aborted("no such appender: owner=" + log::Quoted(owner));
  if (appender->incarnation == incarnation) return {};
  return Aborted("fenced or given up: owner=" + log::Quoted(owner) + " incarnation=" +
                 std::to_string(incarnation) + " newest=" + std::to_string(appender->incarnation));
}

Result<std::vector<AppenderStatus>> AppenderTable::List(const Transaction& txn,
                                                        std::string_view owner_prefix,
                                                        size_t limit) const {
  std::vector<AppenderStatus> statuses;
  Status damage;
  auto visit = [&](std::string_view owner, std::string_view value) {
    if (!owner.starts_with(owner_prefix) || statuses.size() == limit) return false;
    Appender appender;
    damage = Decode(value, appender);
    AppenderStatus status{.owner = std::string(owner),
                          .incarnation = appender.incarnation,
                          .committed = appender.committed,
                          .prepared = {}};
    for (const Appender::Candidate& candidate : appender.candidates) {
      status.prepared.push_back(candidate.pair);
      bool is_oldest =
          status.prepared_since_ms == 0 || candidate.prepared_at_ms < status.prepared_since_ms;
      if (is_oldest) status.prepared_since_ms = candidate.prepared_at_ms;
    }
    statuses.push_back(std::move(status));
    return damage.ok();
  };
  RETURN_IF_ERROR(txn.Scan(Table::kAppenders, owner_prefix, "", visit));
  RETURN_IF_ERROR(damage);
  for (AppenderStatus& status : statuses) {
    RETURN_IF_ERROR(txn.Scan(Table::kOpenFiles,
                             OpenFileKey(status.owner, 0),
                             OpenFilesEnd(status.owner),
                             [&](std::string_view, std::string_view) {
                               ++status.open_files;
                               return true;
                             }));
  }
  return statuses;
}

Result<std::string> AppenderTable::ForgetIdle(Transaction& txn,
                                              std::string_view start_after,
                                              int64_t idle_since_ms,
                                              size_t limit) const {
  std::vector<std::string> idle;
  std::string last;
  size_t visited = 0;
  Status damage;
  auto visit = [&](std::string_view owner, std::string_view value) {
    if (visited++ == limit) return false;
    last = owner;
    Appender appender;
    damage = Decode(value, appender);
    bool is_forgettable =
        (appender.is_self_committing || appender.committed.is_none()) && !seams_.has_lease(owner);
    if (is_forgettable && appender.candidates.empty() && appender.touched_at_ms < idle_since_ms) {
      idle.push_back(last);
    }
    return damage.ok();
  };
  std::string begin(start_after);
  begin.push_back('\0');
  RETURN_IF_ERROR(txn.Scan(Table::kAppenders, begin, "", visit));
  RETURN_IF_ERROR(damage);
  for (const std::string& owner : idle) {
    ASSIGN_OR_RETURN(bool has_open_files,
                     txn.HasAny(Table::kOpenFiles, OpenFileKey(owner, 0), OpenFilesEnd(owner)));
    if (!has_open_files) txn.Delete(Table::kAppenders, owner);
  }
  return visited > limit ? last : std::string();
}

}  // namespace slipstream::dfs::master
