"""How well the shipped anomaly jobs find what the producer has planted: precision, recall and F1, the same
in every run."""

import csv
import os

from processes import DemoError, run

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SEEDS = (1, 2, 3)
DEVICES = 50
READINGS = 200_000
RATIO = 0.005
JOBS = ("sensor_anomalies", "sensor_anomalies_robust")


def moment(text):
    """A time as the message has it; jobs leave out zeros at its end."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def planted_in(path):
    with open(path, encoding="utf-8", newline="") as file:
        return {(row["key"], moment(row["event_time"])) for row in csv.DictReader(file)
                if row["kind"] == "anomaly"}


def found_in(processor, brokers, state, topic):
    text = run([processor, "sql", "--brokers=" + brokers, f"--state-dir={state}/processor", "-e",
                f"CREATE TABLE found (device_id STRING, ts STRING) WITH ('connector' = 'kafka', 'topic' = '{topic}', "
                "'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset', "
                "'format' = 'json'); SELECT device_id, ts FROM found;"])
    rows = [[cell.strip() for cell in line.strip("|").split("|")]
            for line in text.splitlines() if line.startswith("|")]
    return {(device, moment(ts)) for device, ts in rows[1:]}  # the first line is the header


def job_file(state, job, topics):
    with open(os.path.join(ROOT, "jobs", job + ".sql"), encoding="utf-8") as file:
        text = file.read()
    for old, new in topics.items():
        text = text.replace(f"'topic' = '{old}'", f"'topic' = '{new}'")
    path = os.path.join(state, f"{topics[job]}.sql")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def measure(binaries, kafka_script, state):
    """Prints the figures; DemoError if one of them misses the goal of 0.9."""
    os.makedirs(state)
    kafka = os.path.join(state, "kafka")
    processor = os.path.join(binaries, "processor")
    brokers = run([kafka_script, "start", "--dir", kafka]).strip()
    print(f"anomalies: {READINGS:,} readings of {DEVICES} devices, {RATIO:.1%} planted, 3 s of disorder")
    print(f"  {'job':<28}{'seed':>5}{'planted':>9}{'found':>7}{'precision':>11}{'recall':>8}{'F1':>7}", flush=True)
    misses = []
    try:
        for seed in SEEDS:
            topic, planted_file = f"readings-{seed}", os.path.join(state, f"planted-{seed}.csv")
            run([os.path.join(binaries, "producer"), "sensors", "--profile=iot", "--brokers=" + brokers,
                 "--topic=" + topic, "--partitions=3", f"--devices={DEVICES}", f"--limit={READINGS}", "--speed=max",
                 "--start=2024-05-12T00:00:00", f"--seed={seed}", f"--anomaly-ratio={RATIO}", "--disorder=3s",
                 "--planted-file=" + planted_file, "--quiet"])
            planted = planted_in(planted_file)
            for job in JOBS:
                result = f"{job}-{seed}"
                path = job_file(state, job, {"iot_sensor_data": topic, job: result})
                run([processor, "run", path, "--bounded", "--brokers=" + brokers,
                     f"--set=pipeline.name={result}", f"--state-dir={state}/processor"])
                found = found_in(processor, brokers, state, result)
                hits = len(found & planted)
                f1 = 2 * hits / (len(found) + len(planted))
                print(f"  {job:<28}{seed:>5}{len(planted):>9}{len(found):>7}{hits / max(len(found), 1):>11.3f}"
                      f"{hits / len(planted):>8.3f}{f1:>7.3f}", flush=True)
                if f1 < 0.9:
                    misses.append(f"{job} with seed {seed}: {f1:.3f}")
    finally:
        run([kafka_script, "stop", "--dir", kafka])
    if misses:
        raise DemoError("F1 below 0.9: " + ", ".join(misses))
