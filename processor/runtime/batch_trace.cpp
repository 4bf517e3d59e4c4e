#include "processor/runtime/batch_trace.h"

namespace slipstream::runtime {

trace::Id TraceOf(std::span<const kafka::Record> records) {
  for (const kafka::Record& record : records) {
    for (const kafka::Header& header : record.headers) {
      if (header.name != trace::kHeader) continue;
      if (const auto id = trace::FromHeader(header.value)) return *id;
    }
  }
  return {};
}

}  // namespace slipstream::runtime
