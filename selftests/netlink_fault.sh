#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Hosts and peers while the module's allocations fail, at several rates; then
# nothing is left and everything works.
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/lib.sh"

for percent in 3 10 30; do
	failslab "$percent" || skip_all "no fault injection in this kernel"
	check "$percent % of allocations fail" netlink_fault 60
	failslab_off
done
check "nothing is left" gauges_zero
check "without failures all works" netlink_host_test
finish
