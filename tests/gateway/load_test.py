#!/usr/bin/env python3
"""1,000 idle connections and 200 busy ones at a gateway, uploads and downloads, at the same time.

    GATEWAY=HOST:PORT load_test.py
"""

import http.client
import os
import random
import resource
import socket
import sys
import threading

GATEWAY = os.environ["GATEWAY"]
IDLE, BUSY = 1000, 200
BYTES = 1_000_000


def request(connection, verb, path, op, body=None):
    connection.request(verb, f"/webhdfs/v1{path}?op={op}&user.name=ann&data=true", body=body)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status not in (200, 201):
        raise RuntimeError(f"{verb} {path} {op}: {answer.status} {content[:200]}")
    return content


def work(number, failures, all_connected):
    try:
        connection = http.client.HTTPConnection(GATEWAY, timeout=300)
        connection.connect()
        all_connected.wait()
        content = random.Random(number).randbytes(BYTES)
        request(connection, "PUT", f"/load/{number}", "CREATE", content)
        for _ in range(3):
            if request(connection, "GET", f"/load/{number}", "OPEN") != content:
                raise RuntimeError(f"{number}: other bytes came back")
        connection.close()
    except Exception as error:  # whatever it is, the test says so
        failures.append(repr(error))


def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    address = GATEWAY.rsplit(":", 1)
    idle = [socket.create_connection(address) for _ in range(IDLE)]
    failures = []
    all_connected = threading.Barrier(BUSY)
    threads = [threading.Thread(target=work, args=(i, failures, all_connected)) for i in range(BUSY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Each of the idle ones is still served.
    for connection in idle:
        connection.sendall(b"GET /webhdfs/v1/?op=GETHOMEDIRECTORY HTTP/1.1\r\nHost: localhost\r\n\r\n")
    for connection in idle:
        connection.settimeout(60)
        if b"200 OK" not in connection.recv(1000):
            failures.append("an idle connection was not served")
    print("\n".join(failures[:10]))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
