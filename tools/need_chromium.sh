#!/usr/bin/env bash
# The tests of the pages run in Debian's Chromium: install it where it is missing.
set -euo pipefail

if [ -x "${CHROMIUM:-/usr/bin/chromium}" ]; then
    exit 0
fi

advice="install Chromium yourself (Debian: apt-get install chromium), or say where it is with CHROMIUM=/path/to/chromium"
if ! command -v apt-get >/dev/null; then
    echo "setup: chromium is missing and there is no apt-get here: $advice" >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    as_root=(env)
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo env)
else
    echo "setup: chromium is missing and we may not install packages: $advice" >&2
    exit 1
fi

echo "setup: chromium from the system's packages"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    chromium >/dev/null
[ -x /usr/bin/chromium ] || { echo "setup: still no chromium: $advice" >&2; exit 1; }
