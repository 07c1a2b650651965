# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Reading the kernel's log for what must never be in it.

klog_bad='WARNING: |[^A-Z]BUG: |KASAN|UBSAN|Oops|general protection fault|kernel BUG at'
klog_bad="$klog_bad|INFO: (task|rcu|possible|trying|lockdep|inconsistent)|possible .*deadlock"
klog_bad="$klog_bad|suspicious RCU|unreferenced object|new suspected memory leaks|ODEBUG|refcount_t"
klog_bad="$klog_bad|list_(add|del) corruption|scheduling while atomic|sleeping function called"
klog_bad="$klog_bad|Voluntary context switch|rcu.*stall|soft lockup|hard LOCKUP|workqueue lockup"
klog_bad="$klog_bad|unregister_netdevice: waiting|leaked reference|Bad page|held lock|bad unlock balance"
klog_bad="$klog_bad|Objects remaining in|still has objects|Slab cache|self-tests?: fail"

klog_from='sss-test: none yet'

klog_mark()
{
	klog_from="sss-test: $1"
	echo "$klog_from" >/dev/kmsg
}

# Prints what the kernel logged since the last mark if there is a complaint in
# it, and succeeds; fails on a clean log.
klog_complaints()
{
	klog_text=$(dmesg --color=never | awk -v from="$klog_from" '
		{ text = text $0 "\n" }
		index($0, from) { text = "" }
		END { printf "%s", text }')
	printf '%s\n' "$klog_text" | grep -qE "$klog_bad" || return 1
	printf '%s\n' "$klog_text"
}
