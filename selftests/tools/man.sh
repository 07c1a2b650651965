#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The man pages are well-formed, and have what the programs have: every object,
# command, setting and option, and no other command.
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/../lib.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
cleanup_add 'rm -rf "$work"'
cd "$work"

# well_formed PAGE: but for the date, which git has
well_formed()
{
	mandoc -Tlint -W warning "$1" | grep -v 'missing date' >lint || return 0
	sed 's/^/# /' lint
	return 1
}

for page in "$top"/Documentation/man/*; do
	name=${page##*/}
	check "$name is well-formed" well_formed "$page"
	# Without bold letters, and with lines that are not broken
	mandoc -Tascii -O width=1000 "$page" | sed 's/.\x08//g' >"$name.txt"
	check "$name has text" grep -q DESCRIPTION "$name.txt"
done

# in_page PAGE WORD...: every one of them, as a word
in_page()
{
	page=$1 missing=''
	shift
	for word; do
		grep -qE -e "(^|[^A-Za-z-])$word([^A-Za-z-]|\$)" "$page.txt" || missing="$missing $word"
	done
	[ -z "$missing" ] || echo "# not in $page:$missing"
	[ -z "$missing" ]
}

# words TEXT...: what sss-netlink completes it to, but for help
words()
{
	sss-netlink -complete "${@-}" | grep -vE '^(help|@file)$' || true
}

page=sss-netlink.8
# shellcheck disable=SC2046 # words
check "$page: options" in_page $page $(words -)
for object in $(words); do
	check "$page: $object" in_page $page "$object"
	commands=$(words "$object" '')
	sss-netlink "$object" help >help.txt
	for command in $commands; do
		case $command in
		-*) ;;
		*) check "$page: $object $command" in_page $page "$object $command" ;;
		esac
		check "$object help: $command" grep -qw -e "$command" help.txt
		# "key" is the short form of "private-key"
		for setting in $(words "$object" "$command" x '' | grep -vxE 'anyone|key'); do
			check "$page: $object $command $setting" in_page $page "$setting"
			check "$object help: $setting" grep -qw -e "$setting" help.txt
			for value in $(words "$object" "$command" x "$setting" ''); do
				check "$page: $setting $value" in_page $page "$value"
				check "$object help: $setting $value" grep -qw -e "$value" help.txt
			done
		done
	done
	sed -n "s/^\\.BI* \"*$object \\([a-z][a-z]*\\)[ \"].*/\\1/p" "$top/Documentation/man/$page" >said
	while read -r command; do
		check "$object $command is there" sh -c "echo '$commands' | grep -qx '$command'"
	done <said
done
sss-netlink help >help.txt
for object in $(words); do
	check "help: $object" grep -qw "$object" help.txt
	for command in $(words "$object" '' | grep -v '^-'); do
		check "help: $object $command" sh -c "grep -w '$object' help.txt | grep -qw '$command'"
	done
done

# options_of PROGRAM: those its help names
options_of()
{
	"$1" -h | sed -n 's/^  \(-[^ ].*\)/\1/p' | sed 's/  .*//' | grep -oE -e '--?[A-Za-z0-9-]+'
}

for page in sss-cat.1 sss-regserver.8 sss-qlog.1; do
	for option in $(options_of ${page%.*}); do
		check "$page: $option" in_page $page "$option"
	done
done

# Settings of the two kinds of files
grep -ohE '"[A-Z][A-Za-z]+"' "$top/userspace/common/conf.c" | tr -d '"' | sort -u >settings
while read -r setting; do
	check "sss.conf.5: $setting" in_page sss.conf.5 "$setting"
done <settings
sed -n "s/^\tX([a-z_]*,[\t ]*\"\([a-z-]*\)\".*/\1/p" "$top/userspace/sss-regserver/config.h" >settings
while read -r setting; do
	check "sss-regserver.8: $setting" in_page sss-regserver.8 "$setting"
done <settings
sed -n 's/^[a-z].*[ *]\(sss_[a-z_]*\)(.*/\1/p' "$top/userspace/libsss/sss.h" >names
while read -r name; do
	check "libsss.3: $name" in_page libsss.3 "$name"
done <names
finish
