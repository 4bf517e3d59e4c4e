#!/usr/bin/env python3
"""Checks what a compiler does not: the arrows between modules, banned text, unlisted sources.

    tidy_test.py [ROOT]        checks the tree; each finding is "path:line: what, and what instead"

A rule is a function (path, lines) -> findings; its cases stand in RuleTest below, which runs first.
"""

import os
import re
import shutil
import subprocess
import sys
import unittest

CODE = (".h", ".cpp")
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]')

# ---- arrows between modules -------------------------------------------------------------------

# What a top folder may include besides itself. Two daemons never include one another.
TOP_ARROWS = {
    "common": set(),
    "dfs-client": {"common", "proto"},
    "dfs-datanode": {"common", "proto", "dfs-client"},
    "dfs-master": {"common", "proto", "dfs-client"},
    "processor": {"common", "proto", "dfs-client"},
    "producer": {"common"},
    "gateway": {"common", "proto", "dfs-client"},
}

# What a folder of the processor must not include of the others: sql/ knows nothing of the runtime,
# and what computes knows nothing of Kafka or files.
RUNTIME = {"processor/runtime", "processor/connectors", "processor/formats", "processor/engine"}
IO = {"common/kafka", "common/rpc", "common/daemon", "dfs-client", "proto"}
FRONT = {"processor/sql", "processor/planner"}
FORBIDDEN = {
    "processor/types": FRONT | RUNTIME | IO | {"processor/columns", "processor/expr",
                                               "processor/operators", "processor/state"},
    "processor/columns": FRONT | RUNTIME | IO | {"processor/expr", "processor/operators",
                                                 "processor/state"},
    "processor/expr": FRONT | RUNTIME | IO | {"processor/operators", "processor/state"},
    "processor/sql": RUNTIME | IO | {"processor/planner", "processor/columns", "processor/expr",
                                     "processor/operators", "processor/state"},
    "processor/planner": RUNTIME | IO | {"processor/operators", "processor/state"},
    "processor/operators": {"processor/sql", "processor/connectors"} | IO,
    "processor/state": FRONT | RUNTIME | IO,
    "processor/formats": IO | {"processor/sql", "processor/connectors"},
    "processor/connectors": {"processor/sql", "processor/engine"},
    "processor/runtime": {"processor/sql", "processor/engine", "processor/savepoint"},
    "processor/savepoint": FRONT | {"processor/engine", "dfs-client", "proto"},
    "processor/shell": FRONT | RUNTIME | IO,
    # The HTTP server knows nothing of what it serves.
    "gateway/http": IO | {"gateway/api", "gateway/webhdfs"},
}

# Generated protobuf, gRPC and librdkafka stay in adapters at the edge, which go by these names.
ADAPTER = re.compile(
    r"(^|/)(main|daemon|wire|holders|error_map|master_session|replica_copier|block_(sender|receiver|merger)|[a-z_]*_(map|client|service|"
    r"handlers|server))\.(h|cpp)$|^common/(rpc|kafka|daemon)/|^tests/|^bench/|^processor/connectors/kafka_")
EDGE_HEADER = re.compile(r"\.pb\.h$|^grpc(pp)?/|^librdkafka/")
# Slow to compile: in the sources that need them, not in headers that many files include.
SLOW_HEADER = re.compile(
    r"^grpc(pp)?/|^librdkafka/|^rocksdb/|^CLI/|^nlohmann/|^simdjson|^prometheus/(registry|family|exposer|text)|^boost/")
SLOW_HEADER_ALLOWED = {"common/kafka/holders.h", "common/daemon/process_metrics.h",
                       "common/tls/server_stream.h", "gateway/http/heads.h",
                       "processor/expr/json_path.h", "processor/formats/json_value.h"}


def module_of(path):
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] in ("common", "gateway", "processor") else parts[0]


def arrows(path, lines):
    top, module = path.split("/")[0], module_of(path)
    if top not in TOP_ARROWS:
        return
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        included = match.group(1)
        other_top, other = included.split("/")[0], module_of(included)
        if other_top in TOP_ARROWS and other_top != top and other_top not in TOP_ARROWS[top]:
            yield number, f"{top} must not include {other_top}"
        elif other in FORBIDDEN.get(module, ()):
            yield number, f"{module} must not include {other}"
        if EDGE_HEADER.search(included) and not ADAPTER.search(path):
            yield number, f"{included} outside an adapter: translate at the edge"
        if path.endswith(".h") and SLOW_HEADER.search(included) and path not in SLOW_HEADER_ALLOWED:
            yield number, f"{included} in a header: slow for all who include it; use a pimpl"


# ---- banned text ------------------------------------------------------------------------------

# (pattern, where it is allowed, what instead). Comments and strings are not looked into.
BANNED = [
    (r"\b(system|steady|high_resolution)_clock::now\(", r"^common/clock/|^tests/|^bench/",
     "read a Clock (common/clock)"),
    (r"\bstd::(recursive_|shared_|timed_)?mutex\b|\bstd::condition_variable\b", r"^common/sync/",
     "Mutex and CondVar of common/sync, which clang's analysis understands"),
    (r"\bstd::thread\b(?!::)", r"^tests/support/", "std::jthread"),
    (r"\bstd::async\b", r"^tests/", "a named thread or pool with an owner"),
    (r"\.detach\(\)", r"^$", "keep and join the thread"),
    (r"\busing namespace (?!std::(chrono|literals|chrono_literals)\b)", r"^$", "using-declarations for the names that are meant"),
    (r"\bstd::cout\b", r"main\.cpp$|^common/daemon/flags\.cpp$|/cli/|^producer/|^processor/query/"
     r"|^tests/|^bench/", "common/log; stdout belongs to command-line tools"),
    (r"\bsleep_for\b|\bsleep_until\b|\busleep\(", r"^(?!tests/unit/)",
     "a ManualClock or a condition: unit tests do not sleep"),
]
BANNED = [(re.compile(a), re.compile(b), c) for a, b, c in BANNED]
# Written so that this file does not find itself.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b")
MACHINE_PATH = re.compile(r"""(?:^|[\s"'=(`:])/(?:work|root|home/\w+)/""")


def without_comments_and_strings(line):
    line = re.sub(r'"(\\.|[^"\\])*"', '""', line)
    return re.sub(r"//.*", "", line)


def banned_text(path, lines):
    for number, line in enumerate(lines, 1):
        code = without_comments_and_strings(line)
        for pattern, allowed, instead in BANNED:
            if pattern.search(code) and not allowed.search(path):
                yield number, f"{pattern.search(code).group(0)}: {instead}"


def unfinished(_path, lines):
    for number, line in enumerate(lines, 1):
        if UNFINISHED.search(line):
            yield number, f"{UNFINISHED.search(line).group(0)}: finish it, or file it elsewhere"
        if MACHINE_PATH.search(line):
            yield number, "a path of one machine"


def headers(path, lines):
    if path.endswith(".h") and "#pragma once" not in (line.strip() for line in lines):
        yield 1, "no #pragma once"


def size(path, lines):
    if len(lines) > 600:
        yield 600, "over 600 lines: split it by its nouns"


# ---- protocol and formats ---------------------------------------------------------------------

PROTO_NUMBER = re.compile(r"^\s*(?:optional |repeated )?u?s?(?:int|fixed)(?:32|64) (\w+) = \d+")
DURATION = re.compile(r"(^|_)(timeout|delay|interval|period|age|duration|latency|elapsed|uptime)$")
QUANTITY = re.compile(r"(^|_)(size|length|capacity|memory|quota|offset)$")


def proto_units(_path, lines):
    for number, line in enumerate(lines, 1):
        match = PROTO_NUMBER.match(line)
        if match and DURATION.search(match.group(1)):
            yield number, f"{match.group(1)}: name the unit (_ms, _s)"
        if match and QUANTITY.search(match.group(1)):
            yield number, f"{match.group(1)}: name the unit (_bytes, _count)"


MAGIC = re.compile(r"\bk\w*Magic\s*=\s*(0x[0-9a-fA-F]+)")
FAILPOINT = re.compile(r'\bSLIPSTREAM_FAILPOINT(?:_HIT)?\("([^"]+)"\)')


def documented(formats_text, testing_text):
    """On-disk magic numbers stand in docs/FORMATS.md, failpoints in docs/TESTING.md."""
    numbers = {int(number, 16) for number in re.findall(r"0x[0-9a-fA-F]+", formats_text)}

    def rule(path, lines):
        for number, line in enumerate(lines, 1):
            magic, failpoint = MAGIC.search(line), FAILPOINT.search(line)
            if magic and int(magic.group(1), 16) not in numbers:
                yield number, f"{magic.group(1)} is not in docs/FORMATS.md: write it there; if it " \
                              "changed, bump the version of that format"
            if failpoint and f"`{failpoint.group(1)}`" not in testing_text and path[:6] != "tests/":
                yield number, f"failpoint {failpoint.group(1)} is not in docs/TESTING.md"
    return rule


TEST_NAME = re.compile(r"`(\w+Test\.\w+)`")
TEST = re.compile(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", re.M)


def missing_tests(path, text, sources):
    """A test named in a page is there."""
    tests = {f"{suite}.{name}" for source in sources for suite, name in TEST.findall(source)}
    for number, line in enumerate(text.splitlines(), 1):
        for name in TEST_NAME.findall(line):
            if name not in tests:
                yield f"{path}:{number}: there is no test {name}: name the one that is meant"


# ---- the tree ---------------------------------------------------------------------------------


def unlisted_sources(sources, cmake_lists):
    """Each .cpp must stand in a CMakeLists.txt (text by folder), by its path from there."""
    listed = {os.path.normpath(os.path.join(folder, word)) for folder, text in cmake_lists.items()
              for word in re.split(r'[\s()"]+', text) if word.endswith(".cpp")}
    for path in sources:
        if path not in listed:
            yield f"{path}:1: in no CMakeLists.txt"


def tree_files(root):
    """Tracked files and new ones that are not ignored."""
    listed = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"],
                            capture_output=True, text=True)
    if listed.returncode == 0:
        return [f for f in listed.stdout.splitlines() if os.path.isfile(os.path.join(root, f))]
    found = []  # an unpacked archive
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if f not in ("build", ".git", ".slipstream")]
        found += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    return sorted(found)


def check_format(root, files):
    program = shutil.which("clang-format-14")
    if program is None:
        return ["deploy/packages.txt:1: clang-format-14 is not installed"]
    result = subprocess.run([program, "--dry-run", "--ferror-limit=1", *files], cwd=root,
                            capture_output=True, text=True)
    names = re.findall(r"^(\S+):(\d+):\d+: (?:warning|error)", result.stderr, re.M)
    return [f"{path}:{line}: not as clang-format-14 -i leaves it" for path, line in names]


def check(root):
    files = tree_files(root)
    texts = {}
    for path in files:
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
            texts[path] = file.read()
    in_docs = documented(texts.get("docs/FORMATS.md", ""), texts.get("docs/TESTING.md", ""))
    findings = []
    for path, text in texts.items():
        rules = [unfinished]
        if path.endswith(CODE):
            rules += [arrows, banned_text, headers, size, in_docs]
        if path.endswith(".proto"):
            rules.append(proto_units)
        for rule in rules:
            findings += [f"{path}:{n}: {what}" for n, what in rule(path, text.splitlines())]
    lists = {os.path.dirname(p): t for p, t in texts.items()
             if os.path.basename(p) == "CMakeLists.txt"}
    findings += unlisted_sources([p for p in files if p.endswith(".cpp")], lists)
    tests = [t for p, t in texts.items() if p.startswith("tests/") and p.endswith(CODE)]
    findings += missing_tests("docs/TESTING.md", texts.get("docs/TESTING.md", ""), tests)
    findings += check_format(root, [p for p in files if p.endswith(CODE)])
    return findings


class RuleTest(unittest.TestCase):
    def findings(self, rule, path, line):
        return list(rule(path, [line]))

    def test_arrows(self):
        bad = [("common/rpc/a.cpp", "dfs-client/x.h"), ("dfs-master/a.cpp", "dfs-datanode/x.h"),
               ("processor/sql/a.cpp", "processor/runtime/x.h"),
               ("gateway/http/a.cpp", "gateway/webhdfs/x.h"), ("producer/a.h", "proto/x.pb.h"),
               ("processor/expr/a.h", "common/kafka/x.h"), ("dfs-master/tree.cpp", "grpcpp/x.h"),
               ("dfs-master/x_service.h", "grpcpp/x.h")]
        good = [("dfs-master/a.cpp", "dfs-client/x.h"), ("processor/planner/a.h", "processor/sql/x.h"),
                ("dfs-master/x_service.cpp", "proto/x.pb.h"), ("tests/unit/a.cpp", "dfs-master/x.h")]
        for path, included in bad:
            self.assertTrue(self.findings(arrows, path, f'#include "{included}"'), (path, included))
        for path, included in good:
            self.assertFalse(self.findings(arrows, path, f'#include "{included}"'), (path, included))

    def test_banned_text(self):
        self.assertTrue(self.findings(banned_text, "producer/a.cpp", "std::mutex m;"))
        self.assertTrue(self.findings(banned_text, "tests/unit/a.cpp", "std::this_thread::sleep_for(x);"))
        self.assertFalse(self.findings(banned_text, "tests/cluster/a.cpp", "std::this_thread::sleep_for(x);"))
        self.assertFalse(self.findings(banned_text, "producer/a.cpp", "// std::mutex would not do"))
        self.assertFalse(self.findings(banned_text, "producer/a.cpp", 'Log("using namespace");'))

    def test_unfinished(self):
        self.assertTrue(self.findings(unfinished, "a.md", "TO" "DO: later"))
        self.assertTrue(self.findings(unfinished, "a.sh", "cd /wo" "rk/x"))
        self.assertFalse(self.findings(unfinished, "a.cpp", 'mkdtemp("/tmp/slipstream-XXXXXX")'))

    def test_proto_units(self):
        self.assertTrue(self.findings(proto_units, "a.proto", "  uint64 timeout = 1;"))
        self.assertTrue(self.findings(proto_units, "a.proto", "  uint32 block_size = 1;"))
        self.assertFalse(self.findings(proto_units, "a.proto", "  uint64 timeout_ms = 1;"))

    def test_documented(self):
        rule = documented("magic `0xABCD`", "| `a.known` |")
        self.assertFalse(self.findings(rule, "a.cpp", 'SLIPSTREAM_FAILPOINT("a.known");'))
        self.assertTrue(self.findings(rule, "a.cpp", 'SLIPSTREAM_FAILPOINT_HIT("a.new");'))
        self.assertFalse(self.findings(rule, "a.cpp", "constexpr uint32_t kHeadMagic = 0xabcd;"))
        self.assertTrue(self.findings(rule, "a.cpp", "constexpr uint32_t kHeadMagic = 0xabce;"))

    def test_unlisted_sources(self):
        lists = {"a/b": "slipstream_library(x SRCS ../one.cpp)", "a": "(x SRCS deep/two.cpp)"}
        found = list(unlisted_sources(["a/one.cpp", "a/deep/two.cpp", "a/three.cpp"], lists))
        self.assertEqual(found, ["a/three.cpp:1: in no CMakeLists.txt"])

    def test_missing_tests(self):
        sources = ["TEST(ATest, IsThere) {\n}\nTEST_F(BTest,\n       IsBroken) {"]
        text = "`ATest.IsThere`, `BTest.IsBroken`\n`ATest.IsGone`"
        self.assertEqual(len(list(missing_tests("a.md", text, sources))), 1)


def main():
    cases = unittest.defaultTestLoader.loadTestsFromTestCase(RuleTest)
    if not unittest.TextTestRunner(verbosity=0).run(cases).wasSuccessful():
        return 1
    default_root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    findings = check(os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else default_root))
    print("\n".join(findings) if findings else "tidy")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
