#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The module goes when nobody uses it, and not before; right after traffic, and
# after programs and namespaces that vanished in the middle of it.
set -u
. "$(dirname "$0")/lib.sh"

work=$(mktemp -d)
cleanup_add "rm -rf $work"
module=/run/out/sss.ko
head -c 1000000 /dev/urandom >"$work/in"

load()
{
	grep -q '^sss ' /proc/modules || insmod "$module"
}
cleanup_add load

unload()
{
	rmmod sss 2>/dev/null
}

cannot()
{
	! "$@" 2>/dev/null
}

holding()
{
	grep -q holding "$work/hold"
}

traffic()
{
	stream_file 4 "$work/in" "$work/out" >/dev/null && cmp -s "$work/in" "$work/out"
}

load
stream_file hold >"$work/hold" &
holder=$!
check "a program holds a socket" wait_for 30 holding
check "the module stays" cannot unload
kill $holder
check "it goes when the program is gone" wait_for 30 unload
check "and the family with it" cannot stream_file hold
check "it comes back" load
check "traffic" traffic
check "unloading right after it" wait_for 30 unload

load
for how in "" "delay 20ms" "loss 100%"; do
	# shellcheck disable=SC2086 # words
	stream_file killed $how >/dev/null 2>&1
	check "unloading after both ends were killed, link: ${how:-good}" wait_for 30 unload
	load
done
unload
check "another module takes the family's number" insmod "$SSS_BUILD/modules/$SSS_KERNEL/family/family_taken.ko"
check "insmod says that it exists" fails_with 'File exists' insmod "$module"
check "and the log says what is taken" sh -c 'dmesg | tail -n 5 | grep -q "address family 22 is taken by another module"'
check "nothing of it stays" cannot grep -q '^sss ' /proc/modules
rmmod family_taken
check "it loads when the number is free again" load
n=0
while [ $n -lt 5 ] && load && unload; do
	n=$((n + 1))
done
is "loaded and unloaded" $n 5
load
finish
