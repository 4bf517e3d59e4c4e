#!/usr/bin/env python3
"""Runs one fuzzer for a while, from its seeds and from what was found before.

    fuzz.py FUZZER REGRESSIONS

FUZZER is a binary of the preset `asan`; REGRESSIONS a folder of inputs that once broke it, which may
be missing. SLIPSTREAM_FUZZ_SECONDS says for how long (30), SLIPSTREAM_FUZZ_SEED with which seed (1; 0
draws one). The corpus it collects stays in SLIPSTREAM_STATE/fuzz (.slipstream/fuzz) for the next run,
as do inputs that break it.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

OPTIONS = [
    "-max_len=8192",
    "-timeout=10",  # of one input: one that takes as long is a finding
    "-rss_limit_mb=2048",
    "-malloc_limit_mb=512",
    "-print_final_stats=1",
    "-entropic=0",  # of targets with many features it takes four fifths of the time
    "-print_funcs=0",  # the symbolizer would take most of the time
]


def main():
    fuzzer, regressions = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    source = pathlib.Path(__file__).resolve().parents[2]
    state = pathlib.Path(os.environ.get("SLIPSTREAM_STATE", source / ".slipstream"))
    seconds = os.environ.get("SLIPSTREAM_FUZZ_SECONDS", "30")
    corpus = state / "fuzz" / fuzzer.name
    broken = state / "fuzz" / "broken"
    for folder in (corpus, broken):
        folder.mkdir(parents=True, exist_ok=True)
    dictionary = pathlib.Path(__file__).parent / "dictionary" / f"{regressions.name}.txt"

    with tempfile.TemporaryDirectory(prefix="slipstream-seeds-") as seeds:
        command = [fuzzer, *OPTIONS, f"-max_total_time={seconds}",
                   "-seed=" + os.environ.get("SLIPSTREAM_FUZZ_SEED", "1"),
                   f"-artifact_prefix={broken / fuzzer.name}-"]
        if dictionary.exists():
            command.append(f"-dict={dictionary}")
        command += [corpus, seeds, *([regressions] if regressions.exists() else [])]
        environment = dict(os.environ, SLIPSTREAM_FUZZ_SEEDS=seeds, SLIPSTREAM_SOURCE_DIR=str(source))
        with tempfile.TemporaryFile("w+") as log:
            code = subprocess.call(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
            log.seek(0)
            lines = log.read().splitlines()
    if code != 0:
        print("\n".join(lines[-120:]))
        print(f"the input is in {broken}; once mended, keep it in {regressions}")
        return 1
    wanted = ("stat::number_of_executed_units", "stat::average_exec_per_sec", "stat::peak_rss_mb")
    coverage = [line for line in lines if " cov: " in line][-1:]
    print("\n".join(coverage + [line for line in lines if line.startswith(wanted)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
