#!/usr/bin/env bash
# Builds a SuperNode image where no image registry can be reached:
#
#     build.sh VERSION [VERSION...]      e.g. build.sh 1.24.0 1.42.0
#
# Result: flwr/supernode:VERSION-py3.13-ubuntu24.04 and flwr/supernode:VERSION, with the real flwr of
# that version from the Python package index on a Debian base made by debootstrap. It keeps what matters
# about the official image: user `app` with uid 49999, WORKDIR /app, HOME=/app, ENTRYPOINT
# flower-supernode, flwr in /python/venv. Its Python is Debian's, whatever the tag says. NumPy is added,
# so that a small ClientApp can run without installing anything.
#
# A version whose image is present is skipped; `--force` builds it all the same. Nothing is installed on
# this machine: what is missing is said. Needs root for the first call (debootstrap), a Docker daemon,
# and python3 with pip or uv. First call about 2 minutes, then about 20 seconds a version.
set -euo pipefail
umask 022 # whoever calls: the image's files must be readable by its user

suite=bookworm
python=3.11 # of that suite
base=local/python-base:$suite

die() { printf 'build.sh: %s\n' "$*" >&2; exit 1; }
say() { printf 'build.sh: %s\n' "$*"; }

force=
versions=()
for arg in "$@"; do
  case $arg in
    --force) force=yes ;;
    -h|--help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p;}' "$0"; exit 0 ;;
    [0-9]*.[0-9]*.[0-9]*) versions+=("$arg") ;;
    *) die "not a version of flwr: $arg (usage: build.sh [--force] VERSION [VERSION...])" ;;
  esac
done
[ ${#versions[@]} -gt 0 ] || die 'which version? usage: build.sh [--force] VERSION [VERSION...]'

command -v docker >/dev/null || die 'no docker command: install Docker (Debian, Ubuntu: apt-get install docker.io)'
docker version >/dev/null 2>&1 || die "no Docker daemon answers: $(docker version 2>&1 >/dev/null | tail -1)"

wanted=()
for version in "${versions[@]}"; do
  tag=flwr/supernode:$version-py3.13-ubuntu24.04
  if [ -z "$force" ] && docker image inspect "$tag" >/dev/null 2>&1; then
    docker tag "$tag" "flwr/supernode:$version"
    say "$tag is there"
  else
    wanted+=("$version")
  fi
done
[ ${#wanted[@]} -gt 0 ] || exit 0

# All that is missing, at once.
missing=()
if ! docker image inspect "$base" >/dev/null 2>&1; then
  command -v debootstrap >/dev/null || missing+=('debootstrap (apt-get install debootstrap)')
  [ "$(id -u)" = 0 ] || missing+=('root, once: debootstrap makes the base (sudo build.sh ...)')
fi
have_uv= hint='; with uv it may go (pip install uv)'
if command -v uv >/dev/null; then have_uv=yes hint=; fi
pip=
for candidate in "python3 -m pip" pip3 pip; do
  if $candidate --version >/dev/null 2>&1; then pip=$candidate; break; fi
done
[ -n "$pip" ] || missing+=('pip for python3 (apt-get install python3-pip)')
if [ ${#missing[@]} -gt 0 ]; then
  printf 'build.sh: missing: %s\n' "${missing[@]}" >&2
  exit 1
fi

work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if ! docker image inspect "$base" >/dev/null 2>&1; then
  say "making $base with debootstrap"
  # debootstrap's own PATH: a user's may lack sbin, or put other programs before Debian's.
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates "$suite" "$work/system" >"$work/log" 2>&1 ||
    { tail -20 "$work/log" >&2; die 'debootstrap failed (above: its last words)'; }
  rm -rf "$work"/system/var/lib/apt/lists/* "$work"/system/var/cache/apt/archives/*.deb
  tar -C "$work/system" --exclude=./proc/* --exclude=./sys/* --exclude=./dev/* -c . | docker import - "$base" >/dev/null
  rm -rf --one-file-system "$work/system"
fi

mkdir "$work/context"
cat >"$work/context/Dockerfile" <<DOCKERFILE
FROM $base
COPY wheels /wheels
RUN useradd --no-create-home --home-dir /app -c "" --uid 49999 app && mkdir -p /app && chown app:app /app \\
 && python3 -m venv /python/venv \\
 && /python/venv/bin/pip install --no-cache-dir --no-index --no-deps /wheels/* \\
 && rm -rf /wheels
ENV PATH=/python/venv/bin:\$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONIOENCODING=UTF-8 \\
    LANG=C.UTF-8 LC_ALL=C.UTF-8 HOME=/app
WORKDIR /app
USER app
ENTRYPOINT ["flower-supernode"]
DOCKERFILE

# resolve VERSION: the packages that the image gets, into requirements.txt.
resolve() {
  printf 'flwr==%s\nnumpy\n' "$1" >"$work/in.txt"
  if [ -n "$have_uv" ]; then
    # The newest flwr may ask for a certifi that the index does not have yet: any recent one will do.
    echo 'certifi>=2025' >"$work/override.txt"
    uv pip compile -q --python-version "$python" --override "$work/override.txt" "$work/in.txt" >"$work/requirements.txt"
  else
    cp "$work/in.txt" "$work/requirements.txt"
  fi
}

for version in "${wanted[@]}"; do
  tag=flwr/supernode:$version-py3.13-ubuntu24.04
  say "building $tag"
  rm -rf "$work/context/wheels"
  mkdir "$work/context/wheels"
  resolve "$version" 2>"$work/log" || { tail -20 "$work/log" >&2; die "flwr $version cannot be resolved (no such version, or no network)"; }
  deps=()
  [ -z "$have_uv" ] || deps=(--no-deps)
  # Wheels for the image's Python, whichever Python calls pip.
  # shellcheck disable=SC2086
  $pip download -q --disable-pip-version-check "${deps[@]}" --only-binary=:all: --python-version "$python" --implementation cp \
    -d "$work/context/wheels" -r "$work/requirements.txt" >"$work/log" 2>&1 ||
    { tail -20 "$work/log" >&2; die "the packages of flwr $version cannot be downloaded$hint"; }
  docker build -q -t "$tag" -t "flwr/supernode:$version" "$work/context" >"$work/log" 2>&1 ||
    { tail -20 "$work/log" >&2; die "docker build of $tag failed"; }
  say "$tag is built"
done
