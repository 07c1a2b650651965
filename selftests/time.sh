#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What AF_SSS does about network time: runs in virtual time, where a computer
# takes none, so that what is measured is the protocol alone.
set -u
. "$(dirname "$0")/lib.sh"

service=time protocol='test 1'

identity()
{
	(umask 077 && sss-netlink key generate >"$work/$1.key")
	sss-netlink -netns "$1" host add "$1" private-key "$work/$1.key"
	sss-netlink key eid <"$work/$1.key" >"$work/$1.eid"
}

ms()
{
	echo $(($(date +%s%N) / 1000000))
}

# listen: bob takes one stream and keeps what comes
listen()
{
	on bob sss-cat -l "$service" "$protocol" >"$work/received" 2>"$work/bob.log" </dev/null &
	listener=$!
	wait_for 5 listening
}

listening()
{
	sss-netlink -netns bob service show | grep -q "$service"
}

# send FILE: alice sends it; $took is how long it took until bob had it all
send()
{
	took=$(ms)
	on alice sss-cat -I "$bob" "$service" "$protocol" <"$1" 2>"$work/info" || return 1
	wait "$listener" || return 1
	took=$(($(ms) - took))
	cmp "$1" "$work/received"
}

# between WHAT GOT LEAST MOST
between()
{
	echo "# $1: $2"
	check "$1, $3 to $4" [ "$2" -ge "$3" -a "$2" -le "$4" ]
}

known()
{
	sed -n "s/^$1: //p" "$work/info"
}

channels()
{
	[ "$(stat Channels alice)" = "$1" ] && [ "$(stat Channels bob)" = "$1" ]
}

# both ARGS...: netem the same in both directions
both()
{
	netem alice "$@"
	netem bob "$@"
}

# Handshakes that led to a key, whoever began them.
confirmed()
{
	echo $(($(stat HsConfirmed alice) + $(stat HsConfirmed bob)))
}

sent_some()
{
	[ "$(stat TxChunks alice)" -ge 3 ]
}

# Every socket holds the module.
unused()
{
	[ "$(awk '$1 == "sss" { print $3 }' /proc/modules)" = 0 ]
}

make_file() # MEGABYTES
{
	dd if=/dev/urandom of="$work/file" bs=1M count="$1" 2>/dev/null
}

work=$(mktemp -d)
cleanup_add "rm -rf $work"
pair
plain alice bob
identity alice
identity bob
bob=$(cat "$work/bob.eid")
sss-netlink -netns alice peer add "$bob" endpoint 10.9.0.2:9660
on alice ping -q -c 1 10.9.0.2 >/dev/null # neither end asks for addresses below
echo hello >"$work/hello"

both delay 50ms
listen
check "a short message arrives over a path of 100 ms" send "$work/hello"
is "connect() takes one round trip" "$(known connect-rtts)" 1
between "milliseconds to connect, send and end" "$took" 200 310

check "the channel is there while it may be used again" channels 1
listen
check "a second stream over the same channel" send "$work/hello"
between "milliseconds of that" "$took" 200 310
is "it took no second handshake" "$(stat HsTxInitiate alice)" 1

idle=$(ms)
wait_step=1
check "an idle channel ends at both ends" wait_for 90 channels 0
between "milliseconds it stayed" $(($(ms) - idle)) 59000 62000
wait_step=0.05

both rate 20mbit delay 20ms limit 200
make_file 6
listen
check "6 MB at 20 Mbit/s and 40 ms" send "$work/file"
between "Mbit/s" $((6 * 8 * 1048576 / took / 1000)) 16 20

both delay 20ms rate 20mbit limit 200
drop_each bob 100
listen
make_file 4
check "4 MB with every 100th packet lost" send "$work/file"
between "Mbit/s" $((4 * 8 * 1048576 / took / 1000)) 2 20
on bob nft flush ruleset

listen
on alice sh -c 'sleep 1; tc qdisc replace dev wire root netem loss 100%; sleep 30
	tc qdisc replace dev wire root netem delay 20ms rate 20mbit limit 200' &
outage=$!
make_file 5
check "5 MB through an outage of 30 s" send "$work/file"
between "milliseconds" "$took" 31000 52000
wait $outage

both delay 20ms rate 200kbit limit 200
handshakes=$(confirmed)
listen
make_file 5
check "5 MB at 200 kbit/s, longer than a key is used" send "$work/file"
between "seconds" $((took / 1000)) 205 260
between "new keys meanwhile" $(($(confirmed) - handshakes)) 1 2
both delay 1ms

sss-netlink -netns alice peer set "$bob" endpoint 10.9.0.77:9660
wait_step=1
wait_for 90 channels 0
before=$(stat HsTxInitiate alice)
begin=$(ms)
check "connect() to nobody fails" fails_with "no answer" \
	on alice sss-cat "$bob" "$service" "$protocol"
between "milliseconds until it gave up" $(($(ms) - begin)) 29000 31000
between "times it tried" $(($(stat HsTxInitiate alice) - before)) 7 9

sss-netlink -netns alice peer set "$bob" endpoint none
begin=$(ms)
check "connect() without an endpoint fails" fails_with "no endpoint" \
	on alice sss-cat "$bob" "$service" "$protocol"
between "milliseconds of that" $(($(ms) - begin)) 0 100

check "nothing lives after the hosts are gone" eval '
	sss-netlink -netns alice host del alice && sss-netlink -netns bob host del bob &&
	gauges_zero alice && gauges_zero bob'

pair
identity alice
identity bob
bob=$(cat "$work/bob.eid")
sss-netlink -netns alice peer add "$bob" endpoint 10.9.0.2:9660
both delay 20ms rate 200kbit limit 200
listen
on alice sss-cat "$bob" "$service" "$protocol" <"$work/file" 2>/dev/null &
check "a program fills its send queue" wait_for 10 sent_some
drop_pair
check "a socket nobody can see any more does not stay for data that cannot arrive" \
	wait_for 30 unused
finish
