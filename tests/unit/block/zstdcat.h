#pragma once

#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <stdlib.h>

namespace slipstream::block {

// What the real zstdcat makes of a file with this content; "zstdcat failed" if it complains.
inline std::string Zstdcat(std::string_view content) {
  std::string path = std::filesystem::temp_directory_path() / "slipstream_zstdcat_XXXXXX";
  close(mkstemp(path.data()));
  std::ofstream(path, std::ios::binary) << content;
  FILE* pipe = popen(("zstdcat < " + path).c_str(), "r");
  std::string output;
  std::array<char, 65536> buffer;
  while (size_t size = fread(buffer.data(), 1, buffer.size(), pipe)) {
    output.append(buffer.data(), size);
  }
  const int exit_status = pclose(pipe);
  std::filesystem::remove(path);
  return exit_status == 0 ? output : "zstdcat failed";
}

}  // namespace slipstream::block
