#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# demo.sh - every job of kbisect once, on the project's own fixtures
#
# `make demo` sets up what is missing and runs this. Each command is shown before it runs; type the
# same on your own clone. What it makes stays in .cache/demo, to be looked at and tried again.

set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
export KBISECT_CACHE=${KBISECT_CACHE:-$root/.cache}
work=$KBISECT_CACHE/demo
step=0
started=$SECONDS

title() {
	step=$((step + 1))
	printf '\n\033[1m[%d/6] %s\033[0m   (%d s so far)\n' "$step" "$*" "$((SECONDS - started))"
}

# Show a command as one would type it, then run it.
show() {
	local word line='$'
	for word; do
		word=${word/#$root\//}
		[[ $word =~ ^[][A-Za-z0-9_./:=@%+~^{},-]+$ ]] || word="'$word'"
		line+=" $word"
	done
	printf '%s\n' "$line"
	"$@"
}

type -P kbisect >/dev/null || {
	echo "demo.sh: kbisect is not on PATH; run \`make demo\`, which sets it up" >&2
	exit 4
}

title 'Two repositories from text: the network trees in miniature, and a small real driver'
rm -rf -- "$work"
mkdir -p -- "$work"
for name in nettrees netlab; do
	script=$root/fixtures/histories/$name.fi
	[[ $name != netlab ]] || script=$root/fixtures/netlab/netlab.fi
	git init --quiet "$work/$name"
	git -C "$work/$name" fast-import --quiet <"$script"
	git -C "$work/$name" checkout --quiet --force master
	printf '%s: %d commits\n' "$name" "$(git -C "$work/$name" rev-list --all --count)"
done

cd -- "$work/nettrees"
title 'The history: index it, then ask it'
show kbisect index
show kbisect query fixes -p path='net/ipv4/%'

title 'What changed in the API between two releases?'
show kbisect api diff v3.11 v3.13 --struct sk_buff

title 'Which fixes does a stable branch miss?'
show kbisect backport list linux-3.12.y

cd -- "$work/netlab"
title 'Which commit broke it? Each step builds the driver, boots a real kernel and pings through it'
show kbisect bisect run --good v0.1 --bad v0.2 "$root/fixtures/netlab/qemu-test.sh"

title 'Where to go next'
cat <<-END
	The repositories are in ${work/#$root\//}. On your own clone of net:
	  kbisect index                                     once, then after every fetch
	  kbisect bisect run --good v6.1 --bad v6.2 ./test.sh
	  kbisect api diff v6.1 v6.2 --struct net_device
	  kbisect backport list linux-6.1.y
	For a test script under QEMU, copy fixtures/netlab/qemu-test.sh.
END
printf '\ndemo: done in %d s\n' "$((SECONDS - started))"
