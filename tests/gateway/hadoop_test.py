#!/usr/bin/env python3
"""`hadoop fs` over webhdfs:// against a gateway: Hadoop's own shell and client, from Maven.

    GATEWAY=HOST:PORT HADOOP_JARS=DIR hadoop_test.py     fetches the jars into DIR once
"""

import os
import pathlib
import random
import subprocess
import tempfile
import unittest

GATEWAY = os.environ["GATEWAY"]
JARS = pathlib.Path(os.environ["HADOOP_JARS"])
POM = pathlib.Path(__file__).parent / "hadoop" / "pom.xml"


def fetch_jars():
    if (JARS / "fetched").exists():
        return
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies",
                        f"-DoutputDirectory={JARS}"], cwd=scratch, check=True)
    (JARS / "fetched").touch()


class HadoopTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        fetch_jars()
        cls.scratch = tempfile.TemporaryDirectory()
        # Hadoop wants its file of settings, were it empty.
        pathlib.Path(cls.scratch.name, "core-site.xml").write_text("<configuration/>")

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def fs(self, *words, code=0):
        done = subprocess.run(
            ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", f"{self.scratch.name}:{JARS}/*",
             "org.apache.hadoop.fs.FsShell", "-D", f"fs.defaultFS=webhdfs://{GATEWAY}", *words],
            cwd=self.scratch.name, capture_output=True, text=True, timeout=120,
            env={**os.environ, "HADOOP_USER_NAME": "ann"})
        errors = "\n".join(line for line in done.stderr.splitlines() if "SLF4J" not in line)
        self.assertEqual(done.returncode, code, (words, done.stdout, errors))
        return done.stdout if code == 0 else errors

    def local(self, name, content):
        path = pathlib.Path(self.scratch.name, name)
        path.write_bytes(content)
        return str(path)

    def listed(self, *words):
        """Path to (permissions, replication, owner, group, size) of what -ls shows."""
        rows = [line.split() for line in self.fs("-ls", *words).splitlines()
                if not line.startswith("Found")]
        return {row[7]: tuple(row[:5]) for row in rows}

    def test_files(self):
        root = "/hadoop/files"
        content = random.Random(1).randbytes(3_000_000)
        large, small = self.local("large", content), self.local("small", b"12345678901234\n")
        self.fs("-mkdir", "-p", f"{root}/sub")
        self.fs("-put", large, small, root)
        self.assertIn("File exists", self.fs("-put", small, f"{root}/small", code=1))
        self.fs("-put", "-f", small, f"{root}/small")
        self.fs("-appendToFile", small, f"{root}/small")
        self.assertEqual(self.fs("-cat", f"{root}/small"), "12345678901234\n" * 2)
        self.assertIn("fc09371298117c4943cf089b4bd79c96", self.fs("-checksum", f"{root}/small"))
        got = pathlib.Path(self.scratch.name, "got")
        self.fs("-get", f"{root}/large", str(got))
        self.assertEqual(got.read_bytes(), content)
        self.assertEqual(self.listed(root)[f"{root}/large"][2:], ("ann", "supergroup", "3000000"))
        self.assertEqual(set(self.listed("-R", root)), {f"{root}/{n}" for n in ("large", "small", "sub")})
        self.fs("-cp", f"{root}/small", f"{root}/sub/copy")
        self.fs("-mv", f"{root}/sub/copy", f"{root}/moved")
        self.assertEqual(self.fs("-find", root, "-name", "m*").split(), [f"{root}/moved"])
        self.assertEqual(self.fs("-tail", f"{root}/moved"), "12345678901234\n" * 2)
        self.fs("-truncate", "4", f"{root}/moved")
        self.assertEqual(self.fs("-cat", f"{root}/moved"), "1234")
        self.fs("-touchz", f"{root}/empty")
        self.fs("-test", "-z", f"{root}/empty")
        self.fs("-test", "-e", f"{root}/none", code=1)

    def test_attributes_and_sizes(self):
        root = "/hadoop/attributes"
        self.fs("-mkdir", "-p", root)
        self.fs("-put", self.local("f", b"x" * 1000), f"{root}/f")
        self.fs("-chmod", "600", f"{root}/f")
        self.fs("-chown", "bob:team", f"{root}/f")
        self.assertIn("Replication 3 set", self.fs("-setrep", "-w", "3", f"{root}/f"))
        self.assertEqual(self.fs("-stat", "%n %u %g %a %r %o", f"{root}/f").split(),
                         ["f", "bob", "team", "600", "3", "134217728"])
        self.assertEqual(self.fs("-count", root).split()[:3], ["1", "1", "1000"])
        self.assertEqual(self.fs("-du", "-s", root).split()[0], "1000")
        self.assertIn(f"webhdfs://{GATEWAY}", self.fs("-df"))

    def test_removing(self):
        root = "/hadoop/removing"
        self.fs("-mkdir", "-p", f"{root}/d/e")
        self.assertIn("Is a directory", self.fs("-rm", f"{root}/d", code=1))
        self.assertIn("Directory is not empty", self.fs("-rmdir", f"{root}/d", code=1))
        self.fs("-rm", "-r", f"{root}/d")
        self.fs("-rm", "-r", "-skipTrash", root)
        self.assertIn("No such file or directory", self.fs("-ls", root, code=1))


if __name__ == "__main__":
    unittest.main(verbosity=2)
