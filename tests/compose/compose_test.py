#!/usr/bin/env python3
"""Brings deploy/docker-compose.yml up for real, waits until a year of flights is stored, reads it back.

Needs a container engine. Where none runs and none can be started the test says so and is skipped (exit
code 77). Images that cannot be pulled are made here from the same parts: Debian by debootstrap, Kafka
from the jars of deploy/kafka. What was started is stopped, its containers and volumes are removed.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COMPOSE_FILE = os.path.join(ROOT, "deploy", "docker-compose.yml")
KAFKA = os.path.join(ROOT, "deploy", "kafka", "kafka.sh")
PROJECT = f"slipstream-test-{os.getpid()}"
FLIGHTS = 336_776  # what `producer flights --synthetic` sends unless told otherwise
SKIPPED = 77
ENGINE_START_S = 60
STORED_S = 300

KAFKA_DOCKERFILE = """
FROM debian:12-slim
RUN apt-get update \\
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends openjdk-17-jre-headless \\
 && rm -rf /var/lib/apt/lists/*
COPY libs /opt/kafka/libs
COPY run.sh /opt/kafka/run.sh
RUN useradd --system appuser && mkdir -p /var/lib/kafka/data && chown -R appuser /var/lib/kafka
USER appuser
CMD ["sh", "/opt/kafka/run.sh"]
"""

# What the official image does with its environment, as far as the compose file uses it:
# KAFKA_LOG_DIRS becomes log.dirs.
KAFKA_RUN = """
set -e
properties=/tmp/server.properties
env | grep '^KAFKA_' | grep -v '^KAFKA_HEAP_OPTS=' | while IFS='=' read -r name value; do
  echo "$(echo "${name#KAFKA_}" | tr 'A-Z_' 'a-z.')=$value"
done > $properties
java -cp '/opt/kafka/libs/*' kafka.tools.StorageTool format --ignore-formatted \\
  -t MkU3OEVBNTcwNTJENDM2Qg -c $properties
exec java $KAFKA_HEAP_OPTS -cp '/opt/kafka/libs/*' kafka.Kafka $properties
"""


class Skip(Exception):
    pass


def run(*argv, **options):
    """Runs a command; its output if it succeeds, else an error with the end of it."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: exit {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout


def succeeds(*argv):
    return subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          check=False).returncode == 0


def compose(*argv):
    front = ["docker", "compose"] if succeeds("docker", "compose", "version") else ["docker-compose"]
    return run(*front, "-p", PROJECT, "-f", COMPOSE_FILE, *argv)


@contextlib.contextmanager
def engine():
    """A container engine: the one that runs, or one of our own for the time of the test."""
    if shutil.which("docker") is None:
        raise Skip("no docker command (Debian: docker.io docker-compose iptables debootstrap)")
    if succeeds("docker", "info"):
        yield
        return
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        raise Skip("no container engine runs, and none can be started")
    scratch = tempfile.mkdtemp(prefix="slipstream-docker-")
    log = open(os.path.join(scratch, "dockerd.log"), "w", encoding="utf-8")
    daemon = subprocess.Popen(["dockerd", "--data-root", os.path.join(scratch, "data")],
                              stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + ENGINE_START_S
        while not succeeds("docker", "info"):
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise Skip("dockerd does not start here")
            time.sleep(0.5)
        yield
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(60)
        log.close()
        shutil.rmtree(scratch, ignore_errors=True)


def make_debian_image(scratch):
    if succeeds("docker", "image", "inspect", "debian:12-slim"):
        return
    if succeeds("docker", "pull", "debian:12-slim"):
        return
    if shutil.which("debootstrap") is None:
        raise Skip("debian:12-slim cannot be pulled, and there is no debootstrap to make it")
    folder = os.path.join(scratch, "debian")
    run("debootstrap", "--variant=minbase", "bookworm", folder)
    run("sh", "-c", f"tar -C {folder} -c . | docker import - debian:12-slim")


def make_kafka_image(scratch):
    with open(COMPOSE_FILE, encoding="utf-8") as file:
        image = re.search(r"image: (apache/kafka:\S+)", file.read()).group(1)
    if succeeds("docker", "image", "inspect", image) or succeeds("docker", "pull", image):
        return
    run(KAFKA, "install")
    state = os.environ.get("SLIPSTREAM_STATE", os.path.join(ROOT, ".slipstream"))
    version = image.split(":")[1]
    folder = os.path.join(scratch, "kafka")
    shutil.copytree(os.path.join(state, "kafka", version, "libs"), os.path.join(folder, "libs"))
    for name, text in (("Dockerfile", KAFKA_DOCKERFILE), ("run.sh", KAFKA_RUN)):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    run("docker", "build", "-t", image, folder)


def stored_flights():
    """How many flights a query inside the containers finds; None while there is no answer."""
    try:
        answer = compose("exec", "-T", "processor-flights", "processor", "query",
                         "SELECT COUNT(*), COUNT(DISTINCT id) FROM flights_by_carrier",
                         "--catalog=/usr/share/slipstream/jobs/flights_by_carrier.sql",
                         "--master=master:7400", "--format=csv", "--log-level=error")
    except RuntimeError:
        return None
    numbers = re.findall(r"^(\d+),(\d+)$", answer, re.MULTILINE)
    return (int(numbers[-1][0]), int(numbers[-1][1])) if numbers else None


def wait_until_stored():
    deadline = time.monotonic() + STORED_S
    stored = None
    while stored != (FLIGHTS, FLIGHTS):
        if time.monotonic() > deadline:
            raise RuntimeError(f"after {STORED_S} s {stored} of {FLIGHTS} flights are stored\n"
                               + compose("ps") + compose("logs", "--tail=20"))
        time.sleep(1)
        stored = stored_flights()


def main():
    scratch = tempfile.mkdtemp(prefix="slipstream-compose-")
    try:
        with engine():
            make_debian_image(scratch)
            make_kafka_image(scratch)
            compose("build")
            begin = time.monotonic()
            try:
                compose("up", "-d")
                wait_until_stored()
                seconds = time.monotonic() - begin
                report = compose("exec", "-T", "master", "dfs", "--master=127.0.0.1:7400", "report")
                if "Live datanodes (3)" not in report:
                    raise RuntimeError("not three live datanodes:\n" + report)
            finally:
                compose("down", "--volumes", "--timeout", "20")
        print(f"{FLIGHTS} flights stored, each once, {seconds:.0f} s after `up`")
        return 0
    except Skip as reason:
        print(f"skipped: {reason}")
        return SKIPPED
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
