#!/usr/bin/env python3
"""What every daemon shows on its admin port, and how it logs: readiness with reasons, 503 while it
drains, levels that change while it runs, lines that are JSON when asked for."""

import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import unittest

from small_cluster import ROOT, SmallCluster, eventually, fetch

BINARIES = sys.argv.pop(1) if len(sys.argv) > 1 else os.path.join(ROOT, "build/release/bin")


class AdminPagesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.mkdtemp(prefix="slipstream-admin-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.cluster = SmallCluster(os.path.join(folder, "cluster"), BINARIES)
        self.addCleanup(self.cluster.stop)
        self.cluster.start_storage("--log-format=json")

    def test_readiness_says_what_is_missing(self):
        self.assertEqual(self.cluster.page("dfs-datanode-1", "/readyz?verbose"),
                         (200, "[+]serving ok\n[+]master ok\n[+]disks ok\nready\n"))
        self.cluster.processes["dfs-master"].kill()
        missing = f"no answer from master {self.cluster.master_address}"
        self.assertTrue(eventually(
            lambda: self.cluster.page("dfs-datanode-1", "/readyz") == (503, missing + "\n")))
        self.assertEqual(
            self.cluster.page("dfs-datanode-1", "/readyz?verbose"),
            (503, f"[+]serving ok\n[-]master {missing}\n[+]disks ok\nnot ready\n"))
        self.assertEqual(self.cluster.page("dfs-datanode-1", "/livez"), (200, "ok\n"))

    def test_a_gateway_that_drains_says_so_and_ends_what_it_has_in_hand(self):
        self.cluster.start_gateway("--drain-seconds=60")
        host, port = self.cluster.gateway_address.split(":")
        with socket.create_connection((host, int(port)), timeout=30) as upload:
            upload.sendall(b"PUT /webhdfs/v1/slow?op=CREATE&data=true HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                           b"Content-Type: application/octet-stream\r\n"
                           b"Content-Length: 4\r\n\r\nab")
            in_hand = "\nslipstream_gateway_busy_connections 1\n"
            self.assertTrue(eventually(
                lambda: in_hand in self.cluster.page("gateway", "/metrics")[1]))
            gateway = self.cluster.processes["gateway"]
            gateway.popen.send_signal(signal.SIGTERM)
            self.assertTrue(eventually(
                lambda: self.cluster.page("gateway", "/readyz") == (503, "draining\n")))
            self.assertEqual(self.cluster.page("gateway", "/livez"), (200, "ok\n"))
            upload.sendall(b"cd")
            self.assertIn(b" 201 ", upload.recv(4096))
        self.assertEqual(gateway.popen.wait(30), 0)

    def test_levels_change_while_it_runs(self):
        self.assertIn("dfs_master=info\n", self.cluster.page("dfs-master", "/loglevel")[1])
        status, text = self.cluster.page("dfs-master", "/loglevel", method="PUT",
                                         data=b"dfs_master=debug")
        self.assertEqual(status, 200, text)
        self.assertIn("dfs_master=debug\n", text)
        self.assertEqual(self.cluster.page("dfs-master", "/loglevel", method="PUT",
                                           data=b"loud")[0], 400)
        self.assertEqual(self.cluster.page("dfs-master", "/loglevel", method="PUT", data=b"debug",
                                           headers={"Origin": "http://evil.example"})[0], 403)

    def test_lines_are_json(self):
        for name in self.cluster.processes:
            lines = self.cluster.log(name).splitlines()
            self.assertTrue(lines, name)
            for line in lines:
                entry = json.loads(line)
                self.assertTrue({"ts", "level", "logger", "thread"} <= set(entry), line)
            self.assertIn("listening", [json.loads(line).get("event") for line in lines])

    def test_calls_are_counted_and_timed(self):
        self.cluster.start_gateway()
        base = f"http://{self.cluster.gateway_address}/webhdfs/v1/a"
        self.assertEqual(fetch(base + "?op=CREATE&data=true", method="PUT", data=b"abc", headers={
            "Content-Type": "application/octet-stream"})[0], 201)
        self.assertEqual(fetch(base + "?op=open"), (200, "abc"))
        self.assertEqual(fetch(base + "?op=WHATEVER")[0], 400)
        # A call is counted once its answer is out, which the client may see first.
        for name, expected in (
                ("gateway", 'gateway_operations_total{code="201",operation="CREATE"} 1'),
                ("gateway", 'gateway_operations_total{code="200",operation="OPEN"} 1'),
                ("gateway", 'gateway_operations_total{code="400",operation="unknown"} 1'),
                ("gateway", 'gateway_operation_seconds_count{operation="OPEN"} 1'),
                ("dfs-master", 'dfs_master_rpcs_total{code="ok",method="Prepare"} 1'),
                ("dfs-datanode-1", 'datanode_rpcs_total{code="ok",method="WriteBlocks"} 1'),
                ("dfs-datanode-2", 'datanode_rpc_seconds_count{method="WriteBlocks"} 1')):
            self.assertTrue(eventually(
                lambda n=name, e=expected: f"\nslipstream_{e}\n" in self.cluster.page(
                    n, "/metrics")[1], 10), expected)


if __name__ == "__main__":
    unittest.main(verbosity=1)
