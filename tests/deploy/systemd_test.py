#!/usr/bin/env python3
"""The systemd units: valid, hardened, and each daemon starts by its unit's command line and
environment alone, tells its manager when it is ready and when it stops.

systemd itself is not run: the test is the manager, with a socket of its own."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

from small_cluster import KAFKA, ROOT, eventually, run
from unit_file import UNITS, UnitFile, unit_names

BINARIES = sys.argv.pop(1) if len(sys.argv) > 1 else os.path.join(ROOT, "build/release/bin")
EXPOSURE_MAX = 20  # tenths; systemd calls up to 2.0 "OK" at its best
SKIPPED = 77
INSTANCE = {"slipstream-dfs-datanode@.service": "1",
            "slipstream-processor@.service": "flights_by_carrier"}


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


class UnitFilesTest(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="slipstream-units-")
        self.addCleanup(shutil.rmtree, self.root)
        folder = os.path.join(self.root, "etc", "systemd", "system")
        os.makedirs(folder)
        os.makedirs(os.path.join(self.root, "usr", "bin"))
        # What every boot has; nothing else of this machine is looked at.
        for target in ("sysinit", "basic", "shutdown", "network-online", "multi-user"):
            shutil.copy(f"/lib/systemd/system/{target}.target", folder)
        for name in unit_names():
            shutil.copy(os.path.join(UNITS, name), folder)
            with open(os.path.join(UNITS, name), encoding="utf-8") as file:
                program = re.search(r"(?m)^ExecStart=(\S+)", file.read()).group(1)
            shutil.copy(os.path.join(BINARIES, os.path.basename(program)), self.root + program)
        self.names = [name.replace("@", "@" + INSTANCE.get(name, "")) for name in unit_names()]

    def test_they_are_valid(self):
        for name in self.names:
            result = analyze("verify", "--man=no", "--root=" + self.root, name)
            said = [line for line in result.stderr.splitlines() if "slipstream" in line]
            self.assertEqual(said, [], name)

    def test_they_are_hardened(self):
        for name in self.names:
            result = analyze("security", "--offline=true", "--root=" + self.root,
                             f"--threshold={EXPOSURE_MAX}", name)
            self.assertEqual(result.returncode, 0, f"{name}\n{result.stdout[-3000:]}{result.stderr}")


class Manager:
    """Starts one unit's process as systemd would, as far as this test needs it."""

    def __init__(self, folder, name, replacements):
        self.socket_path = os.path.join(folder, "notify-" + re.sub(r"\W", "_", name))
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.socket_path)
        self.socket.settimeout(60)
        unit = UnitFile(name, INSTANCE.get(name, ""))
        environment = {"PATH": os.environ["PATH"], "NOTIFY_SOCKET": self.socket_path,
                       **unit.environment(UNITS), **replacements}
        words = unit.command(environment, BINARIES)
        self.log = open(os.path.join(folder, name + ".log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(words, env=environment, stdout=self.log,
                                        stderr=subprocess.STDOUT)

    def hear(self):
        try:
            return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())
        except TimeoutError:
            self.log.seek(0)
            raise AssertionError("nothing was heard: " + self.log.read()[-2000:]) from None

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.socket.close()
        self.log.close()


class NotifyTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="slipstream-notify-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def start(self, name, **replacements):
        manager = Manager(self.folder, name, {
            "SLIPSTREAM_LISTEN": "127.0.0.1:0", "SLIPSTREAM_ADMIN_LISTEN": "127.0.0.1:0",
            "SLIPSTREAM_DATA_DIR": os.path.join(self.folder, name), **replacements})
        self.addCleanup(manager.close)
        said = manager.hear()
        self.assertEqual(said["READY"], "1")
        self.assertIn("admin=127.0.0.1:", said["STATUS"])
        return manager, re.search(r"rpc=(\S+)|$", said["STATUS"]).group(1)

    def test_every_daemon_says_that_it_is_ready_and_that_it_stops(self):
        kafka = os.path.join(self.folder, "kafka")
        brokers = run([KAFKA, "start", "--dir", kafka]).strip()
        self.addCleanup(run, [KAFKA, "stop", "--dir", kafka])
        run([os.path.join(BINARIES, "producer"), "flights", "--synthetic", "--flights=10",
             "--brokers=" + brokers, "--quiet"])
        master, address = self.start("slipstream-dfs-master.service")
        others = [
            self.start("slipstream-dfs-datanode@.service", SLIPSTREAM_MASTER=address)[0],
            self.start("slipstream-gateway.service", SLIPSTREAM_MASTER=address)[0],
            self.start("slipstream-processor@.service", SLIPSTREAM_MASTER=address,
                       SLIPSTREAM_BROKERS=brokers, SLIPSTREAM_JOBS=os.path.join(ROOT, "jobs"),
                       SLIPSTREAM_STATE_DIR=os.path.join(self.folder, "state"))[0]]
        for manager in [*others, master]:
            manager.terminate()
            self.assertEqual(manager.hear(), {"STOPPING": "1"})
            self.assertTrue(eventually(lambda one=manager: one.process.poll() is not None))
            self.assertEqual(manager.process.poll(), 0)


if __name__ == "__main__":
    if shutil.which("systemd-analyze") is None:
        print("skipped: no systemd-analyze here")
        sys.exit(SKIPPED)
    unittest.main(verbosity=1)
