#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Registration servers with many entries, on SQLite and on Redis; in a guest, where
# the module is, over AF_SSS. Prints "STORE-name: number" lines: regserver_bench.c
# says what they are.
#
#   bench.sh ENTRIES [sss]
set -eu
here=$(cd "$(dirname "$0")" && pwd)

# bench NAME COMMAND...
bench()
{
	name=$1
	shift
	said=$("$@")
	echo "$said" | sed "s/^/$name-/"
}

if [ "${2-}" = sss ]; then
	CLIENTS=${CLIENTS:-100} bench sss "$here/sss.sh" regserver_bench "$1"
	exit
fi
for store in sqlite redis; do
	bench $store "$here/stores.sh" $store regserver_bench "$1"
done
