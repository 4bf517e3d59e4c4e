#include "common/block/encoded_block.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <zstd.h>

#include "common/check/check.h"
#include "common/crc32c/crc32c.h"

namespace slipstream::block {
namespace {

constexpr int kLevelMin = 1;
constexpr int kLevelMax = 19;  // above it zstd wants windows of more than a frame is long

// In a frame's header (RFC 8878, 3.1.1.1.1): the descriptor follows the magic number, and its bit 2
// says that the content's checksum ends the frame.
constexpr size_t kDescriptorOffset = 4;
constexpr unsigned kChecksumFlag = 1U << 2;

// What a thread keeps for the next file; more, as full frames take, is given back.
constexpr size_t kIdleContextBytesMax = size_t{1} << 20;

static_assert(ZSTD_COMPRESSBOUND(kFrameRawBytesMax) <= kFrameStoredBytesMax);

struct FreeCompressor {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

struct FreeDecompressor {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

bool HasContentChecksum(std::string_view stored) {
  return stored.size() > kDescriptorOffset &&
         (static_cast<unsigned char>(stored[kDescriptorOffset]) & kChecksumFlag) != 0;
}

Status BadFrame(const Frame& frame, std::string_view why) {
  return DataLoss(
      fmt::format("frame raw={} stored={}: {}", frame.raw_bytes, frame.stored_bytes, why));
}

}  // namespace

struct FrameCompressor::Context {
  std::unique_ptr<ZSTD_CCtx, FreeCompressor> zstd{ZSTD_createCCtx()};
  std::string scratch;

  // One that this thread has no use for at the moment: making one costs more than compressing a
  // short frame.
  static std::unique_ptr<Context>& Idle() {
    thread_local std::unique_ptr<Context> idle;
    return idle;
  }
};

FrameCompressor::FrameCompressor(int level) : context_(std::move(Context::Idle())) {
  if (context_ == nullptr) context_ = std::make_unique<Context>();
  SLIPSTREAM_CHECK(context_->zstd != nullptr, "out of memory");
  // None can fail between two frames with values in range.
  ZSTD_CCtx_reset(context_->zstd.get(), ZSTD_reset_session_and_parameters);
  ZSTD_CCtx_setParameter(
      context_->zstd.get(), ZSTD_c_compressionLevel, std::clamp(level, kLevelMin, kLevelMax));
  ZSTD_CCtx_setParameter(context_->zstd.get(), ZSTD_c_checksumFlag, 1);
}

FrameCompressor::~FrameCompressor() {
  const size_t bytes = ZSTD_sizeof_CCtx(context_->zstd.get()) + context_->scratch.capacity();
  if (bytes <= kIdleContextBytesMax) Context::Idle() = std::move(context_);
}

Frame FrameCompressor::Compress(std::string_view raw, std::string& out) {
  SLIPSTREAM_CHECK(!raw.empty() && raw.size() <= kFrameRawBytesMax, "raw_bytes={}", raw.size());
  std::string& scratch = context_->scratch;
  // As large as the frames need: who makes a small file does not pay for a full one.
  const size_t bound = ZSTD_compressBound(raw.size());
  if (scratch.size() < bound) scratch.resize(bound);
  const size_t size =
      ZSTD_compress2(context_->zstd.get(), scratch.data(), scratch.size(), raw.data(), raw.size());
  // The scratch space is as large as zstd asks for, so only a lack of memory is left.
  SLIPSTREAM_CHECK(ZSTD_isError(size) == 0, "{}", ZSTD_getErrorName(size));
  std::string_view stored(scratch.data(), size);
  out.append(stored);
  return {.raw_bytes = static_cast<uint32_t>(raw.size()),
          .stored_bytes = static_cast<uint32_t>(size),
          .crc32c = Crc32c(stored)};
}

void BlockEncoder::AddFrame(std::string_view raw) {
  block_.frames.push_back(compressor_.Compress(raw, block_.data));
  block_.raw_bytes += raw.size();
}

Status BlockEncoder::Append(std::string_view raw) {
  if (raw.size() > room_bytes()) {
    return OutOfRange(
        fmt::format("append of {} bytes to a block with room for {}", raw.size(), room_bytes()));
  }
  if (!pending_.empty()) {
    const size_t taken = std::min(raw.size(), kFrameRawBytesMax - pending_.size());
    pending_.append(raw.substr(0, taken));
    raw.remove_prefix(taken);
    if (pending_.size() < kFrameRawBytesMax) return {};
    AddFrame(pending_);
    pending_.clear();
  }
  while (raw.size() >= kFrameRawBytesMax) {
    AddFrame(raw.substr(0, kFrameRawBytesMax));
    raw.remove_prefix(kFrameRawBytesMax);
  }
  pending_.append(raw);
  return {};
}

EncodedBlock BlockEncoder::Finish() {
  SLIPSTREAM_CHECK(!empty(), "nothing was appended");
  if (!pending_.empty()) {
    AddFrame(pending_);
    // Gives the memory back: an encoder may idle for long.
    std::string().swap(pending_);
  }
  block_.crc32c = SumFrames(0, block_.frames).crc32c;
  return std::exchange(block_, {});
}

Status DecodeFrame(const Frame& frame, std::string_view stored, std::string& out) {
  if (frame.raw_bytes == 0 || frame.raw_bytes > kFrameRawBytesMax ||
      frame.stored_bytes > kFrameStoredBytesMax) {
    return BadFrame(frame, "length out of bounds");
  }
  if (stored.size() != frame.stored_bytes) return BadFrame(frame, "wrong stored length");
  if (Crc32c(stored) != frame.crc32c) return BadFrame(frame, "crc32c does not match");
  if (!HasContentChecksum(stored)) return BadFrame(frame, "no content checksum");
  if (ZSTD_findFrameCompressedSize(stored.data(), stored.size()) != stored.size()) {
    return BadFrame(frame, "not one zstd frame");
  }
  if (ZSTD_getFrameContentSize(stored.data(), stored.size()) != frame.raw_bytes) {
    return BadFrame(frame, "wrong raw length");
  }

  // Making a context costs more than decompressing a short frame.
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeDecompressor> context(ZSTD_createDCtx());
  SLIPSTREAM_CHECK(context != nullptr, "out of memory");
  const size_t before = out.size();
  size_t size = 0;
  // Without filling the new bytes with zeros first. What it passes as the length may be more than
  // was asked for (libstdc++ 12).
  out.resize_and_overwrite(before + frame.raw_bytes, [&](char* bytes, size_t) noexcept {
    size = ZSTD_decompressDCtx(
        context.get(), bytes + before, frame.raw_bytes, stored.data(), stored.size());
    return size == frame.raw_bytes ? before + frame.raw_bytes : before;
  });
  if (size != frame.raw_bytes) {
    return BadFrame(frame, ZSTD_isError(size) != 0 ? ZSTD_getErrorName(size) : "wrong raw length");
  }
  return {};
}

}  // namespace slipstream::block
