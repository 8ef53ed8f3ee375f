#!/bin/bash
# Makes the Dockerfile's base image (node:26-trixie-slim) locally where it is not there and can't be pulled: Debian trixie
# by debootstrap from the machine's own mirror, the project's own Node.js, and npm. Needs root and a Docker engine.
set -euo pipefail
cd "$(dirname "$0")/.."

image=${1:-node:26-trixie-slim}
if docker image inspect "$image" >/dev/null 2>&1; then exit 0; fi
if timeout 120 docker pull --quiet "$image" >/dev/null 2>&1; then exit 0; fi

echo "base image: $image can't be pulled, making it with debootstrap"
mirror=$(awk '/^URIs:/{print $2; exit}' /etc/apt/sources.list.d/*.sources 2>/dev/null || true)
[ -n "$mirror" ] || mirror=$(awk '$1 == "deb" && $2 !~ /^\[/ {print $2; exit}' /etc/apt/sources.list)
[ -n "$mirror" ] || { echo "base image: no Debian mirror found in /etc/apt" >&2; exit 1; }

base=$(mktemp -d)
trap 'rm -rf "$base"' EXIT
debootstrap --variant=minbase --include=ca-certificates,libatomic1 trixie "$base" "$mirror" >"$base.log" 2>&1 || { tail -n 30 "$base.log"; exit 1; }
rm -f "$base.log"

# As in the image that it stands for: node and npm below /usr/local.
cp node_modules/node/bin/node "$base/usr/local/bin/node"
mkdir -p "$base/usr/local/lib/node_modules" "$base/usr/local/etc"
npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
cp -r "$npm" "$base/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$base/usr/local/bin/npm"

# Behind a network whose certificates only this machine knows, the build inside must know them as well.
if [ -f /etc/ssl/certs/ca-certificates.crt ]; then
  cp /etc/ssl/certs/ca-certificates.crt "$base/etc/ssl/certs/ca-certificates.crt"
  echo "cafile=/etc/ssl/certs/ca-certificates.crt" >"$base/usr/local/etc/npmrc"
fi
rm -rf "$base"/var/cache/apt/archives/*.deb "$base"/var/lib/apt/lists/*

tar -C "$base" -c . | docker import --change 'CMD ["node"]' - "$image" >/dev/null
echo "base image: $image made"
