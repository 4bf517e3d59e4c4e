#!/usr/bin/env python3
"""The front script where it can be tested without building: usage, stop, and what it must never do
(kill a process of somebody else's, remove files of somebody else's)."""

import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else os.getcwd()


class ScriptTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="slipstream-script-")
        self.addCleanup(scratch.cleanup)
        self.state = os.path.join(scratch.name, "a state")  # a space, as users have them
        os.makedirs(os.path.join(self.state, "demo", "pids"))

    def run_script(self, *arguments, program="slipstream"):
        return subprocess.run([os.path.join(ROOT, program), *arguments], capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, check=False,
                              env={**os.environ, "SLIPSTREAM_STATE": self.state})

    def start_process(self, *arguments):
        # The arguments after the script are only there to be seen in its command line.
        process = subprocess.Popen(["/bin/sh", "-c", "echo up; read forever", *arguments],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdout.readline()
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def write_pid(self, name, pid):
        with open(os.path.join(self.state, "demo", "pids", name + ".pid"), "w",
                  encoding="ascii") as file:
            file.write(f"{pid}\n")

    def test_help_and_usage(self):
        self.assertEqual(self.run_script("--help").returncode, 0)
        self.assertEqual(self.run_script("demo", "--help").returncode, 0)
        for wrong in ([], ["unknown"], ["stop", "--unknown"], ["test", "--unknown"]):
            result = self.run_script(*wrong)
            self.assertEqual(result.returncode, 2, wrong)
            self.assertIn("usage:", result.stderr)

    def test_stop_ends_what_the_demo_started(self):
        process = self.start_process("--data-dir=" + self.state + "/demo/master")
        self.write_pid("dfs-master", process.pid)
        # stop.sh waits for the end, which for a child of this test is seen by reaping it.
        stopping = subprocess.Popen([os.path.join(ROOT, "slipstream"), "stop"],
                                    env={**os.environ, "SLIPSTREAM_STATE": self.state},
                                    stdout=subprocess.PIPE, text=True)
        self.assertEqual(process.wait(timeout=20), -15)
        out, _ = stopping.communicate(timeout=20)
        self.assertEqual(stopping.returncode, 0)
        self.assertIn("stopping dfs-master", out)
        self.assertEqual(os.listdir(os.path.join(self.state, "demo", "pids")), [])

    def test_stop_spares_a_recycled_pid(self):
        process = self.start_process("--data-dir=/somebody/elses")
        self.write_pid("dfs-master", process.pid)
        self.write_pid("producer", "not a pid")
        self.assertEqual(self.run_script("stop").returncode, 0)
        self.assertIsNone(process.poll())

    def test_clean_removes_only_its_own(self):
        with open(os.path.join(self.state, "diary.txt"), "w", encoding="ascii") as file:
            file.write("somebody else's")
        self.assertEqual(self.run_script("stop", "--clean").returncode, 0)
        self.assertEqual(os.listdir(self.state), ["diary.txt"])
        os.remove(os.path.join(self.state, "diary.txt"))
        self.assertEqual(self.run_script("stop", "--clean").returncode, 0)
        self.assertFalse(os.path.exists(self.state))

    def test_kafka_status_without_a_broker(self):
        folder = os.path.join(self.state, "kafka-1")
        result = self.run_script("status", "--dir", folder, program="deploy/kafka/kafka.sh")
        self.assertEqual((result.returncode, result.stdout), (1, "stopped\n"))
        result = self.run_script("start", "--dir", folder, "--port", "x",
                                 program="deploy/kafka/kafka.sh")
        self.assertEqual(result.returncode, 1)
        self.assertIn("not a port", result.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=0)
