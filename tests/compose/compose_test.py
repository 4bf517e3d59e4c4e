#!/usr/bin/env python3
"""Brings deploy/docker-compose.yml up for real: flights and weather move soon, everything is
healthy, services scale, Prometheus sees every container, a year of flights is stored, each once, and
nobody gets at any of it without a certificate of the deployment's own authority or a token.

Needs a container engine. Where none runs and none can be started the test says so and is skipped (exit
code 77). Images that cannot be pulled are made here from the same parts: Debian by debootstrap, Kafka
from the jars of deploy/kafka, Prometheus from Debian's package. Grafana is in no Debian: where its
image cannot be pulled, that service is left out (prometheus_test looks at its files). What was started is stopped, its containers and volumes are removed.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COMPOSE_FILE = os.path.join(ROOT, "deploy", "docker-compose.yml")
KAFKA = os.path.join(ROOT, "deploy", "kafka", "kafka.sh")
PROJECT = f"slipstream-test-{os.getpid()}"
FLIGHTS = 336_776  # what `producer flights --synthetic` sends unless told otherwise
SKIPPED = 77
ENGINE_START_S = 60
STORED_S = 300
# After `up`, with the images there. 30 is the goal for a machine that does nothing else; what it
# was is printed.
MOVING_S = 120
# Free ports, and flights as fast as they go; the shell's variables go before .env.
KNOBS = {"NETWORK": f"t{os.getpid()}.internal", "GATEWAY_PORT": "0", "PROMETHEUS_PORT": "0", "GRAFANA_PORT": "0", "FLIGHTS_PER_SECOND": "100000000"}
SCALED = {"dfs-datanode": 5, "processor": 3}

PROMETHEUS_DOCKERFILE = """
FROM debian:12-slim
RUN apt-get update \\
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends prometheus \\
 && rm -rf /var/lib/apt/lists/* && mkdir /prometheus && chown nobody /prometheus
USER nobody
ENTRYPOINT ["/usr/bin/prometheus"]
"""

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
    return run(*front, "-p", PROJECT, "-f", COMPOSE_FILE, *argv, env={**os.environ, **KNOBS})


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


def image_of(variable):
    """As .env names it."""
    with open(os.path.join(os.path.dirname(COMPOSE_FILE), ".env"), encoding="utf-8") as file:
        return re.search(rf"(?m)^{variable}=(\S+)$", file.read()).group(1)


def is_there(image):
    return succeeds("docker", "image", "inspect", image) or succeeds("docker", "pull", image)


def build_image(image, folder, files):
    os.makedirs(folder, exist_ok=True)
    for name, text in files.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    run("docker", "build", "-t", image, folder)


def make_kafka_image(scratch):
    image = image_of("KAFKA_IMAGE")
    if is_there(image):
        return
    run(KAFKA, "install")
    state = os.environ.get("SLIPSTREAM_STATE", os.path.join(ROOT, ".slipstream"))
    folder = os.path.join(scratch, "kafka")
    shutil.copytree(os.path.join(state, "kafka", image.split(":")[1], "libs"),
                    os.path.join(folder, "libs"))
    build_image(image, folder, {"Dockerfile": KAFKA_DOCKERFILE, "run.sh": KAFKA_RUN})


def make_prometheus_image(scratch):
    image = image_of("PROMETHEUS_IMAGE")
    if not is_there(image):
        build_image(image, os.path.join(scratch, "prometheus"), {"Dockerfile": PROMETHEUS_DOCKERFILE})


def published(service, port):
    """HOST:PORT on this machine."""
    return compose("port", service, str(port)).strip()


def fetch(url, **options):
    """The answer to a GET as JSON; None while there is none."""
    try:
        with urllib.request.urlopen(url, timeout=5, **options) as answer:
            return json.load(answer)
    except (OSError, ValueError):
        return None


class Gateway:
    """What a user reaches it by: the address published, and what `certs` printed."""

    def __init__(self):
        self.base = f"https://{published('gateway', 9870)}"
        self.token = re.search(r"name: user   password: ([0-9a-f]{64})", compose("logs", "certs")).group(1)
        self.tls = ssl.create_default_context(
            cadata=compose("exec", "-T", "gateway", "cat", "/var/lib/slipstream/tls/ca.pem"))

    def get(self, path, token=None):
        request = urllib.request.Request(self.base + path)
        request.add_header("Authorization", f"Bearer {token or self.token}")
        return fetch(request, context=self.tls)

    def code(self, path, headers):
        request = urllib.request.Request(self.base + path, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=5, context=self.tls) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code


def wait_until(what, condition, deadline_s):
    """Seconds that it took."""
    begin = time.monotonic()
    while not condition():
        if time.monotonic() - begin > deadline_s:
            raise RuntimeError(f"after {deadline_s} s not {what}\n"
                               + compose("ps") + compose("logs", "--tail=20"))
        time.sleep(0.5)
    return time.monotonic() - begin


def is_moving(gateway):
    """Whether flights have been stored, as a browser would see it."""
    listing = gateway.get("/webhdfs/v1/flights?op=GETCONTENTSUMMARY")
    return listing is not None and listing["ContentSummary"]["length"] > 0


def containers(service):
    return compose("ps", "-q", service).split()


def healthy(service, count):
    states = [run("docker", "inspect", "-f", "{{.State.Health.Status}}", one).strip()
              for one in containers(service)]
    return states == ["healthy"] * count


def scraped(prometheus):
    """{job: how many of its containers answer}"""
    answer = fetch(f"http://{prometheus}/api/v1/query?" + urllib.parse.urlencode(
        {"query": "count by (job) (up == 1)"}))
    return {} if answer is None else {
        sample["metric"]["job"]: int(sample["value"][1]) for sample in answer["data"]["result"]}


def stored_flights():
    """How many flights a query inside the containers finds; None while there is no answer."""
    try:
        answer = compose("exec", "-T", "processor", "processor", "query",
                         "SELECT COUNT(*), COUNT(DISTINCT id) FROM flights_by_carrier",
                         "--catalog=/usr/share/slipstream/jobs/flights_by_carrier.sql",
                         "--master=master:7400", "--format=csv", "--log-level=error")
    except RuntimeError:
        return None
    numbers = re.findall(r"^(\d+),(\d+)$", answer, re.MULTILINE)
    return (int(numbers[-1][0]), int(numbers[-1][1])) if numbers else None


def check_services():
    """What `up` started, until the flights are stored; a line of figures."""
    gateway = Gateway()
    moving_s = wait_until("moving", lambda: is_moving(gateway), MOVING_S)
    for service, count in (("kafka", 1), ("master", 1), ("dfs-datanode", 3), ("processor", 1),
                           ("processor-weather", 1), ("gateway", 1)):
        wait_until(f"healthy: {service}", lambda s=service, n=count: healthy(s, n), 60)
    prometheus = published("prometheus", 9090)
    wanted = {"dfs-master": 1, "dfs-datanode": 3, "processor": 2, "gateway": 1}
    wait_until("scraped", lambda: wanted.items() <= scraped(prometheus).items(), 60)
    for service in containers("master") + containers("gateway"):
        user = run("docker", "exec", service, "id", "-u").strip()
        if user == "0":
            raise RuntimeError("a daemon runs as root")
    check_safety(gateway)
    stored_s = wait_until("stored", lambda: stored_flights() == (FLIGHTS, FLIGHTS), STORED_S)
    return f"moving {moving_s:.0f} s after `up`, {FLIGHTS} flights stored, each once, {stored_s:.0f} s later"


def refuses(what, *argv):
    """That a command within the containers fails."""
    try:
        compose("exec", "-T", *argv)
    except RuntimeError:
        return
    raise RuntimeError(f"{what} gets an answer")


def check_safety(gateway):
    """Nobody gets in without what `certs` made."""
    for headers, code in (({}, 401), ({"Authorization": "Bearer 0"}, 401),
                          ({"Authorization": f"Bearer {gateway.token}"}, 200)):
        if gateway.code("/api/v1/cluster", headers) != code:
            raise RuntimeError(f"the gateway answers {headers} with something else than {code}")
    if fetch(gateway.base.replace("https:", "http:") + "/api/v1/cluster") is not None:
        raise RuntimeError("the gateway speaks plain HTTP")
    jobs = json.dumps(gateway.get("/api/v1/jobs") or {})
    if "flights_by_carrier" not in jobs:
        raise RuntimeError("the gateway knows of no job: does it reach Kafka? " + jobs)
    without = ("-e", "SLIPSTREAM_TLS_DIR=", "-e", "SLIPSTREAM_KAFKA_PROPERTY=")
    refuses("whoever has no certificate", *without, "gateway", "dfs", "--connect-timeout=2", "ls", "/")
    refuses("a producer without a certificate", *without, "gateway", "producer", "flights", "--synthetic",
            "--flights=1", "--connect-timeout=3s")
    # An admin port says hello, and ends when it is shown no certificate.
    refuses("an admin port asked without a certificate", "gateway", "bash", "-c",
            "printf 'GET /livez HTTP/1.0\\r\\n\\r\\n' | timeout 5 openssl s_client -quiet "
            "-connect master:7401 2>/dev/null | grep -q 200")
    environment = compose("exec", "-T", "gateway", "env")
    if "INSECURE" in environment or "--insecure" in compose("config"):
        raise RuntimeError("something runs with --insecure")


def check_env():
    """A knob that makes no sense is named, and nothing starts."""
    try:
        compose("run", "--rm", "--no-deps", "-e", "REPLICATION=9", "certs")
    except RuntimeError as error:
        if "REPLICATION=9 is more than DATANODES=3" in str(error):
            return
        raise
    raise RuntimeError("REPLICATION=9 is taken")


def check_scaling():
    """More datanodes and processors join, and after a stop each finds its replicas again."""
    scale = [word for service, count in SCALED.items() for word in ("--scale", f"{service}={count}")]

    def up():
        # By name: with all services the producer, which is done, would send everything again.
        compose("up", "-d", *scale, *SCALED)
    up()
    for service, count in SCALED.items():
        wait_until(f"{count} of {service}", lambda s=service, n=count: healthy(s, n), 120)
    compose("rm", "--stop", "--force", "dfs-datanode")
    up()
    wait_until("datanodes are back", lambda: healthy("dfs-datanode", SCALED["dfs-datanode"]), 120)
    wait_until("all is stored still", lambda: stored_flights() == (FLIGHTS, FLIGHTS), 120)
    report = compose("exec", "-T", "master", "dfs", "report")
    if f"Live datanodes ({SCALED['dfs-datanode']})" not in report:
        raise RuntimeError("not all datanodes are live:\n" + report)


def main():
    scratch = tempfile.mkdtemp(prefix="slipstream-compose-")
    try:
        with engine():
            make_debian_image(scratch)
            make_kafka_image(scratch)
            make_prometheus_image(scratch)
            # For trying the rest with an image that is there.
            if "--no-build" not in sys.argv:
                compose("build")
            has_grafana = is_there(image_of("GRAFANA_IMAGE"))
            services = [name for name in compose("config", "--services").split()
                        if has_grafana or name != "grafana"]
            try:
                check_env()
                compose("up", "-d", *services)
                figures = check_services()
                check_scaling()
            finally:
                compose("down", "--volumes", "--timeout", "30")
        print(figures + ("" if has_grafana else "; grafana's image cannot be had here: left out"))
        return 0
    except Skip as reason:
        print(f"skipped: {reason}")
        return SKIPPED
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
