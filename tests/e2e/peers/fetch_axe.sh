#!/usr/bin/env bash
# Puts axe-core, which looks for what keeps people from a page, into .cache/axe: out of a Python
# package that carries it, so that neither npm nor that package's own needs have to be installed.
# Does nothing where it has been done.
set -euo pipefail
cd "$(dirname "$0")/../../.."

CARRIER=axe-playwright-python==0.1.8 # has axe-core 4.12.1
SHA256=fdd263c998388f1a8e67cad02677e612d946248bd44d163be5e8650ea31f95f8
CACHE=$PWD/.cache/axe

if [ -s "$CACHE/axe.min.js" ]; then
    echo "in $CACHE: $(head -c 16 "$CACHE/axe.min.js")"
    exit
fi

mkdir -p "$CACHE"
echo "$CARRIER --hash=sha256:$SHA256" > "$CACHE/requirements.txt"
python3 -m pip --quiet --disable-pip-version-check download --no-deps --require-hashes \
    --dest "$CACHE" --requirement "$CACHE/requirements.txt"
python3 -m zipfile -e "$CACHE"/axe_playwright_python-*.whl "$CACHE/unpacked"
mv "$CACHE/unpacked/axe_playwright_python/axe.min.js" "$CACHE/axe.min.js"
rm -rf "$CACHE/unpacked" "$CACHE"/*.whl "$CACHE/requirements.txt"
head -c 16 "$CACHE/axe.min.js"
echo
