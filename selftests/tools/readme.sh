#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# README.md stays true: the C it shows is the end of an example that the build
# compiles, the files it names are there, and make knows its targets.
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/../lib.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
cleanup_add 'rm -rf "$work"'
cd "$top"

awk -v work="$work" '
	/^```c$/ { n++; inside = 1; next }
	/^```$/ { inside = 0 }
	inside { print >(work "/" n ".c") }' README.md

# ends FILE BLOCK
ends()
{
	tail -n "$(wc -l <"$2")" "$1" | cmp -s - "$2"
}

is "two examples" "$(find "$work" -name '*.c' | wc -l)" 2
check "the first is hello-listen.c" ends userspace/examples/hello-listen.c "$work/1.c"
check "the second is hello-connect.c" ends userspace/examples/hello-connect.c "$work/2.c"
# there PATH: as written, or in Documentation/
there()
{
	[ -e "$1" ] || [ -e "Documentation/$1" ]
}

grep -o '](\([^)]*\))' README.md | tr -d '()]' >"$work/paths"
sed -n '/^## What is where/,$s/^ *\([A-Za-z]*\/[A-Za-z./]*\) .*/\1/p' README.md >>"$work/paths"
while read -r path; do
	check "$path is there" there "$path"
done <"$work/paths"
grep -oE '(`|^    )make [a-z][a-z-]*' README.md | awk '{ print $NF }' | sort -u >"$work/targets"
while read -r target; do
	check "make $target" grep -q "^$target:" Makefile
done <"$work/targets"
finish
