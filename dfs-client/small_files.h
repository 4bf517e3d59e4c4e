#pragma once

#include <span>
#include <string>

#include "common/status/status.h"
#include "dfs-client/file_types.h"
#include "dfs-client/file_writer.h"

namespace slipstream::dfs {

// Makes many small files: their blocks go together, allocated in the name of `allocator`, and one
// step makes all of them visible. Private to the library; DfsClient::PutFiles says what it
// promises.
Status PutSmallFiles(FilePublisher& publisher,
                     BlockWriter& blocks,
                     std::span<const NewFile> files,
                     const FileWriter::Options& options,
                     const std::string& allocator);

}  // namespace slipstream::dfs
