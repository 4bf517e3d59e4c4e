#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace slipstream::fuzz {

// Target: one entry for bytes from outside, and what must hold whatever they are.
//
// `run` gets one input; it aborts (SLIPSTREAM_CHECK, a sanitizer) where something is wrong, and
// does the same for the same input every time. libfuzzer_main.cpp makes a fuzzer of one target,
// replay_test.cpp runs every target over its seeds and over corpus/<name>/.
struct Target {
  const char* name;
  void (*run)(std::string_view input);
  // Inputs to begin with: one of each kind, so that a fuzzer need not find the formats by chance.
  std::vector<std::string> (*seeds)();
};

// Each in the source that is called like it.
extern const Target kAvroRecords;
extern const Target kBlockRecord;
extern const Target kCsvRecords;
extern const Target kCsvText;
extern const Target kDatanodeRequests;
extern const Target kExchangedRows;
extern const Target kJsonRecords;
extern const Target kMasterRecords;
extern const Target kMasterRequests;
extern const Target kNames;
extern const Target kReplicaDamage;
extern const Target kSqlState;
extern const Target kSqlText;
extern const Target kStateRecords;
extern const Target kValues;
extern const Target kWebRequests;

}  // namespace slipstream::fuzz
