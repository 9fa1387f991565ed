#!/usr/bin/env bash
# Registers N keys (50) on a rehearsal grid twice: with the shell loop that people write, and with
# flwrup. Prints both wall times and their ratio.
#
#   bench/register.sh [FLWR_VERSION [N]]
#
# Both have their keys made beforehand (and flwrup its encrypted backup of them). The loop's time is
# that of N calls of `flwr supernode register`; flwrup's is that of one whole `flwrup up --until 10`: its
# start, the start of flwr, a look at the nine steps before, and the registrations. Both talk to the same
# SuperLink, one after the other.
set -euo pipefail
cd "$(dirname "$0")/.."
version=${1:-} n=${2:-50}
work=$(mktemp -d)
flwrup=$work/flwrup dir=$work/rehearsal

finish() {
  "$flwrup" down --dir "$dir" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT

go build -o "$flwrup" .
"$flwrup" rehearse --yes --keep --nodes 1 --runtime process --dir "$dir" ${version:+--flwr "$version"} >"$work/log" 2>&1 ||
  { tail -20 "$work/log"; exit 1; }

# The plan of step 14 has `… flwr supernode list …` as a person would type it in the project's folder,
# right for this flwr: the loop registers with the same words.
list=$("$flwrup" plan --all --json --dir "$dir" | python3 -c '
import json, sys
print(json.load(sys.stdin)["data"][13]["actions"][0]["command"])')
export FLWR_TELEMETRY_ENABLED=0
cd "$dir"

mkdir "$work/keys"
for i in $(seq "$n"); do ssh-keygen -q -t ecdsa -b 384 -N "" -C "" -f "$work/keys/client_credentials_$i"; done

began=$(date +%s.%N)
for key in "$work"/keys/*.pub; do eval "${list/supernode list/supernode register "$key"}" >>"$work/loop.log" 2>&1; done
loop=$(date +%s.%N)
"$flwrup" up --yes --until 7 --nodes $((n + 1)) --dir "$dir" >"$work/up.log" 2>&1 || { tail -20 "$work/up.log"; exit 1; }
before=$(date +%s.%N)
"$flwrup" up --yes --until 10 --nodes $((n + 1)) --dir "$dir" >"$work/up.log" 2>&1 || { tail -20 "$work/up.log"; exit 1; }
ours=$(date +%s.%N)

listed=$(eval "$list --format json" | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["nodes"]))')
[ "$listed" = $((2 * n + 1)) ] || { echo "the grid lists $listed SuperNodes, $((2 * n + 1)) wanted"; exit 1; }
version=$(eval "${list%% supernode list*} --version")
python3 - "$version" "$n" "$began" "$loop" "$before" "$ours" <<'PY'
import sys
version, n, began, loop, before, ours = sys.argv[1], sys.argv[2], *map(float, sys.argv[3:])
a, b = loop - began, ours - before
print(f"{version}: {n} keys: shell loop {a:.1f} s, flwrup {b:.1f} s: 1/{a / b:.1f}")
PY
