#!/bin/sh
# Installs what the tests need from the system, or names exactly what is missing.
# A test never passes because its server was missing: without Chromium the browser tests fail.
set -eu
if [ "${1:-}" = venv ]; then
  packages="python3-venv"
else
  packages=""
  command -v chromium >/dev/null 2>&1 || packages="$packages chromium"
  [ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ] || packages="$packages fonts-noto-cjk"
fi
[ -n "$packages" ] || exit 0
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  echo "Huiqi: installing$packages"
  apt-get update -qq
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
else
  echo "Huiqi: please install these packages and try again:$packages" >&2
  exit 1
fi
