"""How soon a master with very many files answers after it was killed."""

import os
import time

from processes import Process, run  # bench.py has put deploy/demo on the path


def resident_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        fields = dict(line.split(":", 1) for line in file if ":" in line)
    return {name: int(fields[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM")}


def numbers(text):
    return {name: float(value) for name, value in (line.split("=") for line in text.split())}


def start(binaries, state):
    begin = time.monotonic()
    master = Process.daemon(state, "dfs-master", [
        os.path.join(binaries, "dfs-master"), "--listen=127.0.0.1:0", f"--data-dir={state}/master"])
    address = master.endpoint()["rpc"]
    return master, address, time.monotonic() - begin


def restart(binaries, state, files):
    """Fills a store with `files` files of one block each, starts a master over it, kills it with
    kill -9, starts it again, and measures that: until it answers stat and list, and until two
    nodes that report all their replicas have made it locate every block."""
    state = os.path.join(state, "restart")
    for folder in ("logs", "run", "pids", "master"):
        os.makedirs(os.path.join(state, folder))
    load = os.path.join(binaries, "restart_load")
    print(f"dfs --restart: {files:,} files of one block each, two nodes that have them all, "
          f"{os.cpu_count()} cores", flush=True)
    begin = time.monotonic()
    run([load, "fill", f"--data-dir={state}/master", f"--files={files}"], deadline_s=1200)
    print(f"  the store is made after {time.monotonic() - begin:.1f} s", flush=True)
    master, _, _ = start(binaries, state)
    master.kill()

    master, address, serving_s = start(binaries, state)
    try:
        arguments = [f"--master={address}", f"--files={files}"]
        measured = numbers(run([load, "names", *arguments]))
        names_s = serving_s + measured["list_s"]
        nodes = numbers(run([load, "nodes", *arguments]))
        memory = resident_bytes(master.popen.pid)
    finally:
        master.kill()
    print(f"  {'seconds from the start until':<36}{'goal':>6}")
    print(f"  {'stat is answered':<28}{serving_s + measured['stat_s']:>8.2f}{10:>6}")
    print(f"  {'a listing is answered':<28}{names_s:>8.2f}{10:>6}")
    for name, goal in (("registered", ""), ("reported", ""), ("located", 30)):
        words = {"registered": "both nodes are let register",
                 "reported": "both have reported",
                 "located": "every block is located"}[name]
        print(f"  {words:<28}{names_s + nodes[name + '_s']:>8.2f}{goal:>6}")
    print(f"  memory: {memory['VmRSS'] / 1e6:,.0f} MB (peak {memory['VmHWM'] / 1e6:,.0f} MB), RocksDB's "
          f"cache included {memory['VmRSS'] / files:.0f} bytes a file (goal: under 100 beyond it)")
