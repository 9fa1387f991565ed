#!/usr/bin/env bash
# docs/reproduce.sh [OS/ARCH…]: builds the last commit twice as a release does, in two folders and with two build caches,
# and compares the programs. Each build starts from nothing, so it takes some minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
for n in one another/place; do
  mkdir -p "$work/$n"
  git archive HEAD | tar -x -C "$work/$n"
done
for target in "${@:-linux/amd64}"; do
  for n in one another/place; do
    (cd "$work/$n" && GOOS=${target%/*} GOARCH=${target#*/} CGO_ENABLED=0 GOCACHE="$work/cache-${n%%/*}" \
      go build -trimpath -buildvcs=false -ldflags '-s -w -buildid= -X flwrup/internal/cli.Version=0.0.0' -o "$work/$n.out" .)
  done
  sha256sum "$work/one.out" "$work/another/place.out" | cut -d ' ' -f 1
  cmp "$work/one.out" "$work/another/place.out"
  echo "$target: the same"
done
