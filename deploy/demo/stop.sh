#!/usr/bin/env bash
# Stops what a demo left running: stop.sh DIR, where DIR is its state (<state>/demo).
set -euo pipefail

dir="$(cd "$1" && pwd -P)"
grace_s=15

# A process of this demo names a path under DIR on its command line; a recycled pid does not.
is_ours() {  # PID
  tr '\0' '\n' 2>/dev/null <"/proc/$1/cmdline" | grep -qF -- "$dir/"
}

stop_one() {  # PID-FILE
  local pid deadline=$((SECONDS + grace_s))
  pid="$(cat "$1")"
  if [[ "$pid" =~ ^[0-9]+$ ]] && is_ours "$pid"; then
    echo "stopping $(basename "$1" .pid)"
    kill -TERM "$pid" 2>/dev/null || true
    kill -CONT "$pid" 2>/dev/null || true
    while is_ours "$pid"; do
      if ((SECONDS >= deadline)); then kill -KILL "$pid" 2>/dev/null || true; fi
      sleep 0.05
    done
  fi
  rm -f "$1"
}

# The demo itself first, or it would report that its processes die; then from the top of the stack
# to its bottom, so that none waits for one that is gone.
shopt -s nullglob
for group in demo producer gateway processor dfs-datanode dfs-master; do
  for file in "$dir/pids/$group"*.pid; do stop_one "$file"; done
done
if [[ -d "$dir/kafka" ]] && "$(dirname "$0")/../kafka/kafka.sh" status --dir "$dir/kafka" >/dev/null; then
  echo "stopping kafka"
  "$(dirname "$0")/../kafka/kafka.sh" stop --dir "$dir/kafka"
fi
