#pragma once

#include <memory>
#include <string>

#include "common/status/status.h"
#include "processor/engine/file_source.h"

namespace slipstream::processor {

// What `file` holds, unpacked if its name says that it is compressed: ".gz" (one or more gzip
// members) or ".zst" (one or more zstd frames). Errors of reading: kDataLoss: damaged, or cut
// short.
Result<std::unique_ptr<sql::FileReader>> Unpack(const std::string& name,
                                                std::unique_ptr<sql::FileReader> file);

}  // namespace slipstream::processor
