#!/usr/bin/env bash
# The tests of the SQL connector run against Debian's MariaDB server: install it where it is missing.
set -euo pipefail

if PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v mariadbd >/dev/null; then
    exit 0
fi

advice="install MariaDB's server yourself (Debian: apt-get install mariadb-server-core; needed is the program mariadbd)"
if ! command -v apt-get >/dev/null; then
    echo "setup: mariadbd is missing and there is no apt-get here: $advice" >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    as_root=(env)
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo env)
else
    echo "setup: mariadbd is missing and we may not install packages: $advice" >&2
    exit 1
fi

echo "setup: mariadb-server-core from the system's packages"
"${as_root[@]}" apt-get update -qq
# The core package has the server and no service: nothing starts by itself.
"${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    mariadb-server-core >/dev/null
PATH="$PATH:/usr/sbin" command -v mariadbd >/dev/null || { echo "setup: still no mariadbd: $advice" >&2; exit 1; }
