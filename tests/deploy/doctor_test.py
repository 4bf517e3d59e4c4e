#!/usr/bin/env python3
"""`slipstream doctor` finds each mistake it knows of: each is made here, with real daemons and a real
Kafka, and nothing is found where none was made."""

import http.server
import importlib.util
import io
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from small_cluster import KAFKA, ROOT, SmallCluster, eventually, fetch, run

BINARIES = sys.argv.pop(1) if len(sys.argv) > 1 else os.path.join(ROOT, "build/release/bin")
SPEC = importlib.util.spec_from_file_location(
    "doctor", os.path.join(ROOT, "deploy", "doctor", "doctor.py"))
doctor = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(doctor)
doctor.TIMEOUT_S = 1.0


def examine(*argv, clock=time.time):
    """(exit code, what it says)"""
    out = io.StringIO()
    code = doctor.main(list(argv), out=out, clock=clock)
    return code, out.getvalue()


def unused_address():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{listener.getsockname()[1]}"


class ClusterTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.mkdtemp(prefix="slipstream-doctor-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.cluster = SmallCluster(os.path.join(folder, "cluster"), BINARIES)
        self.addCleanup(self.cluster.stop)
        self.cluster.start_storage()

    def examine(self, *argv, **options):
        return examine("--master", self.cluster.master_address,
                       "--admin", self.cluster.admin("dfs-master"), *argv, **options)

    def test_a_healthy_cluster_has_no_problems(self):
        code, text = self.examine("--data-dir", self.cluster.folder)
        self.assertEqual(code, 0, text)
        self.assertIn("0 problems, 0 warnings", text)
        self.assertIn("2 datanodes are live", text)
        self.assertEqual(text.count("is ready"), 3, text)
        self.assertIn("all daemons are of version", text)

    def test_a_master_that_is_not_there(self):
        code, text = examine("--master", unused_address(), "--admin",
                             self.cluster.admin("dfs-datanode-1"))
        self.assertEqual(code, 1)
        self.assertRegex(text, "PROBLEM  master at .*: nothing listens there")
        code, text = examine("--master", "no-such-host.invalid:7400", "--admin", unused_address())
        self.assertRegex(text, "the name no-such-host.invalid is not known here")
        self.assertRegex(text, "PROBLEM  admin port .*refused")

    def test_a_master_that_is_something_else(self):
        code, text = examine("--master", self.cluster.admin("dfs-master"),
                             "--admin", self.cluster.admin("dfs-master"))
        self.assertEqual(code, 1)
        self.assertRegex(text, "PROBLEM  master at .*speaks no gRPC")

    def test_a_datanode_that_lost_its_master(self):
        self.cluster.processes["dfs-master"].kill()
        self.assertTrue(eventually(
            lambda: self.cluster.page("dfs-datanode-1", "/readyz")[0] == 503))
        code, text = examine("--master", self.cluster.master_address,
                             "--admin", self.cluster.admin("dfs-datanode-1"))
        self.assertEqual(code, 1)
        self.assertRegex(text, "PROBLEM  dfs-datanode at .* is not ready: no answer from master")

    def test_a_clock_that_is_wrong(self):
        for shift, word in ((300, "behind"), (-300, "ahead of")):
            code, text = self.examine(clock=lambda s=shift: time.time() + s)
            self.assertEqual(code, 1)
            self.assertRegex(text, f"PROBLEM  the clock of dfs-master at .* is 300.. s {word}")

    def test_too_few_datanodes_and_an_address_nobody_reaches(self):
        self.cluster.processes["dfs-datanode-2"].kill()
        self.cluster.start("dfs-datanode-2", "dfs-datanode", "--listen=127.0.0.1:0",
                           "--advertise=127.0.0.1:9", "--master=" + self.cluster.master_address,
                           "--data-dir=" + self.cluster.path("datanode-2"))
        self.assertTrue(eventually(lambda: '"127.0.0.1:9"' in self.cluster.page(
            "dfs-master", "/status")[1]))
        code, text = self.examine()
        self.assertEqual(code, 1)
        self.assertRegex(text, "PROBLEM  datanode 127.0.0.1:9 registered with an address that is not "
                               "reached from here: nothing listens there")

    def test_a_datanode_without_room(self):
        self.cluster.processes["dfs-datanode-2"].kill()
        self.cluster.start("dfs-datanode-2", "dfs-datanode", "--listen=127.0.0.1:0",
                           "--reserve=1000TiB", "--master=" + self.cluster.master_address,
                           "--data-dir=" + self.cluster.path("datanode-2"))
        self.assertTrue(eventually(lambda: re.search(
            r'"free_bytes": 0,', self.cluster.page("dfs-master", "/status")[1])))
        code, text = self.examine()
        self.assertEqual(code, 1)
        self.assertRegex(text, "PROBLEM  datanode .* has no room: 0 B left")

    def test_a_full_disk_and_a_folder_that_is_not_there(self):
        if os.geteuid() == 0:
            mounted = self.cluster.path("small")
            os.makedirs(mounted)
            if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mounted],
                              check=False).returncode == 0:
                self.addCleanup(subprocess.run, ["umount", mounted], check=True)
                with open(os.path.join(mounted, "all"), "wb") as file:
                    file.write(b"x" * ((1 << 20) - 4096))
                code, text = self.examine("--data-dir", mounted)
                self.assertEqual(code, 1)
                self.assertIn(f"PROBLEM  the disk of {mounted} is full", text)
        code, text = self.examine("--data-dir", "/nothing/here")
        self.assertEqual(code, 1)
        self.assertIn("PROBLEM  /nothing/here: No such file", text)

    def test_versions_that_differ(self):
        old = fetch(f"http://{self.cluster.admin('dfs-datanode-1')}/metrics")[1]
        old = re.sub(r'(slipstream_build_info\{.*version=")[^"]*', r"\g<1>0.0.9", old).encode()

        class OldDaemon(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = old if self.path == "/metrics" else b"{}"
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OldDaemon)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        code, text = self.examine("--admin", f"127.0.0.1:{server.server_address[1]}")
        self.assertEqual(code, 1)
        self.assertRegex(text, r"PROBLEM  daemons of several versions run together: 0\.0\.9: ")

    def test_usage(self):
        for wrong in (["--master", "no-port"], ["--brokers", "a:1,b"], ["--unknown"]):
            with self.assertRaises(SystemExit) as end, open(os.devnull, "w") as nothing:
                stderr, sys.stderr = sys.stderr, nothing
                try:
                    doctor.main(wrong)
                finally:
                    sys.stderr = stderr
            self.assertEqual(end.exception.code, 2)


class TlsTest(unittest.TestCase):
    def test_daemons_that_speak_tls(self):
        folder = tempfile.mkdtemp(prefix="slipstream-doctor-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        for authority in ("ours", "theirs"):
            subprocess.run([os.path.join(ROOT, "deploy", "certs", "slipstream-certs"), "--dir",
                            os.path.join(folder, authority), "node"], check=True,
                           stdout=subprocess.DEVNULL)
        tls_dir = os.path.join(folder, "ours", "node")
        cluster = SmallCluster(os.path.join(folder, "cluster"), BINARIES)
        self.addCleanup(cluster.stop)
        cluster.start_storage("--tls-dir=" + tls_dir)
        # Beyond loopback the admin port speaks TLS, too.
        gateway = cluster.start("gateway", "gateway", "--listen=127.0.0.1:0",
                                "--admin-listen=0.0.0.0:0", "--tls-dir=" + tls_dir,
                                "--master=" + cluster.master_address)
        port = gateway.endpoint()["admin"].rpartition(":")[2]
        where = ["--master", cluster.master_address, "--admin", cluster.admin("dfs-master"),
                 "--admin", "127.0.0.1:" + port]

        self.assertTrue(eventually(lambda: examine("--tls-dir", tls_dir, *where)[0] == 0))
        code, text = examine("--tls-dir", tls_dir, *where)
        self.assertEqual(text.count("is ready"), 4, text)
        code, text = examine(*where)
        self.assertEqual(code, 1)
        self.assertRegex(text, r"PROBLEM  master at .*only over TLS \(--tls-dir\)")
        code, text = examine("--tls-dir", os.path.join(folder, "theirs", "node"), *where)
        self.assertEqual(code, 1)
        self.assertRegex(text, "PROBLEM  master at .*no TLS with it")
        code, text = examine("--tls-dir", folder, *where)
        self.assertEqual(code, 1)
        self.assertRegex(text, "PROBLEM  --tls-dir .*No such file")


class KafkaTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="slipstream-doctor-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.kafka = os.path.join(self.folder, "kafka")
        self.address = run([KAFKA, "start", "--dir", self.kafka]).strip()
        self.addCleanup(subprocess.run, [KAFKA, "stop", "--dir", self.kafka], check=False,
                        stdout=subprocess.DEVNULL)

    def advertise(self, address):
        """Starts the broker again, which then tells its clients to go to `address`."""
        run([KAFKA, "stop", "--dir", self.kafka])
        path = os.path.join(self.kafka, "server.properties")
        with open(path, encoding="utf-8") as file:
            text = re.sub(r"(?m)^advertised.listeners=.*", "advertised.listeners=PLAINTEXT://" + address,
                          file.read())
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        state = os.environ.get("SLIPSTREAM_STATE", os.path.join(ROOT, ".slipstream"))
        with open(KAFKA.replace("kafka.sh", "pom.xml"), encoding="utf-8") as file:
            version = re.search("<kafka.version>(.*)</kafka.version>", file.read()).group(1)
        broker = subprocess.Popen(
            ["java", "-Xmx256m", "-cp", os.path.join(state, "kafka", version, "libs", "*"),
             "kafka.Kafka", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(broker.wait)
        self.addCleanup(broker.send_signal, signal.SIGKILL)

        def is_up():
            try:
                return doctor.ask_brokers(self.address)
            except (OSError, IndexError):
                return None
        self.assertTrue(eventually(is_up, 90))

    def test_brokers_that_are_right_wrong_and_not_there(self):
        nobody = unused_address()
        arguments = ["--master", nobody, "--admin", nobody, "--brokers"]
        _, text = examine(*arguments, self.address)
        self.assertIn(f"ok       Kafka answers at {self.address}", text)
        self.assertIn(f"is reached where it says, at {self.address}", text)

        _, text = examine(*arguments, nobody)
        self.assertRegex(text, "PROBLEM  Kafka at .*: nothing listens there")

        self.advertise("kafka.invalid:9092")
        _, text = examine(*arguments, self.address)
        self.assertIn("PROBLEM  Kafka's broker 1 advertises kafka.invalid:9092, which clients are sent "
                      "to: the name kafka.invalid is not known here", text)


if __name__ == "__main__":
    unittest.main(verbosity=1)
