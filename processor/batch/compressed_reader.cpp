#include "processor/batch/compressed_reader.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <zlib.h>
#include <zstd.h>

namespace slipstream::processor {
namespace {

constexpr size_t kInputBytes = 256 << 10;

// Input: the packed bytes, a piece at a time.
class Input {
 public:
  explicit Input(std::unique_ptr<sql::FileReader> file)
      : file_(std::move(file)), buffer_(kInputBytes) {}

  // Reads on if all is used. False: the end of the file.
  Result<bool> Fill() {
    if (used_ < size_) return true;
    ASSIGN_OR_RETURN(size_, file_->Read(buffer_));
    used_ = 0;
    return size_ > 0;
  }
  char* data() { return buffer_.data() + used_; }
  size_t size() const { return size_ - used_; }
  void Use(size_t bytes) { used_ += bytes; }

 private:
  const std::unique_ptr<sql::FileReader> file_;
  std::vector<char> buffer_;
  size_t size_ = 0;
  size_t used_ = 0;
};

class GzipReader final : public sql::FileReader {
 public:
  explicit GzipReader(std::unique_ptr<sql::FileReader> file) : input_(std::move(file)) {}
  ~GzipReader() override {
    if (is_open_) inflateEnd(&stream_);
  }
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  Status Open() {
    constexpr int kGzipOnly = 16;
    if (inflateInit2(&stream_, MAX_WBITS + kGzipOnly) != Z_OK) return ResourceExhausted("zlib");
    is_open_ = true;
    return {};
  }

  Result<size_t> Read(std::span<char> buffer) override {
    const size_t wanted = std::min<size_t>(buffer.size(), UINT32_MAX);
    stream_.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream_.avail_out = static_cast<uInt>(wanted);
    while (stream_.avail_out == wanted && wanted > 0) {
      ASSIGN_OR_RETURN(const bool has_more, input_.Fill());
      if (!has_more && !is_within_) return size_t{0};
      const size_t given = input_.size();
      stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
      stream_.avail_in = static_cast<uInt>(given);
      is_within_ = true;
      const int result = inflate(&stream_, Z_NO_FLUSH);
      input_.Use(given - stream_.avail_in);
      if (result == Z_STREAM_END) {
        is_within_ = false;
        inflateReset(&stream_);  // another member may follow
      } else if (result == Z_BUF_ERROR && !has_more) {
        return DataLoss("a gzip file that is cut short");
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        return DataLoss("a damaged gzip file");
      }
    }
    return wanted - stream_.avail_out;
  }

 private:
  Input input_;
  z_stream stream_{};
  bool is_open_ = false;
  bool is_within_ = false;  // a member has begun and not ended
};

class ZstdReader final : public sql::FileReader {
 public:
  explicit ZstdReader(std::unique_ptr<sql::FileReader> file)
      : input_(std::move(file)), context_(ZSTD_createDStream()) {}

  Result<size_t> Read(std::span<char> buffer) override {
    if (context_ == nullptr) return ResourceExhausted("zstd");
    ZSTD_outBuffer out{.dst = buffer.data(), .size = buffer.size(), .pos = 0};
    while (out.pos == 0 && out.size > 0) {
      ASSIGN_OR_RETURN(const bool has_more, input_.Fill());
      if (!has_more && !is_within_) return size_t{0};
      ZSTD_inBuffer in{.src = input_.data(), .size = input_.size(), .pos = 0};
      const size_t result = ZSTD_decompressStream(context_.get(), &out, &in);
      if (ZSTD_isError(result) != 0) {
        return DataLoss(std::string("a damaged zstd file: ") + ZSTD_getErrorName(result));
      }
      input_.Use(in.pos);
      is_within_ = result != 0;
      if (!has_more && out.pos == 0) return DataLoss("a zstd file that is cut short");
    }
    return out.pos;
  }

 private:
  struct Free {
    void operator()(ZSTD_DStream* context) const { ZSTD_freeDStream(context); }
  };

  Input input_;
  const std::unique_ptr<ZSTD_DStream, Free> context_;
  bool is_within_ = false;  // a frame has begun and not ended
};

}  // namespace

Result<std::unique_ptr<sql::FileReader>> Unpack(const std::string& name,
                                                std::unique_ptr<sql::FileReader> file) {
  if (name.ends_with(".gz")) {
    auto reader = std::make_unique<GzipReader>(std::move(file));
    RETURN_IF_ERROR(reader->Open());
    return std::unique_ptr<sql::FileReader>(std::move(reader));
  }
  if (name.ends_with(".zst")) {
    return std::unique_ptr<sql::FileReader>(std::make_unique<ZstdReader>(std::move(file)));
  }
  return file;
}

}  // namespace slipstream::processor
