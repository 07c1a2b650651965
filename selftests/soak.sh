#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Transfers while faults come on every layer, see soak.c.
#
#   soak.sh SECONDS [SEED [FAULT]]
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/lib.sh"

failslab 0 || skip_all "no fault injection in this kernel"
check "everything arrives as it was sent" soak "$@"
failslab_off
check "nothing is left" gauges_zero
finish
