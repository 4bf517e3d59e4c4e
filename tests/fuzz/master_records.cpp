#include <string>
#include <string_view>
#include <vector>

#include "common/check/check.h"
#include "dfs-master/codec.h"
#include "dfs-master/records.h"
#include "tests/fuzz/input_reader.h"
#include "tests/fuzz/target.h"

// Values of the master's tables from any bytes: refused, or read; and what was read is written so
// that it is read again as the same.

namespace slipstream::fuzz {
namespace {

namespace master = dfs::master;

template <class Record>
void Check(std::string_view bytes) {
  Record record;
  const Status status = master::Decode(bytes, record);
  if (!status.ok()) {
    SLIPSTREAM_CHECK(status.code() == Code::kDataLoss, "{}", status.ToString());
    return;
  }
  const std::string written = master::Encode(record);
  Record again;
  const Status status_again = master::Decode(written, again);
  SLIPSTREAM_CHECK(status_again.ok(), "{}", status_again.ToString());
  SLIPSTREAM_CHECK(master::Encode(again) == written, "written differently");
}

using Checker = void (*)(std::string_view);
constexpr Checker kCheckers[] = {Check<master::Inode>,
                                 Check<master::FileBlock>,
                                 Check<master::Appender>,
                                 Check<master::Candidate>,
                                 Check<master::Totals>,
                                 Check<master::Quota>,
                                 Check<master::FileStatus>};

void Run(std::string_view input) {
  InputReader reader(input);
  const Checker check = reader.Pick(kCheckers);
  check(reader.Rest());
}

std::vector<std::string> Seeds() {
  const master::FileBlock block{
      .block = {.id = 5, .raw_bytes = 100, .stored_bytes = 60, .crc32c = 7},
      .cut_bytes = 3,
      .replication = 2,
      .first_holders = {1, 2}};
  master::Inode inode{.id = 2, .length_bytes = 97, .stored_bytes = 60, .block_count = 1};
  inode.attributes = {.owner = "o", .group = "g", .mode = 0644};
  inode.writer = "w";
  master::Appender appender{.incarnation = 3, .committed = {.epoch = 1, .incarnation = 2}};
  appender.candidates.push_back({.pair = {.epoch = 2, .incarnation = 3}, .prepared_at_ms = -1});
  appender.committed_inodes = {2, 3};
  appender.committed_lost_files = {1};
  master::Candidate candidate{.base = {.epoch = 1, .incarnation = 2}, .content_hash = 9};
  candidate.shares.push_back({.kind = master::PreparedShare::Kind::kNew,
                              .inode = 4,
                              .parent = 1,
                              .name = "f",
                              .blocks = {block, block},
                              .charged = {1}});
  master::FileStatus status;
  status.name = "f";
  const auto input = [](char kind, const std::string& bytes) { return kind + bytes; };
  return {input(0, Encode(inode)),
          input(1, Encode(block)),
          input(2, Encode(appender)),
          input(3, Encode(candidate)),
          input(4, Encode(master::Totals{.files = 1, .directories = 2, .blocks = 300})),
          input(5, Encode(master::Quota{.names_max = 5, .used = {.names = 3, .space_bytes = -1}})),
          input(6, Encode(status))};
}

}  // namespace

const Target kMasterRecords{.name = "master_records", .run = Run, .seeds = Seeds};

}  // namespace slipstream::fuzz
