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
npm run -s fuzz -- --seed 1
node --test --test-reporter=spec test/crash/*.test.ts
npm run -s corpus
if [ "$(id -u)" = 0 ]; then
  node --test --test-concurrency=1 --test-reporter=spec test/node/*.test.ts
  npm run -s end-to-end
else
  echo 'skipped: nodes and the end-to-end suite need root'
fi
