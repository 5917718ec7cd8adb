#!/usr/bin/env bash
# small_sync.sh TWOFOLD FOLDER: a shop database of three people, kept in step with the hub by the given
# program, with its state in the given new folder. Fails unless everybody arrives, an edit on each side
# travels, and nobody is there twice. The shop is read with sqlite3, not with Twofold.
set -euo pipefail
twofold="$1"
folder="$2"
python="$(dirname "$twofold")/python"
shop="$folder/shop.db"
mkdir -p "$folder"
export TWOFOLD_DATA="$folder/state"

"$python" - "$shop" <<'PY'
import sqlite3
import sys

with sqlite3.connect(sys.argv[1]) as shop:
    shop.execute("CREATE TABLE customer (id INTEGER PRIMARY KEY, email TEXT UNIQUE, firstname TEXT)")
    people = [("ann@example.com", "Ann"), ("bob@example.com", "Bob"), ("cy@example.com", "Cy")]
    shop.executemany("INSERT INTO customer (email, firstname) VALUES (?, ?)", people)
PY

"$twofold" connect sql --label shop --set "url=sqlite:///$shop"
"$twofold" sync add shop contact customer --name customers --no-default-mappings \
    --map email=email --map firstname=firstname
"$twofold" sync run customers

"$python" - "$shop" <<'PY'
import sqlite3
import sys

with sqlite3.connect(sys.argv[1]) as shop:
    shop.execute("UPDATE customer SET firstname = 'Anna' WHERE email = 'ann@example.com'")
PY
"$twofold" hub records create contact --set email=dee@example.com --set firstname=Dee
"$twofold" sync run customers
"$twofold" health customers

"$twofold" --json hub records list contact >"$folder/hub.json"
"$python" - "$shop" "$folder/hub.json" <<'PY'
import json
import sqlite3
import sys

with sqlite3.connect(sys.argv[1]) as shop:
    rows = shop.execute("SELECT email, firstname FROM customer ORDER BY email").fetchall()
with open(sys.argv[2], encoding="utf-8") as file:
    records = [record["fields"] for record in json.load(file)["records"]]
hub = sorted((fields["email"], fields["firstname"]) for fields in records)
expected = [
    ("ann@example.com", "Anna"),
    ("bob@example.com", "Bob"),
    ("cy@example.com", "Cy"),
    ("dee@example.com", "Dee"),
]
if rows != expected or hub != expected:
    sys.exit(f"small sync: the shop has {rows}, the hub has {hub}")
print("small sync: four people on both sides, each once")
PY
