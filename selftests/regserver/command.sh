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
check "an argument too many" refuses 'one argument too many' -C x
check "no such option" refuses 'unrecognized option' --nothing
for url in redis:// redis://h:0 redis://h:65536 redis://h:junk; do
	printf '\nstore = %s\n' "$url" >bad.conf
	check "$url, by file and number" refuses 'bad.conf:2: store: each server is' -C -c bad.conf
done
long=$(printf '%0102d' 0)
check "a path for the metrics' socket of 107 bytes" sss-regserver -C -m "unix:/tmp$long"1
check "but not one of 108" refuses 'has up to 107 bytes' -C -m "unix:/tmp$long"12
check "a port that cannot be" refuses 'a port from 1 to 65535' -C -m 127.0.0.1:65536
printf 'ttl-max = 3600\0\n' >bad.conf
check "a zero byte" refuses 'bad.conf:1: a zero byte' -C -c bad.conf
printf '\n# %s\nttl-max = 3600\n' "$(printf '%01021d' 0)" >bad.conf
check "a line too long" refuses 'bad.conf:2: the line is too long' -C -c bad.conf

# silent ARGS...: refused, without a word of the password
silent()
{
	refuses '' "$@" && ! grep -q SECRET err
}

check "no password of a wrong URL" silent -C -s redis://u:SECRET%zz@h
check "of another one" silent -C -s mysql://u:SECRET@h
check "of one without an option" silent -C redis://u:SECRET@h
check "of one behind a wrong option" silent -C --stoer=redis://u:SECRET@h
check "of one behind no name" silent -C -o redis://u:SECRET@h
check "of one in the place of a name" silent -C -o redis://u:SECRET=@h
status 1 'event=failed' sss-regserver -s redis://SECRET:SECRET@127.0.0.1:1 || true
check "nor in a log" sh -c '[ -s err ] && ! grep -q SECRET err'
check "a password with what is special" sss-regserver -C -s redis://u:a%2Fb%40c/d@h:1/x
status 1 'event=failed what=' sss-regserver -s "sqlite:$work/y.db" || true
is "the database is for nobody else" "$(command stat -c %a y.db)" 600

# right settings with which a server cannot start
check "a database that cannot be" status 1 'what=store' sss-regserver -s sqlite:/nowhere/at/all.db
echo mine >file
check "a file in the place of the metrics' socket" status 1 'what=metrics' \
	sss-regserver -s "sqlite:$work/x.db" -m "unix:$work/file"
check "it is still there" [ "$(cat file)" = mine ]
check "version" sh -c 'sss-regserver --version | grep -qxE "sss-regserver [0-9.]+"'
check "help" sh -c 'sss-regserver --help | grep -q "^Usage: sss-regserver "'
finish
