#!/usr/bin/env bash
# Brings N SuperNodes (10) online in containers on a rehearsal grid, from the login on, ROUNDS times (5):
# with the plain shell script that the documentation leads to, and with flwrup. Prints each round's wall
# times, both medians and their ratio.
#
#   bench/online.sh [FLWR_VERSION [N [ROUNDS]]]
#
# Made beforehand for both: flwr's environment, the image, N keys, the connection in Flower's configuration, the
# federation. Counted for both: the login (approved at once by the same small program, in the place of a
# person), N registrations, N additions to the federation, N starts, and the wait until the grid calls all N
# online. The script does this with one `flwr` or `docker run` a node and polls `flwr supernode list` with a
# second between; flwrup is one `flwrup up --yes --until 14`. Both talk to the same SuperLink, one after
# the other, and take turns in being first.
set -euo pipefail
cd "$(dirname "$0")/.."
version=${1:-1.42.0} n=${2:-10} rounds=${3:-5}
image=flwr/supernode:$version-py3.13-ubuntu24.04
work=$(mktemp -d) tag=bench$$
flwrup=$work/flwrup grid=$work/rehearsal
export FLWR_TELEMETRY_ENABLED=0

finish() {
  docker ps -aq --filter "label=$tag" | xargs -r docker rm -f >/dev/null
  for dir in "$work"/round*/flwrup; do clear_up "$dir"; done
  "$flwrup" down --dir "$grid" >/dev/null 2>&1 || true
  rm -rf "$work"
}

# clear_up DIR: stops the SuperNodes of flwrup's project there, and removes their containers, which last.
clear_up() {
  [ -f "$1/.flwrup/id" ] || return 0
  "$flwrup" down --dir "$1" >/dev/null 2>&1 || true
  docker ps -aq --filter "label=flwrup.project=$(cat "$1/.flwrup/id")" | xargs -r docker rm -fv >/dev/null
}
trap finish EXIT
docker image inspect "$image" >/dev/null

go build -o "$flwrup" .
"$flwrup" rehearse --yes --keep --nodes 1 --runtime process --dir "$grid" --flwr "$version" >"$work/log" 2>&1 ||
  { tail -20 "$work/log"; exit 1; }
"$flwrup" stop --dir "$grid" >/dev/null
ready() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$grid/.flwrup/grid/ready.json" "$1"; }
address=$(ready fleet_address) ca=$(ready ca) portal=$(ready portal)
# The plan of step 14 has the path of this flwr.
flwr=$("$flwrup" plan --all --json --dir "$grid" | python3 -c '
import json, re, sys
print(re.search(r"(\S+/flwr) supernode list", json.load(sys.stdin)["data"][13]["actions"][0]["command"])[1])')

# approve reads what a login prints and does what the person does in the browser.
approve() {
  python3 -c '
import re, sys, urllib.parse, urllib.request
done = set()
for line in sys.stdin:
    print(line, end="", flush=True)
    if (m := re.search(r"user_code=([A-Z0-9-]+)", line)) and m[1] not in done:
        done.add(m[1])
        form = urllib.parse.urlencode({"user_code": m[1], "account": "ada"}).encode()
        urllib.request.urlopen(sys.argv[1] + "/approve", form).read()' "$portal"
}

now() { date +%s.%N; }

# by_script ROUND: the documentation's commands, one after the other.
by_script() {
  local dir=$work/round$1/script; mkdir -p "$dir/keys"; cd "$dir"
  export FLWR_HOME=$dir/home; mkdir "$FLWR_HOME"
  printf '[superlink]\ndefault = "supergrid"\n\n[superlink.supergrid]\naddress = "%s"\nroot-certificates = "%s"\n' \
    "$(ready control_address)" "$ca" >"$FLWR_HOME/config.toml"
  for i in $(seq "$n"); do ssh-keygen -q -t ecdsa -b 384 -N "" -C "" -f "keys/client_credentials_$i"; done
  local began; began=$(now)

  BROWSER=true "$flwr" login supergrid | approve
  local ids=() id
  for i in $(seq "$n"); do
    id=$("$flwr" supernode register "keys/client_credentials_$i.pub" supergrid | grep -oE '[0-9]{10,}' | head -1)
    ids+=("$id")
  done
  for id in "${ids[@]}"; do "$flwr" federation add-supernode "$id" @ada/rehearsal supergrid; done
  for i in $(seq "$n"); do
    docker run --rm -d --label "$tag" --name "${tag}_$i" --network host --user "$(id -u):$(id -g)" \
      -e FLWR_HOME=/tmp/flwr-home -v "$PWD/keys:/app/keys:ro" -v "$ca:/app/ca.crt:ro" "$image" \
      --superlink "$address" --root-certificates ca.crt --auth-supernode-private-key "keys/client_credentials_$i" \
      --port $((31000 + i))
  done
  until [ "$("$flwr" supernode list supergrid --format json | grep -c '"status": "online"')" -ge "$n" ]; do sleep 1; done

  local over; over=$(now)
  docker ps -q --filter "label=$tag" | xargs docker stop >/dev/null
  echo "$began $over" >"$work/round$1/script.times"
}

# by_flwrup ROUND: the same stretch, steps 9 to 14.
by_flwrup() {
  local dir=$work/round$1/flwrup
  export FLWR_HOME=$dir/home; mkdir -p "$FLWR_HOME"
  printf 'A passphrase for %s\n' "$dir" >"$dir/passphrase"
  "$flwrup" up --yes --until 8 --dir "$dir" --flwr-path "$flwr" --flwr-home "$FLWR_HOME" --control "$(ready control_address)" \
    --fleet "$address" --ca "$ca" --host-network --runtime docker --federation @ada/rehearsal --nodes "$n" \
    --passphrase-file "$dir/passphrase" --backup "$dir/backup.age"
  local began; began=$(now)
  "$flwrup" up --yes --until 14 --dir "$dir" | approve
  local over; over=$(now)
  [ "$("$flwr" supernode list supergrid --format json | grep -c '"status": "online"')" = "$n" ]
  clear_up "$dir"
  echo "$began $over" >"$work/round$1/flwrup.times"
}

for round in $(seq "$rounds"); do
  mkdir "$work/round$round"
  order="by_script by_flwrup"; [ $((round % 2)) = 1 ] || order="by_flwrup by_script"
  for side in $order; do
    set +e # else the -e of the subshell would count for nothing
    (set -e; "$side" "$round") >"$work/round$round/$side.log" 2>&1
    status=$?
    set -e
    [ "$status" = 0 ] || { tail -20 "$work/round$round/$side.log"; exit 1; }
  done
  python3 - "$work/round$round" "$round" <<'PY'
import sys
a, b = ((lambda t: t[1] - t[0])([float(x) for x in open(f"{sys.argv[1]}/{side}.times").read().split()]) for side in ("script", "flwrup"))
print(f"round {sys.argv[2]}: script {a:.1f} s, flwrup {b:.1f} s", flush=True)
PY
done
python3 - "$work" "$version" "$n" "$rounds" <<'PY'
import statistics, sys
work, version, n, rounds = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
def median(side):
    return statistics.median((lambda t: float(t[1]) - float(t[0]))(open(f"{work}/round{r}/{side}.times").read().split()) for r in range(1, rounds + 1))
a, b = median("script"), median("flwrup")
print(f"{version}: {n} SuperNodes from login to online, medians of {rounds}: script {a:.1f} s, flwrup {b:.1f} s: {b / a:.2f} of the script's time")
PY
