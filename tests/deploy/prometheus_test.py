#!/usr/bin/env python3
"""A real Prometheus scrapes real daemons: names and help follow its rules, every recording and alert
rule evaluates, and every panel of the Grafana dashboards has data.

Needs Debian's package prometheus; without it the test says so and is skipped (exit code 77)."""

import glob
import importlib.util
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse

from small_cluster import ROOT, SmallCluster, eventually, fetch

BINARIES = sys.argv.pop(1) if len(sys.argv) > 1 else os.path.join(ROOT, "build/release/bin")
CONFIG = os.path.join(ROOT, "deploy", "prometheus")
GRAFANA = os.path.join(ROOT, "deploy", "grafana")
SKIPPED = 77
INTERVAL = "5s"  # of what the panels ask; the test scrapes five times in it


def promtool(*arguments, **options):
    return subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False,
                          **options)


def dashboards():
    spec = importlib.util.spec_from_file_location(
        "make_dashboards", os.path.join(GRAFANA, "make_dashboards.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.files()


class FilesTest(unittest.TestCase):
    """What can be said without running anything."""

    def test_configurations_and_rules_are_valid(self):
        with tempfile.TemporaryDirectory() as scratch:
            config = pathlib.Path(shutil.copytree(CONFIG, os.path.join(scratch, "config")))
            # promtool wants certificates where a file says that they are.
            compose = config / "compose.yml"
            compose.write_text(compose.read_text().replace("/etc/slipstream/tls", scratch))
            for name in ("ca.pem", "host.pem"):
                pathlib.Path(scratch, name).touch()
            for name in ("prometheus.yml", "compose.yml"):
                result = promtool("check", "config", str(config / name))
                self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_rules_do_what_they_say(self):
        result = promtool("test", "rules", "rules_test.yml", cwd=CONFIG)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_dashboards_are_those_of_the_tables(self):
        made = dashboards()
        self.assertEqual(sorted(made), sorted(os.listdir(os.path.join(GRAFANA, "dashboards"))))
        for name, text in made.items():
            with open(os.path.join(GRAFANA, "dashboards", name), encoding="utf-8") as file:
                self.assertEqual(file.read(), text, name)


class ScrapeTest(unittest.TestCase):
    stop_traffic = threading.Event()

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="slipstream-prometheus-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.cluster = SmallCluster(os.path.join(cls.folder, "cluster"), BINARIES)
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.start_storage()
        cls.cluster.start_gateway()
        cls.cluster.start_pipeline()
        cls.use_files(1)
        cls.start_prometheus()
        traffic = threading.Thread(target=cls.make_traffic)
        cls.addClassCleanup(traffic.join)
        cls.addClassCleanup(cls.stop_traffic.set)
        traffic.start()

    @classmethod
    def use_files(cls, number):
        """A write, a read and an error, so that there is something to see."""
        base = f"http://{cls.cluster.gateway_address}/webhdfs/v1/a-{number}"
        assert fetch(base + "?op=CREATE&data=true", method="PUT", data=b"x" * 100_000,
                     headers={"Content-Type": "application/octet-stream"})[0] == 201
        assert len(fetch(base + "?op=OPEN")[1]) == 100_000
        assert fetch(base + "?op=NOSUCH")[0] == 400

    @classmethod
    def make_traffic(cls):
        """Until the end: a rate is seen of what goes on."""
        number = 1
        while not cls.stop_traffic.wait(0.2):
            number += 1
            try:
                cls.use_files(number)
            except OSError:
                continue  # one test kills the gateway

    @classmethod
    def start_prometheus(cls):
        """With the configuration of deploy/, faster, and with the targets of this test."""
        folder = os.path.join(cls.folder, "prometheus")
        shutil.copytree(CONFIG, folder)
        for path in glob.glob(os.path.join(folder, "rules", "*.yml")) + [
                os.path.join(folder, "prometheus.yml")]:
            with open(path, encoding="utf-8") as file:
                text = re.sub(r"(_interval: )\d+s", r"\g<1>1s", file.read())
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        for path in glob.glob(os.path.join(folder, "targets", "*.yml")):
            job = os.path.splitext(os.path.basename(path))[0]
            admins = [cls.cluster.admin(name) for name in cls.cluster.processes
                      if name.startswith(job)]
            with open(path, "w", encoding="utf-8") as file:
                file.write(f"- targets: {json.dumps(admins)}\n")
        # A port of the kernel's; it is in the log.
        cls.log_path = os.path.join(cls.folder, "prometheus.log")
        with open(cls.log_path, "w", encoding="utf-8") as log:
            process = subprocess.Popen(
                ["prometheus", "--config.file=" + os.path.join(folder, "prometheus.yml"),
                 "--storage.tsdb.path=" + os.path.join(cls.folder, "tsdb"),
                 "--web.listen-address=127.0.0.1:0", "--log.format=logfmt"],
                stdout=log, stderr=log)
        cls.addClassCleanup(process.wait)
        cls.addClassCleanup(process.send_signal, signal.SIGTERM)
        cls.port = eventually(lambda: cls.port_of(process.pid))
        assert cls.port, "prometheus does not listen"
        assert eventually(
            lambda: fetch(f"http://127.0.0.1:{cls.port}/-/ready")[0] == 200), "not ready"

    @staticmethod
    def port_of(pid):
        """Of the socket that the process listens on: its log names only what it was told."""
        sockets = set()
        for link in glob.glob(f"/proc/{pid}/fd/*"):
            try:
                sockets.add(os.readlink(link))
            except OSError:
                continue
        with open(f"/proc/{pid}/net/tcp", encoding="ascii") as table:
            for row in list(table)[1:]:
                fields = row.split()
                if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                    return int(fields[1].split(":")[1], 16)
        return None

    def ask(self, path, **parameters):
        status, text = fetch(f"http://127.0.0.1:{self.port}/api/v1/{path}?"
                             + urllib.parse.urlencode(parameters))
        self.assertIn(status, (200, 400), text)
        answer = json.loads(text)
        self.assertEqual(answer["status"], "success", answer.get("error"))
        return answer["data"]

    def samples(self, query):
        return [sample for sample in self.ask("query", query=query)["result"]
                if sample["value"][1] != "NaN"]

    def test_every_daemon_is_scraped(self):
        def is_complete():
            targets = self.ask("targets")["activeTargets"]
            return len(targets) == len(self.cluster.processes) and all(
                target["health"] == "up" for target in targets)
        self.assertTrue(eventually(is_complete), self.ask("targets"))
        daemons = {sample["metric"]["daemon"]
                   for sample in self.samples("slipstream_build_info")}
        self.assertEqual(daemons,
                         {"dfs-master", "dfs-datanode", "processor", "producer", "gateway"})

    def test_names_types_and_help_follow_the_rules(self):
        for name in self.cluster.processes:
            status, text = self.cluster.page(name, "/metrics")
            self.assertEqual(status, 200)
            result = promtool("check", "metrics", input=text)
            self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""), name)

    def test_every_rule_evaluates(self):
        def rules():
            return [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]
        self.assertTrue(eventually(
            lambda: all(rule["health"] == "ok" for rule in rules())), rules())
        self.assertEqual({rule["type"] for rule in rules()}, {"recording", "alerting"})
        for rule in rules():
            if rule["type"] != "recording":
                continue
            self.assertTrue(eventually(lambda name=rule["name"]: self.samples(name)), rule["name"])

    def test_every_panel_has_data(self):
        for name, text in dashboards().items():
            for panel in json.loads(text)["panels"]:
                for target in panel["targets"]:
                    query = target["expr"].replace("$__rate_interval", INTERVAL)
                    self.assertTrue(eventually(lambda q=query: self.samples(q)),
                                    f"{name}: {panel['title']}: {query}")

    def test_a_dead_daemon_is_seen(self):
        query = 'up{job="gateway"} == 0'
        self.assertEqual(self.samples(query), [])
        admin = self.cluster.admin("gateway")
        self.cluster.processes["gateway"].kill()
        self.addCleanup(self.cluster.start_gateway, "--admin-listen=" + admin)
        self.assertTrue(eventually(lambda: self.samples(query)))
        self.assertTrue(eventually(lambda: self.samples(
            'ALERTS{alertname="SlipstreamDaemonDown", job="gateway"}')))


if __name__ == "__main__":
    if shutil.which("prometheus") is None or shutil.which("promtool") is None:
        print("skipped: no prometheus here (Debian: prometheus)")
        sys.exit(SKIPPED)
    unittest.main(verbosity=1)
