#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>

#include "common/clock/clock.h"
#include "common/status/status.h"
#include "producer/pacing/pacer.h"
#include "producer/pipeline/planted_file.h"
#include "producer/pipeline/progress.h"
#include "producer/pipeline/record.h"
#include "producer/pipeline/record_sink.h"

namespace slipstream::producer {

struct PipelineOptions {
  uint64_t limit = 0;  // records to send; 0: all
  uint64_t total = 0;  // how many will come, for the progress bar; 0: not known
  // How long to wait at the end for what was sent and is not acknowledged yet.
  std::chrono::milliseconds flush_timeout{120'000};
  // Gets every record that was sent and is complete when the run is over. Null: none is wanted.
  PlantedFile* planted_file = nullptr;
};

struct PipelineOutcome {
  Status status;  // why it ended, if not at the source's end
  uint64_t sent = 0;
  bool is_interrupted = false;
};

// Moves records from the source to the sink, each when the pacer says it is due, until the source
// ends, `limit` is reached, something fails or `stop` is triggered; then flushes the sink, whatever
// the reason was. Blocks the calling thread.
PipelineOutcome RunPipeline(const PipelineOptions& options,
                            RecordSource& source,
                            RecordSink& sink,
                            Pacer& pacer,
                            const Clock& clock,
                            Progress& progress,
                            const std::stop_token& stop);

}  // namespace slipstream::producer
