#include "dfs-datanode/replica_server.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <prometheus/counter.h>

#include "proto/dfs_datanode.pb.h"

#include "common/block/encoded_block.h"
#include "common/log/log.h"
#include "dfs-datanode/piece_checksums.h"
#include "dfs-datanode/proto_map.h"

namespace slipstream::datanode {
namespace {

using dfs::v1::ChecksumBlockRequest;
using dfs::v1::ChecksumBlockResponse;
using dfs::v1::ReadBlockRequest;
using dfs::v1::ReadBlockResponse;
using dfs::v1::ReadRangeResponse;

constexpr uint32_t kPieceBytesDefault = 512;
constexpr uint32_t kPieceBytesMin = 64;
constexpr uint32_t kPieceBytesMax = 1 << 20;

// The longest range that is read in one message: with the frames at its ends three MiB.
constexpr uint64_t kRangeBytesMax = uint64_t{1} << 20;

// So much of an answer goes in one message.
constexpr size_t kChecksumBytesPerMessage = 256 << 10;

Status CheckPieces(const ChecksumBlockRequest& request) {
  if (request.length_bytes() == 0) return InvalidArgument("length_bytes is 0");
  const bool is_default = request.piece_bytes() == 0;
  if (!is_default &&
      (request.piece_bytes() < kPieceBytesMin || request.piece_bytes() > kPieceBytesMax)) {
    return InvalidArgument(fmt::format("piece_bytes={}", request.piece_bytes()));
  }
  if (request.first_piece_bytes() > kPieceBytesMax) {
    return InvalidArgument(fmt::format("first_piece_bytes={}", request.first_piece_bytes()));
  }
  return {};
}

}  // namespace

// What a failed read says of the replica is checked over all of it, here and now: if it is bad, the
// store takes it out of the way and the master is told. A reader goes elsewhere either way.
Status ReplicaServer::Judge(block::BlockId block_id, const Status& status) {
  if (status.code() == Code::kDataLoss || status.code() == Code::kUnavailable) {
    (void)node_.store.Verify(block_id);
  }
  return status;
}

Status ReplicaServer::VisitFrames(const block::Identity& wanted,
                                  uint64_t offset,
                                  uint64_t length,
                                  const FrameVisitor& visit) {
  Result<ReplicaReader> reader = node_.store.Read(wanted.block_id);
  if (!reader.ok()) return Judge(wanted.block_id, reader.status());
  const block::BlockMeta& meta = reader->meta();
  if (meta.identity != wanted) {
    return Judge(
        wanted.block_id,
        DataLoss(fmt::format("block {} is {} here", ToString(wanted), ToString(meta.identity))));
  }
  ASSIGN_OR_RETURN(const block::FrameRange range, FramesCovering(meta, offset, length));
  std::string stored;
  uint64_t raw_offset = range.raw_offset;
  for (size_t i = range.begin; i < range.end; ++i) {
    if (Status status = reader->ReadFrame(i, stored); !status.ok()) {
      return Judge(wanted.block_id, status);
    }
    RETURN_IF_ERROR(visit(meta.frames[i], raw_offset, stored));
    raw_offset += meta.frames[i].raw_bytes;
    node_.metrics.frames_read.Increment();
    node_.metrics.bytes_read.Increment(meta.frames[i].stored_bytes);
  }
  return {};
}

Status ReplicaServer::CheckMayRead(const dfs::v1::Block& block, std::string_view token) const {
  if (node_.tokens == nullptr) return {};
  return node_.tokens->Check({.right = block::Right::kRead, .first = block.block_id()}, token);
}

Status ReplicaServer::Read(const ReadBlockRequest& request, const FrameSink& send) {
  RETURN_IF_ERROR(CheckMayRead(request.block(), request.token()));
  ReadBlockResponse response;
  const uint64_t end = request.length_bytes() == 0
                           ? request.block().raw_bytes()
                           : request.offset_bytes() + request.length_bytes();
  Status status =
      VisitFrames(FromProto(request.block()),
                  request.offset_bytes(),
                  request.length_bytes(),
                  [&](const block::Frame& frame, uint64_t raw_offset, std::string& stored) {
                    response.set_raw_offset_bytes(raw_offset);
                    *response.mutable_frame() = ToProto(frame);
                    // Lent: the reader fills the same memory again.
                    response.mutable_data()->swap(stored);
                    const bool is_last = raw_offset + frame.raw_bytes >= end;
                    const bool is_taken = send(response, is_last);
                    response.mutable_data()->swap(stored);
                    return is_taken ? Status() : Cancelled("the reader is gone");
                  });
  if (!status.ok()) node_.metrics.reads_failed.Increment();
  return status;
}

Status ReplicaServer::ReadRange(const ReadBlockRequest& request, ReadRangeResponse& response) {
  if (request.length_bytes() == 0 || request.length_bytes() > kRangeBytesMax) {
    return InvalidArgument(fmt::format("length_bytes={}", request.length_bytes()));
  }
  return Read(request, [&](const ReadBlockResponse& frame, bool) {
    *response.add_frames() = frame;
    return true;
  });
}

Status ReplicaServer::Checksum(const ChecksumBlockRequest& request, const ChecksumSink& send) {
  RETURN_IF_ERROR(CheckMayRead(request.block(), request.token()));
  RETURN_IF_ERROR(CheckPieces(request));
  const uint32_t piece_bytes =
      request.piece_bytes() == 0 ? kPieceBytesDefault : request.piece_bytes();
  PieceChecksums checksums({.first_piece_bytes = request.first_piece_bytes() == 0
                                                     ? piece_bytes
                                                     : request.first_piece_bytes(),
                            .piece_bytes = piece_bytes});
  const uint64_t begin = request.offset_bytes();
  const uint64_t end = begin + request.length_bytes();
  ChecksumBlockResponse response;
  auto flush = [&] {
    response.set_crc32c(checksums.Take());
    return send(response) ? Status() : Cancelled("the reader is gone");
  };
  std::string raw;
  Status status =
      VisitFrames(FromProto(request.block()),
                  begin,
                  request.length_bytes(),
                  [&](const block::Frame& frame, uint64_t raw_offset, std::string& stored) {
                    raw.clear();
                    RETURN_IF_ERROR(DecodeFrame(frame, stored, raw));
                    const uint64_t from = std::max(begin, raw_offset) - raw_offset;
                    const uint64_t to = std::min<uint64_t>(end - raw_offset, raw.size());
                    checksums.Append(std::string_view(raw).substr(from, to - from));
                    if (checksums.pending_bytes() < kChecksumBytesPerMessage) return Status();
                    return flush();
                  });
  if (status.ok()) {
    checksums.Finish();
    status = flush();
  }
  if (!status.ok()) node_.metrics.reads_failed.Increment();
  return status;
}

}  // namespace slipstream::datanode
