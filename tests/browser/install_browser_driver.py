#!/usr/bin/env python3
"""Installs the pinned packages that drive a browser, once.

    install_browser_driver.py DIR     afterwards DIR/bin/python has them
"""

import pathlib
import subprocess
import sys
import venv

REQUIREMENTS = pathlib.Path(__file__).parent / "requirements.txt"


def main():
    folder = pathlib.Path(sys.argv[1])
    wanted = REQUIREMENTS.read_text()
    marker = folder / "installed"
    if marker.exists() and marker.read_text() == wanted:
        return
    venv.create(folder, with_pip=True, clear=True)
    subprocess.run([folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "-q",
                    "install", "-r", REQUIREMENTS], check=True)
    marker.write_text(wanted)


if __name__ == "__main__":
    main()
