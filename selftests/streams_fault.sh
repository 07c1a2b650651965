#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Streams are opened, used and closed while the module's allocations fail, at
# several rates; the program says what must hold. "streams_fault.sh datagrams":
# the same for SOCK_DGRAM sockets.
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/lib.sh"

# The program itself begins, once there is something to be hurt.
failslab 0 || skip_all "no fault injection in this kernel"
if [ "${1-}" = datagrams ]; then
	for percent in 1 3 5; do
		check "$percent % of allocations fail" streams_fault "$percent" 12 datagrams
	done
else
	for percent in 1 3 10; do
		check "$percent % of allocations fail" streams_fault "$percent" 25
	done
fi
finish
