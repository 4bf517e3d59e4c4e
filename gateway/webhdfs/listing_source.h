#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "dfs-client/dfs_client.h"
#include "gateway/http/message.h"

namespace slipstream::gateway::webhdfs {

// ListingSource: the document of LISTSTATUS, a page of the directory at a time: a directory may
// have millions of entries. Ownership  shares the client with the cache of clients.
class ListingSource final : public http::BodySource {
 public:
  static constexpr uint64_t kMemoryBytes = 4ULL << 20;  // two pages and their text

  // Has the first page, so that what is wrong with the path shows before an answer is begun.
  static Result<std::unique_ptr<ListingSource>> Open(std::shared_ptr<dfs::DfsClient> client,
                                                     const std::string& path);

  Result<std::string> Next() override;

 private:
  ListingSource(std::shared_ptr<dfs::DfsClient> client, std::string path, bool is_file)
      : client_(std::move(client)), path_(std::move(path)), is_file_(is_file) {}

  const std::shared_ptr<dfs::DfsClient> client_;
  const std::string path_;
  const bool is_file_;  // its one entry has no name
  dfs::DirectoryPage page_;
  bool is_first_ = true;
  bool is_at_end_ = false;
};

}  // namespace slipstream::gateway::webhdfs
