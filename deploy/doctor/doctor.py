#!/usr/bin/env python3
"""Finds the usual mistakes of a Slipstream cluster, and says what to do about each.

It asks from where it runs, so run it on the machine that has the trouble: a name that resolves here
may not resolve there. It changes nothing. Exit code: 0 all is well (warnings aside), 1 something is
wrong, 2 usage."""

import argparse
import contextlib
import json
import os
import re
import shutil
import socket
import ssl
import struct
import sys
import time
import urllib.error
import urllib.request

TIMEOUT_S = 3.0
SKEW_MAX_S = 2.0
ROOM_MIN = 0.05  # of a disk
ANSWER_BYTES_MAX = 16 << 20
LOOPBACK = re.compile(r"^(localhost|127\.|\[?::1\]?$)")

EXAMPLES = """examples:
  slipstream doctor                                               # everything on this machine
  slipstream doctor --master m1:7400 --brokers k1:9092,k2:9092 --admin m1:7401 --admin g1:9871
  slipstream doctor --data-dir /disk1/slipstream                  # and that disk
"""


class Report:
    """What was found, one line each; a problem has a second one with the remedy."""

    def __init__(self, out):
        self.out = out
        self.problems = 0
        self.warnings = 0

    def good(self, what):
        print(f"ok       {what}", file=self.out)

    def note(self, what):
        print(f"-        {what}", file=self.out)

    def warn(self, what, remedy):
        self.warnings += 1
        print(f"warning  {what}\n         -> {remedy}", file=self.out)

    def bad(self, what, remedy):
        self.problems += 1
        print(f"PROBLEM  {what}\n         -> {remedy}", file=self.out)


def split_address(address):
    """("host", port); ValueError where it is no HOST:PORT."""
    host, mark, port = address.rpartition(":")
    if not mark or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"not HOST:PORT: {address}")
    return host.strip("[]"), int(port)


def reach(address):
    """A socket; or raises OSError, whose text says which of the usual reasons it was."""
    host, port = split_address(address)
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise OSError(f"the name {host} is not known here ({error.strerror})") from None
    try:
        return socket.create_connection(infos[0][4][:2], timeout=TIMEOUT_S)
    except ConnectionRefusedError:
        raise OSError("nothing listens there (connection refused)") from None
    except TimeoutError:
        raise OSError(f"no answer within {TIMEOUT_S:.0f} s: a firewall, or the machine is down") from None


def read_exactly(connection, count):
    data = b""
    while len(data) < count:
        chunk = connection.recv(count - len(data))
        if not chunk:
            raise OSError("the connection was closed in the middle of an answer")
        data += chunk
    return data


def tls_context(tls_dir, protocols=()):
    """TLS as the daemons have it; None where there is no folder. Raises OSError, ssl.SSLError."""
    if not tls_dir:
        return None
    context = ssl.create_default_context(cafile=os.path.join(tls_dir, "ca.pem"))
    context.load_cert_chain(os.path.join(tls_dir, "host.pem"))
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def fetch(address, page, tls_dir=""):
    tls = tls_context(tls_dir)
    if tls:
        try:
            return read(f"https://{address}{page}", tls)
        except OSError as error:
            # Daemons speak TLS on admin ports that other machines reach, and only there. One that
            # does not takes the handshake for a bad request, and hangs up.
            if isinstance(error, urllib.error.HTTPError) or not LOOPBACK.match(address):
                raise
    return read(f"http://{address}{page}")


def read(url, tls=None):
    with urllib.request.urlopen(url, timeout=TIMEOUT_S, context=tls) as answer:
        return answer.read(ANSWER_BYTES_MAX).decode("utf-8", "replace")


# ---- Kafka ------------------------------------------------------------------------------------


def ask_brokers(address):
    """{node id: "HOST:PORT"} as the broker at `address` advertises them: Kafka's Metadata request,
    version 1, without topics."""
    with reach(address) as connection:
        connection.settimeout(TIMEOUT_S)
        client = b"slipstream-doctor"
        body = struct.pack(">hhih", 3, 1, 7, len(client)) + client + struct.pack(">i", 0)
        connection.sendall(struct.pack(">i", len(body)) + body)
        (length,) = struct.unpack(">i", read_exactly(connection, 4))
        if not 8 <= length <= ANSWER_BYTES_MAX:
            raise OSError("what listens there is not Kafka")
        answer = read_exactly(connection, length)
    correlation, count = struct.unpack_from(">ii", answer, 0)
    if correlation != 7 or not 0 <= count <= 10_000:
        raise OSError("what listens there is not Kafka")
    brokers, at = {}, 8
    for _ in range(count):
        node, size = struct.unpack_from(">ih", answer, at)
        host = answer[at + 6:at + 6 + size].decode("utf-8", "replace")
        port, rack_size = struct.unpack_from(">ih", answer, at + 6 + size)
        brokers[node] = f"{host}:{port}"
        at += 12 + size + max(rack_size, 0)
    return brokers


def check_kafka(report, bootstrap):
    advertised = None
    for address in bootstrap.split(","):
        try:
            advertised = ask_brokers(address.strip())
            report.good(f"Kafka answers at {address}")
        except (OSError, struct.error) as error:
            report.bad(f"Kafka at {address}: {error}",
                       "Is the broker up, and is this its address as this machine knows it?")
    if advertised is None:
        return
    if not advertised:
        report.bad("Kafka knows of no broker of its own",
                   "It is starting still, or its controller is not there: look at its log.")
    for node, address in sorted(advertised.items()):
        is_far = not all(LOOPBACK.match(one.strip()) for one in bootstrap.split(","))
        try:
            reach(address).close()
        except OSError as error:
            report.bad(f"Kafka's broker {node} advertises {address}, which clients are sent to: {error}",
                       "Set advertised.listeners of that broker to a name and port that every client "
                       "reaches.")
            continue
        if is_far and LOOPBACK.match(address):
            report.bad(f"Kafka's broker {node} advertises {address}, which is each client's own machine",
                       "Set advertised.listeners of that broker to its name on the network.")
        else:
            report.good(f"Kafka's broker {node} is reached where it says, at {address}")


# ---- The file system --------------------------------------------------------------------------


def check_tls(report, tls_dir):
    """Whether the folder is one to connect with; says so."""
    try:
        if tls_context(tls_dir) is None:
            report.note("nothing that goes between machines is encrypted: no --tls-dir")
    except (OSError, ssl.SSLError) as error:
        report.bad(f"--tls-dir {tls_dir}: {error}",
                   "It holds ca.pem and host.pem, which `slipstream certs` makes; is it readable "
                   "for you, and are they of one authority?")
        return False
    return True


def check_master(report, address, tls_dir=""):
    try:
        with contextlib.ExitStack() as stack:
            connection = stack.enter_context(reach(address))
            connection.settimeout(TIMEOUT_S)
            tls = tls_context(tls_dir, ["h2"])
            if tls:
                host, _ = split_address(address)
                connection = stack.enter_context(tls.wrap_socket(connection, server_hostname=host))
            # HTTP/2's greeting; a gRPC server answers with a SETTINGS frame, type 4.
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
            if read_exactly(connection, 9)[3] != 4:
                raise OSError("what listens there speaks no gRPC")
    except ssl.SSLError as error:
        report.bad(f"master at {address}: no TLS with it: {error.reason or error}",
                   "Has it a --tls-dir too, with a certificate of the same authority that names "
                   "the host as it is called here (`slipstream certs --show`)?")
        return
    except OSError as error:
        text = str(error)
        if "timed out" in text or "closed in the middle" in text:
            text = "what listens there speaks no gRPC"
            text += " to you" if tls_dir else ", or only over TLS (--tls-dir)"
        report.bad(f"master at {address}: {text}",
                   "Is dfs-master up, with --listen on an address that this machine reaches "
                   "(not 127.0.0.1, unless it is here), and is this not its admin port?")
        return
    report.good(f"master answers at {address}")


def check_cluster(report, status):
    """What the master says of its datanodes on /status."""
    if status.get("safe_mode"):
        report.warn(f"the master is in safe mode: {status.get('safe_mode_reason')}",
                    "It ends by itself once the datanodes have come or the disk has room.")
    nodes = status.get("nodes", [])
    live = [node for node in nodes if node["state"] == "live"]
    if len(live) < 2:
        report.bad(f"{len(live)} datanodes are live: what is written needs two (--min-replicas)",
                   "Start more; a datanode whose /readyz?verbose says [-]master does not reach it.")
    elif live:
        report.good(f"{len(live)} datanodes are live")
    for node in nodes:
        name = f"datanode {node['address']}"
        if node["state"] != "live":
            report.bad(f"{name} is {node['state']}",
                       "Is the process up, and does it reach the master?")
            continue
        try:
            reach(node["address"]).close()
        except OSError as error:
            report.bad(f"{name} registered with an address that is not reached from here: {error}",
                       "Set its --advertise to a name and port that all machines reach.")
        capacity = node["free_bytes"] + node["used_bytes"]
        if node["free_bytes"] < ROOM_MIN * max(capacity, 1):
            report.bad(f"{name} has no room: {size_text(node['free_bytes'])} left of "
                       f"{size_text(capacity)}",
                       "Free its disk, lower --reserve, or add a datanode.")
    hosts = {split_address(node["address"])[0] for node in live}
    if len(hosts) > 1 and any(LOOPBACK.match(host) for host in hosts):
        report.bad("some datanodes registered as 127.0.0.1, some with other addresses",
                   "Set --advertise of those on 127.0.0.1: others reach themselves there.")
    if status.get("missing_blocks"):
        report.bad(f"{status['missing_blocks']} blocks have no live replica",
                   "`dfs fsck /` names the files and the datanodes to bring back.")
    if status.get("bad_replicas"):
        report.warn(f"{status['bad_replicas']} replicas were found damaged",
                    "They are replaced by themselves; look for a failing disk.")


def size_text(count):
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


# ---- Every daemon -----------------------------------------------------------------------------


def check_daemon(report, address, clock, tls_dir=""):
    """Its readiness, its clock, its disks. (name, version), and what it says on /status."""
    try:
        before = clock()
        metrics = fetch(address, "/metrics", tls_dir)
        after = clock()
        status = json.loads(fetch(address, "/status", tls_dir))
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        report.bad(f"admin port {address}: {reason}",
                   "Is the daemon up, and is this its --admin-listen? It is on 127.0.0.1 unless told "
                   "otherwise.")
        return None, None
    build = re.search(r'^slipstream_build_info\{daemon="([^"]*)",version="([^"]*)"\}', metrics, re.M)
    if build is None:
        report.bad(f"admin port {address}: no daemon of Slipstream, or one that is too old to say so",
                   "Compare with the addresses in the daemons' logs: `listening … admin=…`.")
        return None, None
    name = f"{build.group(1)} at {address}"
    try:
        fetch(address, "/readyz", tls_dir)
        report.good(f"{name} is ready")
    except urllib.error.HTTPError as error:
        reasons = ", ".join(error.read(4096).decode("utf-8", "replace").split("\n")).strip(", ")
        report.bad(f"{name} is not ready: {reasons}", "Its log says more.")
    shown = re.search(r"^slipstream_clock_seconds (\S+)", metrics, re.M)
    if shown is not None:
        # It looked at its clock between `before` and `after`.
        there = float(shown.group(1))
        skew = there - after if there > after else min(there - before, 0.0)
        if abs(skew) > SKEW_MAX_S:
            report.bad(f"the clock of {name} is {abs(skew):.1f} s {'ahead of' if skew > 0 else 'behind'} "
                       "this machine's",
                       "Run an NTP client (chrony, systemd-timesyncd) on both.")
    for disk in status.get("disks", []) if isinstance(status, dict) else []:
        if disk.get("failure"):
            report.bad(f"disk {disk['path']} of {name} is out of service: {disk['failure']}",
                       "Replace it, or take it off --data-dir.")
    return (build.group(1), build.group(2)), status


def check_versions(report, builds):
    versions = {}
    for address, (daemon, version) in builds.items():
        versions.setdefault(version, []).append(f"{daemon} at {address}")
    if len(versions) > 1:
        report.bad("daemons of several versions run together: " + "; ".join(
            f"{version}: {', '.join(names)}" for version, names in sorted(versions.items())),
            "Install the same on every machine, and restart the daemons.")
    elif versions:
        report.good(f"all daemons are of version {next(iter(versions))}")


def check_disk(report, folder):
    try:
        usage = shutil.disk_usage(folder)
        inodes = os.statvfs(folder)
    except OSError as error:
        report.bad(f"{folder}: {error.strerror}", "Is the disk mounted?")
        return
    if usage.free < ROOM_MIN * usage.total:
        report.bad(f"the disk of {folder} is full: {size_text(usage.free)} left of "
                   f"{size_text(usage.total)}", "Free it; the master stops changing at 100 MiB.")
    elif inodes.f_files > 0 and inodes.f_favail < ROOM_MIN * inodes.f_files:
        report.bad(f"the disk of {folder} has no inodes left", "Remove files, or make it anew with more.")
    else:
        report.good(f"the disk of {folder} has {size_text(usage.free)} left")


def parse(argv):
    parser = argparse.ArgumentParser(prog="slipstream doctor", description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    environment = os.environ
    parser.add_argument("--master", default=environment.get("SLIPSTREAM_MASTER", "127.0.0.1:7400"),
                        metavar="HOST:PORT", help="the dfs-master (default: %(default)s)")
    parser.add_argument("--brokers", default=environment.get("SLIPSTREAM_BROKERS", ""),
                        metavar="HOST:PORT,…", help="Kafka's addresses (default: Kafka is not looked at)")
    parser.add_argument("--admin", action="append", default=[], metavar="HOST:PORT",
                        help="the admin port of a daemon; the master's leads to its datanodes' "
                             "(default: 127.0.0.1:7401, where the packages put the master's)")
    parser.add_argument("--tls-dir", default=environment.get("SLIPSTREAM_TLS_DIR", ""), metavar="DIR",
                        help="ca.pem and host.pem, where the daemons speak TLS")
    parser.add_argument("--data-dir", action="append", default=[], metavar="DIR",
                        help="a folder of a daemon on this machine, for the room on its disk")
    options = parser.parse_args(argv)
    try:
        for address in [options.master, *options.admin,
                        *(one.strip() for one in options.brokers.split(",") if one)]:
            split_address(address)
    except ValueError as error:
        parser.error(str(error))
    return options


def main(argv, out=sys.stdout, clock=time.time):
    options = parse(argv)
    report = Report(out)
    if not check_tls(report, options.tls_dir):
        return 1
    check_master(report, options.master, options.tls_dir)
    if options.brokers:
        check_kafka(report, options.brokers)
    else:
        report.note("Kafka was not looked at: no --brokers")
    builds = {}
    waiting = options.admin or ["127.0.0.1:7401"]
    seen = set()
    while waiting:
        address = waiting.pop(0)
        if address in seen:
            continue
        seen.add(address)
        build, status = check_daemon(report, address, clock, options.tls_dir)
        if build is None:
            continue
        builds[address] = build
        if build[0] != "dfs-master":
            continue
        check_cluster(report, status)
        for node in status.get("nodes", []):
            admin = node.get("admin_address", "")
            if not admin or node["state"] != "live":
                continue
            # An admin port on loopback is seen on its own machine alone.
            if LOOPBACK.match(admin) and not LOOPBACK.match(node["address"]):
                report.note(f"datanode {node['address']}: its admin port is not seen from here")
            else:
                waiting.append(admin)
    check_versions(report, builds)
    for folder in options.data_dir:
        check_disk(report, folder)
    print(f"{report.problems} problems, {report.warnings} warnings", file=out)
    return 1 if report.problems else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except BrokenPipeError:
        sys.exit(1)
