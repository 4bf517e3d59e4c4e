#!/usr/bin/env python3
"""The benchmarks. `pipeline` runs a year of flights from a CSV file to committed, twice-stored blocks,
with two jobs at once; `dfs` asks a master of the file system for a million names, from 64 callers,
beside empty calls in the same run, and with --restart for its names after a restart with ten million files; `sql` runs
queries of the shapes of Nexmark's over JSON in Kafka, beside librdkafka alone; `anomalies` says how well the two
anomaly jobs find what was planted; other names are those of the micro-benchmarks
(build/release/bin/*_bench)."""

import argparse
import glob
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "deploy", "demo"))
sys.path.insert(0, os.path.join(ROOT, "bench"))
from dfs_figures import DfsBench  # noqa: E402  (the folders are added above)
from processes import DemoError, Process, run  # noqa: E402
import anomaly_figures  # noqa: E402  (as above)
import restart_bench  # noqa: E402
from sql_figures import SqlBench  # noqa: E402

BIN = os.path.join(ROOT, "build", "release", "bin")
KAFKA = os.path.join(ROOT, "deploy", "kafka", "kafka.sh")
JOBS = ("flights_by_carrier", "flights_delays")
TOPIC = "flights-topic"  # as the job files have it
POLL_S = 0.05
DEADLINE_S = 300
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Usage:
    """What processes have used, by their name, since begin(): CPU seconds and peak memory."""

    def __init__(self):
        self.pids, self.before, self.cpu_s, self.peak_bytes = {}, {}, {}, {}

    def watch(self, name, pid):
        self.pids[name] = pid
        self.before[name] = self.cpu_of(pid)

    @staticmethod
    def cpu_of(pid):
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def sample(self):
        for name, pid in self.pids.items():
            try:
                self.cpu_s[name] = self.cpu_of(pid) - self.before[name]
                with open(f"/proc/{pid}/status", encoding="ascii") as file:
                    peak = [line for line in file if line.startswith("VmHWM:")]
                if peak:
                    self.peak_bytes[name] = int(peak[0].split()[1]) * 1024
            except (OSError, IndexError):
                pass  # it has ended: the last sample stands


class CommitWatch:
    """When a job had committed every row: at its last commit. That is known a while later, when no
    other has followed; a worker with rows to commit does so every second."""

    QUIET_S = 3

    def __init__(self, rows):
        self.rows, self.commits, self.changed_at = rows, 0, 0

    def see(self, workers, now):
        commits = sum(worker["commits"] for worker in workers)
        if commits != self.commits:
            self.commits, self.changed_at = commits, now
        is_through = sum(worker["rows_in"] for worker in workers) >= self.rows
        return self.changed_at if is_through and now - self.changed_at > self.QUIET_S else None


class PipelineRun:
    """One run: fresh storage, topic and jobs, on a broker that is warm."""

    def __init__(self, state, brokers, number):
        self.state = os.path.join(state, f"run-{number}")
        for folder in ("logs", "run", "pids", "jobs"):
            os.makedirs(os.path.join(self.state, folder))
        self.name = f"bench-{os.getpid()}-{number}"
        self.brokers, self.processes, self.master = brokers, [], None

    def daemon(self, name, *argv):
        process = Process.daemon(self.state, name, [os.path.join(BIN, argv[0]), *argv[1:]])
        self.processes.append(process)
        return process

    def start_storage(self):
        master = self.daemon("dfs-master", "dfs-master", "--listen=127.0.0.1:0",
                             f"--data-dir={self.state}/master")
        self.master = master.endpoint()["rpc"]
        nodes = [self.daemon(f"dfs-datanode-{i}", "dfs-datanode", "--master=" + self.master,
                             "--listen=127.0.0.1:0", f"--data-dir={self.state}/datanode-{i}")
                 for i in (1, 2, 3)]
        for node in nodes:
            node.endpoint()

    def start_job(self, job):
        with open(os.path.join(ROOT, "jobs", job + ".sql"), encoding="utf-8") as file:
            text = file.read().replace(f"'{TOPIC}'", f"'{self.name}'")
        path = os.path.join(self.state, "jobs", job + ".sql")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return self.daemon("processor-" + job.replace("_", "-"), "processor", "run", path,
                           "--brokers=" + self.brokers, "--master=" + self.master,
                           f"--set=pipeline.name={self.name}-{job}",
                           f"--state-dir={self.state}/processor")

    def measure(self, csv_file, rows, kafka_pid):
        """Seconds from the producer's start until both jobs have committed every row."""
        self.start_storage()
        jobs = [self.start_job(job) for job in JOBS]
        usage = Usage()
        usage.watch("kafka", kafka_pid)
        for process in self.processes:
            usage.watch(process.name, process.popen.pid)
        begin = time.monotonic()
        producer = Process(self.state, "producer", [
            os.path.join(BIN, "producer"), "flights", "--csv", csv_file, "--speed=max", "--quiet",
            "--brokers=" + self.brokers, "--topic=" + self.name, "--partitions=3",
            f"--acks-file={self.state}/acks"])
        self.processes.append(producer)
        usage.watch("producer", producer.popen.pid)
        times = {}
        commits = {job.name: CommitWatch(rows) for job in jobs}
        while len(times) < 1 + len(jobs):
            time.sleep(POLL_S)
            usage.sample()
            elapsed = time.monotonic() - begin
            if elapsed > DEADLINE_S:
                raise DemoError(f"not through after {DEADLINE_S} s (logs: {self.state}/logs)")
            for process in self.processes:
                process.check()
            if not producer.is_running():
                times.setdefault("producer", elapsed)
            for job in jobs:
                done_at = commits[job.name].see(job.workers(), elapsed)
                if done_at is not None:
                    times.setdefault(job.name, done_at)
        self.check_stored(rows)
        return times, usage

    def check_stored(self, rows):
        stored = run([os.path.join(BIN, "processor"), "query",
                      "SELECT COUNT(*) FROM flights_by_carrier", "--catalog",
                      os.path.join(self.state, "jobs", "flights_by_carrier.sql"),
                      "--master=" + self.master, "--format=csv"]).split()[-1]
        if int(stored) != rows:
            raise DemoError(f"{stored} rows stored of {rows}")

    def stop(self):
        for process in reversed(self.processes):
            if process.is_running():
                process.kill()


def input_file(arguments, state):
    """A CSV of flights and the number of its rows."""
    datasets = os.environ.get("SLIPSTREAM_DATASETS", "")
    real = os.path.join(datasets, "nycflights13", "flights.csv.zst")
    path = arguments.csv or (real if datasets and os.path.exists(real) else None)
    if path is None:
        path = os.path.join(state, "flights.csv")
        run([os.path.join(BIN, "producer"), "flights", "--synthetic", "--write-csv", path])
    dry_run = subprocess.Popen([os.path.join(BIN, "producer"), "flights", "--csv", path, "--dry-run",
                                "--sort=none", "--quiet"], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    rows = sum(chunk.count(b"\n") for chunk in iter(lambda: dry_run.stdout.read(1 << 20), b""))
    if dry_run.wait() != 0:
        raise DemoError(f"the producer cannot read {path}")
    return path, rows


def pipeline(arguments, state):
    csv_file, rows = input_file(arguments, state)
    print(f"pipeline: {rows:,} flights of {csv_file}, {arguments.runs} runs, {os.cpu_count()} cores",
          flush=True)
    kafka = os.path.join(state, "kafka")
    brokers = run([KAFKA, "start", "--dir", kafka]).strip()
    results = []
    try:
        with open(os.path.join(kafka, "broker.pid"), encoding="ascii") as file:
            kafka_pid = int(file.read())
        for number in range(arguments.runs + 1):
            one = PipelineRun(state, brokers, number)
            try:
                times, usage = one.measure(csv_file, rows, kafka_pid)
            finally:
                one.stop()
            if number == 0:
                continue  # it warmed the broker
            results.append((max(times.values()), times, usage))
            print(f"  run {number}: {max(times.values()):.2f} s", flush=True)
    finally:
        run([KAFKA, "stop", "--dir", kafka])
    seconds = statistics.median(result[0] for result in results)
    _, times, usage = min(results, key=lambda result: abs(result[0] - seconds))
    print(f"median: {seconds:.2f} s, {rows / seconds:,.0f} rows a second; of that run:")
    print(f"  {'':<30}{'until s':>8}{'rows/s':>10}{'CPU s':>8}{'peak MB':>9}")
    for name in usage.cpu_s:
        until = times.get(name)
        print(f"  {name:<30}{f'{until:.2f}' if until else '':>8}"
              f"{f'{rows / until:,.0f}' if until else '':>10}{usage.cpu_s[name]:>8.2f}"
              f"{usage.peak_bytes.get(name, 0) / 1e6:>9.0f}")


def main():
    micro = {os.path.basename(p): p for p in sorted(glob.glob(os.path.join(BIN, "*_bench")))}
    micro.pop("dfs_bench", None)  # wants a master: `dfs` starts one
    parser = argparse.ArgumentParser(prog="./slipstream bench", description=__doc__)
    parser.add_argument("names", nargs="*", default=["pipeline"], metavar="NAME",
                        help=f"pipeline (the default), dfs, sql, anomalies, {', '.join(micro) or 'none built'}")
    parser.add_argument("--csv", metavar="FILE", help="flights to replay (default: the real file "
                        "of SLIPSTREAM_DATASETS, else a synthesised year)")
    parser.add_argument("--restart", action="store_true",
                        help="of dfs: a master's restart with many files instead")
    parser.add_argument("--files", type=int, default=10_000_000,
                        help="of dfs --restart (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="of the pipeline (default: %(default)s)")
    parser.add_argument("--events", type=int, help="of sql (default: 2,000,000; 200,000 with --quick)")
    parser.add_argument("--partitions", type=int, default=1,
                        help="of sql; with several, groups go through an exchange (default: %(default)s)")
    parser.add_argument("--only", action="append", metavar="QUERY",
                        help="of sql: only queries whose name begins so, or latency; repeatable")
    parser.add_argument("--quick", action="store_true", help="dfs, sql: smaller and shorter loads")
    parser.add_argument("--json", metavar="FILE", help="dfs, sql: write the figures there, too")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in ("pipeline", "dfs", "sql", "anomalies") and name not in micro:
            parser.error(f"no benchmark {name}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # processes are stopped either way
    state = tempfile.mkdtemp(prefix="slipstream-bench-")
    try:
        for name in arguments.names:
            if name == "pipeline":
                pipeline(arguments, state)
            elif name == "dfs" and arguments.restart:
                restart_bench.restart(BIN, state, arguments.files)
            elif name in ("dfs", "sql"):
                folder = os.path.join(state, name)
                one = SqlBench(folder, arguments) if name == "sql" else DfsBench(folder, arguments.quick)
                one.run()
                if arguments.json:
                    with open(arguments.json, "w", encoding="utf-8") as file:
                        json.dump(one.figures, file, indent=2)
            elif name == "anomalies":
                anomaly_figures.measure(BIN, KAFKA, os.path.join(state, name))
            else:
                subprocess.run([micro[name]], check=True)
    except DemoError as error:
        print(f"bench: {error}", file=sys.stderr)
        state = None  # its logs are left to look at
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        if state:
            shutil.rmtree(state, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
