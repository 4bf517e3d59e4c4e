// A master's restart with very many files, for restart_bench.py, which starts the master. Each
// command prints lines of "name=value".

#include <iostream>
#include <string>

#include <CLI/CLI.hpp>

#include "bench/restart_nodes.h"
#include "bench/restart_store.h"

int main(int argc, char** argv) {
  namespace bench = slipstream::bench;
  CLI::App app("A master's restart with very many files.", "restart_load");
  app.require_subcommand(1);
  slipstream::Status status;
  bench::RestartNodesOptions options;

  std::string data_dir;
  CLI::App& fill = *app.add_subcommand("fill", "makes the store of such a master");
  fill.add_option("--data-dir", data_dir, "of the master; empty")->required();
  fill.add_option("--files", options.files)->required();
  fill.callback([&] { status = bench::MakeRestartStore(data_dir, options.files); });

  CLI::App& names = *app.add_subcommand("names", "waits until it answers stat and list");
  CLI::App& nodes = *app.add_subcommand("nodes", "plays its datanodes until all is located");
  for (CLI::App* command : {&names, &nodes}) {
    command->add_option("--master", options.master, "HOST:PORT")->required();
    command->add_option("--files", options.files, "of the store")->required();
  }
  names.callback([&] { status = bench::AwaitRestartedNames(options); });
  nodes.callback([&] { status = bench::ReportRestartNodes(options); });

  CLI11_PARSE(app, argc, argv);
  if (status.ok()) return 0;
  std::cerr << "restart_load: " << status.ToString() << '\n';
  return 1;
}
