"""The processes of the demo: started, waited for, and known to stop.sh by their pid files."""

import json
import os
import signal
import subprocess
import time
import urllib.request


class DemoError(Exception):
    """Ends the demo with this one line."""


class Process:
    """One process; its output goes to <state>/logs/<name>.log.

    It runs in a session of its own, so that Ctrl-C reaches the demo alone, which then stops
    everything in order. `state` must stand on its command line: that is how stop.sh knows it."""

    def __init__(self, state, name, argv):
        self.name = name
        self.log = os.path.join(state, "logs", name + ".log")
        self.endpoint_file = os.path.join(state, "run", name + ".endpoint")
        self.pid_file = os.path.join(state, "pids", name + ".pid")
        with open(self.log, "ab") as log:
            self.popen = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log,
                                          stderr=subprocess.STDOUT, start_new_session=True)
        with open(self.pid_file, "w", encoding="ascii") as file:
            file.write(f"{self.popen.pid}\n")

    @classmethod
    def daemon(cls, state, name, argv):
        endpoint = os.path.join(state, "run", name + ".endpoint")
        if os.path.exists(endpoint):
            os.remove(endpoint)
        return cls(state, name, [*argv, "--endpoint-file=" + endpoint])

    def is_running(self):
        return self.popen.poll() is None

    def last_line(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            lines = [line.strip() for line in file if line.strip()]
        return lines[-1] if lines else "(it wrote nothing)"

    def check(self):
        """Raises if it ended with an error."""
        code = self.popen.poll()
        if code not in (None, 0):
            raise DemoError(f"{self.name} ended with code {code}: {self.last_line()} "
                            f"(log: {self.log})")

    def endpoint(self, deadline_s=60):
        """Waits until it is ready; {"rpc": "HOST:PORT", "admin": "HOST:PORT"}."""
        give_up_at = time.monotonic() + deadline_s
        while not os.path.exists(self.endpoint_file):
            self.check()
            if not self.is_running() or time.monotonic() > give_up_at:
                raise DemoError(f"{self.name} is not ready: {self.last_line()} (log: {self.log})")
            time.sleep(0.02)
        with open(self.endpoint_file, encoding="ascii") as file:
            words = file.read().split()
        return dict(word.split("=", 1) for word in words if "=" in word)

    def workers(self):
        """What the workers of a `processor` say of themselves on /status; [] if none does yet."""
        if not os.path.exists(self.endpoint_file):
            return []
        try:
            url = f"http://{self.endpoint()['admin']}/status"
            with urllib.request.urlopen(url, timeout=2) as answer:
                return json.load(answer)
        except (OSError, ValueError):
            return []

    def wait(self, deadline_s):
        """Its end, which must be a good one."""
        try:
            self.popen.wait(deadline_s)
        except subprocess.TimeoutExpired:
            raise DemoError(f"{self.name} still runs after {deadline_s} s "
                            f"(log: {self.log})") from None
        self.check()
        self.forget()

    def terminate(self, deadline_s=60):
        self.popen.send_signal(signal.SIGTERM)
        self.wait(deadline_s)

    def kill(self):
        self.popen.kill()
        self.popen.wait()
        self.forget()

    def forget(self):
        if os.path.exists(self.pid_file):
            os.remove(self.pid_file)


def run(argv, deadline_s=300):
    """The standard output of a command that must succeed."""
    try:
        result = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                timeout=deadline_s, check=False)
    except subprocess.TimeoutExpired:
        raise DemoError(f"{' '.join(argv)}: no end after {deadline_s} s") from None
    if result.returncode != 0:
        lines = (result.stderr or result.stdout).strip().splitlines() or ["(it wrote nothing)"]
        raise DemoError(f"{' '.join(argv)}: exit code {result.returncode}: {lines[-1]}")
    return result.stdout
