#include "common/daemon/endpoint.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>

#include "common/daemon/service_manager.h"
#include "common/log/log.h"

namespace slipstream::daemon {

std::string Endpoint::ToString() const {
  return "listening" + (rpc.empty() ? "" : " rpc=" + rpc) + " admin=" + admin;
}

Status AnnounceReady(const std::string& logger_name,
                     const Endpoint& endpoint,
                     const std::string& endpoint_file) {
  const std::string line = endpoint.ToString();
  if (!endpoint_file.empty()) {
    const std::string temporary = endpoint_file + ".tmp-" + std::to_string(::getpid());
    std::ofstream file(temporary, std::ios::trunc);
    file << line << '\n';
    file.close();
    if (!file) return ErrnoStatus(errno, "write endpoint file " + temporary);
    if (std::rename(temporary.c_str(), endpoint_file.c_str()) != 0) {
      return ErrnoStatus(errno, "rename endpoint file to " + endpoint_file);
    }
  }
  log::Get(logger_name)->info("{}", line);
  if (Status told = TellServiceManager("READY=1\nSTATUS=" + line); !told.ok()) {
    log::Get(logger_name)->warn("service_manager_not_told error={}", log::Quoted(told.ToString()));
  }
  return {};
}

}  // namespace slipstream::daemon
