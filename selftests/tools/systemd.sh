#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A real systemd boots, process 1 of a PID namespace in the guest, with the units and
# programs that "make install" brings; systemd-inside.sh is what it runs.
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/../lib.sh"

[ -e /run/out/settings ] || skip_all "this changes the machine: only in a guest"
[ -x /lib/systemd/systemd ] || skip_all "no systemd here"
make -s -C "$SSS_TOP/userspace" BUILD="$SSS_BUILD" install >/dev/null
mkdir -p /run/systemd/system
cat >/run/systemd/system/sss-test.service <<UNIT
[Unit]
DefaultDependencies=no
SuccessAction=exit
FailureAction=exit
[Service]
Type=oneshot
TimeoutStartSec=infinity
Environment=SSS_TOP=$SSS_TOP SSS_BUILD=$SSS_BUILD PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ExecStart=$SSS_TOP/selftests/tools/systemd-inside.sh
StandardOutput=file:/run/sss-test.out
StandardError=inherit
UNIT
# Of the units of the machine that was copied only the journal is to run.
for unit in /lib/systemd/system/*.wants/* /etc/systemd/system/*.wants/*; do
	case $unit in
	*/systemd-journald*) ;;
	*) ln -sf /dev/null "/run/systemd/system/${unit##*/}" ;;
	esac
done
status=0
env -i container=sss PATH="$PATH" unshare --pid --fork --mount --mount-proc \
	/lib/systemd/systemd --unit=sss-test.service --show-status=no --log-target=null || status=$?
cat /run/sss-test.out
exit $status
