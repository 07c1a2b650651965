# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Read by every script on the build machine. The caller has set $top, the
# folder of the clone.
#
#   SSS_CACHE  kernels and packages, kept between clones
#   SSS_BUILD  everything built from this clone

SSS_CACHE=${SSS_CACHE:-/var/cache/af_sss}
SSS_BUILD=${SSS_BUILD:-$top/build}
JOBS=${JOBS:-$(nproc)}
export SSS_CACHE SSS_BUILD JOBS

# Progress goes to standard error, so that results can be piped.
say()
{
	printf '== %s\n' "$*" >&2
}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# locked NAME COMMAND...: one at a time among all clones that share the cache.
locked()
{
	lock=$SSS_CACHE/.lock-$1
	shift
	mkdir -p "$SSS_CACHE" || die "cannot write $SSS_CACHE: be root, or set SSS_CACHE"
	flock "$lock" "$@"
}

# Where the kernel called $1 is, and how external modules are built for it.
kernel_dir()
{
	case $1 in
	stock61 | stock612) echo "$SSS_CACHE/$1/kdir" ;;
	debug | race) echo "$SSS_CACHE/$1" ;;
	release | time) echo "$SSS_CACHE/release" ;;
	*) die "no kernel called '$1': stock61, stock612, debug, release, time or race" ;;
	esac
}

kernel_arch()
{
	case $1 in
	debug | release | time) echo um ;;
	*) echo x86 ;;
	esac
}

# need_packages NAME...: installs those that are missing.
need_packages()
{
	missing=''
	for package; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$' ||
			missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	[ "$(id -u)" = 0 ] || die "these packages are missing, install them or be root:$missing"
	say "installing$missing"
	export DEBIAN_FRONTEND=noninteractive
	mkdir -p "$SSS_BUILD"
	# shellcheck disable=SC2086 # a list of words
	with_lists apt-get install -y -qq --no-install-recommends $missing \
		>>"$SSS_BUILD/apt.log" 2>&1 ||
		die "cannot install them, see $SSS_BUILD/apt.log; is the package archive reachable?"
}

# with_lists COMMAND...: once more after apt-get update if it fails, as it does
# where the package lists are missing or older than the archive.
with_lists()
{
	"$@" && return
	renew_lists && "$@"
}

renew_lists()
{
	[ "$(id -u)" = 0 ] || die "the package lists are too old; run apt-get update as root and try again"
	say "bringing the package lists up to date"
	apt-get update -qq
}
