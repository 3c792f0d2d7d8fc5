#!/bin/sh
# Puts the daemon, its units and a first file of settings in place; `make install` calls it.
#
#   PYTHON    makes the environment that the daemon runs in: Python 3.11 or newer, with venv
#   PREFIX    /usr/local; the program is PREFIX/bin/logopsd, its environment PREFIX/lib/logopsd
#   DESTDIR   stands before every path, for who makes a package; nothing is started then
#   UNITS     "only" to leave the program away, for who brings it there otherwise
#   EXTRAS    what the program is to bring besides: nats, for logopsd-ship
#   SYSTEMD   version of systemd to install for; the one that is here by default
set -eu

: "${PYTHON:=python3}" "${PREFIX:=/usr/local}" "${DESTDIR:=}" "${SYSCONFDIR:=/etc}" "${UNITS:=}" "${EXTRAS:=}"
: "${SYSTEMD:=$(systemctl --version 2> /dev/null | sed -n '1s/^systemd \([0-9]*\).*/\1/p')}"
source=$(dirname "$0")/..
library=$PREFIX/lib/logopsd
units=$DESTDIR$PREFIX/lib/systemd/system
notes=$DESTDIR$PREFIX/share/doc/logopsd

install_program() {
    "$PYTHON" -m venv --clear "$DESTDIR$library"
    "$DESTDIR$library/bin/python" -m pip --quiet --disable-pip-version-check install "$source${EXTRAS:+[$EXTRAS]}"
    mkdir -p "$DESTDIR$PREFIX/bin"
    # -I: neither the working directory, where the service may write, nor PYTHON* variables count.
    printf '#!/bin/sh\nexec %s/bin/python -I -m logopsd "$@"\n' "$library" \
        > "$DESTDIR$PREFIX/bin/logopsd"
    chmod 0755 "$DESTDIR$PREFIX/bin/logopsd"
    complete bash bash-completion/completions/logopsd
    complete zsh zsh/site-functions/_logopsd
    complete fish fish/vendor_completions.d/logopsd.fish
}
complete() {
    mkdir -p "$(dirname "$DESTDIR$PREFIX/share/$2")"
    "$DESTDIR$library/bin/python" -I -m logopsd completion "$1" > "$DESTDIR$PREFIX/share/$2"
}
[ "$UNITS" = only ] || install_program

# Type=notify-reload came with systemd 253; before it, the signal is sent by a command.
old='s|^Type=notify-reload$|Type=notify\nExecReload=/bin/kill -HUP $MAINPID|'
[ "${SYSTEMD:-253}" -lt 253 ] || old=''
mkdir -p "$units" "$notes" "$DESTDIR$PREFIX/share/man/man8" "$DESTDIR$PREFIX/lib/sysusers.d" "$DESTDIR$SYSCONFDIR/logopsd"
for unit in "$source"/systemd/*.service "$source"/systemd/*.socket "$source"/systemd/*.timer; do
    sed -e "s|/usr/local|$PREFIX|g; s|/etc/logopsd|$SYSCONFDIR/logopsd|g" -e "$old" "$unit" \
        > "$units/$(basename "$unit")"
done
cp "$source/systemd/logopsd.sysusers.conf" "$DESTDIR$PREFIX/lib/sysusers.d/logopsd.conf"
cp "$source/docs/services/systemd.md" "$notes/systemd.md"
cp "$source/docs/man/logopsd.8" "$DESTDIR$PREFIX/share/man/man8/logopsd.8"
# Settings that are there are somebody's.
[ -e "$DESTDIR$SYSCONFDIR/logopsd/env" ] ||
    cp "$source/.env.example" "$DESTDIR$SYSCONFDIR/logopsd/env"

if [ -z "$DESTDIR$UNITS" ] && [ -d /run/systemd/system ]; then
    systemctl daemon-reload
fi
echo "installed logopsd to $DESTDIR$PREFIX/bin; the settings are in $DESTDIR$SYSCONFDIR/logopsd/env"
echo "start it with:  systemctl enable --now logopsd"
