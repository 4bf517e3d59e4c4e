#include "producer/sort/sorted_run.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <zstd.h>

namespace slipstream::producer {
namespace {

constexpr int kLevel = 1;
constexpr int kWindowLog = 17;  // so that a reader of many runs needs little for each
constexpr size_t kBufferBytes = 128 << 10;
// An entry is its key and its record's length, both as this machine has them, and the record.
constexpr size_t kHeaderBytes = sizeof(int64_t) + sizeof(uint32_t);
constexpr size_t kRecordBytesMax = 1 << 20;

struct FreeCStream {
  void operator()(ZSTD_CStream* stream) const { ZSTD_freeCStream(stream); }
};
struct FreeDStream {
  void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
};

}  // namespace

struct SortedRun::Impl {
  int fd = -1;
  std::unique_ptr<ZSTD_CStream, FreeCStream> compressor;
  std::unique_ptr<ZSTD_DStream, FreeDStream> decompressor;
  std::string plain;  // written but not compressed yet; when reading: decompressed
  size_t plain_used = 0;
  std::vector<char> compressed;
  ZSTD_inBuffer input{};
  bool at_end = false;
  int64_t key = 0;
  std::string_view record;

  ~Impl() {
    if (fd >= 0) ::close(fd);
  }

  Status Write(const char* bytes, size_t count);
  Status Compress(ZSTD_EndDirective directive);
  // Makes at least `count` bytes of `plain` readable behind plain_used; false if there are fewer.
  Result<bool> Fill(size_t count);
  Result<bool> Decompress();
};

Status SortedRun::Impl::Write(const char* bytes, size_t count) {
  while (count > 0) {
    ssize_t written = ::write(fd, bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoStatus(errno, "write a temporary file for sorting");
    bytes += written;
    count -= static_cast<size_t>(written);
  }
  return {};
}

Status SortedRun::Impl::Compress(ZSTD_EndDirective directive) {
  ZSTD_inBuffer in{plain.data(), plain.size(), 0};
  while (true) {
    ZSTD_outBuffer out{compressed.data(), compressed.size(), 0};
    size_t rest = ZSTD_compressStream2(compressor.get(), &out, &in, directive);
    if (ZSTD_isError(rest) != 0) {
      return Internal(fmt::format("compress for sorting: {}", ZSTD_getErrorName(rest)));
    }
    RETURN_IF_ERROR(Write(compressed.data(), out.pos));
    bool is_done = directive == ZSTD_e_end ? rest == 0 : in.pos == in.size;
    if (is_done) break;
  }
  plain.clear();
  return {};
}

Result<bool> SortedRun::Impl::Decompress() {
  while (true) {
    if (input.pos == input.size) {
      ssize_t count = ::read(fd, compressed.data(), compressed.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return ErrnoStatus(errno, "read a temporary file for sorting");
      if (count == 0) return false;
      input = {compressed.data(), static_cast<size_t>(count), 0};
    }
    size_t old_size = plain.size();
    plain.resize(old_size + kBufferBytes);
    ZSTD_outBuffer out{plain.data() + old_size, kBufferBytes, 0};
    size_t rc = ZSTD_decompressStream(decompressor.get(), &out, &input);
    plain.resize(old_size + out.pos);
    if (ZSTD_isError(rc) != 0) {
      return DataLoss(fmt::format("temporary file for sorting: {}", ZSTD_getErrorName(rc)));
    }
    if (out.pos > 0) return true;
  }
}

Result<bool> SortedRun::Impl::Fill(size_t count) {
  if (plain.size() - plain_used >= count) return true;
  plain.erase(0, plain_used);
  plain_used = 0;
  while (plain.size() < count) {
    ASSIGN_OR_RETURN(bool more, Decompress());
    if (!more) return false;
  }
  return true;
}

Result<std::unique_ptr<SortedRun>> SortedRun::Create(const std::filesystem::path& directory) {
  auto impl = std::make_unique<Impl>();
  std::string path = (directory / "slipstream-sort-XXXXXX").string();
  impl->fd = ::mkostemp(path.data(), O_CLOEXEC);
  if (impl->fd < 0) return ErrnoStatus(errno, "create " + path);
  ::unlink(path.c_str());
  impl->compressor.reset(ZSTD_createCStream());
  ZSTD_CCtx_setParameter(impl->compressor.get(), ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(impl->compressor.get(), ZSTD_c_windowLog, kWindowLog);
  impl->compressed.resize(kBufferBytes);
  return std::unique_ptr<SortedRun>(new SortedRun(std::move(impl)));
}

SortedRun::SortedRun(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SortedRun::~SortedRun() = default;

Status SortedRun::Append(int64_t key, std::string_view record) {
  if (record.size() > kRecordBytesMax) {
    return InvalidArgument(fmt::format("sort: a record has {} bytes", record.size()));
  }
  auto length = static_cast<uint32_t>(record.size());
  std::string& plain = impl_->plain;
  plain.append(reinterpret_cast<const char*>(&key), sizeof(key));
  plain.append(reinterpret_cast<const char*>(&length), sizeof(length));
  plain.append(record);
  return plain.size() < kBufferBytes ? Status() : impl_->Compress(ZSTD_e_continue);
}

Status SortedRun::Seal() {
  RETURN_IF_ERROR(impl_->Compress(ZSTD_e_end));
  impl_->compressor.reset();
  return {};
}

Status SortedRun::StartReading() {
  if (::lseek(impl_->fd, 0, SEEK_SET) != 0) {
    return ErrnoStatus(errno, "rewind a temporary file for sorting");
  }
  impl_->decompressor.reset(ZSTD_createDStream());
  impl_->input = {};
  impl_->plain.clear();
  impl_->plain_used = 0;
  return {};
}

Result<bool> SortedRun::Advance() {
  Impl& run = *impl_;
  ASSIGN_OR_RETURN(bool has_header, run.Fill(kHeaderBytes));
  if (!has_header) {
    if (run.plain.size() > run.plain_used) return DataLoss("temporary file for sorting: cut off");
    return false;
  }
  uint32_t length = 0;
  std::memcpy(&run.key, run.plain.data() + run.plain_used, sizeof(run.key));
  std::memcpy(&length, run.plain.data() + run.plain_used + sizeof(run.key), sizeof(length));
  if (length > kRecordBytesMax) return DataLoss("temporary file for sorting: damaged");
  ASSIGN_OR_RETURN(bool has_record, run.Fill(kHeaderBytes + length));
  if (!has_record) return DataLoss("temporary file for sorting: cut off");
  run.record = {run.plain.data() + run.plain_used + kHeaderBytes, length};
  run.plain_used += kHeaderBytes + length;
  return true;
}

int64_t SortedRun::key() const {
  return impl_->key;
}
std::string_view SortedRun::record() const {
  return impl_->record;
}

}  // namespace slipstream::producer
