#pragma once

#include <string>
#include <vector>

#include "common/status/status.h"
#include "processor/columns/batch.h"
#include "processor/engine/connector_options.h"
#include "processor/engine/file_source.h"
#include "processor/engine/scan_layout.h"
#include "processor/types/value.h"

// What the names of a table's files say: which of them hold rows, and the values that are not in
// the rows but in the folders, "carrier=AA/part-0.jsonl".

namespace slipstream::sql {

// The files of the table that hold rows, in the order of their relative paths: all but those whose
// names begin with '_' or '.' (markers, and what is being written elsewhere) and those that
// 'source.path.regex-pattern' leaves out.
Result<std::vector<SourceFile>> ListTable(FileSource& files, const FileTable& table);

// The value of each of the layout's partition columns, from the folders of the file's path.
// kInvalidArgument: it lies in no such folder, or the folder's text is not of the column's type.
Result<std::vector<Value>> PartitionValues(const SourceFile& file, const ScanLayout& layout);

// Appends the layout's partition columns to `batch`, `rows` times these values.
void AppendPartition(const ScanLayout& layout,
                     const std::vector<Value>& values,
                     size_t rows,
                     Batch& batch);

}  // namespace slipstream::sql
