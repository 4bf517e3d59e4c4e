#!/usr/bin/env python3
"""`slipstream certs`: what it makes is what openssl takes for good, and what is there stays."""

import hashlib
import os
import stat
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else os.getcwd()


class CertsTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="slipstream-certs-")
        self.addCleanup(scratch.cleanup)
        self.dir = os.path.join(scratch.name, "the certs")  # a space, as users have them

    def run_certs(self, *arguments):
        return subprocess.run([os.path.join(ROOT, "slipstream"), "certs", "--dir", self.dir,
                               *arguments], capture_output=True, text=True, check=False)

    def make(self, *arguments):
        result = self.run_certs(*arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def openssl(self, *arguments):
        return subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def read(self, *names):
        with open(self.path(*names), encoding="ascii") as file:
            return file.read()

    def verifies(self, name, purpose, *more):
        return self.openssl("verify", "-purpose", purpose, "-CAfile", self.path(name, "ca.pem"),
                            *more, self.path(name, "host.pem")).returncode == 0

    def test_a_host_proves_its_names_as_server_and_as_client(self):
        self.make("lab1=10.0.0.1,lab1.example.org,fd00::1")
        for purpose in ("sslserver", "sslclient"):
            self.assertTrue(self.verifies("lab1", purpose))
        for name in ("lab1", "lab1.example.org", "localhost"):
            self.assertTrue(self.verifies("lab1", "sslserver", "-verify_hostname", name), name)
        for address in ("10.0.0.1", "127.0.0.1", "::1", "fd00::1"):
            self.assertTrue(self.verifies("lab1", "sslserver", "-verify_ip", address), address)
        self.assertFalse(self.verifies("lab1", "sslserver", "-verify_hostname", "lab2"))
        self.assertFalse(self.verifies("lab1", "sslserver", "-verify_ip", "10.0.0.2"))

    def test_all_hosts_of_a_domain_have_one_certificate(self):
        self.make("node=*.lab.example.org")
        for name, is_ours in (("lab7.lab.example.org", True), ("lab.example.org", False),
                              ("a.lab7.lab.example.org", False), ("lab7.example.org", False)):
            self.assertEqual(self.verifies("node", "sslserver", "-verify_hostname", name), is_ours, name)

    def test_a_person_is_a_client_only(self):
        self.make("--role", "read", "ann")
        self.assertTrue(self.verifies("ann", "sslclient"))
        self.assertFalse(self.verifies("ann", "sslserver"))
        self.assertIn("role read", self.make("--show"))

    def test_keys_are_their_owners_alone(self):
        self.make("lab1")
        for names in (("authority", "ca.key"), ("lab1", "host.pem")):
            self.assertEqual(stat.S_IMODE(os.stat(self.path(*names)).st_mode), 0o600)
        self.assertEqual(sorted(os.listdir(self.dir)), ["authority", "lab1"])  # nothing left over

    def test_nothing_is_overwritten_unasked(self):
        self.make("lab1")
        before = self.read("lab1", "host.pem")
        authority = self.read("authority", "ca.pem")
        self.assertEqual(self.run_certs("lab1").returncode, 1)
        self.make("lab2")
        self.assertEqual(self.read("lab1", "host.pem"), before)
        self.assertEqual(self.read("authority", "ca.pem"), authority)
        self.make("--force", "lab1=other.example.org")
        self.assertTrue(self.verifies("lab1", "sslserver", "-verify_hostname", "other.example.org"))

    def test_renewal_keeps_names_and_role_and_changes_the_key(self):
        self.make("lab1=10.0.0.1,lab1.example.org")
        self.make("--role", "write", "ann")
        before = self.read("lab1", "host.pem")
        self.make("--renew", "lab1", "ann")
        after = self.read("lab1", "host.pem")
        self.assertNotEqual(after.split("-----BEGIN CERT")[0], before.split("-----BEGIN CERT")[0])
        self.assertTrue(self.verifies("lab1", "sslserver", "-verify_ip", "10.0.0.1"))
        self.assertTrue(self.verifies("lab1", "sslserver", "-verify_hostname", "lab1.example.org"))
        self.assertIn("ann: role write", self.make("--show"))
        self.assertEqual(self.run_certs("--renew", "lab9").returncode, 1)

    def test_an_authority_that_is_not_whole_is_not_replaced(self):
        self.make("lab1")
        os.remove(self.path("authority", "ca.key"))
        result = self.run_certs("lab2")
        self.assertEqual(result.returncode, 1)
        self.assertIn("not whole", result.stderr)

    def test_names_cannot_mean_anything_else(self):
        for wrong in ("../x", "a/b", "", "-x", "authority", "a\nOU=node", "x=DNS:y", "x=a;b",
                      "x=1.2.3.4,*", "x=*.com", "x=a.*.org", "x=*.*.org", "x=$(id)"):
            self.assertEqual(self.run_certs(wrong).returncode, 2, wrong)

    def test_a_token_is_printed_once_and_only_its_digest_kept(self):
        ann = self.make("--token", "--role", "write", "ann").strip()
        bob = self.make("--token", "bob").strip()
        digests = {name: hashlib.sha256(token.encode()).hexdigest()
                   for name, token in (("ann", ann), ("bob", bob))}
        self.assertEqual(self.read("tokens").splitlines(),
                         [f"ann write {digests['ann']}", f"bob read {digests['bob']}"])
        self.assertEqual(stat.S_IMODE(os.stat(self.path("tokens")).st_mode), 0o600)
        self.assertEqual(self.run_certs("--token", "ann").returncode, 1)
        self.assertNotEqual(self.make("--token", "--force", "ann").strip(), ann)
        self.assertEqual(len(self.read("tokens").splitlines()), 2)
        self.assertEqual(self.run_certs("--token", "--role", "node", "eve").returncode, 2)

    def test_help_and_usage(self):
        result = self.run_certs("--help")
        self.assertEqual(result.returncode, 0)
        self.assertIn("Examples:", result.stdout)
        for wrong in ([], ["--days", "0", "a"], ["--days", "x", "a"], ["--role", "root", "a"],
                      ["--dir"], ["--unknown"], ["--renew", "--role", "read", "a"]):
            self.assertEqual(self.run_certs(*wrong).returncode, 2, wrong)


if __name__ == "__main__":
    unittest.main()
