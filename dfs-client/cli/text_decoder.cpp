#include "dfs-client/cli/text_decoder.h"

#include <algorithm>
#include <array>

#include <bzlib.h>
#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

namespace slipstream::dfs::cli {
namespace {

constexpr size_t kOutBytes = 64UL << 10;

Status Broken(const char* format) {
  return DataLoss(fmt::format("not a valid {} stream", format));
}

Status CutShort() {
  return DataLoss("Unexpected end of input stream");
}

// gzip and zlib streams, told apart by their headers.
class ZlibDecoder final : public TextDecoder {
 public:
  ZlibDecoder() {
    constexpr int kAnyHeader = 15 + 32;
    has_begun_ = inflateInit2(&stream_, kAnyHeader) == Z_OK;
  }
  ~ZlibDecoder() override { inflateEnd(&stream_); }
  ZlibDecoder(const ZlibDecoder&) = delete;
  ZlibDecoder& operator=(const ZlibDecoder&) = delete;

  Status Decode(std::string_view bytes, const Sink& sink) override {
    if (!has_begun_) return Internal("zlib cannot begin");
    // zlib does not write through it.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    do {
      if (is_at_end_ && stream_.avail_in > 0) {
        if (inflateReset(&stream_) != Z_OK) return Broken("gzip");
        is_at_end_ = false;
      }
      stream_.next_out = reinterpret_cast<Bytef*>(out_.data());
      stream_.avail_out = static_cast<uInt>(out_.size());
      const int result = inflate(&stream_, Z_NO_FLUSH);
      sink({out_.data(), out_.size() - stream_.avail_out});
      is_at_end_ = result == Z_STREAM_END;
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return Broken("gzip");
    } while (stream_.avail_in > 0 || stream_.avail_out == 0);
    return {};
  }
  Status Finish() override { return is_at_end_ ? Status() : CutShort(); }

 private:
  z_stream stream_{};
  bool has_begun_ = false;
  bool is_at_end_ = false;
  std::array<char, kOutBytes> out_{};
};

class Bzip2Decoder final : public TextDecoder {
 public:
  Bzip2Decoder() { has_begun_ = BZ2_bzDecompressInit(&stream_, 0, 0) == BZ_OK; }
  ~Bzip2Decoder() override { BZ2_bzDecompressEnd(&stream_); }
  Bzip2Decoder(const Bzip2Decoder&) = delete;
  Bzip2Decoder& operator=(const Bzip2Decoder&) = delete;

  Status Decode(std::string_view bytes, const Sink& sink) override {
    if (!has_begun_) return Internal("bzip2 cannot begin");
    // Not written through either.
    stream_.next_in = const_cast<char*>(bytes.data());
    stream_.avail_in = static_cast<unsigned int>(bytes.size());
    do {
      if (is_at_end_ && stream_.avail_in > 0) RETURN_IF_ERROR(BeginNextStream());
      stream_.next_out = out_.data();
      stream_.avail_out = static_cast<unsigned int>(out_.size());
      const int result = BZ2_bzDecompress(&stream_);
      sink({out_.data(), out_.size() - stream_.avail_out});
      is_at_end_ = result == BZ_STREAM_END;
      if (result != BZ_OK && result != BZ_STREAM_END) return Broken("bzip2");
    } while (stream_.avail_in > 0 || (stream_.avail_out == 0 && !is_at_end_));
    return {};
  }
  Status Finish() override { return is_at_end_ ? Status() : CutShort(); }

 private:
  Status BeginNextStream() {
    const bz_stream before = stream_;
    BZ2_bzDecompressEnd(&stream_);
    stream_ = {};
    stream_.next_in = before.next_in;
    stream_.avail_in = before.avail_in;
    is_at_end_ = false;
    return BZ2_bzDecompressInit(&stream_, 0, 0) == BZ_OK ? Status() : Internal("bzip2");
  }

  bz_stream stream_{};
  bool has_begun_ = false;
  bool is_at_end_ = false;
  std::array<char, kOutBytes> out_{};
};

class ZstdDecoder final : public TextDecoder {
 public:
  Status Decode(std::string_view bytes, const Sink& sink) override {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    ZSTD_outBuffer out{out_.data(), out_.size(), 0};
    do {
      out.pos = 0;
      rest_ = ZSTD_decompressStream(stream_.get(), &out, &in);
      if (ZSTD_isError(rest_) != 0) return Broken("zstd");
      sink({out_.data(), out.pos});
    } while (in.pos < in.size || out.pos == out.size);
    return {};
  }
  Status Finish() override { return rest_ == 0 ? Status() : CutShort(); }

 private:
  struct Free {
    void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
  };
  const std::unique_ptr<ZSTD_DStream, Free> stream_{ZSTD_createDStream()};
  size_t rest_ = 1;  // 0: between frames
  std::array<char, kOutBytes> out_{};
};

}  // namespace

Result<std::unique_ptr<TextDecoder>> TextDecoder::For(std::string_view name,
                                                      std::string_view begin) {
  using std::string_view_literals::operator""sv;
  if (begin.starts_with("\x1f\x8b"sv)) return std::make_unique<ZlibDecoder>();
  if (begin.starts_with("\x28\xb5\x2f\xfd"sv)) return std::make_unique<ZstdDecoder>();
  if (begin.starts_with("SEQ"sv)) return InvalidArgument("SequenceFiles are not supported");
  if (begin.starts_with("Obj\x01"sv)) return InvalidArgument("Avro files are not supported");
  if (begin.empty()) return std::unique_ptr<TextDecoder>();
  if (name.ends_with(".gz") || name.ends_with(".deflate")) return std::make_unique<ZlibDecoder>();
  if (name.ends_with(".zst")) return std::make_unique<ZstdDecoder>();
  if (name.ends_with(".bz2")) return std::make_unique<Bzip2Decoder>();
  for (std::string_view suffix : {".snappy"sv, ".lz4"sv, ".lzo"sv, ".lzo_deflate"sv}) {
    if (name.ends_with(suffix)) {
      return InvalidArgument(fmt::format("{} files are not supported", suffix));
    }
  }
  return std::unique_ptr<TextDecoder>();
}

}  // namespace slipstream::dfs::cli
