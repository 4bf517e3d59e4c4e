"""A small cluster of real processes for the tests of what surrounds them: Kafka, a master, two
datanodes, a gateway, a job and a producer, all on free ports of 127.0.0.1."""

import os
import sys
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "deploy", "demo"))

from processes import Process, run  # noqa: E402  (found by the line above)

KAFKA = os.path.join(ROOT, "deploy", "kafka", "kafka.sh")
JOB = os.path.join(ROOT, "jobs", "flights_delays.sql")


def fetch(url, method="GET", data=None, headers=None):
    """(status, text) of an HTTP request."""
    request = urllib.request.Request(url, method=method, data=data, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def eventually(condition, deadline_s=60):
    """The first true value of condition(); its last value when the time is over."""
    give_up_at = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value or time.monotonic() > give_up_at:
            return value
        time.sleep(0.1)


class SmallCluster:
    def __init__(self, folder, binaries):
        self.folder = folder
        self.binaries = binaries
        self.processes = {}
        self.has_kafka = False
        for name in ("logs", "run", "pids"):
            os.makedirs(os.path.join(folder, name))

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def start(self, name, daemon, *flags):
        process = Process.daemon(self.folder, name, [os.path.join(self.binaries, daemon), *flags])
        self.processes[name] = process
        return process

    def admin(self, name):
        return self.processes[name].endpoint()["admin"]

    def page(self, name, page, **options):
        return fetch(f"http://{self.admin(name)}{page}", **options)

    def log(self, name):
        with open(self.processes[name].log, encoding="utf-8") as file:
            return file.read()

    def start_storage(self, *flags):
        master = self.start("dfs-master", "dfs-master", "--listen=127.0.0.1:0",
                            "--data-dir=" + self.path("master"), *flags)
        self.master_address = master.endpoint()["rpc"]
        for number in (1, 2):
            self.start(f"dfs-datanode-{number}", "dfs-datanode", "--listen=127.0.0.1:0",
                       "--master=" + self.master_address,
                       "--data-dir=" + self.path(f"datanode-{number}"), *flags)
        for number in (1, 2):
            assert eventually(lambda n=number: self.page(f"dfs-datanode-{n}", "/readyz")[0] == 200)

    def start_gateway(self, *flags):
        gateway = self.start("gateway", "gateway", "--listen=127.0.0.1:0",
                             "--master=" + self.master_address, *flags)
        self.gateway_address = gateway.endpoint()["rpc"]
        assert eventually(lambda: self.page("gateway", "/readyz")[0] == 200)

    def start_pipeline(self):
        """Kafka, a producer that goes on for minutes, and a job that stores what it sends."""
        self.has_kafka = True
        brokers = run([KAFKA, "start", "--dir", self.path("kafka")]).strip()
        self.start("producer", "producer", "flights", "--synthetic", "--brokers=" + brokers,
                   "--partitions=2", "--rate=2000")
        self.start("processor", "processor", "run", JOB, "--brokers=" + brokers,
                   "--master=" + self.master_address, "--state-dir=" + self.path("state"))
        assert eventually(lambda: self.page("processor", "/readyz")[0] == 200, 120)

    def stop(self):
        for process in self.processes.values():
            if process.is_running():
                process.kill()
        if self.has_kafka:
            run([KAFKA, "stop", "--dir", self.path("kafka")])
