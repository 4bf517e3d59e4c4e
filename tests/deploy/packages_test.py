#!/usr/bin/env python3
"""The Debian packages, in a Debian of their own: they install with what they depend on, their
daemons start as their user, they remove and purge, and nothing of them is left.

Needs root and debootstrap, and Debian's archive; where one is missing the test says so and is
skipped (exit code 77)."""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from small_cluster import ROOT

BUILD = os.path.dirname(sys.argv.pop(1)) if len(sys.argv) > 1 else os.path.join(ROOT, "build/release")
SKIPPED = 77
DAEMONS = ("dfs-master", "dfs-datanode", "gateway")
# What belongs to the system that installs, not to what was installed: caches, logs, and the user,
# which Debian's packages leave.
OTHERS = re.compile(r"^(var/(log|cache|lib/(apt|dpkg|systemd/deb-systemd-helper|ucf))|tmp|packages|proc|"
                    r"dev|sys|run|root|etc/(passwd|group|shadow|gshadow)-?$)")


def run(*argv, **options):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: exit {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout


class PackagesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="slipstream-packages-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.root = os.path.join(cls.folder, "debian")
        run("debootstrap", "--variant=minbase", "bookworm", cls.root)
        for path in ("proc", "dev"):
            target = os.path.join(cls.root, path)
            run("mount", "--rbind" if path == "dev" else "--bind", "/" + path, target)
            cls.addClassCleanup(run, "umount", "-R", "-l", target)
        shutil.copy("/etc/resolv.conf", os.path.join(cls.root, "etc/resolv.conf"))
        # No daemon of the other packages starts by itself.
        policy = os.path.join(cls.root, "usr/sbin/policy-rc.d")
        with open(policy, "w", encoding="ascii") as file:
            file.write("#!/bin/sh\nexit 101\n")
        os.chmod(policy, 0o755)
        run("cpack", "-G", "DEB", "-B", os.path.join(cls.root, "packages"), cwd=BUILD)
        shutil.rmtree(os.path.join(cls.root, "packages", "_CPack_Packages"), ignore_errors=True)

    def inside(self, *argv):
        return run("chroot", self.root, "env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", *argv)

    def files(self):
        found = set()
        for folder, folders, names in os.walk(self.root):
            relative = os.path.relpath(folder, self.root)
            folders[:] = [one for one in folders
                          if not OTHERS.match(os.path.normpath(os.path.join(relative, one)))]
            found.update(os.path.normpath(os.path.join(relative, one)) for one in names + folders)
        return {one for one in found if not OTHERS.match(one)}

    def install_certificates(self):
        """As docs/LAB.md has it; TLS is then what the daemons are told by the file all of them read."""
        self.inside("sh", "-ec", """
          slipstream-certs --dir /var/lib/certs node
          install -d -m 0750 -g slipstream /etc/slipstream/tls
          install -m 0640 -g slipstream /var/lib/certs/node/*.pem /etc/slipstream/tls/
          echo SLIPSTREAM_TLS_DIR=/etc/slipstream/tls >> /etc/slipstream/cluster.env""")

    def start_and_stop(self, daemon, listen="127.0.0.1"):
        """As its unit does it, as its user: until it says that it is ready, then SIGTERM."""
        script = f"""
          set -ae; . /etc/slipstream/cluster.env; . /etc/slipstream/{daemon}.env
          SLIPSTREAM_DATA_DIR=/var/lib/slipstream/{daemon.removeprefix("dfs-")}-1
          install -d -o slipstream -g slipstream $SLIPSTREAM_DATA_DIR
          SLIPSTREAM_LISTEN={listen}:0 SLIPSTREAM_ADMIN_LISTEN={listen}:0
          SLIPSTREAM_ENDPOINT_FILE=$SLIPSTREAM_DATA_DIR/endpoint SLIPSTREAM_ADVERTISE=localhost:7410
          rm -f $SLIPSTREAM_ENDPOINT_FILE
          setpriv --reuid slipstream --regid slipstream --clear-groups {daemon} & process=$!
          for i in $(seq 300); do [ ! -e $SLIPSTREAM_ENDPOINT_FILE ] || break; sleep 0.1; done
          cat $SLIPSTREAM_ENDPOINT_FILE; kill $process; wait $process"""
        self.assertIn(f"listening rpc={listen}:", self.inside("sh", "-c", script))

    def test_install_start_remove_purge(self):
        packages = ["/packages/" + os.path.basename(path)
                    for path in glob.glob(os.path.join(self.root, "packages", "*.deb"))]
        names = [os.path.basename(path).split("_")[0] for path in packages]
        self.assertEqual(sorted(names), [
            "slipstream-common", "slipstream-dfs", "slipstream-dfs-datanode", "slipstream-dfs-master",
            "slipstream-gateway", "slipstream-processor", "slipstream-producer"])
        # What they depend on first, so that only what is theirs is looked at.
        self.inside("apt-get", "update")
        needs = set()
        for path in packages:
            for need in run("dpkg-deb", "-f", self.root + path, "Depends").split(","):
                needs.add(need.split("(")[0].split("|")[0].strip())
        self.inside("apt-get", "install", "-y", "--no-install-recommends",
                    *sorted(need for need in needs if not need.startswith("slipstream-")))
        before = self.files()

        self.inside("apt-get", "install", "-y", "--no-install-recommends", *packages)
        for program in ("dfs", "dfs-master", "dfs-datanode", "gateway", "processor", "producer"):
            self.assertRegex(self.inside(program, "--version"), program + r" \d+\.\d+\.\d+")
        self.inside("slipstream-doctor", "--help")
        self.assertIn("ok", self.inside("processor", "check",
                                        "/usr/share/slipstream/jobs/flights_by_carrier.sql"))
        self.assertEqual(self.inside("id", "-gn", "slipstream").strip(), "slipstream")
        for daemon in DAEMONS:
            self.start_and_stop(daemon)
        self.install_certificates()
        for daemon in ("dfs-master", "dfs-datanode"):
            self.start_and_stop(daemon, listen="0.0.0.0")
        enabled = os.path.join(self.root, "etc/systemd/system/multi-user.target.wants")
        self.assertTrue(os.path.islink(os.path.join(enabled, "slipstream-dfs-master.service")))

        # Removed, they leave data and configuration; a change of the administrator's survives.
        with open(os.path.join(self.root, "etc/slipstream/gateway.env"), "a", encoding="ascii") as file:
            file.write("# mine\n")
        self.inside("apt-get", "remove", "-y", *names)
        self.assertTrue(os.path.exists(os.path.join(self.root, "var/lib/slipstream/master-1")))
        self.inside("apt-get", "install", "-y", "--no-install-recommends", *packages)
        with open(os.path.join(self.root, "etc/slipstream/gateway.env"), encoding="ascii") as file:
            self.assertIn("# mine", file.read())

        self.inside("rm", "-r", "/etc/slipstream/tls", "/var/lib/certs")  # an administrator's own
        self.inside("apt-get", "purge", "-y", *names)
        self.assertEqual(sorted(self.files() - before), [])
        self.assertEqual(sorted(before - self.files()), [])


if __name__ == "__main__":
    if os.geteuid() != 0 or shutil.which("debootstrap") is None or shutil.which("cpack") is None:
        print("skipped: needs root, debootstrap and cpack")
        sys.exit(SKIPPED)
    unittest.main(verbosity=1)
