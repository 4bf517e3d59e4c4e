#!/usr/bin/env python3
"""Writes dashboards/*.json from the tables below: a panel is a title, what it asks Prometheus, and
a unit. A test compares; after a change here run `python3 deploy/grafana/make_dashboards.py`."""

import json
import os
import sys

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "dashboards")
SOURCE = {"type": "prometheus", "uid": "prometheus"}
WIDTH = 24  # of Grafana's grid
OK, WARNING, BAD = "green", "orange", "red"


def number(title, query, unit="short", steps=((None, OK),), description=""):
    return ("stat", title, [(query, "")], unit, steps, description)


def lines(title, queries, unit="short", description=""):
    return ("timeseries", title, queries, unit, ((None, OK),), description)


def bad_above(limit):
    return ((None, OK), (limit, BAD))


OVERVIEW = ("slipstream-overview", "Slipstream: overview", [
    number("Daemons that answer", "count(up == 1)"),
    number("Daemons that do not", "count(up == 0) or vector(0)", steps=bad_above(1)),
    number("Alerts", 'count(ALERTS{alertstate="firing"}) or vector(0)', steps=bad_above(1)),
    number("Blocks without a replica", 'sum(slipstream_dfs_master_blocks{state="missing"})',
           steps=bad_above(1)),
    number("Records behind", "sum(slipstream_processor_task_lag_records)",
           steps=((None, OK), (10_000, WARNING), (1_000_000, BAD))),
    number("Stored", "sum(slipstream_dfs_master_raw_bytes)", "bytes",
           description="Of all files, before compression, one replica."),
    lines("Rows through the pipeline", [
        ("sum(rate(slipstream_producer_rows_sent_total[$__rate_interval]))", "sent by producers"),
        ("sum(rate(slipstream_processor_rows_in_total[$__rate_interval]))", "read by jobs"),
        ("sum(rate(slipstream_processor_rows_out_total[$__rate_interval]))", "written by jobs")],
        "rowsps"),
    lines("Bytes to and from the file system", [
        ("sum(rate(slipstream_datanode_written_bytes_total[$__rate_interval]))", "written"),
        ("sum(rate(slipstream_datanode_read_bytes_total[$__rate_interval]))", "read")], "Bps",
        "Compressed; each replica counts."),
    lines("CPU", [("rate(process_cpu_seconds_total[$__rate_interval])", "{{job}} {{instance}}")],
          "percentunit", "1 is a core."),
    lines("Memory", [("process_resident_memory_bytes", "{{job}} {{instance}}")], "bytes"),
    lines("Versions", [("count by (daemon, version) (slipstream_build_info)",
                        "{{daemon}} {{version}}")]),
    lines("Open files", [("process_open_fds", "{{job}} {{instance}}")]),
])

STORAGE = ("slipstream-storage", "Slipstream: file system", [
    number("Live datanodes", 'sum(slipstream_dfs_master_nodes{state="live"})'),
    number("Dead datanodes", 'sum(slipstream_dfs_master_nodes{state="dead"})', steps=bad_above(1)),
    number("Safe mode", "max(slipstream_dfs_master_safe_mode)", steps=bad_above(1),
           description="1: the master starts, or its disk is full."),
    number("Files", "sum(slipstream_dfs_master_files)"),
    number("Blocks", 'sum(slipstream_dfs_master_blocks{state="all"})'),
    number("Compression", "cluster:slipstream_dfs_compression:ratio",
           description="Bytes before compression for each byte stored."),
    lines("Blocks that need care", [
        ('slipstream_dfs_master_blocks{state=~"missing|under_replicated"}', "{{state}}"),
        ("slipstream_dfs_master_bad_replicas", "bad replicas"),
        ("slipstream_dfs_master_repairs_in_flight", "copies under way")]),
    lines("Room left", [("instance:slipstream_datanode_free:ratio", "{{instance}}")],
          "percentunit"),
    lines("Calls to the master", [
        ("sum by (method) (rate(slipstream_dfs_master_rpcs_total[$__rate_interval]))",
         "{{method}}")], "reqps"),
    lines("Calls to the master, 99 of 100 within", [
        ("method:slipstream_dfs_master_rpc_seconds:p99_5m", "{{method}}")], "s"),
    lines("Calls to datanodes", [
        ("sum by (method) (rate(slipstream_datanode_rpcs_total[$__rate_interval]))",
         "{{method}}")], "reqps"),
    lines("Calls to datanodes, 99 of 100 within", [
        ("method:slipstream_datanode_rpc_seconds:p99_5m", "{{method}}")], "s"),
    lines("Calls that failed", [
        ('sum by (method, code) (rate(slipstream_dfs_master_rpcs_total{code!="ok"}[$__rate_interval]))'
         " or vector(0)", "{{method}} {{code}}"),
        ("sum(rate(slipstream_datanode_writes_failed_total[$__rate_interval]))",
         "datanodes: writes"),
        ("sum(rate(slipstream_datanode_reads_failed_total[$__rate_interval]))",
         "datanodes: reads")], "reqps"),
    lines("Replicas", [("slipstream_datanode_replicas", "{{instance}}"),
                       ("slipstream_datanode_parked_replicas", "{{instance}} deleted, kept")]),
])

JOBS = ("slipstream-jobs", "Slipstream: jobs", [
    number("Rows read", "sum(instance:slipstream_processor_rows_in:rate1m)", "rowsps"),
    number("Records behind", "sum(topic:slipstream_processor_task_lag_records:sum)"),
    number("Late rows", "sum(slipstream_processor_rows_late_total)",
           description="That came after all their windows had fired."),
    number("Dead letters", "sum(slipstream_processor_rows_dead_total)", steps=bad_above(1)),
    number("Failed commits", "sum(slipstream_processor_commits_failed_total)",
           steps=((None, OK), (1, WARNING))),
    number("Takeovers", "sum(slipstream_processor_takeovers_total)"),
    lines("Rows read", [("instance:slipstream_processor_rows_in:rate1m", "{{instance}}")],
          "rowsps"),
    lines("Rows written", [("instance:slipstream_processor_rows_out:rate1m", "{{instance}}")],
          "rowsps"),
    lines("Records behind", [("topic:slipstream_processor_task_lag_records:sum", "{{topic}}")]),
    lines("Event time behind the clock", [
        ("time() - min by (topic) (slipstream_processor_task_watermark_seconds)", "{{topic}}")],
        "s", "Of a replay of an old year: years."),
    lines("Commits", [("rate(slipstream_processor_commits_total[$__rate_interval])",
                       "{{instance}}")], "ops"),
    lines("Time of a commit", [("instance:slipstream_processor_commit_seconds:mean5m",
                                "{{instance}}")], "s"),
    lines("Producers", [
        ("rate(slipstream_producer_rows_sent_total[$__rate_interval])", "{{instance}} sent"),
        ("rate(slipstream_producer_rows_acknowledged_total[$__rate_interval])",
         "{{instance}} acknowledged")], "rowsps"),
])

GATEWAY = ("slipstream-gateway", "Slipstream: gateway", [
    number("Connections", "sum(slipstream_gateway_connections)"),
    number("Requests in hand", "sum(slipstream_gateway_busy_connections)"),
    number("Turned away", "sum(slipstream_gateway_refused_connections_total)"
           " + sum(slipstream_gateway_overloads_total)", steps=bad_above(1)),
    number("Too slow clients", "sum(slipstream_gateway_timeouts_total)"),
    lines("Requests", [
        ("sum by (operation) (rate(slipstream_gateway_operations_total[$__rate_interval]))",
         "{{operation}}")], "reqps"),
    lines("99 of 100 within", [
        ("operation:slipstream_gateway_operation_seconds:p99_5m", "{{operation}}")], "s"),
    lines("Answers", [("sum by (code) (rate(slipstream_gateway_answers_total[$__rate_interval]))",
                       "{{code}}")], "reqps"),
    lines("Bytes", [
        ("sum(rate(slipstream_gateway_received_bytes_total[$__rate_interval]))", "received"),
        ("sum(rate(slipstream_gateway_sent_bytes_total[$__rate_interval]))", "sent")], "Bps"),
])


def panel(index, place, kind, title, queries, unit, steps, description):
    return {
        "id": index + 1, "type": kind, "title": title, "description": description,
        "datasource": SOURCE, "gridPos": place,
        "fieldConfig": {"overrides": [], "defaults": {
            "unit": unit, "min": 0,
            "thresholds": {"mode": "absolute",
                           "steps": [{"value": value, "color": color} for value, color in steps]}}},
        "options": {"reduceOptions": {"calcs": ["lastNotNull"]}} if kind == "stat"
                   else {"legend": {"displayMode": "list", "placement": "bottom"},
                         "tooltip": {"mode": "multi", "sort": "desc"}},
        "targets": [{"refId": chr(ord("A") + i), "datasource": SOURCE, "expr": expression,
                     "legendFormat": legend, "instant": kind == "stat"}
                    for i, (expression, legend) in enumerate(queries)]}


def dashboard(uid, title, panels):
    """The numbers side by side on top, then two charts in a row."""
    numbers = [one for one in panels if one[0] == "stat"]
    charts = [one for one in panels if one[0] != "stat"]
    wide = WIDTH // len(numbers)
    placed = [({"x": i * wide, "y": 0, "w": wide, "h": 4}, one) for i, one in enumerate(numbers)]
    placed += [({"x": i % 2 * WIDTH // 2, "y": 4 + i // 2 * 8, "w": WIDTH // 2, "h": 8}, one)
               for i, one in enumerate(charts)]
    return {"uid": uid, "title": title, "tags": ["slipstream"], "schemaVersion": 39,
            "editable": False, "refresh": "5s", "time": {"from": "now-15m", "to": "now"},
            "timezone": "browser", "graphTooltip": 1,
            "panels": [panel(i, place, *one) for i, (place, one) in enumerate(placed)]}


def files():
    """{file name: text}"""
    return {one[0] + ".json": json.dumps(dashboard(*one), indent=1) + "\n"
            for one in (OVERVIEW, STORAGE, JOBS, GATEWAY)}


if __name__ == "__main__":
    for name, text in files().items():
        with open(os.path.join(FOLDER, name), "w", encoding="utf-8") as output:
            output.write(text)
    sys.exit(0)
