"""What a systemd unit of ours starts, as far as tests without systemd need it."""

import os
import re

from small_cluster import ROOT

UNITS = os.path.join(ROOT, "deploy", "systemd")


def unit_names():
    return sorted(name for name in os.listdir(UNITS) if name.endswith(".service"))


def read_environment_file(path):
    with open(path, encoding="utf-8") as file:
        return dict(line.strip().split("=", 1) for line in file
                    if "=" in line and not line.startswith("#"))


class UnitFile:
    """A unit; of a template, one instance of it."""

    def __init__(self, name, instance=""):
        with open(os.path.join(UNITS, name), encoding="utf-8") as file:
            self.text = file.read().replace("%i", instance)

    def state_folder(self):
        """Below /var/lib; None for a daemon that keeps nothing."""
        found = re.search(r"(?m)^StateDirectory=(.*)", self.text)
        return found and found.group(1)

    def environment(self, folder):
        """What the unit says, then the files it names, which are looked for in `folder`."""
        environment = dict(re.findall(r"(?m)^Environment=(\w+)=(.*)", self.text))
        for is_optional, path in re.findall(r"(?m)^EnvironmentFile=(-?)(.*)", self.text):
            path = os.path.join(folder, os.path.basename(path))
            if not is_optional or os.path.exists(path):
                environment.update(read_environment_file(path))
        return environment

    def command(self, environment, binaries):
        """The words of the command line, the program in `binaries`."""
        command = re.search(r"(?m)^ExecStart=/usr/bin/(.*)", self.text).group(1)
        words = [re.sub(r"\$\{(\w+)\}", lambda match: environment[match.group(1)], word)
                 for word in command.split()]
        return [os.path.join(binaries, words[0]), *words[1:]]
