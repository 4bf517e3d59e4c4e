#include "dfs-master/rocksdb_log.h"

#include <array>
#include <cstdarg>
#include <cstdio>
#include <utility>

#include <rocksdb/env.h>

#include "common/log/log.h"

namespace slipstream::dfs::master {
namespace {

using rocksdb::InfoLogLevel;

class RocksDbLog final : public rocksdb::Logger {
 public:
  RocksDbLog() : Logger(InfoLogLevel::WARN_LEVEL), logger_(log::Get("dfs_master.rocksdb")) {}

  using Logger::Logv;
  void Logv(InfoLogLevel level, const char* format, va_list arguments) override {
    // Headers, the listing of all options, are above all levels.
    if (level < GetInfoLogLevel() || level == InfoLogLevel::HEADER_LEVEL) return;
    std::array<char, 512> text{};  // a longer one is cut
    if (std::vsnprintf(text.data(), text.size(), format, arguments) < 0) return;
    logger_->log(level == InfoLogLevel::WARN_LEVEL ? spdlog::level::warn : spdlog::level::err,
                 "store_warned text={}",
                 log::Quoted(text.data()));
  }

 private:
  const std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace

std::shared_ptr<rocksdb::Logger> MakeRocksDbLog() {
  return std::make_shared<RocksDbLog>();
}

}  // namespace slipstream::dfs::master
