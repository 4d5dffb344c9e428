#!/bin/sh
# The whole test: prepares what a bare machine lacks, runs the check, then the end-to-end suite on a real cluster.
set -eu
cd "$(dirname "$0")/.."

packages="containerd crun containernetworking-plugins nftables iproute2 util-linux conntrack busybox-static curl openssl"
missing=
for package in $packages; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
if [ -n "$missing" ] && [ "$(id -u)" = 0 ]; then
  echo "installing$missing"
  apt-get update -qq
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

./kubets help >/dev/null # Brings Node 26 and the npm packages.
PATH="$PWD/node_modules/.bin:$PATH"
export PATH
npm run -s check
npm run -s end-to-end
