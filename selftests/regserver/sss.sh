#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The registration server over AF_SSS: it and clients are hosts here, who know it by
# a loopback address.
#
#   CLIENTS=N sss.sh COMMAND...		3
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/../lib.sh"

clients=$(seq "${CLIENTS:-3}")
work=$(mktemp -d)
cleanup_add 'rm -rf "$work"'
cleanup_add 'drop_hosts'
drop_hosts()
{
	for n in 0 $clients; do
		sss-netlink host del "reg$n" 2>/dev/null || true
	done
	sysctl -q -w net.sss.allow_loopback=0
}

sysctl -q -w net.sss.allow_loopback=1
eids=''
for n in 0 $clients; do
	(umask 077 && sss-netlink key generate "$work/$n")
	sss-netlink host add "reg$n" private-key "$work/$n" port $((9700 + n))
	eids="$eids${eids:+ }$(sss-netlink key eid "$work/$n")"
done
server=${eids%% *}
for n in $clients; do
	sss-netlink peer add "$server" host "reg$n" endpoint 127.0.0.1:9700
done
export REGSERVER_EIDS="$eids" REGSERVER_STORE=sqlite
"$@"
