#!/usr/bin/env python3
"""Installs the pinned Python clients, once, and the test suite that comes with one of them.

    install_clients.py DIR     afterwards DIR/bin/python has them, and DIR/suite is that of `hdfs`
"""

import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv

HERE = pathlib.Path(__file__).parent


def install(folder):
    requirements = HERE / "requirements.txt"
    venv.create(folder, with_pip=True, clear=True)
    pip = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "install", "-r", requirements], check=True)
    pinned = next(line for line in requirements.read_text().splitlines() if line.startswith("hdfs=="))
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run([*pip, "download", "--no-deps", "--no-binary", "hdfs", "-d", scratch, pinned],
                       check=True)
        archive, = pathlib.Path(scratch).glob("hdfs-*.tar.gz")
        with tarfile.open(archive) as files:
            files.extractall(scratch)
        tests, = pathlib.Path(scratch).glob("hdfs-*/test")
        shutil.copytree(tests, folder / "suite" / "test")


def main():
    folder = pathlib.Path(sys.argv[1])
    wanted = (HERE / "requirements.txt").read_text()
    marker = folder / "installed"
    if not marker.exists() or marker.read_text() != wanted:
        install(folder)
        marker.write_text(wanted)
    # Ours, not of the archive: always the one of this tree.
    shutil.copy(HERE / "suite_base.py", folder / "suite" / "test" / "util.py")
    (folder / "suite" / "test" / "__init__.py").touch()


if __name__ == "__main__":
    main()
