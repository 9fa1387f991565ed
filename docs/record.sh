#!/usr/bin/env bash
# docs/record.sh [FILE]: records a real rehearsal as docs/rehearsal.cast (asciinema's format, version 2). It needs tmux,
# asciinema, Go and Python; Docker is used where it is there. The home of the recording is an empty folder.
#   asciinema play docs/rehearsal.cast
set -euo pipefail
cd "$(dirname "$0")/.."
file=$(realpath "${1:-docs/rehearsal.cast}")
work=$(mktemp -d)
session=flwrup-record-$$
trap 'tmux kill-session -t "$session" 2>/dev/null || true; rm -rf "$work"' EXIT
go build -o "$work/flwrup" .
mkdir -p "$work/home" "$work/study"
[ -z "${FLWRUP_RECORD_CACHE:-}" ] || { mkdir "$work/home/.cache"; ln -s "$FLWRUP_RECORD_CACHE" "$work/home/.cache/flwrup"; }
tmux new-session -d -s "$session" -x 110 -y 32 "cd $work/study && env -i HOME=$work/home PATH=$work:$PATH TERM=xterm-256color LANG=C.UTF-8 \
  SSL_CERT_FILE=${SSL_CERT_FILE:-} asciinema rec -q --overwrite -i 1.5 -t 'flwrup rehearse' -c 'flwrup rehearse' $work/out.cast"
until=$((SECONDS + 400))
while [ $SECONDS -lt $until ] && tmux has-session -t "$session" 2>/dev/null; do
  screen=$(tmux capture-pane -p -t "$session" || true)
  case $screen in
  *"16 of 16"* | *"SuperNodes online"*) # the dashboard: look at the logs, then leave
    sleep 4; tmux send-keys -t "$session" l; sleep 5; tmux send-keys -t "$session" Escape; sleep 2
    tmux send-keys -t "$session" q; sleep 2; tmux send-keys -t "$session" Enter; sleep 3; break ;;
  *"at work"*) ;;
  *) tmux send-keys -t "$session" Enter ;;
  esac
  sleep 1.2
done
sleep 2
# The folder of the recording says nothing about yours.
sed "s#$work/study#/home/ada/study#g; s#$work/home#/home/ada#g" "$work/out.cast" >"$file"
(cd "$work/study" && HOME="$work/home" "$work/flwrup" down >/dev/null) || true
