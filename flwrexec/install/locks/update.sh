#!/bin/sh
# Resolves the packages of flwr and writes them, with the hashes of their files, to VERSION.txt here:
#
#	flwrexec/install/locks/update.sh VERSION...     # some releases
#	flwrexec/install/locks/update.sh                # those that have a lock
#
# Needs uv and Python 3.11 or later. One lock is for Linux, macOS and Windows, x86-64 and ARM, and each
# CPython up to 3.13 that the release takes. A source archive is in it where a machine has no wheel. The newest flwr may ask for a certifi that an index does not
# have yet, so another one is allowed.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf 'certifi>=2025\n' >"$work/override.txt"
[ $# -gt 0 ] || set -- $(ls | sed -n 's/^\(.*\)\.txt$/\1/p')
for version; do
	minor=${version#*.}
	python=3.10
	[ "${minor%%.*}" -lt 31 ] || python=3.11
	echo "flwr==$version" | uv --no-config pip compile --quiet --universal --python-version "$python" --override "$work/override.txt" \
		--no-header --no-annotate --format pylock.toml - >"$work/pylock.toml"
	python3 - "$work/pylock.toml" >"$work/lock.txt" <<'PY'
import re, sys, tomllib

PLATFORM = re.compile(r"any|(many|musl)linux.*_(x86_64|aarch64)|macosx_.*|win_(amd64|arm64)")
EVERY = [re.compile(p) for p in ("manylinux.*_x86_64", "manylinux.*_aarch64", "macosx_.*_(x86_64|universal2|intel)",
                                 "macosx_.*_(arm64|universal2)", "win_amd64")]


def tags(wheel):
    """Python, ABI and platform, the last parts of its name."""
    name = wheel.get("name") or wheel["url"].rsplit("/", 1)[1]
    return name.removesuffix(".whl").rsplit("-", 3)[1:]


def wanted(wheel):
    """Whether a supported machine may take this wheel."""
    python, abi, platform = tags(wheel)
    if not any(PLATFORM.fullmatch(p) for p in platform.split(".")):
        return False
    for tag in python.split("."):
        if tag == "py3":
            return True
        m = re.fullmatch(r"cp3(\d+)", tag)
        if m and (abi == "abi3" and int(m[1]) <= 13 or 10 <= int(m[1]) <= 13 and abi in (tag, "none")):
            return True
    return False


with open(sys.argv[1], "rb") as f:
    packages = tomllib.load(f)["packages"]
for p in packages:
    files = [w for w in p.get("wheels", []) if wanted(w)]
    platforms = [t for w in files for t in tags(w)[2].split(".")]
    if "sdist" in p and not all("any" in platforms or any(map(e.fullmatch, platforms)) for e in EVERY):
        files.append(p["sdist"])
    line = f'{p["name"]}=={p["version"]}'
    if p.get("marker"):
        line += " ; " + p["marker"]
    hashes = sorted(f["hashes"]["sha256"] for f in files)
    print(" \\\n    ".join([line, *(f"--hash=sha256:{h}" for h in hashes)]))
PY
	mv "$work/lock.txt" "$version.txt"
	echo "$version: $(grep -c '^[a-z]' "$version.txt") packages, $(wc -c <"$version.txt") bytes"
done
