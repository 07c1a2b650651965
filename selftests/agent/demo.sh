#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# "make demo-nat" does what it says, with a hole punched and through the relay.
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/../lib.sh"

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
cleanup_add 'rm -rf "$work"'
head -c 300000 /dev/urandom >"$work/file"

# demo NAT: its output is in $work/said
demo()
{
	NAT=$1 "$here/../demo-nat.sh" "$work/file" >"$work/said" 2>&1 && return
	sed 's/^/# /' "$work/said"
	return 1
}

# says WORDS: a line of the output, as an extended regular expression
says()
{
	grep -qE "^  $1\$" "$work/said" && return
	sed 's/^/# /' "$work/said"
	return 1
}

check "behind two NATs with ports of their own" demo port
check "the path is direct" says \
	'path: alice sends directly to 192.0.2.12:9660, bob directly to 192.0.2.11:9660'
check "it says how long the first byte took" says "bob's first byte came after [0-9]+ ms; .*"
check "the server sees alice as her NAT" says 'the server sees alice at 192.0.2.11:9660'
check "the file arrives" says "received  sha256 $(sha256sum <"$work/file" | cut -d' ' -f1)"
check "it is the same" says 'the same'
check "behind symmetric NATs" demo symmetric
check "the path is the relay" says \
	'path: alice sends through the relay 192.0.2.1:9670, bob through the relay 192.0.2.1:9670'
check "it is the same" says 'the same'
check "a kind of NAT that is none" fails_with 'say full, address, port, symmetric' demo conical
finish
