#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# setup.sh - install what kbisect's lab needs and this machine lacks
#
#   ./setup.sh          called by make; says nothing when nothing is missing
#
# It installs Debian packages (QEMU, a static busybox, cpio, a compiler, the
# headers of a packaged kernel, a browser for the reports, the shells whose
# completion is tested), as root or through sudo.  The kernel *image* is not
# installed, because that would change this
# machine's boot loader: its package is downloaded and unpacked below the cache
# folder, as
#
#   $KBISECT_CACHE/kernel/<V>/boot/vmlinuz-<V>
#   $KBISECT_CACHE/kernel/<V>/lib/modules/<V>/
#   $KBISECT_CACHE/kernel/current -> <V>
#
# Image and headers always have the same version V.
#
# Environment:
#   KBISECT_CACHE     cache folder (default: .cache beside this script)
#   KBISECT_KERNEL    a bootable kernel image of your own, and
#   KBISECT_HEADERS   the headers to build modules for it: with both set, no
#                     kernel package is looked for
#   KBISECT_FLAVOUR   kernel flavour (default: cloud-<architecture>)
#
# Exit: 0 everything is there, 4 something is missing and can't be installed.

set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
cache=${KBISECT_CACHE:-$root/.cache}
kernels=$cache/kernel
tmp=

# What is needed, as "package:command".  A command is looked for, not the
# package: a QEMU built by hand is as good as Debian's.
tools=(
	qemu-system-x86:qemu-system-x86_64
	cpio:cpio
	gcc:gcc
	make:make
	git:git
	universal-ctags:ctags-universal
	chromium:chromium
	zsh:zsh
	fish:fish
	man-db:man
	mandoc:mandoc
)

cleanup() {
	[[ -z $tmp ]] || rm -rf -- "$tmp"
}
trap cleanup EXIT

say() {
	printf 'setup: %s\n' "$*" >&2
}

# The one message for everybody we can't install for: $1 says why.
give_up() {
	local flavour=${KBISECT_FLAVOUR:-cloud-amd64} part
	printf 'setup: %s\n' "$1" >&2
	if ((${#missing[@]})); then
		printf '  Install (Debian names): %s\n' "${missing[*]}" >&2
	fi
	if [[ $need_kernel = yes ]]; then
		part=${version:-<V>-$flavour}
		cat >&2 <<-END
		  Kernel: unpack linux-image-$part so that $kernels/$part/boot/vmlinuz-$part exists,
		    make $kernels/current a link to $part, and install linux-headers-$part;
		    or set KBISECT_KERNEL (a bootable image) and KBISECT_HEADERS (the headers of the same version).
		END
	fi
	printf '  Then run this again.\n' >&2
	exit 4
}

# --- what is there ---------------------------------------------------------

# A dynamically linked busybox can't start in an initramfs of its own.
have_static_busybox() {
	local busybox
	busybox=$(type -P busybox) && ! ldd "$busybox" >/dev/null 2>&1
}

have_venv() {
	python3 -IS -c 'import ensurepip, venv' >/dev/null 2>&1
}

find_missing() {
	local entry
	missing=()
	for entry in "${tools[@]}"; do
		type -P "${entry#*:}" >/dev/null || missing+=("${entry%%:*}")
	done
	have_static_busybox || missing+=(busybox-static)
	have_venv || missing+=(python3-venv)
}

# Headers of $1 that a module can be built against.
have_headers() {
	[[ -e /usr/src/linux-headers-$1/Makefile || -e /lib/modules/$1/build/Makefile ]]
}

have_image() {
	[[ -s $kernels/$1/boot/vmlinuz-$1 && -d $kernels/$1/lib/modules/$1 ]]
}

# The version that an earlier run chose, if its image is still there.
current_version() {
	local link
	link=$(readlink -- "$kernels/current" 2>/dev/null) || return 1
	link=${link%/}
	have_image "${link##*/}" && printf '%s\n' "${link##*/}"
}

# --- asking apt ------------------------------------------------------------

# Run a command that changes the system.
as_root() {
	if ((EUID == 0)); then
		"$@"
	elif [[ -t 0 && -t 2 ]]; then
		sudo -- "$@"
	else
		sudo -n -- "$@"
	fi
}

can_be_root() {
	((EUID == 0)) && return
	type -P sudo >/dev/null || return
	if [[ -t 0 && -t 2 ]]; then
		sudo -v
	else
		sudo -n true 2>/dev/null
	fi
}

# Run apt-get quietly; its own words are shown only when it fails.
apt_get() {
	local log=$tmp/apt.log
	if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq \
		-o DPkg::Lock::Timeout=300 "$@" </dev/null >"$log" 2>&1; then
		cat -- "$log" >&2
		return 1
	fi
}

updated=no
update_lists() {
	[[ $updated = no ]] || return 1
	updated=yes
	can_be_root || return 1
	say 'updating the package lists'
	apt_get update
}

# Is every one of these packages in the lists, with something to download?
known() {
	local package
	for package; do
		LC_ALL=C apt-cache policy "$package" 2>/dev/null |
			grep '^  Candidate: [^(]' >/dev/null || return 1
	done
}

# Known now, or after one update of the lists.
known_or_update() {
	known "$@" || { update_lists && known "$@"; }
}

# Versions V for which apt has both an image and headers, best first: what the
# release's own meta package stands for, then the newest of the same series
# (6.1, 6.12...), then the newest of all.
versions() {
	local flavour=$1 default series=
	default=$(LC_ALL=C apt-cache depends --important "linux-image-$flavour" 2>/dev/null |
		sed -n "s/^ *Depends: linux-image-\([0-9].*-$flavour\)$/\1/p" | head -n 1)
	[[ ! $default =~ ^[0-9]+\.[0-9]+ ]] || series=${BASH_REMATCH[0]}
	{
		printf '%s\n' "$default"
		apt-cache pkgnames linux-image- |
			sed -n "s/^linux-image-\([0-9].*-$flavour\)$/\1/p" | sort -rV |
			awk -v s="$series." '{ if (index($0, s) == 1) print; else late = late $0 "\n" }
				END { printf "%s", late }'
	} | awk 'NF && !seen[$0]++'
}

# Would the headers of $1 bring a kernel image with them?  Those of Debian's
# newer kernels do.
bring_image() {
	! have_headers "$1" &&
		LC_ALL=C apt-get -s --no-install-recommends install "linux-headers-$1" 2>/dev/null |
		grep '^Inst linux-image-' >/dev/null
}

choose_version() {
	local flavour=$1 v
	while read -r v; do
		if known "linux-image-$v" "linux-headers-$v" && ! bring_image "$v"; then
			printf '%s\n' "$v"
			return
		fi
	done < <(versions "$flavour")
	return 1
}

# --- the kernel ------------------------------------------------------------

# Unpack the image of $1 into the cache.  It appears there whole or not at all.
fetch_image() {
	local v=$1 deb
	say "fetching the kernel image $v (unpacked below $kernels, not installed)"
	mkdir -- "$tmp/deb" "$tmp/unpacked" "$tmp/kernel"
	if ! (cd -- "$tmp/deb" && apt-get -qq download "linux-image-$v") >"$tmp/download.log" 2>&1; then
		cat -- "$tmp/download.log" >&2
		return 1
	fi
	for deb in "$tmp"/deb/*.deb; do
		dpkg-deb -x "$deb" "$tmp/unpacked"
	done
	mkdir -- "$tmp/kernel/lib"
	mv -- "$tmp/unpacked/boot" "$tmp/kernel/boot"
	if [[ -d $tmp/unpacked/usr/lib/modules ]]; then
		mv -- "$tmp/unpacked/usr/lib/modules" "$tmp/kernel/lib/modules"
	else
		mv -- "$tmp/unpacked/lib/modules" "$tmp/kernel/lib/modules"
	fi
	[[ -s $tmp/kernel/boot/vmlinuz-$v && -d $tmp/kernel/lib/modules/$v ]] || {
		say "linux-image-$v holds no boot/vmlinuz-$v"
		return 1
	}
	# Another run may have been faster; a broken leftover is moved aside.
	if ! have_image "$v"; then
		[[ ! -e $kernels/$v ]] || mv -T -- "$kernels/$v" "$tmp/broken"
		mv -T -- "$tmp/kernel" "$kernels/$v" || have_image "$v"
	fi
}

set_current() {
	ln -s -- "$1" "$tmp/current"
	mv -T -- "$tmp/current" "$kernels/current"
}

# --- main ------------------------------------------------------------------

missing=()
find_missing

need_kernel=no
version=
if [[ -z ${KBISECT_KERNEL:-} || -z ${KBISECT_HEADERS:-} ]]; then
	version=$(current_version) || version=
	if [[ -z $version ]] || ! have_headers "$version"; then
		need_kernel=yes
	fi
fi

if ((${#missing[@]} == 0)) && [[ $need_kernel = no ]]; then
	exit 0
fi

if ! type -P apt-get dpkg-deb apt-cache >/dev/null || ! type -P dpkg >/dev/null; then
	give_up 'parts of the lab are missing, and this system has no apt-get and dpkg to install them with.'
fi

mkdir -p -- "$kernels" 2>/dev/null ||
	give_up "parts of the lab are missing, and $kernels can't be created."
tmp=$(mktemp -d -- "$kernels/.setup.XXXXXX") ||
	give_up "parts of the lab are missing, and $kernels can't be written to."

if ! compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null; then
	update_lists || true
fi

install=("${missing[@]}")
if [[ $need_kernel = yes ]]; then
	flavour=${KBISECT_FLAVOUR:-cloud-$(dpkg --print-architecture)}
	# A version from an earlier run is kept while its headers can be had.
	if [[ -z $version ]] || ! known "linux-headers-$version" || bring_image "$version"; then
		version=$(choose_version "$flavour") ||
			{ update_lists && version=$(choose_version "$flavour"); } ||
			give_up "apt knows no kernel of flavour $flavour with image and headers of one version, the headers without an installed image."
	fi
	have_headers "$version" || install+=("linux-headers-$version")
fi

if ((${#install[@]})); then
	missing=("${install[@]}")
	can_be_root ||
		give_up 'parts of the lab are missing, and installing them needs root or sudo, neither of which works here.'
	known_or_update "${install[@]}" ||
		give_up 'apt does not know one of the packages, even after an update of its lists.'
	say "installing ${install[*]}"
	# The lists may be older than the archive: try again with fresh ones.
	apt_get install --no-install-recommends -- "${install[@]}" ||
		{ update_lists && apt_get install --no-install-recommends -- "${install[@]}"; } ||
		give_up 'apt-get could not install the missing packages (its message is above).'
	missing=()
fi

if [[ $need_kernel = yes ]]; then
	have_image "$version" || fetch_image "$version" ||
		{ update_lists && rm -rf -- "$tmp/deb" "$tmp/unpacked" "$tmp/kernel" && fetch_image "$version"; } ||
		give_up "the kernel image $version could not be fetched (the message is above)."
	set_current "$version"
	say "kernel $version is ready"
fi

find_missing
if ((${#missing[@]})); then
	give_up 'packages were installed, but their programs are still not found on PATH.'
fi
