#include <string>
#include <vector>

#include "dfs-client/cli/shell.h"

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  return slipstream::dfs::cli::RunShell(words);
}
