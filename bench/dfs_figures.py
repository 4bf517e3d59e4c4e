"""The file system's figures, each beside what the same machine gives without it in the same run."""

import os
import shutil
import statistics
import subprocess
import time

from processes import DemoError, Process, run

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.path.join(ROOT, "build", "release", "bin")
MIB = 1 << 20
NAMES = 1_000_000  # that dfs_bench makes


def figures_of(*argv):
    """What dfs_bench prints: numbers by name."""
    lines = run([os.path.join(BIN, "dfs_bench"), *argv]).split()
    return {name: float(value) for name, value in (line.split("=") for line in lines)}


def seconds_of(command):
    """Wall seconds of a shell pipeline, all of whose parts have to succeed."""
    begin = time.monotonic()
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], stderr=subprocess.PIPE, text=True,
                          check=False)
    if done.returncode != 0:
        raise DemoError(f"{command}: {done.stderr.strip()}")
    return time.monotonic() - begin


def resident_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS:"))


class EmptyServer:
    """A server of empty calls: what gRPC alone gives on this machine."""

    def __enter__(self):
        self.popen = subprocess.Popen([os.path.join(BIN, "dfs_bench"), "serve-empty"], text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self.popen.stdout.readline().strip()

    def __exit__(self, *_):
        self.popen.stdin.close()
        self.popen.wait()


class DfsBench:
    """One run over one fresh cluster: a master and three datanodes. `figures` has every number."""

    def __init__(self, state, is_quick):
        self.state, self.is_quick = state, is_quick
        self.seconds = "2" if is_quick else "5"
        self.file_mib = 64 if is_quick else 512
        self.figures, self.processes = {}, []
        for folder in ("logs", "run", "pids", "local"):
            os.makedirs(os.path.join(state, folder))

    def run(self):
        print(f"dfs: {os.cpu_count()} cores, shared by everything measured", flush=True)
        try:
            self.start()
            self.measure_idle()
            with EmptyServer() as empty:
                self.figures |= figures_of("calls", "--master=" + empty, "--seconds=" + self.seconds,
                                           "empty")
            self.measure_large_files()
            self.measure_small_files()
            self.measure_names()
        finally:
            for process in reversed(self.processes):
                process.kill()

    # ---- The cluster ----

    def start(self):
        self.master = Process.daemon(self.state, "dfs-master", [
            os.path.join(BIN, "dfs-master"), "--listen=127.0.0.1:0",
            f"--data-dir={self.state}/master"])
        self.processes.append(self.master)
        self.address = self.master.endpoint()["rpc"]
        for i in (1, 2, 3):
            self.processes.append(Process.daemon(self.state, f"dfs-datanode-{i}", [
                os.path.join(BIN, "dfs-datanode"), "--master=" + self.address,
                "--listen=127.0.0.1:0", f"--data-dir={self.state}/datanode-{i}"]))
        for node in self.processes[1:]:
            node.endpoint()
        self.dfs("safemode", "wait")

    def dfs(self, *argv):
        return run([os.path.join(BIN, "dfs"), "--master=" + self.address, *argv])

    # ---- What is measured ----

    def measure_idle(self):
        resident = max(resident_bytes(node.popen.pid) for node in self.processes[1:])
        self.say("idle datanode", f"{resident / 1e6:.1f} MB resident", "under 40 MB",
                 idle_datanode_bytes=resident)
        times = []
        for _ in range(100):
            begin = time.monotonic()
            self.dfs("-ls", "/")
            times.append(time.monotonic() - begin)
        self.say("dfs -ls /", f"{statistics.median(times) * 1e3:.1f} ms, median of 100", "under 10 ms",
                 dfs_ls_ms=statistics.median(times) * 1e3)

    def measure_large_files(self):
        local = os.path.join(self.state, "local")
        for kind, level in (("json", 3), ("incompressible", 3), ("incompressible", 9)):
            source = os.path.join(local, kind)
            if not os.path.exists(source):
                self.make_input(kind, source)
            mib = os.path.getsize(source) / MIB
            name = f"{kind}_level_{level}"
            compress = seconds_of(f"zstd -q -T1 -{level} -c {source} > {local}/c.zst")
            copies = sum(seconds_of(f"dd if={local}/c.zst of={local}/copy{i} bs=1M conv=fdatasync "
                                    "status=none") for i in (1, 2))
            for i in (1, 2):
                os.remove(f"{local}/copy{i}")
            put = seconds_of(f"{BIN}/dfs --master={self.address} put --level {level} {source} "
                             f"/{name} 2>/dev/null")
            self.say(f"one writer, {kind}, level {level}",
                     f"{mib / put:,.0f} MiB/s, {(compress + copies) / put:.0%} of zstd -T1 and two "
                     f"synced copies ({mib / (compress + copies):,.0f} MiB/s)", "60 %",
                     **{f"write_{name}_mib_per_s": mib / put,
                        f"write_{name}_limit_mib_per_s": mib / (compress + copies)})
            if level != 3:
                continue
            decompress = seconds_of(f"zstd -q -d -c {local}/c.zst > /dev/null")
            get = seconds_of(f"{BIN}/dfs --master={self.address} cat /{name} > /dev/null")
            self.say(f"one reader, {kind}",
                     f"{mib / get:,.0f} MiB/s, {decompress / get:.0%} of zstd -d "
                     f"({mib / decompress:,.0f} MiB/s)", "60 %",
                     **{f"read_{kind}_mib_per_s": mib / get,
                        f"read_{kind}_limit_mib_per_s": mib / decompress})
        shutil.rmtree(local)
        self.dfs("rm", "-skipTrash", "/json_level_3", "/incompressible_level_3",
                 "/incompressible_level_9")

    def make_input(self, kind, path):
        size = self.file_mib * MIB
        if kind == "incompressible":
            seconds_of(f"head -c {size} /dev/urandom > {path}")
        else:
            one = path + ".one"
            seconds_of(f"{BIN}/producer flights --synthetic --dry-run --sort=none --quiet > {one}")
            with open(one, "rb") as source:
                records = source.read()
            with open(path, "wb") as file:
                while file.tell() < size:
                    file.write(records[:size - file.tell()])
            os.remove(one)

    def measure_small_files(self):
        floor = figures_of("sync-pairs", f"--directory={self.state}/pairs",
                           "--seconds=" + self.seconds)["sync_pairs_per_s"]
        empty = self.figures["empty_per_s"]
        measured = figures_of("files", "--master=" + self.address, "--seconds=" + self.seconds,
                              "put", "get", "put_batch")
        put_limit, get_limit = 1 / (1 / floor + 5 / empty), empty / 2
        self.say("1 KiB files, 16 clients: put",
                 f"{measured['put_per_s']:,.0f}/s, {measured['put_per_s'] / put_limit:.0%} of two "
                 f"synced files and five empty calls ({put_limit:,.0f}/s)", "50 %",
                 small_put_per_s=measured["put_per_s"], small_put_limit_per_s=put_limit)
        self.say("get", f"{measured['get_per_s']:,.0f}/s, {measured['get_per_s'] / get_limit:.0%} of "
                 f"two empty calls ({get_limit:,.0f}/s)", "50 %",
                 small_get_per_s=measured["get_per_s"], small_get_limit_per_s=get_limit)
        self.say("put, a thousand a call", f"{measured['put_batch_per_s']:,.0f} files/s", "20,000/s",
                 batched_put_per_s=measured["put_batch_per_s"])

    def measure_names(self):
        address, seconds = "--master=" + self.address, "--seconds=" + self.seconds
        before = resident_bytes(self.master.popen.pid)
        measured = figures_of("calls", address, "names")
        empty = self.figures["empty_per_s"]
        print(f"  a million names, 64 callers on 8 channels; an empty call: {empty:,.0f}/s")
        for call, title, goal in (("stat", "stat", "80 %"), ("create", "durable create", "35 %"),
                                  ("stat_batch", "stat, a thousand a call", "300,000/s"),
                                  ("create_batch", "create, a thousand a call", "60,000/s"),
                                  ("list", "listing, a thousand a page", "500,000/s")):
            measured |= figures_of("calls", address, seconds, call)
            rate = measured[call + "_per_s"]
            share = f", {rate / empty:.0%} of an empty call" if goal.endswith("%") else ""
            self.say(title, f"{rate:,.0f}/s{share}, 99 % within {measured[call + '_p99_ms']:.1f} ms",
                     goal)
        grown = resident_bytes(self.master.popen.pid) - before
        self.say("master", f"grew by {grown / 1e6:.0f} MB, caches included")
        self.figures |= measured

    def say(self, what, result, goal=None, **figures):
        self.figures |= figures
        print(f"  {what + ':':<34} {result}" + (f"   (goal: {goal})" if goal else ""), flush=True)
