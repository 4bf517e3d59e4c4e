#include "gateway/webhdfs/listing_source.h"

#include <utility>

#include "gateway/webhdfs/json.h"

namespace slipstream::gateway::webhdfs {

Result<std::unique_ptr<ListingSource>> ListingSource::Open(std::shared_ptr<dfs::DfsClient> client,
                                                           const std::string& path) {
  ASSIGN_OR_RETURN(const dfs::FileStatus status, client->Stat(path));
  ASSIGN_OR_RETURN(dfs::DirectoryPage page, client->List(path, "", 0));
  std::unique_ptr<ListingSource> source(
      new ListingSource(std::move(client), path, status.kind == dfs::FileKind::kFile));
  source->page_ = std::move(page);
  return source;
}

Result<std::string> ListingSource::Next() {
  if (is_at_end_) return std::string();
  std::string text;
  if (is_first_) {
    text = "{\"FileStatuses\":{\"FileStatus\":[";
  } else {
    const std::string last_name = page_.entries.back().name;
    ASSIGN_OR_RETURN(page_, client_->List(path_, last_name, 0));
  }
  for (const dfs::FileStatus& entry : page_.entries) {
    if (!std::exchange(is_first_, false)) text += ',';
    text += FileStatusText(entry, is_file_ ? "" : entry.name);
  }
  // An empty page can only be the last.
  if (!page_.has_more || page_.entries.empty()) {
    is_at_end_ = true;
    text += "]}}";
  }
  return text;
}

}  // namespace slipstream::gateway::webhdfs
