#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Files over links that lose, reorder, duplicate, delay and corrupt: what
# arrives is what was sent, over IPv4 and IPv6.
set -u
. "$(dirname "$0")/lib.sh"

work=$(mktemp -d)
cleanup_add "rm -rf $work"

sum()
{
	sha256sum <"$1"
}

# arrives FAMILY BYTES NETEM...: fails as well if "loss" lost no packet
arrives()
{
	family=$1 bytes=$2
	shift 2
	head -c "$bytes" /dev/urandom >"$work/in"
	rm -f "$work/out"
	stream_file "$family" "$work/in" "$work/out" "$@" || return 1
	[ "$(sum "$work/in")" = "$(sum "$work/out")" ]
}

modprobe -q sch_netem || true
for family in 4 6; do
	check "IPv$family, clean" arrives $family 4000000
	check "IPv$family, 1 % loss" arrives $family 2000000 delay 2ms loss 1%
	check "IPv$family, 10 % loss" arrives $family 300000 delay 2ms loss 10%
	check "IPv$family, everything at once" \
		arrives $family 600000 delay 4ms 2ms loss 2% duplicate 5% corrupt 2% reorder 10%
done
check "30 % loss" arrives 4 60000 delay 2ms loss 30%
check "half of it duplicated" arrives 6 300000 duplicate 50%
check "a tenth corrupted" arrives 4 200000 delay 1ms corrupt 10%
finish
