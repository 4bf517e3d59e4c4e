#!/usr/bin/env python3
"""fsspec's webhdfs:// against a gateway.

    GATEWAY=HOST:PORT fsspec_test.py
"""

import os
import random
import unittest

import fsspec

HOST, PORT = os.environ["GATEWAY"].rsplit(":", 1)


class FsspecTest(unittest.TestCase):
    def setUp(self):
        self.fs = fsspec.filesystem("webhdfs", host=HOST, port=int(PORT), user="ann",
                                    use_listings_cache=False, skip_instance_cache=True)
        self.root = f"/fsspec/{self.id().rsplit('.', 1)[1]}"
        self.fs.mkdirs(self.root, exist_ok=True)

    def test_writes_and_reads(self):
        content = random.Random(1).randbytes(12_000_000)
        with self.fs.open(f"{self.root}/f", "wb") as file:
            file.write(content)
        with self.fs.open(f"{self.root}/f", "rb") as file:
            self.assertEqual(file.read(), content)
            file.seek(11_000_000)
            self.assertEqual(file.read(100), content[11_000_000:11_000_100])
        self.assertEqual(self.fs.info(f"{self.root}/f")["size"], len(content))
        self.assertEqual(self.fs.cat_file(f"{self.root}/f", start=5, end=10), content[5:10])

    def test_names(self):
        self.fs.pipe_file(f"{self.root}/a b%", b"x")
        self.assertEqual(self.fs.ls(self.root, detail=False), [f"{self.root}/a b%"])
        self.fs.mv(f"{self.root}/a b%", f"{self.root}/c")
        self.assertTrue(self.fs.exists(f"{self.root}/c"))
        self.assertFalse(self.fs.exists(f"{self.root}/a b%"))
        self.fs.cp_file(f"{self.root}/c", f"{self.root}/d")
        self.assertEqual(self.fs.cat(f"{self.root}/d"), b"x")
        self.assertEqual(self.fs.du(self.root), 2)
        self.fs.rm(self.root, recursive=True)
        self.assertFalse(self.fs.exists(self.root))

    def test_errors(self):
        with self.assertRaises(FileNotFoundError):
            self.fs.info(f"{self.root}/none")
        with self.assertRaises(FileNotFoundError):
            self.fs.cat_file(f"{self.root}/none")

    def test_attributes(self):
        self.fs.pipe_file(f"{self.root}/f", b"12345678901234\n")
        self.fs.chmod(f"{self.root}/f", "600")
        self.fs.chown(f"{self.root}/f", "bob", "g")
        self.fs.set_replication(f"{self.root}/f", 3)
        info = self.fs.info(f"{self.root}/f")
        self.assertEqual((info["permission"], info["owner"], info["replication"]), ("600", "bob", 3))
        self.assertEqual(self.fs.content_summary(self.root)["fileCount"], 1)
        self.assertEqual(self.fs.home_directory(), "/user/ann")
        self.assertIn("7267e9528002723a30939aefc238d665", str(self.fs.ukey(f"{self.root}/f")))


if __name__ == "__main__":
    unittest.main(verbosity=1)
