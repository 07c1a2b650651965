#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The demonstration of finding peers: alice and bob are behind a NAT each, and know
# a registration server outside and nothing else. She dials bob's EID and sends a
# file. The module is loaded already.
#
#   NAT=KIND[:KIND] selftests/demo-nat.sh FILE
#
#   NAT   alice's NAT, bob's: full, address or port (what a hole can be punched in),
#         or symmetric; one word is for both (port)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
file=$(realpath "${1:?which file?}")
# shellcheck source=selftests/lib.sh
. "$here/lib.sh"
# shellcheck source=selftests/agent/world.sh
. "$here/agent/world.sh"
# shellcheck source=selftests/agent/nats.sh
. "$here/agent/nats.sh"

NAT=${NAT:-port}
kind_a=${NAT%:*} kind_b=${NAT#*:}
for kind in "$kind_a" "$kind_b"; do
	case $kind in
	full | address | port | symmetric) ;;
	*) echo "demo-nat: NAT=$NAT: say full, address, port, symmetric, or two, KIND:KIND" >&2; exit 2 ;;
	esac
done
size=$(wc -c <"$file")

# in_words WAY: what way() said
in_words()
{
	case $1 in
	endpoint*) echo "directly to ${1#* }" ;;
	relay*) echo "through the relay ${1#* }" ;;
	esac
}

# path: how packets go now, both ways
path()
{
	there=$(in_words "$(way alice "$bob_eid")")
	back=$(in_words "$(way bob "$alice_eid")")
	[ -z "$there" ] || [ -z "$back" ] || echo "alice sends $there, bob $back"
}

# Prints the path when there is one, each time it has become another, and once at least
watch_path()
{
	shown='' ended=''
	until [ -n "$ended" ]; do
		[ ! -s "$work/ended" ] || ended=y
		found=$(path)
		if [ -n "$found" ] && [ "$found" != "$shown" ]; then
			echo "  path: $found"
			shown=$found
		fi
		sleep 0.1
	done
}

known()
{
	sed -n "s/^$1: //p" "$work/info"
}

echo "AF_SSS on Linux $(uname -r): alice sends bob $file, $((size / 1000)) kB"
for ns in alice bob srv; do
	key $ns
done
cleanup_add drop_all
world -r 9670 -o relay-rate-per-eid=1000000
pairing "$kind_a" "$kind_b"
hosts
echo word >"$work/word"
on bob sss-cat -l -i "$work/word" demo 'file 1' >"$work/received" 2>"$work/bob" &
receiver=$!
registered || { echo "demo-nat: no registration" >&2; exit 1; }
cat <<-END

	  alice 10.1.0.2 --- NAT 192.0.2.11 ---+
	        ($kind_a)
	                                       +--- registration server 192.0.2.1
	        ($kind_b)
	  bob   10.2.0.2 --- NAT 192.0.2.12 ---+

	  alice   $alice_eid
	  bob     $bob_eid
	  server  $srv_eid
END
for ns in alice bob; do
	echo "  the server sees $ns at $(sed -n 's/.*event=registered.* seen=\([^ ]*\).*/\1/p' $ns.log | tail -n 1)"
done

{
	on alice sss-cat -w 30 -I -i "$file" "$bob_eid" demo 'file 1' 2>"$work/info" >"$work/answer" </dev/null ||
		echo "sss-cat ended with status $?" >>"$work/info"
	echo ended >"$work/ended"
} &
watch_path
wait $receiver || { echo "demo-nat: bob failed: $(cat "$work/bob")" >&2; exit 1; }
if ! cmp -s "$work/word" "$work/answer"; then
	cat "$work/info" alice.log >&2
	echo "demo-nat: alice failed" >&2
	exit 1
fi
echo "  bob's first byte came after $(($(known first-byte-us) / 1000)) ms; now a round trip takes $(($(known rtt-us) / 1000)) ms"
ms=$(($(known duration-us) / 1000 + 1))
echo "  throughput: $((size * 8 / ms / 1000)) Mbit/s ($((size / 1000)) kB in $((ms / 1000)).$((ms % 1000 / 100)) s)"
sent=$(sha256sum <"$file" | cut -d' ' -f1)
received=$(sha256sum <"$work/received" | cut -d' ' -f1)
echo "  sent      sha256 $sent"
echo "  received  sha256 $received"
if [ "$sent" != "$received" ]; then
	echo "  NOT THE SAME: $(wc -c <"$work/received") of $size bytes arrived"
	exit 1
fi
echo "  the same"
