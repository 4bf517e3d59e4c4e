#!/usr/bin/env python3
"""deploy/.env: every knob is looked at before any container starts, and what makes no sense is named."""

import os
import re
import subprocess
import sys
import unittest

ROOT = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else os.getcwd()
# Compose itself says so when one of these is empty; a JVM what it thinks of its options.
NOT_LOOKED_AT = {"SLIPSTREAM_IMAGE", "KAFKA_IMAGE", "PROMETHEUS_IMAGE", "GRAFANA_IMAGE", "KAFKA_HEAP"}


def deploy(*names):
    return os.path.join(ROOT, "deploy", *names)


def read(*names):
    with open(deploy(*names), encoding="utf-8") as file:
        return file.read()


def knobs():
    return dict(re.findall(r"(?m)^([A-Z_]+)=(.*)$", read(".env")))


class EnvTest(unittest.TestCase):
    def check(self, **changes):
        return subprocess.run([deploy("docker", "slipstream-check-env")], capture_output=True, text=True,
                              check=False, env={"PATH": os.environ["PATH"], **knobs(), **changes})

    def test_what_is_shipped_makes_sense(self):
        result = self.check()
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_every_knob_is_looked_at_and_handed_over(self):
        names = subprocess.run([deploy("docker", "slipstream-check-env"), "--names"], capture_output=True,
                               text=True, check=True).stdout.split()
        self.assertEqual(set(names), set(knobs()) - NOT_LOOKED_AT)
        service = re.search(r"(?ms)^  certs:$.*?^    environment:[^\n]*\n(.*?)^    volumes:",
                            read("docker-compose.yml")).group(1)
        self.assertEqual(set(re.findall(r"([A-Z_]+):", service)), set(names))

    def test_what_makes_no_sense_is_named(self):
        for name, value in (("GATEWAY_PORT", "http"), ("GATEWAY_PORT", "70000"), ("GRAFANA_PORT", "09"),
                            ("PUBLISH_ADDRESS", "localhost"), ("NETWORK", "slipstream"),
                            ("NETWORK", "a.*"), ("DATANODES", "0"), ("DATANODES", "100"), ("WORKERS", "two"),
                            ("REPLICATION", "4"), ("MIN_REPLICAS", "3"), ("FLIGHTS", ""),
                            ("FLIGHTS_PER_SECOND", "1e6"), ("LOG_LEVEL", "loud"), ("LOG_FORMAT", "xml")):
            result = self.check(**{name: value})
            self.assertEqual(result.returncode, 1, (name, value))
            self.assertIn(f"deploy/.env: {name}={value} is ", result.stderr)

    def test_all_of_it_is_said_at_once(self):
        result = self.check(WORKERS="", STATIONS="-1")
        self.assertEqual(len(result.stderr.splitlines()), 2, result.stderr)


if __name__ == "__main__":
    unittest.main()
