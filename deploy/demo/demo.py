#!/usr/bin/env python3
"""The demo: flights from a producer through Kafka and streaming SQL into the replicated file
system, and back as tables. Run by `./slipstream demo`, which builds and sets up first."""

import argparse
import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time

from processes import DemoError, Process, run

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KAFKA = os.path.join(ROOT, "deploy", "kafka", "kafka.sh")
STREAMING_JOBS = ("flights_by_carrier", "flights_delays")
REPORT_JOB = "carrier_report"
TOPIC = "flights-topic"  # as the job files have it
DATANODES = 3
DRAIN_DEADLINE_S = 600

DELAYS = """SELECT origin, carrier, SUM(delayed_flights) AS delayed_flights,
    ROUND(SUM(delayed_flights * avg_arr_delay) / SUM(delayed_flights), 1) AS avg_arr_delay,
    MAX(max_arr_delay) AS max_arr_delay
  FROM delays GROUP BY origin, carrier ORDER BY delayed_flights DESC, origin, carrier LIMIT 10"""
CARRIERS = """SELECT carrier, COUNT(*) AS flights FROM flights_by_carrier
  GROUP BY carrier ORDER BY flights DESC, carrier"""
REPORT = """SELECT carrier, flights, ROUND(avg_dep_delay, 1) AS avg_dep_delay,
    ROUND(avg_arr_delay, 1) AS avg_arr_delay, ROUND(avg_air_time, 1) AS avg_air_time,
    ROUND(score, 3) AS score
  FROM carrier_report ORDER BY carrier"""
STORED_IDS = "SELECT id FROM flights_by_carrier"


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        prog="./slipstream demo", description=__doc__,
        epilog="Kafka and the file system keep running afterwards, to look around; "
               "./slipstream stop ends them. After an error or Ctrl-C everything is stopped.")
    parser.add_argument("--csv", nargs="+", metavar="FILE",
                        help="replay real files (see datasets/README.md) instead of synthesised flights")
    parser.add_argument("--flights", type=int, default=336_776, metavar="N",
                        help="how many to synthesise (default: %(default)s, a year)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another year")
    parser.add_argument("--rate", type=int, default=50_000, metavar="N",
                        help="flights a second; 0: as fast as it goes (default: %(default)s)")
    parser.add_argument("--kill-datanode", action="store_true",
                        help="kill -9 one of the three datanodes half-way")
    parser.add_argument("--brokers", metavar="HOST:PORT,…",
                        help="use this Kafka instead of starting one")
    parser.add_argument("--kafka-port", type=int, metavar="PORT", help="of the Kafka started (default: a free one)")
    parser.add_argument("--master-port", type=int, default=0, metavar="PORT",
                        help="of the dfs-master (default: a free one)")
    parser.add_argument("--state", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--bin", default=os.path.join(ROOT, "build", "release", "bin"),
                        help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def say(text=""):
    print(text, flush=True)


class Progress:
    """One line a hop, rewritten in place on a terminal; elsewhere a group of lines now and then."""

    PERIOD_S = 5

    def __init__(self):
        self.is_terminal = sys.stdout.isatty()
        self.printed_at = None
        self.lines_up = 0

    def show(self, lines, is_last=False):
        now = time.monotonic()
        if self.is_terminal:
            if self.lines_up:
                sys.stdout.write(f"\033[{self.lines_up}A")
            self.lines_up = len(lines)
            sys.stdout.write("".join(f"\033[2K{line}\n" for line in lines))
            sys.stdout.flush()
        elif is_last or self.printed_at is None or now - self.printed_at >= self.PERIOD_S:
            self.printed_at = now
            say("\n".join(lines))
        if is_last:
            self.lines_up = 0

    def note(self, text):
        """A line of its own, which stays."""
        self.lines_up = 0
        say(text)


class Demo:
    def __init__(self, arguments):
        self.arguments = arguments
        self.state = arguments.state.rstrip("/")
        self.brokers = arguments.brokers
        self.master_address = None
        self.gateway_address = None
        self.datanodes = []
        self.jobs = {}
        self.job_folder = os.path.join(ROOT, "jobs")
        self.run_name = None  # set where Kafka is somebody else's: names must be new ones
        self.topic = TOPIC
        self.progress = Progress()

    def path(self, *parts):
        return os.path.join(self.state, *parts)

    def binary(self, name):
        return os.path.join(self.arguments.bin, name)

    # ---- start ------------------------------------------------------------------------------

    def start(self):
        if self.brokers:
            say(f"Kafka      {self.brokers} (yours)")
            self.use_names_of_our_own()
        else:
            port = self.arguments.kafka_port
            self.brokers = run([KAFKA, "start", "--dir", self.path("kafka"),
                                *(["--port", str(port)] if port else [])]).strip()
            say(f"Kafka      {self.brokers}")
        master = Process.daemon(self.state, "dfs-master", [
            self.binary("dfs-master"), f"--listen=127.0.0.1:{self.arguments.master_port}",
            "--data-dir=" + self.path("master")])
        self.master_address = master.endpoint()["rpc"]
        say(f"master     {self.master_address}")
        for number in range(1, DATANODES + 1):
            self.datanodes.append(Process.daemon(self.state, f"dfs-datanode-{number}", [
                self.binary("dfs-datanode"), "--master=" + self.master_address,
                "--listen=127.0.0.1:0", "--data-dir=" + self.path(f"datanode-{number}")]))
        addresses = [node.endpoint()["rpc"] for node in self.datanodes]
        say(f"datanodes  {', '.join(addresses)}")
        gateway = Process.daemon(self.state, "gateway", [
            self.binary("gateway"), "--master=" + self.master_address,
            "--brokers=" + self.brokers, "--listen=127.0.0.1:0",
            "--dashboards=" + os.path.join(ROOT, "dashboards")])
        self.gateway_address = gateway.endpoint()["rpc"]
        say(f"dashboard  http://{self.gateway_address}/  (open it: everything below, live)")

    def use_names_of_our_own(self):
        """On somebody else's Kafka the topic and the jobs' groups must not meet those of earlier
        runs: the job files are copied with another topic."""
        self.run_name = time.strftime("demo-%Y%m%d-%H%M%S")
        self.topic = f"flights-{self.run_name}"
        self.job_folder = self.path("jobs")
        os.makedirs(self.job_folder)
        for name in (*STREAMING_JOBS, REPORT_JOB):
            with open(os.path.join(ROOT, "jobs", name + ".sql"), encoding="utf-8") as file:
                text = file.read().replace(f"'{TOPIC}'", f"'{self.topic}'")
            with open(os.path.join(self.job_folder, name + ".sql"), "w", encoding="utf-8") as file:
                file.write(text)

    def job_file(self, name):
        return os.path.join(self.job_folder, name + ".sql")

    def run_job(self, name, *flags):
        if self.run_name:
            flags = (*flags, "--set", f"pipeline.name={self.run_name}-{name}")
        return Process.daemon(self.state, "processor-" + name.replace("_", "-"), [
            self.binary("processor"), "run", self.job_file(name), "--brokers=" + self.brokers,
            "--master=" + self.master_address, "--state-dir=" + self.path("processor"), *flags])

    # ---- replay -----------------------------------------------------------------------------

    def replay(self):
        arguments = self.arguments
        source = (["--csv", *map(os.path.abspath, arguments.csv)] if arguments.csv else
                  ["--synthetic", f"--flights={arguments.flights}", f"--seed={arguments.seed}"])
        rate = [f"--rate={arguments.rate}"] if arguments.rate else []
        acks = self.path("acknowledged-ids.txt")
        producer = Process(self.state, "producer", [
            self.binary("producer"), "flights", *source, *rate, "--brokers=" + self.brokers,
            "--topic=" + self.topic, "--partitions=3", "--acks-file=" + acks])
        self.wait_for_first_rows(producer, acks)
        self.jobs = {name: self.run_job(name) for name in STREAMING_JOBS}
        say()
        is_killed = not arguments.kill_datanode
        total = arguments.flights if not arguments.csv else None
        while producer.is_running():
            sent = count_lines(acks)
            self.show_progress(sent)
            if not is_killed and sent >= (total or 2 * 100_000) // 2:
                is_killed = True
                self.kill_datanode()
            time.sleep(0.5)
        producer.check()
        producer.forget()
        if not is_killed:
            self.kill_datanode()
        return count_lines(acks)

    def wait_for_first_rows(self, producer, acks):
        while count_lines(acks) == 0 and producer.is_running():
            time.sleep(0.05)
        producer.check()

    def kill_datanode(self):
        node = self.datanodes[1]
        node.kill()
        self.progress.note(f"killed     {node.name} (kill -9): writing and reading go on; its "
                           "blocks get a new second replica in half a minute")

    def show_progress(self, sent, is_last=False):
        lines = [f"  producer   {sent:>9,} rows sent"]
        for name, process in self.jobs.items():
            process.check()
            workers = process.workers()
            rows = sum(worker.get("rows_in", 0) for worker in workers)
            lag = sum(task.get("lag", 0) for w in workers for task in w.get("tasks", []))
            lines.append(f"  processor  {rows:>9,} rows processed by {name}, lag {lag:,}")
        try:
            report = self.dfs_report()
            lines.append(f"  storage    {megabytes(report['raw_bytes'])} stored in "
                         f"{report['block_count']:,} blocks, each on two datanodes")
        except (DemoError, ValueError, KeyError):
            lines.append("  storage    (no answer)")
        self.progress.show(lines, is_last)

    def finish(self, sent):
        """Ends the two streams: what is still in Kafka is processed, every window fires."""
        give_up_at = time.monotonic() + DRAIN_DEADLINE_S
        while self.lag() != 0 and time.monotonic() < give_up_at:
            self.show_progress(sent)
            time.sleep(0.5)
        self.show_progress(sent, is_last=True)
        for process in self.jobs.values():
            process.terminate()
        self.jobs = {name: self.run_job(name, "--bounded") for name in STREAMING_JOBS}
        for process in self.jobs.values():
            process.wait(DRAIN_DEADLINE_S)
        self.jobs = {}
        say("\nthe streams have ended; reading back what is stored\n")
        self.run_job(REPORT_JOB).wait(DRAIN_DEADLINE_S)

    def lag(self):
        """Rows not processed yet; None while a job has not said."""
        lag = 0
        for process in self.jobs.values():
            process.check()
            tasks = [t for w in process.workers() for t in w.get("tasks", [])]
            if not tasks or any("lag" not in task for task in tasks):
                return None
            lag += sum(task["lag"] for task in tasks)
        return lag

    # ---- results ----------------------------------------------------------------------------

    def query(self, catalog, sql, output_format="table"):
        return run([self.binary("processor"), "query", sql, "--catalog", self.job_file(catalog),
                    "--master=" + self.master_address, "--format", output_format])

    def dfs_report(self):
        return json.loads(run([self.binary("dfs"), "--master=" + self.master_address, "report",
                               "--json"], deadline_s=20))

    def show_results(self):
        say("Late arrivals (15 minutes or more), the ten largest groups:")
        say(self.query("flights_delays", DELAYS))
        say("Flights stored, by carrier:")
        say(self.query("flights_by_carrier", CARRIERS))
        say("The carrier report:")
        say(self.query(REPORT_JOB, REPORT))
        report = self.dfs_report()
        raw, stored = report["raw_bytes"], report["stored_bytes"]
        say(f"{megabytes(raw)} of rows take {megabytes(stored)} a replica: "
            f"compressed {raw / max(stored, 1):.1f} times")

    def show_losses(self):
        """Whether every acknowledged row is stored, once. Returns whether it is."""
        with open(self.path("acknowledged-ids.txt"), encoding="ascii") as file:
            acknowledged = [int(line) for line in file]
        rows = csv.reader(io.StringIO(self.query("flights_by_carrier", STORED_IDS, "csv")))
        next(rows)  # the header
        stored = [int(float(row[0])) for row in rows]
        lost = sorted(set(acknowledged) - set(stored))
        repeated = len(stored) - len(set(stored))
        say(f"acknowledged to the producer {len(acknowledged):,}, stored {len(stored):,}, "
            f"lost {len(lost):,}, stored twice {repeated:,}")
        if lost:
            say("lost ids: " + ", ".join(map(str, lost[:100])) + (" …" if len(lost) > 100 else ""))
        return not lost and repeated == 0

    def show_what_runs(self):
        say(f"""
Still running, to look around ({self.state}/logs has their logs):
  build/release/bin/dfs --master {self.master_address} ls -R /
  http://{self.gateway_address}/ in a browser: the dashboard
  curl 'http://{self.gateway_address}/webhdfs/v1/?op=LISTSTATUS'
  curl 'http://{self.gateway_address}/api/v1/jobs'
  build/release/bin/processor query "SELECT COUNT(*) FROM flights_by_carrier" \\
      --catalog jobs/flights_by_carrier.sql --master {self.master_address}
  ./slipstream stop""")


def megabytes(count):
    return f"{count / 1e6:,.1f} MB"


def count_lines(path):
    try:
        with open(path, "rb") as file:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
    except FileNotFoundError:
        return 0


def prepare_state(state):
    """An empty state folder: what an earlier demo left is gone (its processes were stopped)."""
    shutil.rmtree(state, ignore_errors=True)
    for folder in ("logs", "run", "pids"):
        os.makedirs(os.path.join(state, folder))
    with open(os.path.join(state, "pids", "demo.pid"), "w", encoding="ascii") as file:
        file.write(f"{os.getpid()}\n")


def stop_all(state):
    subprocess.run([os.path.join(ROOT, "deploy", "demo", "stop.sh"), state], check=False)


def interrupt(_signal, _frame):
    raise KeyboardInterrupt


def main(argv):
    arguments = parse_arguments(argv)
    signal.signal(signal.SIGTERM, interrupt)
    prepare_state(arguments.state)
    demo = Demo(arguments)
    code = 1
    try:
        demo.start()
        sent = demo.replay()
        demo.finish(sent)
        demo.show_results()
        code = 0 if demo.show_losses() else 1
        demo.show_what_runs()
        return code
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        code = 130
        return 130
    finally:
        os.remove(demo.path("pids", "demo.pid"))
        if code != 0:
            stop_all(arguments.state)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
