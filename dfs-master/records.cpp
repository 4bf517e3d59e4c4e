#include "dfs-master/records.h"

#include "dfs-master/codec.h"

namespace slipstream::dfs::master {
namespace {

constexpr uint64_t kRecordVersion = 3;
// Still read. 2: inodes that do not know how often they were cut. 1: also inodes without a time of
// access, blocks that are whole, shares without a replication of their own and without charges.
constexpr uint64_t kRecordVersionOldest = 1;
// Owners hold no NUL (CheckOwner), so that it ends them in keys.
constexpr char kOwnerEnd = '\0';

// The version every record begins with.
Result<uint64_t> GetVersion(Decoder& in, std::string_view what) {
  uint64_t version = in.Number();
  if (version >= kRecordVersionOldest && version <= kRecordVersion) return version;
  return DataLoss(std::string(what) + ": unknown record version=" + std::to_string(version));
}

void Put(Encoder& out, const EpochPair& pair) {
  out.Number(pair.epoch);
  out.Number(pair.incarnation);
}

EpochPair GetPair(Decoder& in) {
  EpochPair pair;
  pair.epoch = in.Number();
  pair.incarnation = in.Number();
  return pair;
}

void Put(Encoder& out, const Attributes& attributes) {
  out.String(attributes.owner);
  out.String(attributes.group);
  out.Number(attributes.mode);
}

Attributes GetAttributes(Decoder& in) {
  Attributes attributes;
  attributes.owner = in.String();
  attributes.group = in.String();
  attributes.mode = in.Number32();
  return attributes;
}

void Put(Encoder& out, const Usage& usage) {
  out.Signed(usage.names);
  out.Signed(usage.space_bytes);
}

Usage GetUsage(Decoder& in) {
  Usage usage;
  usage.names = in.Signed();
  usage.space_bytes = in.Signed();
  return usage;
}

void Put(Encoder& out, const FileBlock& entry) {
  out.Number(entry.block.id);
  out.Number(entry.block.raw_bytes);
  out.Number(entry.block.stored_bytes);
  out.Number(entry.block.crc32c);
  out.Number(entry.cut_bytes);
  out.Number(entry.replication);
  out.Number(entry.first_holders.size());
  for (NodeNumber node : entry.first_holders)
    out.Number(node);
}

FileBlock GetFileBlock(Decoder& in, uint64_t version) {
  FileBlock entry;
  entry.block.id = in.Number();
  entry.block.raw_bytes = in.Number32();
  entry.block.stored_bytes = in.Number32();
  entry.block.crc32c = in.Number32();
  if (version >= 2) entry.cut_bytes = in.Number32();
  entry.replication = in.Number32();
  entry.first_holders.resize(in.Count());
  for (NodeNumber& node : entry.first_holders)
    node = static_cast<NodeNumber>(in.Number());
  return entry;
}

void Put(Encoder& out, const PreparedShare& share) {
  out.Number(static_cast<uint64_t>(share.kind));
  out.Number(share.inode);
  out.Number(share.parent);
  out.String(share.name);
  out.Number(share.expected_length_bytes);
  out.Number(share.blocks.size());
  for (const FileBlock& block : share.blocks)
    Put(out, block);
  out.Number(share.is_closing ? 1 : 0);
  out.Number(share.is_replacing ? 1 : 0);
  Put(out, share.attributes);
  out.Number(share.replication);
  out.Number(share.charged.size());
  for (InodeId directory : share.charged)
    out.Number(directory);
  Put(out, share.usage);
}

PreparedShare GetShare(Decoder& in, uint64_t version) {
  PreparedShare share;
  share.kind = static_cast<PreparedShare::Kind>(in.Number());
  share.inode = in.Number();
  share.parent = in.Number();
  share.name = in.String();
  share.expected_length_bytes = in.Number();
  share.blocks.resize(in.Count());
  for (FileBlock& block : share.blocks)
    block = GetFileBlock(in, version);
  share.is_closing = in.Number() != 0;
  share.is_replacing = in.Number() != 0;
  share.attributes = GetAttributes(in);
  if (version < 2) return share;
  share.replication = in.Number32();
  share.charged.resize(in.Count());
  for (InodeId& directory : share.charged)
    directory = in.Number();
  share.usage = GetUsage(in);
  return share;
}

}  // namespace

std::string Encode(const Inode& inode) {
  Encoder out;
  out.Number(kRecordVersion);
  out.Number(inode.id);
  out.Number(static_cast<uint64_t>(inode.kind));
  out.Number(inode.length_bytes);
  out.Number(inode.stored_bytes);
  out.Number(inode.block_count);
  out.Number(inode.replication);
  out.Signed(inode.modified_at_ms);
  Put(out, inode.attributes);
  out.String(inode.writer);
  out.String(inode.claimant);
  out.Number(inode.claims);
  out.Number(inode.child_count);
  out.Signed(inode.accessed_at_ms);
  out.Number(inode.truncation_count);
  return out.Take();
}

Status Decode(std::string_view bytes, Inode& inode) {
  Decoder in(bytes);
  ASSIGN_OR_RETURN(const uint64_t version, GetVersion(in, "inode"));
  inode.id = in.Number();
  uint64_t kind = in.Number();
  inode.kind = static_cast<FileKind>(kind);
  inode.length_bytes = in.Number();
  inode.stored_bytes = in.Number();
  inode.block_count = in.Number32();
  inode.replication = in.Number32();
  inode.modified_at_ms = in.Signed();
  inode.attributes = GetAttributes(in);
  inode.writer = in.String();
  inode.claimant = in.String();
  inode.claims = in.Number32();
  inode.child_count = in.Number();
  inode.accessed_at_ms = version >= 2 ? in.Signed() : 0;
  inode.truncation_count = version >= 3 ? in.Number() : 0;
  RETURN_IF_ERROR(in.Finish("inode"));
  if (inode.id == kNoInode || kind < 1 || kind > 2) return DataLoss("inode: impossible id or kind");
  return {};
}

std::string Encode(const FileBlock& block) {
  Encoder out;
  out.Number(kRecordVersion);
  Put(out, block);
  return out.Take();
}

Status Decode(std::string_view bytes, FileBlock& block) {
  Decoder in(bytes);
  ASSIGN_OR_RETURN(const uint64_t version, GetVersion(in, "file block"));
  block = GetFileBlock(in, version);
  RETURN_IF_ERROR(in.Finish("file block"));
  if (block.cut_bytes >= block.block.raw_bytes)
    return DataLoss("file block: nothing is left of it");
  return {};
}

std::string Encode(const Appender& appender) {
  Encoder out;
  out.Number(kRecordVersion);
  out.Number(appender.incarnation);
  Put(out, appender.committed);
  out.Number(appender.candidates.size());
  for (const Appender::Candidate& candidate : appender.candidates) {
    Put(out, candidate.pair);
    out.Signed(candidate.prepared_at_ms);
  }
  out.Number(appender.committed_content_hash);
  out.Number(appender.committed_inodes.size());
  for (InodeId inode : appender.committed_inodes)
    out.Number(inode);
  out.Number(appender.committed_lost_files.size());
  for (uint32_t index : appender.committed_lost_files)
    out.Number(index);
  out.Number(appender.is_self_committing ? 1 : 0);
  out.Signed(appender.touched_at_ms);
  return out.Take();
}

Status Decode(std::string_view bytes, Appender& appender) {
  Decoder in(bytes);
  RETURN_IF_ERROR(GetVersion(in, "appender").status());
  appender.incarnation = in.Number();
  appender.committed = GetPair(in);
  appender.candidates.resize(in.Count());
  for (Appender::Candidate& candidate : appender.candidates) {
    candidate.pair = GetPair(in);
    candidate.prepared_at_ms = in.Signed();
  }
  appender.committed_content_hash = in.Number();
  appender.committed_inodes.resize(in.Count());
  for (InodeId& inode : appender.committed_inodes)
    inode = in.Number();
  appender.committed_lost_files.resize(in.Count());
  for (uint32_t& index : appender.committed_lost_files)
    index = in.Number32();
  appender.is_self_committing = in.Number() != 0;
  appender.touched_at_ms = in.Signed();
  return in.Finish("appender");
}

std::string Encode(const Candidate& candidate) {
  Encoder out;
  out.Number(kRecordVersion);
  Put(out, candidate.base);
  out.Number(candidate.content_hash);
  out.Number(candidate.shares.size());
  for (const PreparedShare& share : candidate.shares)
    Put(out, share);
  return out.Take();
}

Status Decode(std::string_view bytes, Candidate& candidate) {
  Decoder in(bytes);
  ASSIGN_OR_RETURN(const uint64_t version, GetVersion(in, "candidate"));
  candidate.base = GetPair(in);
  candidate.content_hash = in.Number();
  candidate.shares.resize(in.Count());
  for (PreparedShare& share : candidate.shares)
    share = GetShare(in, version);
  RETURN_IF_ERROR(in.Finish("candidate"));
  for (const PreparedShare& share : candidate.shares) {
    if (share.kind < PreparedShare::Kind::kExisting || share.kind > PreparedShare::Kind::kLost) {
      return DataLoss("candidate: unknown kind of share");
    }
  }
  return {};
}

std::string Encode(const Totals& totals) {
  Encoder out;
  out.Number(kRecordVersion);
  out.Number(totals.files);
  out.Number(totals.directories);
  out.Number(totals.blocks);
  out.Number(totals.raw_bytes);
  out.Number(totals.stored_bytes);
  return out.Take();
}

Status Decode(std::string_view bytes, Totals& totals) {
  Decoder in(bytes);
  RETURN_IF_ERROR(GetVersion(in, "totals").status());
  totals.files = in.Number();
  totals.directories = in.Number();
  totals.blocks = in.Number();
  totals.raw_bytes = in.Number();
  totals.stored_bytes = in.Number();
  return in.Finish("totals");
}

std::string Encode(const Quota& quota) {
  Encoder out;
  out.Number(kRecordVersion);
  out.Number(quota.names_max);
  out.Number(quota.space_max_bytes);
  Put(out, quota.used);
  Put(out, quota.promised);
  out.Number(quota.is_counting ? 1 : 0);
  return out.Take();
}

Status Decode(std::string_view bytes, Quota& quota) {
  Decoder in(bytes);
  RETURN_IF_ERROR(GetVersion(in, "quota").status());
  quota.names_max = in.Number();
  quota.space_max_bytes = in.Number();
  quota.used = GetUsage(in);
  quota.promised = GetUsage(in);
  quota.is_counting = in.Number() != 0;
  return in.Finish("quota");
}

std::string Encode(const FileStatus& status) {
  Encoder out;
  out.Number(kRecordVersion);
  out.String(status.name);
  out.Number(status.id);
  out.Number(static_cast<uint64_t>(status.kind));
  out.Number(status.length_bytes);
  out.Number(status.stored_bytes);
  out.Number(status.block_count);
  out.Number(status.replication);
  out.Signed(status.modified_at_ms);
  out.Signed(status.accessed_at_ms);
  Put(out, Attributes{.owner = status.owner, .group = status.group, .mode = status.mode});
  out.String(status.writer);
  out.Number(status.child_count);
  out.Number(status.quota.has_value() ? 1 : 0);
  if (!status.quota.has_value()) return out.Take();
  out.Number(status.quota->names_max);
  out.Number(status.quota->space_max_bytes);
  Put(out, status.quota->used);
  out.Number(status.quota->is_counting ? 1 : 0);
  return out.Take();
}

Status Decode(std::string_view bytes, FileStatus& status) {
  Decoder in(bytes);
  RETURN_IF_ERROR(GetVersion(in, "answer").status());
  status.name = in.String();
  status.id = in.Number();
  status.kind = in.Number() == static_cast<uint64_t>(FileKind::kFile) ? FileKind::kFile
                                                                      : FileKind::kDirectory;
  status.length_bytes = in.Number();
  status.stored_bytes = in.Number();
  status.block_count = in.Number32();
  status.replication = in.Number32();
  status.modified_at_ms = in.Signed();
  status.accessed_at_ms = in.Signed();
  Attributes attributes = GetAttributes(in);
  status.owner = std::move(attributes.owner);
  status.group = std::move(attributes.group);
  status.mode = attributes.mode;
  status.writer = in.String();
  status.child_count = in.Number();
  if (in.Number() == 0) return in.Finish("answer");
  status.quota.emplace();
  status.quota->names_max = in.Number();
  status.quota->space_max_bytes = in.Number();
  status.quota->used = GetUsage(in);
  status.quota->is_counting = in.Number() != 0;
  return in.Finish("answer");
}

std::string ChildKey(InodeId parent, std::string_view name) {
  std::string key = BigEndian(parent);
  key.append(name);
  return key;
}

std::string ChildrenEnd(InodeId parent) {
  return BigEndian(parent + 1);
}

std::string FileBlockKey(InodeId inode, uint64_t offset_bytes) {
  std::string key = BigEndian(inode);
  AppendBigEndian(key, offset_bytes);
  return key;
}

std::string CandidateKey(std::string_view owner, EpochPair pair) {
  std::string key(owner);
  key.push_back(kOwnerEnd);
  AppendBigEndian(key, pair.epoch);
  AppendBigEndian(key, pair.incarnation);
  return key;
}

std::string OpenFileKey(std::string_view owner, InodeId inode) {
  std::string key(owner);
  key.push_back(kOwnerEnd);
  AppendBigEndian(key, inode);
  return key;
}

std::string OpenFilesEnd(std::string_view owner) {
  std::string key(owner);
  key.push_back(kOwnerEnd + 1);
  return key;
}

}  // namespace slipstream::dfs::master
