#include "producer/csv/byte_source.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

namespace slipstream::producer {
namespace {

constexpr size_t kInputBytes = 256 << 10;
constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";
constexpr size_t kMagicBytesMax = 4;

class FileSource final : public ByteSource {
 public:
  FileSource(int fd, std::string name, bool owned)
      : fd_(fd), name_(std::move(name)), owned_(owned) {}
  ~FileSource() override {
    if (owned_) ::close(fd_);
  }

  Result<size_t> Read(std::span<char> out) override {
    while (true) {
      ssize_t count = ::read(fd_, out.data(), out.size());
      if (count >= 0) return static_cast<size_t>(count);
      if (errno != EINTR) return ErrnoStatus(errno, "read " + name_);
    }
  }

 private:
  const int fd_;
  const std::string name_;
  const bool owned_;
};

// What a decoder has read from underneath and not used yet.
class InputBuffer final {
 public:
  explicit InputBuffer(std::unique_ptr<ByteSource> raw)
      : raw_(std::move(raw)), bytes_(kInputBytes) {}

  std::span<const char> unused() const { return {bytes_.data() + begin_, end_ - begin_}; }
  void Use(size_t count) { begin_ += count; }

  // Appends what one Read() gives; false at the end.
  Result<bool> Fill() {
    if (begin_ == end_) begin_ = end_ = 0;
    if (end_ == bytes_.size()) {
      std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    ASSIGN_OR_RETURN(size_t count, raw_->Read(std::span(bytes_).subspan(end_)));
    end_ += count;
    return count > 0;
  }

 private:
  std::unique_ptr<ByteSource> raw_;
  std::vector<char> bytes_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

class PlainSource final : public ByteSource {
 public:
  explicit PlainSource(InputBuffer input) : input_(std::move(input)) {}

  Result<size_t> Read(std::span<char> out) override {
    if (input_.unused().empty()) {
      ASSIGN_OR_RETURN(bool more, input_.Fill());
      if (!more) return size_t{0};
    }
    size_t count = std::min(out.size(), input_.unused().size());
    std::memcpy(out.data(), input_.unused().data(), count);
    input_.Use(count);
    return count;
  }

 private:
  InputBuffer input_;
};

class GzipSource final : public ByteSource {
 public:
  explicit GzipSource(InputBuffer input) : input_(std::move(input)) {}
  ~GzipSource() override {
    if (is_open_) inflateEnd(&stream_);
  }

  Result<size_t> Read(std::span<char> out) override {
    while (true) {
      if (input_.unused().empty()) {
        ASSIGN_OR_RETURN(bool more, input_.Fill());
        if (!more) {
          if (in_member_) return DataLoss("the gzip data ends in the middle");
          return size_t{0};
        }
      }
      RETURN_IF_ERROR(BeginMember());
      ASSIGN_OR_RETURN(size_t count, Inflate(out));
      if (count > 0) return count;
    }
  }

 private:
  Status BeginMember() {
    if (in_member_) return {};
    constexpr int kGzipFormat = 15 + 16;
    int rc = is_open_ ? inflateReset(&stream_) : inflateInit2(&stream_, kGzipFormat);
    if (rc != Z_OK) return Internal(fmt::format("inflate cannot start: zlib error {}", rc));
    is_open_ = true;
    in_member_ = true;
    return {};
  }

  Result<size_t> Inflate(std::span<char> out) {
    std::span<const char> in = input_.unused();
    // zlib takes its input without const and does not write to it.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    uInt room = static_cast<uInt>(std::min<size_t>(out.size(), 1U << 30));
    stream_.avail_out = room;
    int rc = inflate(&stream_, Z_NO_FLUSH);
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR) {
      return DataLoss(fmt::format("the gzip data is damaged: {}",
                                  stream_.msg == nullptr ? "unknown reason" : stream_.msg));
    }
    input_.Use(in.size() - stream_.avail_in);
    if (rc == Z_STREAM_END) in_member_ = false;
    return static_cast<size_t>(room - stream_.avail_out);
  }

  InputBuffer input_;
  z_stream stream_{};
  bool is_open_ = false;
  bool in_member_ = false;
};

struct FreeDStream {
  void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
};

class ZstdSource final : public ByteSource {
 public:
  explicit ZstdSource(InputBuffer input)
      : input_(std::move(input)), stream_(ZSTD_createDStream()) {}

  Result<size_t> Read(std::span<char> out) override {
    while (true) {
      // The decoder may hold output back, so it is called even without new input.
      std::span<const char> in = input_.unused();
      ZSTD_inBuffer from{in.data(), in.size(), 0};
      ZSTD_outBuffer to{out.data(), out.size(), 0};
      size_t rc = ZSTD_decompressStream(stream_.get(), &to, &from);
      if (ZSTD_isError(rc) != 0) {
        return DataLoss(fmt::format("the zstd data is damaged: {}", ZSTD_getErrorName(rc)));
      }
      input_.Use(from.pos);
      if (from.pos > 0 || to.pos > 0) in_frame_ = rc != 0;
      if (to.pos > 0) return to.pos;
      if (!input_.unused().empty()) continue;
      ASSIGN_OR_RETURN(bool more, input_.Fill());
      if (more) continue;
      if (in_frame_) return DataLoss("the zstd data ends in the middle");
      return size_t{0};
    }
  }

 private:
  InputBuffer input_;
  std::unique_ptr<ZSTD_DStream, FreeDStream> stream_;
  bool in_frame_ = false;
};

}  // namespace

Result<std::unique_ptr<ByteSource>> Decompress(std::unique_ptr<ByteSource> raw) {
  InputBuffer input(std::move(raw));
  bool more = true;
  while (more && input.unused().size() < kMagicBytesMax) {
    ASSIGN_OR_RETURN(more, input.Fill());
  }
  std::string_view head(input.unused().data(), input.unused().size());
  if (head.starts_with(kGzipMagic)) return std::make_unique<GzipSource>(std::move(input));
  if (head.starts_with(kZstdMagic)) return std::make_unique<ZstdSource>(std::move(input));
  return std::make_unique<PlainSource>(std::move(input));
}

Status CheckReadable(const std::filesystem::path& path) {
  if (path == "-" || ::access(path.c_str(), R_OK) == 0) return {};
  return ErrnoStatus(errno, "open " + path.string());
}

Result<std::unique_ptr<ByteSource>> OpenByteSource(const std::filesystem::path& path) {
  if (path == "-") {
    return Decompress(std::make_unique<FileSource>(STDIN_FILENO, "standard input", false));
  }
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(errno, "open " + path.string());
  Result<std::unique_ptr<ByteSource>> source =
      Decompress(std::make_unique<FileSource>(fd, path.string(), true));
  if (!source.ok()) return source.error().WithContext(path.string());
  return source;
}

}  // namespace slipstream::producer
