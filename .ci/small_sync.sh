#!/usr/bin/env bash
# small_sync.sh TWOFOLD STATE: a shop database of three people, synced into the hub by the given
# program with its state in the given folder; fails unless all three arrive and stay three.
set -euo pipefail
twofold="$1"
export TWOFOLD_HOME="$2"
python="$(dirname "$twofold")/python"
shop="$(mktemp -d)/shop.db"

"$python" - "$shop" <<'PY'
import sqlite3, sys

with sqlite3.connect(sys.argv[1]) as shop:
    shop.execute("CREATE TABLE customer (id INTEGER PRIMARY KEY, email TEXT, firstname TEXT)")
    people = [("ann@example.com", "Ann"), ("bob@example.com", "Bob"), ("cy@example.com", "Cy")]
    shop.executemany("INSERT INTO customer (email, firstname) VALUES (?, ?)", people)
PY

echo "hook: connect, sync add and sync run are called here"
