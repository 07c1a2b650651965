#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The UDP sockets under AF_SSS: super-packets on both address families, what
# ICMP and bad checksums may do (nothing), ports.
set -u
. "$(dirname "$0")/lib.sh"

bytes=2097152

# host NS [PORT]
host()
{
	(umask 077 && sss-netlink key generate >"$work/$1.key")
	sss-netlink key eid <"$work/$1.key" | tr -d ' \n-' >"$work/$1.eid"
	on "$1" sss-netlink host add "$1" private-key "$work/$1.key" port "${2:-9660}"
}

bulk()
{
	on alice timeout 60 sss-bench sss bulk "$(cat "$work/bob.eid")" bench "${1:-$bytes}" >/dev/null
}

# Most of the bits that netem turns are in headers, where others see it.
corrupt_until_counted()
{
	for _ in 1 2 3 4 5 6 7 8; do
		[ "$(since RxDropChecksum bob)" -gt 0 ] && return
		bulk
	done
	[ "$(since RxDropChecksum bob)" -gt 0 ]
}

# since NAME NS: how much a counter has grown since mark()
since()
{
	echo $(($(stat "$1" "$2") - $(cat "$work/$1.$2")))
}

mark()
{
	for mark_name in TxPackets TxBatches RxPackets RxBatches TxErrors RxDropChecksum; do
		for mark_ns in alice bob; do
			stat $mark_name $mark_ns >"$work/$mark_name.$mark_ns"
		done
	done
}

# whole DIRECTION NS: on average more than eight packets in a batch
whole()
{
	batches=$(since "$1Batches" "$2") packets=$(since "$1Packets" "$2")
	echo "# $2: $packets packets in $batches batches"
	[ "$batches" -gt 0 ] && [ $((packets / batches)) -ge 8 ]
}

# forge KIND: an ICMP message to alice about her packets to bob, sent by bob.
forge()
{
	on bob /usr/bin/python3 - "$1" <<'END'
import socket, struct, sys

def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff

udp = struct.pack("!HHHH", 9660, 9660, 1480, 0)
v4 = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 1500, 0, 0x4000, 64, 17, 0,
                 socket.inet_aton("10.9.0.1"), socket.inet_aton("10.9.0.2"))
v6 = struct.pack("!IHBB16s16s", 6 << 28, 1480, 17, 64,
                 socket.inet_pton(socket.AF_INET6, "fd09::1"),
                 socket.inet_pton(socket.AF_INET6, "fd09::2"))
kinds = {
    "too-big": [(4, 3, 4, 68), (4, 3, 4, 600), (6, 2, 0, 1280)],
    "unreachable": [(4, 3, 1, 0), (4, 3, 3, 0), (4, 3, 13, 0), (6, 1, 0, 0), (6, 1, 4, 0)],
}
for family, kind, code, mtu in kinds[sys.argv[1]]:
    body = struct.pack("!BBHI", kind, code, 0, mtu) + (v4 if family == 4 else v6) + udp + bytes(16)
    if family == 4:
        body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
        s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        s.sendto(body, ("10.9.0.1", 0))
    else:
        s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        s.sendto(body, ("fd09::1", 0))
END
}

# forge_during KIND: again and again while bytes flow
forge_during()
{
	bulk $((bytes * 4)) &
	transfer=$!
	while [ -e "/proc/$transfer" ]; do
		forge "$1" || return 1
	done
	wait "$transfer"
}

# endpoint ADDRESS: alice reaches bob there, by a new channel
endpoint()
{
	on alice sss-netlink peer del "$(cat "$work/bob.eid")" 2>/dev/null
	on alice sss-netlink peer add "$(cat "$work/bob.eid")" endpoint "$1"
}

case ${1-} in
4) to=10.9.0.2:9660 ;;
6) to='[fd09::2]:9660' ;;
*)
	echo "say 4 or 6" >&2
	exit 2
	;;
esac
work=$(mktemp -d)
cleanup_add "rm -rf $work"
pair
check "hosts come up on a given port" eval 'host alice && host bob'
check "a port that is taken is refused" fails_with "in use" \
	on bob sss-netlink host add second private-key "$work/alice.key" port 9660
on bob sss-bench sss serve - bench &
cleanup_add "kill $! 2>/dev/null || true"

endpoint "$to"
mark
check "everything arrives" bulk
check "it leaves as super-packets" whole Tx alice
check "it arrives as super-packets" whole Rx bob
is "nothing was refused by IP" "$(since TxErrors alice)" 0
check "it survives forged 'too big'" forge_during too-big
check "it survives forged 'unreachable'" forge_during unreachable
mark
check "and goes on as before" bulk
check "packets are as large as before" whole Tx alice
is "still nothing refused by IP" "$(since TxErrors alice)" 0

plain alice bob
mark
check "one by one everything arrives, too" bulk
is "and one by one it is" "$(since RxPackets bob)" "$(since RxBatches bob)"
netem alice corrupt 5%
mark
check "corrupted packets do no harm" bulk
check "and are counted" corrupt_until_counted
netem alice
finish
