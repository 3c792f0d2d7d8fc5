#!/usr/bin/env bash
# Puts syslog-ng and loggen into .cache/peers, without installing their package: Debian's
# syslog-ng-core and rsyslog exclude each other, and the tests talk to both. Only the libraries
# that it names are installed. Does nothing where it has been done.
set -euo pipefail
cd "$(dirname "$0")/../../.."

PACKAGE=syslog-ng-core
CACHE=$PWD/.cache/peers
UNPACKED=$CACHE/$PACKAGE

if "$CACHE/bin/loggen" --help > /dev/null 2>&1 && "$CACHE/bin/syslog-ng" --version > /dev/null 2>&1; then
    echo "in $CACHE: $PACKAGE"
    exit
fi

mkdir -p "$CACHE/bin"
cd "$CACHE"
rm -rf "$PACKAGE"_*.deb "$UNPACKED"
apt-get -qq download "$PACKAGE" 2> /dev/null || { apt-get -qq update && apt-get -qq download "$PACKAGE"; }
dpkg-deb -x "$PACKAGE"_*.deb "$UNPACKED"

# `libc6 (>= 2.34), libelogind0 | libsystemd0, ...`: the libraries of which no alternative is there.
mapfile -t libraries < <(
    dpkg-deb -f "$PACKAGE"_*.deb Depends | tr ',' '\n' | sed 's/([^)]*)//g; s/ //g' | grep '^lib' |
        while read -r alternatives; do
            # shellcheck disable=SC2046  # they are words
            dpkg-query -W -f '${db:Status-Status}\n' $(tr '|' ' ' <<< "$alternatives") 2> /dev/null |
                grep -qx installed || echo "${alternatives%%|*}"
        done
)
if [ ${#libraries[@]} -gt 0 ]; then
    DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
        -o Dpkg::Use-Pty=0 "${libraries[@]}"
fi

# A program finds what was unpacked with it by these.
for program in usr/sbin/syslog-ng usr/bin/loggen; do
    cat > "bin/$(basename "$program")" << END
#!/bin/sh
export SYSLOGNG_PREFIX='$UNPACKED/usr' LD_LIBRARY_PATH='$UNPACKED/usr/lib/syslog-ng'
exec '$UNPACKED/$program' "\$@"
END
    chmod +x "bin/$(basename "$program")"
done
"$CACHE/bin/syslog-ng" --version | head -n 1
