#!/bin/bash
# Installs the servers that `npm run test:servers` runs against: Debian packages as root, the rest into
# ${LIFEBOAT_TEST_SERVERS:-/var/cache/lifeboat-test-servers}. What is there already is left alone.
set -euo pipefail

folder=${LIFEBOAT_TEST_SERVERS:-/var/cache/lifeboat-test-servers}
packages=(openssl attr
  openssh-server openssh-client dropbear-bin openssh-sftp-server
  apache2 apache2-utils nginx-extras rclone
  swift-proxy swift-account swift-container swift-object
  mosquitto mosquitto-clients)

install_packages() {
  local missing=() package made_policy=
  for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  # Packages must start no service here.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    made_policy=1
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod +x /usr/sbin/policy-rc.d
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -q -y --no-install-recommends "${missing[@]}"
  [ -z "$made_policy" ] || rm -f /usr/sbin/policy-rc.d
}

# A Go program, in the version named: the file's name holds the version, so that a newer one is built again.
install_go_program() {
  local module=$1 version=$2 name=$3
  [ ! -x "$folder/bin/$name-$version" ] || return 0
  local build
  build=$(mktemp -d)
  GOBIN="$build" go install "$module@$version"
  mkdir -p "$folder/bin"
  mv "$build/$name" "$folder/bin/$name-$version"
  ln -sfn "$name-$version" "$folder/bin/$name"
  rm -rf "$build"
}

install_azurite() {
  local version=$1
  [ ! -x "$folder/azurite-$version/node_modules/.bin/azurite-blob" ] || return 0
  npm install --silent --no-audit --no-fund --prefix "$folder/azurite-$version" "azurite@$version"
  ln -sfn "azurite-$version" "$folder/azurite"
}

install_synapse() {
  local version=$1
  [ ! -e "$folder/synapse-$version/done" ] || return 0
  python3 -m venv "$folder/synapse-$version"
  "$folder/synapse-$version/bin/pip" install --quiet "matrix-synapse==$version"
  touch "$folder/synapse-$version/done"
  ln -sfn "synapse-$version" "$folder/synapse"
}

mkdir -p "$folder"
install_packages
install_go_program github.com/versity/versitygw/cmd/versitygw v1.8.0 versitygw
install_azurite 3.37.0
install_synapse 1.163.2
