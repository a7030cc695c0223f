#!/usr/bin/env bash
# Makes the Python environment of the interop tests under the target directory, or leaves it alone when it is the one
# that requirements.txt asks for. Needs python3 with venv and pip, and a package index.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
place=${CARGO_TARGET_DIR:-$here/../../target}/interop

cmp -s "$here/requirements.txt" "$place/requirements.txt" && exit
rm -rf "$place"
mkdir -p "$place"
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install -q --disable-pip-version-check --no-input -r "$here/requirements.txt"
# Last, so that an environment that was not finished is made anew.
cp "$here/requirements.txt" "$place/requirements.txt"
