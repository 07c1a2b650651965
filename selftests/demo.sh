#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The demonstration: alice sends bob a file over AF_SSS, each in a network
# namespace of its own with a key of its own. The module is loaded already.
#
#   selftests/demo.sh [FILE]
#   selftests/demo.sh --up     only the namespaces, the keys and how to go on
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/lib.sh
. "$here/lib.sh"

port=9660
service=demo protocol='file 1'

# One identity: a key that only root reads, a host in the namespace.
identity()
{
	(umask 077 && sss-netlink key generate >"$keys/$1.key")
	sss-netlink -netns "$1" host add "$1" private-key "$keys/$1.key" port $port
	sss-netlink key eid <"$keys/$1.key" >"$keys/$1.eid"
}

up()
{
	pair
	keys=$(mktemp -d /run/sss-demo.XXXXXX)
	identity alice
	identity bob
	alice=$(cat "$keys/alice.eid") bob=$(cat "$keys/bob.eid")
	sss-netlink -netns alice peer add "$bob" endpoint "10.9.0.2:$port" endpoint "[fd09::2]:$port"
	sss-netlink -netns bob peer add "$alice" endpoint "10.9.0.1:$port" endpoint "[fd09::1]:$port"
}

if [ "${1-}" = --up ]; then
	up
	cleanups=''
	cat <<-END

		Two namespaces on one cable, each with an identity of its own:
		  alice  10.9.0.1  $alice
		  bob    10.9.0.2  $bob
		Try, in one go or with the first in the background:
		  ip netns exec bob sss-cat -l hello 'chat 1' &
		  echo hi | ip netns exec alice sss-cat \$(cat $keys/bob.eid) hello 'chat 1'
		  sss-netlink -netns alice stream show; sss-netlink -netns alice stats
		"exit" stops the machine.

	END
	exit
fi

# The last packet is in the capture, and so is all before it.
captured()
{
	tail -c 65536 "$work/capture" | grep -aq "$last_packet"
}

terminal=''
[ ! -t 1 ] || terminal=y

# known NAME: one of sss-cat's figures.
known()
{
	sed -n "s/^$1: //p" "$work/info"
}

file=${1:-${FILE-}}
[ -r "$file" ] || { echo "demo: no file to send: say FILE=path" >&2; exit 1; }
size=$(wc -c <"$file")

echo "AF_SSS on Linux $(uname -r): alice sends bob $file, $((size / 1000000)) MB"
up
cleanup_add 'rm -rf "$keys"'
work=$(mktemp -d /tmp/sss-demo.XXXXXX)
cleanup_add 'rm -rf "$work"'
echo "  alice  $alice"
echo "  bob    $bob"

ip netns exec alice tcpdump -q -U -i wire -w "$work/capture" -s 0 -B 131072 udp port $port 2>"$work/tcpdump" &
capture=$!
cleanup_add 'kill $capture 2>/dev/null || true'
wait_for 20 grep -q listening "$work/tcpdump"

ip netns exec bob sss-cat -l "$service" "$protocol" >"$work/received" 2>"$work/bob" &
receiver=$!
cleanup_add 'kill $receiver 2>/dev/null || true'
wait_for 20 sh -c "sss-netlink -netns bob service show | grep -q $service"

begin=$(date +%s%N)
# sss-cat says how it goes once a second, and at the end what the kernel knows.
{
	ip netns exec alice sss-cat -p -I -i "$file" "$bob" "$service" "$protocol" 2>&1 </dev/null ||
		echo "sss-cat ended with status $?"
} | awk -v info="$work/info" -v terminal="$terminal" '
	/^[a-z-]+: [0-9]+$/ { print >info; next }
	/^  sent/ && terminal { printf "\r\033[K%s", $0; drawn = 1; fflush(); next }
	{ if (drawn) print ""; drawn = 0; print; fflush() }
	END { if (drawn) print "" }'
wait $receiver || { echo "demo: bob failed: $(cat "$work/bob")" >&2; exit 1; }
ms=$((($(date +%s%N) - begin) / 1000000 + 1))

# What tcpdump has not read when it is stopped is lost.
last_packet='the last packet of the demonstration'
ip netns exec alice bash -c "printf '$last_packet' >/dev/udp/10.9.0.2/$port"
wait_for 60 captured || true
kill -INT $capture
wait $capture || true

sent=$(sha256sum <"$file" | cut -d' ' -f1)
received=$(sha256sum <"$work/received" | cut -d' ' -f1)
echo "  sent      sha256 $sent"
echo "  received  sha256 $received"
result=0
if [ "$sent" = "$received" ]; then
	echo "  the same"
else
	echo "  NOT THE SAME: $(wc -c <"$work/received") of $size bytes arrived"
	result=1
fi
echo "  throughput: $((size * 8 / ms / 1000)) Mbit/s ($((size / 1000000)) MB in $((ms / 1000)).$((ms % 1000 / 100)) s)"
echo "  round trips until the first byte could leave: $(known connect-rtts)"
echo "  packets sent: $(known packets-sent), lost: $(($(known packets-lost) - $(known packets-spurious))), bytes sent again: $(known bytes-resent)"
if ! "$here/demo-wire" "$work/capture" "$file" $port 10.9.0.1 fd09::1 >"$work/wire" 2>&1; then
	echo "  THE CAPTURE DOES NOT PROVE IT ENCRYPTED" >>"$work/wire"
	result=1
fi
sed 's/^/  /' "$work/wire"
exit $result
