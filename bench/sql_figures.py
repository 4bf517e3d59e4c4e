"""The SQL engine's figures: Nexmark-shaped JSON from a real Kafka through jobs, one after another, beside
what librdkafka alone, and simdjson, give on the same machine in the same run."""

import os
import subprocess
import time

from processes import DemoError, Process, run

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.path.join(ROOT, "build", "release", "bin")
KAFKA = os.path.join(ROOT, "deploy", "kafka", "kafka.sh")
TOPIC = "nexmark"
JOB_DEADLINE_S = 240
LATENCY_RATE = 10_000
COMMIT_INTERVAL_MS = 100

TABLES = """
CREATE TABLE events (
  event_type INT,
  person ROW<id BIGINT, name STRING, emailAddress STRING, creditCard STRING, city STRING, state STRING,
             `dateTime` TIMESTAMP(3), extra STRING>,
  auction ROW<id BIGINT, itemName STRING, description STRING, initialBid BIGINT, reserve BIGINT,
              `dateTime` TIMESTAMP(3), expires TIMESTAMP(3), seller BIGINT, category BIGINT, extra STRING>,
  bid ROW<auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, `dateTime` TIMESTAMP(3),
          extra STRING>,
  `dateTime` AS CASE WHEN event_type = 0 THEN person.`dateTime` WHEN event_type = 1 THEN auction.`dateTime`
                     ELSE bid.`dateTime` END,
  WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '4' SECOND
) WITH ('connector' = 'kafka', 'topic' = '{topic}', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json');
CREATE VIEW bids AS
SELECT bid.auction AS auction, bid.bidder AS bidder, bid.price AS price, bid.channel AS channel,
  bid.url AS url, `dateTime`, bid.extra AS extra
FROM events WHERE event_type = 2;
"""

ROW = "auction BIGINT, bidder BIGINT, price {price}, `dateTime` TIMESTAMP(3), extra STRING"
WINDOWED = "auction BIGINT, bids BIGINT, total BIGINT, starts TIMESTAMP(3), ends TIMESTAMP(3)"
AGGREGATE = "SELECT auction, COUNT(*), SUM(price), window_start, window_end FROM TABLE({window}) " \
            "GROUP BY auction, window_start, window_end"

# Name, goal in events per CPU second, columns of the result, connector, query. Shapes are those of
# Nexmark's queries of these numbers.
QUERIES = (
    ("q0 pass through", 1_000_000, ROW.format(price="BIGINT"), "blackhole",
     "SELECT auction, bidder, price, `dateTime`, extra FROM bids"),
    ("q1 projection", 1_000_000, ROW.format(price="DECIMAL(23, 3)"), "blackhole",
     "SELECT auction, bidder, 0.908 * price, `dateTime`, extra FROM bids"),
    ("q2 filter", 1_000_000, "auction BIGINT, price BIGINT", "blackhole",
     "SELECT auction, price FROM bids WHERE MOD(auction, 123) = 0"),
    ("q22 split a text", 1_000_000,
     "auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, dir1 STRING, dir2 STRING, dir3 STRING",
     "blackhole",
     "SELECT auction, bidder, price, channel, SPLIT_INDEX(url, '/', 3), SPLIT_INDEX(url, '/', 4), "
     "SPLIT_INDEX(url, '/', 5) FROM bids"),
    ("tumble, 10,000 keys", 700_000, WINDOWED, "blackhole", AGGREGATE.format(
        window="TUMBLE(TABLE bids, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND)")),
    ("hop, 10,000 keys", 700_000, WINDOWED, "blackhole", AGGREGATE.format(
        window="HOP(TABLE bids, DESCRIPTOR(`dateTime`), INTERVAL '2' SECOND, INTERVAL '10' SECOND)")),
    ("session, 10,000 keys", 400_000, "bidder BIGINT, bids BIGINT, starts TIMESTAMP(3), ends TIMESTAMP(3)",
     "blackhole",
     "SELECT bidder, COUNT(*), window_start, window_end FROM TABLE(SESSION(TABLE bids PARTITION BY bidder, "
     "DESCRIPTOR(`dateTime`), INTERVAL '0.3' SECOND)) GROUP BY bidder, window_start, window_end"),
    ("to Kafka, exactly once", 350_000, ROW.format(price="BIGINT"), "kafka",
     "SELECT auction, bidder, price, `dateTime`, extra FROM bids"),
)


def numbers_of(*argv):
    """What sql_load prints: numbers by name."""
    lines = run([os.path.join(BIN, "sql_load"), *argv]).split()
    return {name: float(value) for name, value in (line.split("=") for line in lines)}


def resident_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS:"))


class SqlBench:
    """One run over one fresh broker. `figures` has every number."""

    def __init__(self, state, arguments):
        self.state, self.is_quick = state, arguments.quick
        self.events = arguments.events or (200_000 if arguments.quick else 2_000_000)
        self.partitions, self.only = arguments.partitions, arguments.only
        self.figures, self.number = {}, 0
        for folder in ("logs", "run", "pids", "jobs"):
            os.makedirs(os.path.join(state, folder))

    def run(self):
        kafka = os.path.join(self.state, "kafka")
        self.brokers = run([KAFKA, "start", "--dir", kafka]).strip()
        try:
            self.fill()
            print(f"sql: {self.events:,} events of {self.event_bytes:.0f} bytes, {self.partitions} partition"
                  f"{'' if self.partitions == 1 else 's'}, {os.cpu_count()} cores shared with Kafka")
            print(f"  {'':<24}{'CPU s':>8}{'events/CPU s':>14}{'goal':>11}{'wall s':>8}{'events/s':>12}"
                  f"{'peak MB':>9}", flush=True)
            self.measure_floor("librdkafka alone")
            self.measure_floor("with simdjson, 3 fields", "--parse")
            for name, goal, columns, connector, query in QUERIES:
                if not self.only or any(name.startswith(only) for only in self.only):
                    self.measure_query(name, goal, columns, connector, query)
            if not self.only or "latency" in self.only:
                self.measure_latency()
        finally:
            run([KAFKA, "stop", "--dir", kafka])

    def make_topic(self, topic, partitions):
        run([os.path.join(BIN, "sql_load"), "create", "--brokers=" + self.brokers, "--topic=" + topic,
             f"--partitions={partitions}"])

    def fill(self):
        self.make_topic(TOPIC, self.partitions)
        run([os.path.join(BIN, "sql_load"), "fill", "--brokers=" + self.brokers, "--topic=" + TOPIC,
             f"--events={self.events}"])
        warm = numbers_of("fetch", "--brokers=" + self.brokers, "--topic=" + TOPIC,
                          f"--events={self.events}")
        self.event_bytes = warm["bytes"] / warm["events"]

    def line(self, name, cpu_s, goal, wall_s, peak_bytes=None):
        self.figures[name] = {"events": self.events, "cpu_s": cpu_s, "wall_s": wall_s,
                              "events_per_cpu_s": self.events / cpu_s, "peak_bytes": peak_bytes}
        print(f"  {name:<24}{cpu_s:>8.2f}{self.events / cpu_s:>14,.0f}{f'{goal:,}' if goal else '':>11}"
              f"{wall_s:>8.2f}{self.events / wall_s:>12,.0f}"
              f"{f'{peak_bytes / 1e6:.0f}' if peak_bytes else '':>9}", flush=True)

    def measure_floor(self, name, *flags):
        floor = numbers_of("fetch", "--brokers=" + self.brokers, "--topic=" + TOPIC,
                           f"--events={self.events}", *flags)
        self.line(name, floor["cpu_s"], None, floor["wall_s"])

    def job_command(self, columns, connector, query, topic, *flags):
        self.number += 1
        name = f"bench-{self.number}"
        path = os.path.join(self.state, "jobs", name + ".sql")
        sink = "'connector' = 'blackhole'" if connector == "blackhole" else \
            f"'connector' = 'kafka', 'topic' = '{name}-out', 'format' = 'json'"
        with open(path, "w", encoding="utf-8") as file:
            file.write(TABLES.format(topic=topic) +
                       f"CREATE TABLE result ({columns}) WITH ({sink});\nINSERT INTO result {query};\n")
        return name, [os.path.join(BIN, "processor"), "run", path, "--brokers=" + self.brokers,
                      f"--set=pipeline.name={name}", f"--state-dir={self.state}/processor",
                      "--log-level=warn", *flags]

    def measure_query(self, name, goal, columns, connector, query):
        _, argv = self.job_command(columns, connector, query, TOPIC, "--bounded")
        log = os.path.join(self.state, "logs", f"query-{self.number}.log")
        with open(log, "ab") as output:
            begin = time.monotonic()
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
            while True:
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    break
                if time.monotonic() - begin > JOB_DEADLINE_S:
                    process.kill()
                    raise DemoError(f"{name}: no end after {JOB_DEADLINE_S} s (log: {log})")
                time.sleep(0.005)
            wall_s = time.monotonic() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise DemoError(f"{name}: exit code {process.returncode} (log: {log})")
        self.line(name, usage.ru_utime + usage.ru_stime, goal, wall_s, usage.ru_maxrss * 1024)

    def measure_latency(self):
        """Events at a fixed rate through a job that commits every 100 ms; and what a job takes that
        has nothing to do."""
        self.make_topic("latency", self.partitions)
        name, argv = self.job_command("extra STRING", "kafka", "SELECT extra FROM bids", "latency",
                                      f"--commit-interval={COMMIT_INTERVAL_MS}ms")
        job = Process.daemon(self.state, name, argv)
        try:
            job.endpoint()
            give_up_at = time.monotonic() + 60
            while not any(worker.get("tasks") for worker in job.workers()):
                if time.monotonic() > give_up_at:
                    raise DemoError(f"{name} has no task (log: {job.log})")
                time.sleep(0.05)
            idle_bytes = resident_bytes(job.popen.pid)
            figures = numbers_of("latency", "--brokers=" + self.brokers, "--topic=latency",
                                 f"--result-topic={name}-out", f"--rate={LATENCY_RATE}",
                                 f"--seconds={6 if self.is_quick else 15}")
        finally:
            job.kill()
        self.figures["latency"] = figures
        self.figures["idle"] = {"resident_bytes": idle_bytes}
        print(f"  latency at {LATENCY_RATE:,} events/s, a commit every {COMMIT_INTERVAL_MS} ms: "
              f"p50 {figures['p50_ms']:.0f} ms, p99 {figures['p99_ms']:.0f} ms (goal 250), "
              f"max {figures['max_ms']:.0f} ms")
        print(f"  a job with nothing to do: {idle_bytes / 1e6:.0f} MB (goal 30)", flush=True)
