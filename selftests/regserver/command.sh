#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# sss-regserver's command line: wrong settings are refused with a sentence and
# exit status 2 before anything is opened; right ones are only checked.
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/../lib.sh"

work=$(mktemp -d)
cleanup_add 'rm -rf "$work"'
cd "$work"

# refuses WORDS ARGS...
refuses()
{
	refuses_words=$1
	shift
	status 2 "$refuses_words" sss-regserver "$@" && [ ! -s out ]
}

cat >good.conf <<'CONF'
# a remark
store = sqlite:/nowhere/at/all.db
ttl-max = 3600
metrics = 127.0.0.1:9661
CONF
printf 'store = sqlite:/x\n\nttl-max = often\n' >bad.conf

check "good settings" sss-regserver --check-config -c good.conf
check "the same by options" sss-regserver -C -s redis://127.0.0.1:1/x -m unix:/tmp/x -o ttl-min=5
check "nothing was opened for that" [ ! -e /nowhere ]
check "a wrong line, by file and number" refuses 'bad.conf:3: ttl-max: a number' -C -c bad.conf
check "and without --check-config" refuses 'bad.conf:3: ttl-max: a number' -c bad.conf
check "no such file" refuses 'none.conf: No such file' -c none.conf
check "options win over the file" refuses 'store: sqlite:/PATH' -C -c good.conf -s mysql://x
check "metrics are not for everybody" refuses 'a loopback address' -C -m 0.0.0.0:1
check "no such setting" refuses 'there is no setting "x"' -C -o x=1
check "no value" refuses '--set NAME=VALUE' -C -o ttl-min
check "an argument too many" refuses '"x" is one argument too many' -C x
check "no such option" refuses 'unrecognized option' --nothing

# right settings with which a server cannot start
check "a database that cannot be" status 1 'what=store' sss-regserver -s sqlite:/nowhere/at/all.db
echo mine >file
check "a file in the place of the metrics' socket" status 1 'what=metrics' \
	sss-regserver -s "sqlite:$work/x.db" -m "unix:$work/file"
check "it is still there" [ "$(cat file)" = mine ]
check "help" sh -c 'sss-regserver --help | grep -q "^Usage: sss-regserver "'
finish
