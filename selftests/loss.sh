#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Files over links that lose, reorder, duplicate, delay and corrupt: what
# arrives is what was sent.
#
#   loss.sh 4|6		the family of addresses
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
version=${1:?say 4 or 6}
check "clean" arrives "$version" 4000000
check "1 % loss" arrives "$version" 2000000 delay 2ms loss 1%
check "10 % loss" arrives "$version" 300000 delay 2ms loss 10%
check "everything at once" \
	arrives "$version" 600000 delay 4ms 2ms loss 2% duplicate 5% corrupt 2% reorder 10%
check "30 % loss" arrives "$version" 60000 delay 2ms loss 30%
check "half of it duplicated" arrives "$version" 300000 duplicate 50%
check "a tenth corrupted" arrives "$version" 200000 delay 1ms corrupt 10%
finish
