#pragma once

#include <cstddef>

#include "common/status/status.h"
#include "processor/columns/batch.h"
#include "processor/engine/file_source.h"
#include "processor/engine/scan_layout.h"
#include "processor/planner/plan.h"

namespace slipstream::sql {

// METADATA columns of tables of files: what is known of the file a row came from, as it was listed:
// file.path, file.name, file.size, file.modification-time. None can be written.

// kInvalidArgument: a column of an unknown key, or of a type that does not fit.
Status CheckFileMetadata(const TableDefinition& table);

// Appends the layout's metadata columns to `batch`, for `rows` rows of the file.
void AppendFileMetadata(const ScanLayout& layout,
                        const SourceFile& file,
                        size_t rows,
                        Batch& batch);

}  // namespace slipstream::sql
