#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "processor/runtime/task_program.h"

namespace slipstream::runtime {

// The records of a repartition topic: pieces of rows, and the marks of those who sent them. Byte
// for byte in docs/FORMATS.md, "Repartition topic".

// A task that sends: the partition of one of the job's inputs.
struct SenderId {
  uint8_t input = 0;
  int32_t partition = 0;

  friend auto operator<=>(const SenderId&, const SenderId&) = default;
};

// How far a sender was when it committed. It stands behind all rows of the commit.
struct SenderMark {
  SenderId sender;
  uint32_t sender_count = 0;  // tasks that its input has, as far as the sender knows
  EventTimeUs watermark = kNoWatermark;
  bool is_idle = false;
  bool is_done = false;  // nothing more will come from it

  friend bool operator==(const SenderMark&, const SenderMark&) = default;
};

// One record, read: rows of one sender through one exchange, or marks. Views into the record.
struct RepartitionRecord {
  size_t exchange = 0;
  SenderId sender;
  std::vector<std::string_view> rows;
  std::vector<SenderMark> marks;  // none: it holds rows
};

std::string EncodeSenderMarks(std::span<const SenderMark> marks);

// The beginning of a record of rows; AppendRow puts one behind it.
std::string BeginRows(size_t exchange, const SenderId& sender);
void AppendRow(std::string& record, std::string_view row);

// kDataLoss if it is anything else, or of another version.
Result<RepartitionRecord> ParseRepartitionRecord(std::string_view bytes);

}  // namespace slipstream::runtime
