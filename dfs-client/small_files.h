#pragma once

#include <span>
#include <string>

#include "common/status/status.h"
#include "dfs-client/file_types.h"
#include "dfs-client/file_writer.h"

namespace slipstream::dfs {

// Makes many small files in the name of `writer`: their blocks go together, one Prepare makes them
// visible. Private to the library; DfsClient::PutFiles says what it promises.
Status PutSmallFiles(MasterClient& master,
                     BlockWriter& blocks,
                     std::span<const NewFile> files,
                     const FileWriter::Options& options,
                     const std::string& writer);

}  // namespace slipstream::dfs
