#!/usr/bin/env bash
# Brings rsyslogd and syslog-ng from apt, or names what is missing. Does nothing where both are.
set -euo pipefail
cd "$(dirname "$0")/../../.."

if ! PATH=$PATH:/usr/sbin command -v rsyslogd > /dev/null; then
    if [ "$(id -u)" != 0 ]; then
        echo "rsyslogd is missing: sudo apt-get install rsyslog" >&2
        exit 1
    fi
    # The comparison starts its own; the package is not to start the machine's.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' > "$policy"
        chmod +x "$policy"
    fi
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
        -o Dpkg::Use-Pty=0 rsyslog
fi
tests/e2e/peers/fetch.sh || {
    echo "syslog-ng could not be fetched: sudo tests/e2e/peers/fetch.sh" >&2
    exit 1
}
