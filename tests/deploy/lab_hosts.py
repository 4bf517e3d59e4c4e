"""Machines of a laboratory: network namespaces on one switch, each with a name, an /etc, a /tmp and a
/var/lib of its own. Only root can make them; they end with the process that made them.

On every host /mnt is the project and /opt its binaries."""

import os
import shutil
import subprocess

SWITCH = "lab"
USER = "slipstream"
UID = 979  # of a system user, in the hosts' own /etc

SETUP = """set -e
mount -t proc proc /proc
hostname "$NAME"
mount --bind "$ROOT" /mnt; mount --bind "$BINARIES" /opt
for part in etc var/lib tmp; do mount --bind "$FOLDER/$part" "/$part"; done
ip link set lo up
echo up
exec cat"""


def command(*words):
    subprocess.run(words, check=True, capture_output=True, text=True)


def enter_a_network_of_our_own(argv):
    """Starts this program again in a network where it may do as it likes, unless it is there."""
    if os.environ.get("SLIPSTREAM_LAB") != "here":
        os.environ["SLIPSTREAM_LAB"] = "here"
        os.execvp("unshare", ["unshare", "--net", "--", *argv])


def make_switch():
    command("ip", "link", "set", "lo", "up")
    command("ip", "link", "add", SWITCH, "type", "bridge")
    command("ip", "link", "set", SWITCH, "up")


class LabHost:
    def __init__(self, name, address, folder, root, binaries):
        self.name = name
        self.folder = folder
        self.started = []
        shutil.copytree("/etc", self.path("etc"), symlinks=True, ignore_dangling_symlinks=True)
        for part in ("var/lib", "tmp"):
            os.makedirs(self.path(part))
        for file, line in (("passwd", f"{USER}:x:{UID}:{UID}::/nonexistent:/usr/sbin/nologin"),
                           ("group", f"{USER}:x:{UID}:")):
            with open(self.path("etc", file), "a", encoding="ascii") as accounts:
                accounts.write(line + "\n")
        environment = dict(os.environ, NAME=name, FOLDER=folder, ROOT=root, BINARIES=binaries)
        # The input of its first process stays open for as long as we are there.
        self.holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--",
             "bash", "-c", SETUP], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        if self.holder.stdout.readline() != "up\n":
            raise RuntimeError(f"no host {name}: is this root?")
        with open(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children", encoding="ascii") as file:
            self.pid = file.read().strip()
        command("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", self.pid)
        command("ip", "link", "set", name, "master", SWITCH, "up")
        self.run(f"ip addr add {address}/24 dev eth0; ip link set eth0 up")

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def enter(self, *words):
        return ["nsenter", "--target", self.pid, "--net", "--mount", "--uts", "--pid", "--", *words]

    def run(self, script, **options):
        """The output of a script of bash, which must succeed."""
        done = self.attempt(script, **options)
        if done.returncode != 0:
            raise AssertionError(f"{self.name}: {script}\nexit {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def attempt(self, script, **environment):
        return subprocess.run(self.enter("bash", "-ec", script), text=True, capture_output=True,
                              check=False, timeout=300, env=dict(os.environ, **environment))

    def start(self, words, log, environment, user=None):
        become = (["setpriv", "--reuid", user, "--regid", user, "--clear-groups"] if user else [])
        with open(self.path(log), "ab") as file:
            self.started.append(subprocess.Popen(
                self.enter(*become, *words), env=environment, stdin=subprocess.DEVNULL, stdout=file,
                stderr=subprocess.STDOUT))
        return self.started[-1]

    def pull_cable(self):
        command("ip", "link", "set", self.name, "down")

    def plug_cable(self):
        command("ip", "link", "set", self.name, "up")

    def close(self):
        self.holder.stdin.close()
        self.holder.kill()  # and with it all that runs there
        for process in (self.holder, *self.started):
            process.wait()
        self.holder.stdout.close()
