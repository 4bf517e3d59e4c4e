#!/usr/bin/env python3
"""docs/LAB.md, done as it says: its commands are read from it and run on hosts of a network of their
own, with TLS between them; then the cable of one is pulled while flights arrive, and plugged again.

Two commands of the guide mean less here (lab_commands.sh): there is no systemd, so what `systemctl`
starts is started from its unit by this test, and `apt-get install` brings the packages' configuration
alone (packages_test installs them)."""

import collections
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import lab_hosts
from lab_hosts import LabHost
from small_cluster import ROOT, eventually
from unit_file import UnitFile

BINARIES = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else os.path.join(ROOT, "build/release/bin")
GUIDE = os.path.join(ROOT, "docs", "LAB.md")
SKIPPED = 77
JOB_HOSTS = ("lab4", "lab5", "lab6")  # the last by this test alone: a processor without a datanode
HOSTS = ("lab1", "lab2", "lab3", "lab4", "lab5", "lab6", "desk")
COMMANDS = "/mnt/tests/deploy/lab_commands.sh"  # as hosts see it
FIRST, THEN = 100_000, 60_000  # flights: as the guide sends them, and while a cable is pulled


class Guide:
    """The blocks of commands under each numbered heading."""

    def __init__(self):
        with open(GUIDE, encoding="utf-8") as file:
            parts = re.split(r"(?m)^## (\d+)\. .*$", file.read().split("\n## Prometheus")[0])
        self.blocks = {int(number): re.findall(r"(?ms)^```\n(.*?)^```$", text)
                       for number, text in zip(parts[1::2], parts[2::2])}

    def block(self, section, number=0):
        return self.blocks[section][number]


class LabTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="slipstream-lab-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        os.chmod(self.folder, 0o755)  # the daemons are not root
        self.guide = Guide()
        self.started = []
        lab_hosts.make_switch()
        self.hosts = {}
        for number, name in enumerate(HOSTS, 1):
            self.hosts[name] = LabHost(name, f"10.79.0.{number}", os.path.join(self.folder, name), ROOT,
                                       BINARIES)
            self.addCleanup(self.hosts[name].close)
        for host in self.hosts.values():
            with open(host.path("etc", "hosts"), "a", encoding="ascii") as file:
                for number, name in enumerate(HOSTS, 1):
                    file.write(f"10.79.0.{number} {name}\n")

    @contextlib.contextmanager
    def logs_on_failure(self):
        try:
            yield
        except BaseException:
            for host, unit in self.started:
                with open(host.path(unit + ".log"), encoding="utf-8", errors="replace") as log:
                    print(f"---- {host.name} {unit}\n" + "".join(log.readlines()[-12:]))
            raise

    def follow(self, host, block, **environment):
        """Runs commands of the guide on a host, then starts what they start."""
        host = self.hosts[host]
        said = host.run(block, BASH_ENV=COMMANDS, **environment)
        to_be_started = host.path("var/lib/to-be-started")
        if os.path.exists(to_be_started):
            with open(to_be_started, encoding="ascii") as file:
                for unit in file.read().split():
                    self.start_unit(host, unit)
            os.remove(to_be_started)
        return said

    def start_unit(self, host, name):
        kind, at, instance = name.partition("@")
        unit = UnitFile(kind + at + ".service", instance)
        if unit.state_folder():
            host.run(f"install -d -o {lab_hosts.USER} -g {lab_hosts.USER} -m 0750 "
                     f"/var/lib/slipstream /var/lib/{unit.state_folder()}")
        environment = {"PATH": os.environ["PATH"], "SLIPSTREAM_DASHBOARDS": "/mnt/dashboards",
                       **unit.environment(host.path("etc/slipstream"))}
        host.start(unit.command(environment, "/opt"), name + ".log", environment, user=lab_hosts.USER)
        self.started.append((host, name))

    # ---- the guide's sections ----------------------------------------------------------------

    def make_certificates(self):
        """Section 1: the token for the dashboard and WebHDFS."""
        script = """
          cd "$FOLDER"; mkdir -p certs
          scp() { [[ $1 != -r ]] || shift; cp -r "$1" "$FOLDER/${2%%:*}${2#*:}"; }
          """ + self.guide.block(1, 1).replace("./slipstream", os.path.join(ROOT, "slipstream"))
        script += f'{ROOT}/slipstream certs lab6\ncp -r certs/lab6 "$FOLDER/lab6/tmp/tls"\n'
        done = subprocess.run(["bash", "-ec", script], text=True, capture_output=True, check=False,
                              env=dict(os.environ, FOLDER=self.folder, USER="ann"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return re.search(r"(?m)^\s*([\w-]{20,})$", done.stdout).group(1)

    def start_kafka(self):
        """Section 2, with the script of the tests."""
        properties = self.hosts["lab1"].path("var/lib/lab.properties")
        with open(properties, "w", encoding="ascii") as file:
            file.write(self.guide.block(2) + "controller.quorum.voters=1@127.0.0.1:9093\n")
        self.hosts["lab1"].run("/mnt/deploy/kafka/kafka.sh start --dir /var/lib/kafka --port 9092 "
                               "--properties /var/lib/lab.properties")

    def set_up(self):
        token = self.make_certificates()
        self.start_kafka()
        for name in ("lab2", "lab3", "lab4", "lab5", "lab6"):
            self.follow(name, self.guide.block(3))
        self.follow("lab2", self.guide.block(4))
        for name in ("lab3", "lab4", "lab5"):
            self.follow(name, self.guide.block(5))
        # A person's own machine has the authority's certificate and the token, nothing more.
        self.hosts["desk"].run(
            'install -d -m 0700 /var/lib/ann; umask 077; cat > /var/lib/ann/ca.pem <<< "$CA"; '
            'echo "$TOKEN" > /var/lib/ann/token', TOKEN=token, CA=self.authority())
        return token

    def authority(self):
        with open(self.hosts["lab2"].path("etc/slipstream/tls/ca.pem"), encoding="ascii") as file:
            return file.read()

    def dfs(self, arguments):
        return self.hosts["desk"].attempt(f"/opt/dfs --master lab2:7400 --tls-dir /var/lib/ann {arguments}")

    def stored(self):
        """How often each flight is stored."""
        done = self.dfs("cat '/flights/*/*'")
        return collections.Counter(json.loads(line)["id"] for line in done.stdout.splitlines())

    def check_is_stored(self, wanted):
        found = eventually(lambda: (one := self.stored()) == wanted and one, 120)
        self.assertTrue(found, f"{sum(self.stored().values())} rows of {sum(wanted.values())}")

    def check_is_well(self, more=""):
        """Section 7, from any machine, in the end: what was cut off may only now find that out."""
        said = []

        def is_well():
            done = self.hosts["lab3"].attempt(self.guide.block(7).rstrip() + more, BASH_ENV=COMMANDS)
            said.append(done.stdout)
            return done.returncode == 0

        self.assertTrue(eventually(is_well), said[-1])
        return said[-1]

    def live_datanodes(self):
        nodes = json.loads(self.dfs("report --json").stdout)["nodes"]
        return sorted(node["address"] for node in nodes if node["state"] == "live")

    # ---- what must be true -------------------------------------------------------------------

    def test_the_guide_holds_and_a_pulled_cable_loses_nothing(self):
        with self.logs_on_failure():
            self.follow_the_guide_and_pull_a_cable()

    def follow_the_guide_and_pull_a_cable(self):
        token = self.set_up()
        for name in JOB_HOSTS:
            self.follow(name, self.guide.block(6))
        self.follow("lab4", self.guide.block(7, 1))
        wanted = collections.Counter(range(FIRST))
        self.check_is_stored(wanted)
        self.assertIn('"pathSuffix":"carrier=', self.follow("lab4", self.guide.block(7, 2), TOKEN=token))
        everything = " --admin lab3:7411 --admin lab5:7411 --admin lab5:7421 --admin lab6:7421"
        self.assertIn("3 datanodes are live", self.check_is_well(everything))

        producer = self.hosts["desk"].start(
            ["/opt/producer", "flights", "--synthetic", "--seed=2", f"--flights={THEN}", "--rate=4000",
             "--brokers=lab1:9092", "--partitions=4", "--quiet"], "producer.log", dict(os.environ))
        self.assertTrue(eventually(lambda: sum(self.stored().values()) > FIRST))
        self.hosts["lab5"].pull_cable()  # a datanode and a processor
        self.assertEqual(producer.wait(120), 0)
        wanted.update(range(THEN))
        self.check_is_stored(wanted)
        self.assertTrue(eventually(lambda: self.live_datanodes() == ["lab3:7410", "lab4:7410"]))

        self.hosts["lab5"].plug_cable()
        self.check_is_well(everything)
        self.assertEqual(len(self.live_datanodes()), 3)
        self.assertTrue(eventually(lambda: self.dfs("fsck /").returncode == 0))
        self.check_is_stored(wanted)


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("skipped: network namespaces need root")
        sys.exit(SKIPPED)
    lab_hosts.enter_a_network_of_our_own([sys.executable, *sys.argv])
    unittest.main(argv=sys.argv[:1], verbosity=1)
