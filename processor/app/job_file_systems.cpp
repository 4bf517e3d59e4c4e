#include "processor/app/job_file_systems.h"

namespace slipstream::processor {

FileSystems FileSystemsOf(const JobFlags& flags,
                          std::chrono::milliseconds timeout,
                          const std::stop_token& stop) {
  return FileSystems(
      flags.master,
      {.timeout = timeout, .write_timeout = timeout, .tls_dir = flags.tls_dir, .stop = stop});
}

}  // namespace slipstream::processor
