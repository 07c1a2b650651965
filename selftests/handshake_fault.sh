#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Handshakes while the module's allocations fail, at several rates; then
# nothing is left.
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/lib.sh"

for percent in 2 10 30; do
	failslab 0 || skip_all "no fault injection in this kernel"
	check "$percent % of allocations fail" handshake_fault "$percent" 60
	failslab_off
done
check "nothing is left" gauges_zero
finish
