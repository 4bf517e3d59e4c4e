// Loads on the file system's processes, for bench.py, which starts those and puts the figures
// together. Each command prints lines of "name=value".

#include <cstdio>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>

#include "bench/file_load.h"
#include "bench/metadata_load.h"

namespace {

using slipstream::Status;
using slipstream::bench::FileLoad;
using slipstream::bench::LoadResult;
using slipstream::bench::MetadataLoad;

void Print(const std::string& name, double value) {
  std::printf("%s=%.6g\n", name.c_str(), value);
  std::fflush(stdout);
}

// Of a call that is for so many names.
Status Print(const std::string& name, const LoadResult& result, size_t names_per_call = 1) {
  if (!result.first_error.empty()) return slipstream::Unavailable(name + ": " + result.first_error);
  Print(name + "_per_s", result.calls_per_second() * static_cast<double>(names_per_call));
  Print(name + "_median_ms", result.median_ms);
  Print(name + "_p99_ms", result.p99_ms);
  return {};
}

Status RunMetadata(const MetadataLoad::Options& options, const std::vector<std::string>& calls) {
  MetadataLoad load(options);
  for (const std::string& call : calls) {
    if (call == "names") {
      ASSIGN_OR_RETURN(double names_per_second, load.MakeNames());
      Print("names_per_s", names_per_second);
    } else if (call == "empty") {
      RETURN_IF_ERROR(Print(call, load.Empty()));
    } else if (call == "stat") {
      RETURN_IF_ERROR(Print(call, load.Stat()));
    } else if (call == "create") {
      RETURN_IF_ERROR(Print(call, load.Create()));
    } else if (call == "create_batch") {
      RETURN_IF_ERROR(Print(call, load.CreateBatch(), MetadataLoad::kBatch));
    } else if (call == "stat_batch") {
      RETURN_IF_ERROR(Print(call, load.StatBatch(), MetadataLoad::kBatch));
    } else if (call == "list") {
      RETURN_IF_ERROR(Print(call, load.List(), MetadataLoad::kBatch));
    } else {
      return slipstream::InvalidArgument("no such call: " + call);
    }
  }
  return {};
}

Status RunFiles(const FileLoad::Options& options, const std::vector<std::string>& calls) {
  FileLoad load(options);
  for (const std::string& call : calls) {
    if (call == "put") {
      RETURN_IF_ERROR(Print(call, load.Put()));
    } else if (call == "get") {
      RETURN_IF_ERROR(Print(call, load.Get()));
    } else if (call == "put_batch") {
      RETURN_IF_ERROR(Print(call, load.PutBatch(), FileLoad::kBatch));
    } else {
      return slipstream::InvalidArgument("no such call: " + call);
    }
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Loads on the file system's processes.", "dfs_bench");
  app.require_subcommand(1);
  Status status;

  app.add_subcommand("serve-empty", "a server of empty calls, until stdin ends")->callback([&] {
    status = slipstream::bench::ServeEmptyCalls();
  });

  MetadataLoad::Options metadata;
  uint32_t seconds = 5;
  std::vector<std::string> calls;
  CLI::App& calls_command = *app.add_subcommand("calls", "calls to a master, or to serve-empty");
  calls_command.add_option("--master", metadata.master, "HOST:PORT")->required();
  calls_command.add_option("--callers", metadata.callers)->capture_default_str();
  calls_command.add_option("--channels", metadata.channels)->capture_default_str();
  calls_command.add_option("--seconds", seconds, "of each")->capture_default_str();
  calls_command
      .add_option("CALL", calls, "names, empty, stat, create, create_batch, stat_batch, list")
      ->required();
  calls_command.callback([&] {
    metadata.duration = std::chrono::seconds(seconds);
    status = RunMetadata(metadata, calls);
  });

  FileLoad::Options files;
  CLI::App& files_command = *app.add_subcommand("files", "small files, put and got");
  files_command.add_option("--master", files.master, "HOST:PORT")->required();
  files_command.add_option("--clients", files.clients)->capture_default_str();
  files_command.add_option("--seconds", seconds, "of each")->capture_default_str();
  files_command.add_option("CALL", calls, "put, get, put_batch")->required();
  files_command.callback([&] {
    files.duration = std::chrono::seconds(seconds);
    status = RunFiles(files, calls);
  });

  std::string directory;
  CLI::App& sync_command = *app.add_subcommand("sync-pairs", "two synced files a call, on a disk");
  sync_command.add_option("--directory", directory)->required();
  sync_command.add_option("--writers", files.clients)->capture_default_str();
  sync_command.add_option("--seconds", seconds)->capture_default_str();
  sync_command.callback([&] {
    status = Print("sync_pairs",
                   slipstream::bench::SyncPairs(
                       directory, files.clients, files.file_bytes, std::chrono::seconds(seconds)));
  });

  CLI11_PARSE(app, argc, argv);
  if (status.ok()) return 0;
  std::cerr << "dfs_bench: " << status.ToString() << '\n';
  return 1;
}
