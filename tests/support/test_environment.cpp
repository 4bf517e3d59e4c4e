#include "tests/support/test_environment.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <random>

#include "common/check/check.h"

namespace slipstream::test_support {
namespace {

constexpr uint16_t kPortBegin = 10'000;
constexpr uint16_t kPortEnd = 20'000;  // the Kafka brokers' ports begin here

std::filesystem::path RequiredPath(const char* variable) {
  const char* value = std::getenv(variable);
  SLIPSTREAM_CHECK(
      value != nullptr && *value != '\0', "{} is not set: run this test through ctest", variable);
  return value;
}

bool CanBind(uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  SLIPSTREAM_CHECK(fd >= 0, "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool is_bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  ::close(fd);
  return is_bound;
}

}  // namespace

std::filesystem::path BinDir() {
  return RequiredPath("SLIPSTREAM_BIN_DIR");
}

std::filesystem::path SourceDir() {
  return RequiredPath("SLIPSTREAM_SOURCE_DIR");
}

std::filesystem::path DatasetsDir() {
  const char* value = std::getenv("SLIPSTREAM_DATASETS");
  return value == nullptr ? "" : value;
}

uint16_t FreePort() {
  // Seeded by the system: test binaries run side by side and must not all try the same ports.
  std::random_device random;
  std::uniform_int_distribution<int> ports(kPortBegin, kPortEnd - 1);
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const auto port = static_cast<uint16_t>(ports(random));
    if (CanBind(port)) return port;
  }
  SLIPSTREAM_CHECK(false, "no free port between {} and {}", kPortBegin, kPortEnd);
}

}  // namespace slipstream::test_support
