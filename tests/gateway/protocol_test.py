#!/usr/bin/env python3
"""WebHDFS as it is on the wire, against a gateway: what is asked byte by byte, without a client
library that would smooth it over.

    GATEWAY=HOST:PORT protocol_test.py
"""

import hashlib
import http.client
import json
import os
import random
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

GATEWAY = os.environ["GATEWAY"]
PREFIX = "/webhdfs/v1"


def connect():
    return http.client.HTTPConnection(GATEWAY, timeout=60)


def target(path, op, **parameters):
    query = urllib.parse.urlencode({"op": op, "user.name": "ann", **parameters})
    return f"{PREFIX}{urllib.parse.quote(path)}?{query}"


def ask(verb, path, op, body=None, headers=None, **parameters):
    """(code, headers, body) of one request, without following a redirect."""
    connection = connect()
    connection.request(verb, target(path, op, **parameters), body=body, headers=headers or {})
    answer = connection.getresponse()
    result = answer.status, answer.headers, answer.read()
    connection.close()
    return result


def document(verb, path, op, **parameters):
    code, headers, body = ask(verb, path, op, **parameters)
    assert code == 200, (code, body)
    assert headers["Content-Type"] == "application/json", headers
    return json.loads(body)


def put(path, content, verb="PUT", op="CREATE", **parameters):
    code, _, body = ask(verb, path, op, body=content, data="true", **parameters)
    assert code in (200, 201), (code, body)


def read(path, **parameters):
    code, _, body = ask("GET", path, "OPEN", **parameters)
    assert code == 200, (code, body)
    return body


def status(path):
    return document("GET", path, "GETFILESTATUS")["FileStatus"]


def names(path):
    found = document("GET", path, "LISTSTATUS")["FileStatuses"]["FileStatus"]
    return [entry["pathSuffix"] for entry in found]


class WebHdfsCase(unittest.TestCase):
    def setUp(self):
        self.root = f"/test/{self.id().rsplit('.', 1)[1]}"
        document("DELETE", self.root, "DELETE", recursive="true")
        document("PUT", self.root, "MKDIRS")

    def refused(self, code, exception, verb, path, op, **parameters):
        got, headers, body = ask(verb, path, op, **parameters)
        self.assertEqual(got, code, body)
        self.assertEqual(headers["Content-Type"], "application/json")
        error = json.loads(body)["RemoteException"]
        self.assertEqual(error["javaClassName"].rsplit(".", 1)[1], error["exception"])
        self.assertEqual(error["exception"], exception, error)
        return error["message"]


class ReadingTest(WebHdfsCase):
    def test_status_of_file_and_directory(self):
        put(f"{self.root}/f", b"hello", permission="640")
        found = status(f"{self.root}/f")
        self.assertEqual((found["type"], found["length"], found["owner"], found["permission"]),
                         ("FILE", 5, "ann", "640"))
        self.assertEqual(found["pathSuffix"], "")
        self.assertGreaterEqual(found["replication"], 2)
        self.assertEqual(status(self.root)["type"], "DIRECTORY")
        self.assertEqual(status("/")["type"], "DIRECTORY")
        self.refused(404, "FileNotFoundException", "GET", f"{self.root}/none", "GETFILESTATUS")

    def test_lists(self):
        self.assertEqual(names(self.root), [])
        for name in ("b", "a", "c d"):
            put(f"{self.root}/{name}", b"x")
        self.assertEqual(names(self.root), ["a", "b", "c d"])
        self.assertEqual(names(f"{self.root}/a"), [""])
        message = self.refused(404, "FileNotFoundException", "GET", f"{self.root}/no", "LISTSTATUS")
        self.assertIn("does not exist", message)
        batch = document("GET", self.root, "LISTSTATUS_BATCH", startafter="a")["DirectoryListing"]
        self.assertEqual([e["pathSuffix"] for e in
                          batch["partialListing"]["FileStatuses"]["FileStatus"]], ["b", "c d"])
        self.assertEqual(batch["remainingEntries"], 0)

    def test_lists_more_than_a_page(self):
        connection = connect()
        wanted = sorted(f"d{i}" for i in range(1203))
        for name in wanted:
            connection.request("PUT", target(f"{self.root}/{name}", "MKDIRS"))
            connection.getresponse().read()
        connection.close()
        self.assertEqual(names(self.root), wanted)
        got, after = [], ""
        while True:
            page = document("GET", self.root, "LISTSTATUS_BATCH", startafter=after)["DirectoryListing"]
            got += [e["pathSuffix"] for e in page["partialListing"]["FileStatuses"]["FileStatus"]]
            if page["remainingEntries"] == 0:
                break
            after = got[-1]
        self.assertEqual(got, wanted)

    def test_content_summary(self):
        document("PUT", f"{self.root}/d/e", "MKDIRS")
        put(f"{self.root}/d/f", b"12345")
        put(f"{self.root}/g", b"678")
        summary = document("GET", self.root, "GETCONTENTSUMMARY")["ContentSummary"]
        self.assertEqual((summary["directoryCount"], summary["fileCount"], summary["length"],
                          summary["quota"], summary["spaceQuota"]), (3, 2, 8, -1, -1))
        self.assertEqual(ask("PUT", self.root, "SETQUOTA", namespacequota=100,
                             storagespacequota=-1)[0], 200)
        usage = document("GET", self.root, "GETQUOTAUSAGE")["QuotaUsage"]
        self.assertEqual((usage["quota"], usage["fileAndDirectoryCount"]), (100, 5))

    def test_opens_ranges(self):
        content = random.Random(1).randbytes(5_000_000)
        put(f"{self.root}/f", content)
        self.assertEqual(read(f"{self.root}/f"), content)
        self.assertEqual(read(f"{self.root}/f", offset=4_999_990), content[-10:])
        self.assertEqual(read(f"{self.root}/f", offset=1_000_000, length=2_500_000),
                         content[1_000_000:3_500_000])
        self.assertEqual(read(f"{self.root}/f", offset=0, length=0), b"")
        put(f"{self.root}/empty", b"")
        self.assertEqual(read(f"{self.root}/empty"), b"")
        for offset in (5_000_000, -1):
            message = self.refused(403, "IOException", "GET", f"{self.root}/f", "OPEN", offset=offset)
            self.assertEqual(message,
                             f"Offset={offset} out of the range [0, 5000000); OPEN, path={self.root}/f")
        self.refused(404, "FileNotFoundException", "GET", f"{self.root}/none", "OPEN")
        self.refused(404, "FileNotFoundException", "GET", self.root, "OPEN")
        location = document("GET", f"{self.root}/f", "OPEN", noredirect="true", offset=3)["Location"]
        self.assertTrue(location.startswith(f"http://{GATEWAY}{PREFIX}{self.root}/f?"), location)
        self.assertIn("data=true", location)

    def test_checksum_is_that_of_hdfs(self):
        put(f"{self.root}/f", b"12345678901234\n" * 2)
        checksum = document("GET", f"{self.root}/f", "GETFILECHECKSUM")["FileChecksum"]
        self.assertEqual(checksum, {
            "algorithm": "MD5-of-0MD5-of-512CRC32C",
            "bytes": "000002000000000000000000fc09371298117c4943cf089b4bd79c96",
            "length": 28})
        self.refused(404, "FileNotFoundException", "GET", self.root, "GETFILECHECKSUM")

    def test_block_locations(self):
        put(f"{self.root}/f", b"x" * 1000)
        blocks = document("GET", f"{self.root}/f", "GETFILEBLOCKLOCATIONS", offset=0, length=1000)
        block, = blocks["BlockLocations"]["BlockLocation"]
        self.assertEqual((block["offset"], block["length"], block["corrupt"]), (0, 1000, False))
        self.assertGreaterEqual(len(block["names"]), 2)
        self.assertEqual(set(block["hosts"]), {"127.0.0.1"})
        old = document("GET", f"{self.root}/f", "GET_BLOCK_LOCATIONS")["LocatedBlocks"]
        self.assertEqual((old["fileLength"], len(old["locatedBlocks"])), (1000, 1))

    def test_about_the_system(self):
        self.assertEqual(document("GET", "/", "GETHOMEDIRECTORY"), {"Path": "/user/ann"})
        self.assertEqual(document("GET", "/", "GETTRASHROOT"), {"Path": "/user/ann/.Trash"})
        self.assertEqual(document("GET", "/", "GETDELEGATIONTOKEN"), {"Token": None})
        defaults = document("GET", "/", "GETSERVERDEFAULTS")["FsServerDefaults"]
        self.assertEqual((defaults["checksumType"], defaults["bytesPerChecksum"]), (2, 512))
        space = document("GET", "/", "GETSTATUS")["FsStatus"]
        self.assertGreater(space["capacity"], space["remaining"])
        self.assertEqual(ask("GET", "/", "CHECKACCESS", fsaction="r-x")[0], 200)
        self.refused(400, "IllegalArgumentException", "GET", "/", "CHECKACCESS", fsaction="all")

    def test_refused_operations_are_named(self):
        message = self.refused(400, "IllegalArgumentException", "GET", "/", "NONSENSE")
        self.assertEqual(message, 'Invalid value for webhdfs parameter "op": NONSENSE is not a valid'
                                  ' GET operation.')
        self.refused(400, "UnsupportedOperationException", "GET", "/", "GETACLSTATUS")
        self.refused(400, "UnsupportedOperationException", "PUT", "/", "SETXATTR")
        self.refused(400, "IllegalArgumentException", "DELETE", "/", "OPEN")


class NamingTest(WebHdfsCase):
    def rename(self, source, destination, **parameters):
        return document("PUT", f"{self.root}/{source}", "RENAME",
                        destination=f"{self.root}/{destination}", **parameters)["boolean"]

    def test_mkdirs(self):
        self.assertTrue(document("PUT", f"{self.root}/a/b", "MKDIRS", permission="700")["boolean"])
        self.assertEqual(status(f"{self.root}/a/b")["permission"], "700")
        self.assertTrue(document("PUT", f"{self.root}/a/b", "MKDIRS")["boolean"])
        put(f"{self.root}/f", b"x")
        self.refused(403, "FileAlreadyExistsException", "PUT", f"{self.root}/f", "MKDIRS")
        self.refused(403, "ParentNotDirectoryException", "PUT", f"{self.root}/f/d", "MKDIRS")

    def test_rename_by_the_old_rules(self):
        put(f"{self.root}/f", b"f")
        put(f"{self.root}/g", b"g")
        document("PUT", f"{self.root}/d", "MKDIRS")
        self.assertFalse(self.rename("none", "x"))
        self.assertFalse(self.rename("f", "g"))
        self.assertFalse(self.rename("f", "none/x"))
        self.assertTrue(self.rename("f", "f"))
        self.assertTrue(self.rename("d", "d"))
        self.assertTrue(self.rename("f", "d"))
        self.assertEqual(names(f"{self.root}/d"), ["f"])
        put(f"{self.root}/f", b"other")
        self.assertFalse(self.rename("f", "d"))
        self.refused(403, "IOException", "PUT", f"{self.root}/d", "RENAME",
                     destination=f"{self.root}/d/e")
        self.assertTrue(self.rename("d", "e"))
        self.assertEqual(names(self.root), ["e", "f", "g"])

    def test_rename_with_options(self):
        put(f"{self.root}/f", b"f")
        put(f"{self.root}/g", b"g")
        self.refused(403, "FileAlreadyExistsException", "PUT", f"{self.root}/f", "RENAME",
                     destination=f"{self.root}/g", renameoptions="NONE")
        self.assertTrue(self.rename("f", "g", renameoptions="OVERWRITE"))
        self.assertEqual(read(f"{self.root}/g"), b"f")
        self.refused(404, "FileNotFoundException", "PUT", f"{self.root}/f", "RENAME",
                     destination=f"{self.root}/x", renameoptions="NONE")
        self.refused(400, "IllegalArgumentException", "PUT", f"{self.root}/g", "RENAME")

    def test_delete(self):
        put(f"{self.root}/d/f", b"x")
        self.assertFalse(document("DELETE", f"{self.root}/none", "DELETE")["boolean"])
        message = self.refused(403, "PathIsNotEmptyDirectoryException", "DELETE", f"{self.root}/d",
                               "DELETE")
        self.assertEqual(message, f"`{self.root}/d is non empty': Directory is not empty")
        self.assertTrue(document("DELETE", f"{self.root}/d", "DELETE", recursive="True")["boolean"])
        self.assertEqual(names(self.root), [])

    def test_strange_names(self):
        for name in ("a b", "50%", "a+b", "grüße", "?&=#", "~!@$^*()[]{}|;:'\",<>"):
            put(f"{self.root}/{name}", name.encode())
            self.assertEqual(read(f"{self.root}/{name}"), name.encode())
            self.assertIn(name, names(self.root))
            self.assertTrue(self.rename(name, name + ".moved"))

    def test_no_path_leads_out_of_the_tree(self):
        for path in ("/../etc/passwd", "/..", "/a/%2e%2e/%2e%2e/x", "/a%00b", "/a%0ab", "/%ff"):
            connection = connect()
            connection.request("GET", f"{PREFIX}{path}?op=OPEN")
            answer = connection.getresponse()
            self.assertEqual(answer.status, 400, path)
            answer.read()
            connection.close()


class ChangingTest(WebHdfsCase):
    def test_attributes(self):
        put(f"{self.root}/f", b"x")
        self.assertEqual(ask("PUT", f"{self.root}/f", "SETOWNER", owner="bob", group="g")[0], 200)
        self.assertEqual(ask("PUT", f"{self.root}/f", "SETPERMISSION", permission="1600")[0], 200)
        self.assertEqual(ask("PUT", f"{self.root}/f", "SETTIMES", modificationtime=12345,
                             accesstime=-1)[0], 200)
        found = status(f"{self.root}/f")
        self.assertEqual((found["owner"], found["group"], found["permission"],
                          found["modificationTime"]), ("bob", "g", "1600", 12345))
        self.refused(400, "IllegalArgumentException", "PUT", f"{self.root}/f", "SETOWNER")
        self.refused(404, "FileNotFoundException", "PUT", f"{self.root}/n", "SETTIMES",
                     modificationtime=1)
        self.refused(400, "IllegalArgumentException", "PUT", f"{self.root}/f", "SETPERMISSION",
                     permission="9")

    def test_permissions(self):
        put(f"{self.root}/f", b"x")
        ask("PUT", f"{self.root}/f", "SETPERMISSION", permission="600")
        of_eve = {"user.name": "eve"}
        for verb, op in (("GET", "OPEN"), ("PUT", "SETREPLICATION"), ("POST", "TRUNCATE"),
                         ("DELETE", "DELETE"), ("PUT", "SETPERMISSION")):
            self.refused(403, "AccessControlException", verb, f"{self.root}/f", op, data="true",
                         replication=1, newlength=0, permission=777, **of_eve)
        self.refused(403, "AccessControlException", "PUT", f"{self.root}/new", "CREATE",
                     data="true", **of_eve)
        self.assertEqual(ask("GET", f"{self.root}/f", "GETFILESTATUS", **of_eve)[0], 200)
        self.refused(403, "AccessControlException", "GET", f"{self.root}/f", "CHECKACCESS",
                     fsaction="r--", **of_eve)
        self.assertEqual(ask("GET", f"{self.root}/f", "CHECKACCESS", fsaction="rw-")[0], 200)
        ask("PUT", f"{self.root}/f", "SETPERMISSION", permission="604")
        self.assertEqual(ask("GET", f"{self.root}/f", "OPEN", data="true", **of_eve)[2], b"x")

    def test_replication(self):
        put(f"{self.root}/f", b"x")
        set_to = lambda path, count: document("PUT", path, "SETREPLICATION", replication=count)
        self.assertEqual(set_to(f"{self.root}/f", 3), {"boolean": True})
        self.assertEqual(status(f"{self.root}/f")["replication"], 3)
        self.assertEqual(set_to(self.root, 3), {"boolean": False})
        self.assertEqual(set_to(f"{self.root}/none", 3), {"boolean": False})
        self.refused(400, "IllegalArgumentException", "PUT", f"{self.root}/f", "SETREPLICATION",
                     replication=0)

    def test_truncate_and_concat(self):
        put(f"{self.root}/f", b"123456")
        self.assertTrue(document("POST", f"{self.root}/f", "TRUNCATE", newlength=4)["boolean"])
        self.assertEqual(read(f"{self.root}/f"), b"1234")
        put(f"{self.root}/g", b"ab")
        put(f"{self.root}/h", b"cd")
        self.assertEqual(ask("POST", f"{self.root}/f", "CONCAT",
                             sources=f"{self.root}/g,{self.root}/h")[0], 200)
        self.assertEqual(read(f"{self.root}/f"), b"1234abcd")
        self.assertEqual(names(self.root), ["f"])
        self.refused(400, "IllegalArgumentException", "POST", f"{self.root}/f", "CONCAT")


class WritingTest(WebHdfsCase):
    def test_creates_in_two_steps(self):
        code, headers, body = ask("PUT", f"{self.root}/a b", "CREATE", overwrite="false",
                                  permission="600")
        self.assertEqual((code, body, headers["Content-Length"]), (307, b"", "0"))
        location = urllib.parse.urlsplit(headers["Location"])
        self.assertEqual(location.netloc, GATEWAY)
        self.assertEqual(names(self.root), [])
        connection = connect()
        connection.request("PUT", f"{location.path}?{location.query}", body=iter([b"chunk1", b"chunk2"]),
                           encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.read(), answer.headers["Content-Length"]),
                         (201, b"", "0"))
        self.assertEqual(answer.headers["Location"], f"webhdfs://{GATEWAY}{self.root}/a%20b")
        connection.close()
        self.assertEqual(read(f"{self.root}/a b"), b"chunk1chunk2")
        self.assertEqual(status(f"{self.root}/a b")["permission"], "600")
        location = document("PUT", f"{self.root}/c", "CREATE", noredirect="true")["Location"]
        self.assertIn("data=true", location)

    def test_does_not_create_over_what_is_there(self):
        put(f"{self.root}/f", b"old")
        for data in ("false", "true"):
            message = self.refused(403, "FileAlreadyExistsException", "PUT", f"{self.root}/f",
                                   "CREATE", data=data)
            self.assertIn("already exists", message)
            self.refused(403, "FileAlreadyExistsException", "PUT", self.root, "CREATE",
                         overwrite="true", data=data)
            self.refused(403, "ParentNotDirectoryException", "PUT", f"{self.root}/f/g", "CREATE",
                         data=data)
            self.refused(404, "FileNotFoundException", "PUT", f"{self.root}/d/g", "CREATE",
                         createparent="false", data=data)
        put(f"{self.root}/f", b"new", overwrite="true")
        self.assertEqual(read(f"{self.root}/f"), b"new")

    def test_appends(self):
        put(f"{self.root}/f", b"one ")
        self.assertEqual(ask("POST", f"{self.root}/f", "APPEND")[0], 307)
        put(f"{self.root}/f", b"two ", verb="POST", op="APPEND")
        put(f"{self.root}/f", b"", verb="POST", op="APPEND")
        put(f"{self.root}/f", b"three", verb="POST", op="APPEND")
        self.assertEqual(read(f"{self.root}/f"), b"one two three")
        self.refused(404, "FileNotFoundException", "POST", f"{self.root}/n", "APPEND")
        self.refused(403, "FileAlreadyExistsException", "POST", self.root, "APPEND")

    def ask_until(self, wanted, op, **arguments):
        deadline = time.monotonic() + 60
        while True:
            code, _, body = ask("POST", f"{self.root}/f", op, **arguments)
            if code == wanted:
                return
            self.assertLess(time.monotonic(), deadline, (code, body))
            time.sleep(0.02)

    def test_two_cannot_append_at_once(self):
        put(f"{self.root}/f", b"one ")
        first = connect()
        first.putrequest("POST", target(f"{self.root}/f", "APPEND", data="true"))
        first.putheader("Content-Length", "100000")
        first.endheaders()
        first.send(b"x" * 90000)
        try:
            # The first has the file once its first bytes are in; until then this does nothing.
            self.ask_until(403, "TRUNCATE", newlength=4)
            code, _, body = ask("POST", f"{self.root}/f", "APPEND", body=b"y", data="true")
            self.assertEqual((code, json.loads(body)["RemoteException"]["exception"]),
                             (403, "AlreadyBeingCreatedException"))
        finally:
            first.close()
        # It broke off: the file is free again, with nothing of it.
        self.ask_until(200, "APPEND", body=b"z", data="true")
        self.assertEqual(read(f"{self.root}/f"), b"one z")

    def test_an_upload_broken_off_leaves_nothing(self):
        connection = connect()
        connection.putrequest("PUT", target(f"{self.root}/f", "CREATE", data="true"))
        connection.putheader("Content-Length", "1000")
        connection.endheaders()
        connection.send(b"x" * 999)
        connection.close()
        put(f"{self.root}/g", b"x")
        self.assertEqual(names(self.root), ["g"])

    def test_curl(self):
        content = random.Random(2).randbytes(3_000_000)
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            for name, extra in (("f", []), ("chunked", ["-H", "Transfer-Encoding: chunked"])):
                url = f"http://{GATEWAY}{PREFIX}{self.root}/{name}"
                sent = subprocess.run(["curl", "-sS", "-L", "-f", "-T", file.name, *extra,
                                       f"{url}?op=CREATE&user.name=ann"], capture_output=True)
                self.assertEqual(sent.returncode, 0, sent.stderr)
                got = subprocess.run(["curl", "-sS", "-L", "-f", f"{url}?op=OPEN"],
                                     capture_output=True, check=True)
                self.assertEqual(hashlib.md5(got.stdout).digest(), hashlib.md5(content).digest())

    def test_many_at_once(self):
        failures = []

        def work(number):
            content = random.Random(number).randbytes(200_000 + number)
            path = f"{self.root}/f{number}"
            try:
                put(path, content)
                put(path, b"tail", verb="POST", op="APPEND")
                assert read(path) == content + b"tail"
            except Exception as error:  # whatever it is, the test says so
                failures.append((number, repr(error)))
        threads = [threading.Thread(target=work, args=(i,)) for i in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])


class SafetyTest(WebHdfsCase):
    def test_other_sites_are_refused(self):
        for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            code, _, body = ask("PUT", f"{self.root}/d", "MKDIRS", headers=headers)
            self.assertEqual((code, json.loads(body)["RemoteException"]["exception"]),
                             (403, "SecurityException"))
        self.assertEqual(names(self.root), [])

    def test_no_header_comes_out_of_a_request(self):
        raw = socket.create_connection(GATEWAY.rsplit(":", 1))
        raw.sendall(b"PUT " + PREFIX.encode() + b"/x%0d%0aEvil:1?op=CREATE&x=%0d%0aEvil:1 HTTP/1.1\r\n"
                    b"Host: a\x0bb\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: raw.recv(4096), b""))
        raw.close()
        self.assertNotIn(b"\r\nEvil", answer)

    def test_users_are_names(self):
        connection = connect()
        connection.request("GET", f"{PREFIX}/?op=GETHOMEDIRECTORY&user.name=a/../b")
        self.assertEqual(connection.getresponse().status, 400)
        connection.close()


if __name__ == "__main__":
    unittest.main(verbosity=1)
