#!/usr/bin/env bash
# A real Kafka broker without Docker: jars from Maven, one combined KRaft node a directory.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
state="${SLIPSTREAM_STATE:-$(cd "$here/../.." && pwd)/.slipstream}"
version="$(sed -n 's:.*<kafka.version>\(.*\)</kafka.version>.*:\1:p' "$here/pom.xml")"
home="$state/kafka/$version"     # libs/ (jars), formatted/ (an empty log directory), kafka.jsa
start_timeout_s=60
stop_timeout_s=30
more_properties=

usage() {
  cat <<EOF
usage: kafka.sh install                          jars into \$SLIPSTREAM_STATE/kafka, once
       kafka.sh start  --dir DIR [OPTION…]       start in the background, wait until it answers,
                                                 print HOST:PORT; a running one is left alone
       kafka.sh run    --dir DIR [OPTION…]       the same in the foreground; log on stderr
       kafka.sh stop   --dir DIR                 stop it cleanly; its data stays
       kafka.sh status --dir DIR                 print HOST:PORT (exit 0) or "stopped" (exit 1)

DIR keeps everything of one broker: data/, server.properties, bootstrap (HOST:PORT), broker.log,
broker.pid. Listens on 127.0.0.1 only. A new DIR keeps what it is made with:
  --port PORT        (default: a free one)
  --properties FILE  more of server.properties, which goes before ours (default: none)
EOF
}

fail() { echo "kafka.sh: $*" >&2; exit 1; }

# ---- installation ----------------------------------------------------------------------------

java_bin() { echo "${JAVA_HOME:+$JAVA_HOME/bin/}java"; }

resolve_jars() {
  command -v mvn >/dev/null || fail "mvn not found: install the packages of deploy/packages.txt (./slipstream setup)"
  local log="$state/kafka/maven.log"
  echo "fetching kafka $version with Maven" >&2
  # Copied out of a scratch folder of its own: Maven writes nothing into the source tree.
  if ! (cd "$1" && mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies \
      -DoutputDirectory="$1/libs") >"$log" 2>&1; then
    grep -m 1 -E 'ERROR' "$log" >&2 || tail -3 "$log" >&2
    fail "could not fetch org.apache.kafka:kafka_2.13:$version from the Maven repository; is there a network? (log: $log)"
  fi
}

# Formatting takes a JVM start of its own, so it is done once; each new broker copies the result.
# All these clusters share one cluster id, which is harmless: they never meet.
format_template() {
  more_properties="" write_properties "$1" 1 2
  "$(java_bin)" -Xmx128m -XX:TieredStopAtLevel=1 -cp "$1/libs/*" kafka.tools.StorageTool \
    format -t "$("$(java_bin)" -cp "$1/libs/*" kafka.tools.StorageTool random-uuid 2>/dev/null)" \
    -c "$1/server.properties" >"$1/format.log" 2>&1 || { cat "$1/format.log" >&2; fail "format failed"; }
  mv "$1/data" "$1/formatted"
  rm "$1/server.properties"
}

# A class-data archive of one start and stop; it halves the time to start. Only a hint: without
# it, or with another JVM than wrote it, the broker starts slower.
archive_classes() {
  local scratch="$home/warm-up"
  class_archive_option="-XX:ArchiveClassesAtExit=$home/kafka.jsa" start_broker "$scratch" "" >/dev/null
  stop_broker "$scratch"
  rm -rf "$scratch"
}

install() {
  if [[ -f "$home/installed" ]]; then return; fi
  mkdir -p "$state/kafka"
  exec 8>"$state/kafka/lock"
  flock 8
  if [[ ! -f "$home/installed" ]]; then
    rm -rf "$home"
    mkdir -p "$home"
    resolve_jars "$home"
    format_template "$home"
    archive_classes 8>&-
    touch "$home/installed"
  fi
  exec 8>&-
}

# ---- one broker ------------------------------------------------------------------------------

# Below the kernel's ephemeral range, so that no outgoing connection takes the port while the
# broker is down for a restart.
free_port() {
  local port
  for _ in {1..100}; do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo "$port"; return; fi
  done
  fail "no free port found between 20000 and 32000"
}

write_properties() {  # DIR PORT CONTROLLER_PORT
  sed -e "s|@DIR@|$1|g" -e "s|@PORT@|$2|g" -e "s|@CONTROLLER_PORT@|$3|g" \
    "$here/server.properties" >"$1/server.properties"
  # Of two values of one name Java takes the last.
  if [[ -n "$more_properties" ]]; then cat "$more_properties" >>"$1/server.properties"; fi
}

prepare() {  # DIR PORT ("" for a free one, or the one it had)
  local dir="$1" port="$2"
  mkdir -p "$dir"
  if [[ ! -d "$dir/data" ]]; then
    cp -r "$home/formatted" "$dir/data.new"
    mv "$dir/data.new" "$dir/data"
  fi
  if [[ ! -f "$dir/bootstrap" || ( -n "$port" && "$(cat "$dir/bootstrap")" != "127.0.0.1:$port" ) ]]; then
    port="${port:-$(free_port)}"
    write_properties "$dir" "$port" "$(free_port)"
    echo "127.0.0.1:$port" >"$dir/bootstrap.new"
    mv "$dir/bootstrap.new" "$dir/bootstrap"
  fi
}

exec_broker() {  # DIR
  # Short-lived and small: one compiler tier and one collector thread start quickest. Errors that
  # a JVM survives only half (out of memory) end it.
  exec "$(java_bin)" -Xms128m -Xmx512m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC \
    -XX:+ExitOnOutOfMemoryError -Xshare:auto -Xlog:disable -Xlog:all=error:stderr \
    "${class_archive_option:--XX:SharedArchiveFile=$home/kafka.jsa}" \
    -Djava.awt.headless=true -Dslipstream.kafka.dir="$1" \
    -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
    -Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info \
    -Dorg.slf4j.simpleLogger.log.kafka.coordinator=info \
    -Dorg.slf4j.simpleLogger.log.org.apache.kafka.coordinator=info \
    -Dorg.slf4j.simpleLogger.showDateTime=true \
    -Dorg.slf4j.simpleLogger.dateTimeFormat="yyyy-MM-dd'T'HH:mm:ss.SSS" \
    -cp "$home/libs/*" kafka.Kafka "$1/server.properties"
}

# The broker's pid, if it runs. A recycled pid is told by the command line.
running_pid() {  # DIR
  local pid
  pid="$(cat "$1/broker.pid" 2>/dev/null)" || return 1
  tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qxF -- "-Dslipstream.kafka.dir=$1" || return 1
  echo "$pid"
}

start_broker() {  # DIR PORT
  local dir="$1" deadline=$((SECONDS + start_timeout_s)) pid
  if running_pid "$dir" >/dev/null; then cat "$dir/bootstrap"; return; fi
  prepare "$dir" "$2"
  : >"$dir/broker.log"
  setsid "$here/kafka.sh" exec-broker --dir "$dir" </dev/null >>"$dir/broker.log" 2>&1 &
  pid=$!
  echo "$pid" >"$dir/broker.pid"
  until grep -qF 'Kafka Server started' "$dir/broker.log"; do
    if ! kill -0 "$pid" 2>/dev/null; then
      grep -m 5 -E 'ERROR|Exception' "$dir/broker.log" >&2 || tail -5 "$dir/broker.log" >&2
      fail "the broker did not start (log: $dir/broker.log)"
    fi
    ((SECONDS < deadline)) || fail "the broker did not answer in $start_timeout_s s (log: $dir/broker.log)"
    sleep 0.05
  done
  cat "$dir/bootstrap"
}

stop_broker() {  # DIR
  local pid deadline=$((SECONDS + stop_timeout_s))
  pid="$(running_pid "$1")" || { rm -f "$1/broker.pid"; return; }
  kill -TERM "$pid"
  while running_pid "$1" >/dev/null; do
    if ((SECONDS >= deadline)); then kill -KILL "$pid" 2>/dev/null || true; fi
    sleep 0.05
  done
  rm -f "$1/broker.pid"
}

# ---- command line ----------------------------------------------------------------------------

main() {
  local verb="${1:-}" dir="" port=""
  shift || true
  while (($#)); do
    case "$1" in
      --dir) dir="${2:?--dir needs a value}"; shift 2 ;;
      --port) port="${2:?--port needs a value}"; shift 2 ;;
      --properties) more_properties="${2:?--properties needs a value}"; shift 2 ;;
      -h|--help) usage; return ;;
      *) usage >&2; exit 2 ;;
    esac
  done
  [[ -z "$more_properties" || -r "$more_properties" ]] || fail "cannot read $more_properties"
  [[ -z "$port" || "$port" =~ ^[0-9]{1,5}$ ]] || fail "not a port: $port"
  case "$verb" in start|run|exec-broker|stop|status)
    [[ -n "$dir" ]] || fail "$verb needs --dir DIR"
    mkdir -p "$dir"
    dir="$(cd "$dir" && pwd -P)" ;;
  esac
  case "$verb" in
    install) install ;;
    start) install; start_broker "$dir" "$port" ;;
    run) install; prepare "$dir" "$port"; exec_broker "$dir" ;;
    exec-broker) exec_broker "$dir" ;;   # the second half of start
    stop) stop_broker "$dir" ;;
    status) if running_pid "$dir" >/dev/null; then cat "$dir/bootstrap"; else echo stopped; return 1; fi ;;
    -h|--help|help) usage ;;
    *) usage >&2; exit 2 ;;
  esac
}

main "$@"
