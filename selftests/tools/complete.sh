# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154 # $top
# completes LINE WORD...: bash, with the completion that is installed, offers these
# words at the end of the line, in any order. $top is the project's folder.

completes()
{
	completes_line=$1
	shift
	bash -c '
		. "$COMPLETION"
		compopt() { :; }
		COMP_WORDS=(sss-netlink) line=$1
		for word in $line; do COMP_WORDS+=("$word"); done
		case $line in
		"" | *" ") COMP_WORDS+=("") ;;
		esac
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_sss_netlink
		[ ${#COMPREPLY[@]} = 0 ] || printf "%s\n" "${COMPREPLY[@]}"' bash "$completes_line" | sort >completed
	printf '%s\n' "$@" | sed '/^$/d' | sort >wanted
	if ! diff wanted completed >completed.diff; then
		sed 's/^/# /' completed.diff
		fail "sss-netlink $completes_line<TAB>"
		return
	fi
	pass "sss-netlink $completes_line<TAB>"
}
COMPLETION=$top/userspace/completion/sss-netlink
export COMPLETION
