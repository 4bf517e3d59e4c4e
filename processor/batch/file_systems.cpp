#include "processor/batch/file_systems.h"

namespace slipstream::processor {

dfs::DfsClient& FileSystems::At(const std::string& authority) {
  const std::string& master = authority.empty() ? default_master_ : authority;
  MutexLock lock(mutex_);
  std::unique_ptr<dfs::DfsClient>& client = clients_[master];
  if (client == nullptr) {
    dfs::ClientOptions options = options_;
    options.master = master;
    client = dfs::DfsClient::Connect(std::move(options));
  }
  return *client;
}

}  // namespace slipstream::processor
