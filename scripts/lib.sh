# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2034
# Shared by the scripts: packages, builds, lcores, and undoing things at exit. Sourced, with
# `set -euo pipefail` in force.
#
#   DNSWEIR_BUILD   build folder that the scripts use; default: build

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${DNSWEIR_BUILD:-$TOP/build}
export LC_ALL=C.UTF-8

# What it takes to build every program and to run them; a list so that a caller can add to it.
BUILD_PACKAGES=(meson ninja-build pkg-config gcc libc6-dev libdpdk-dev libnuma-dev libpcap-dev
	libxdp-dev libbpf-dev libiniparser-dev libjansson-dev libidn2-dev libicu-dev libedit-dev libxxhash-dev
	libsqlite3-dev libssl-dev libpango1.0-dev libfstrm-dev libprotobuf-c-dev protobuf-c-compiler
	librocksdb-dev libzstd-dev zlib1g-dev libldns-dev libpsl-dev libmicrohttpd-dev libgnutls28-dev libcriterion-dev libc-ares-dev
	python3-minimal tzdata)
# Hyperscan is for x86 only; without it everything is built but lists of patterns.
[[ $(uname -m) != x86_64 ]] || BUILD_PACKAGES+=(libhyperscan-dev)
# A real resolver, a real authoritative server, and what asks them.
NET_PACKAGES=(iproute2 iputils-ping ethtool procps util-linux unbound nsd ldnsutils bind9-dnsutils python3)

say() { printf '%s\n' "$*"; }
note() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
# die STATUS WORDS...: one line, then out.
die() {
	local status=$1
	shift
	note "$*"
	exit "$status"
}

# --- Packages ---

packages_missing() {
	local p
	for p; do
		[[ $(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null) == installed ]] || echo "$p"
	done
}

# apt_get ARGS...: quiet, no questions; waits for another dpkg run to end.
apt_get() {
	local log
	log=$(mktemp)
	if DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 \
		-o APT::Get::List-Cleanup=0 "$@" >"$log" 2>&1 </dev/null; then
		rm -f "$log"
		return 0
	fi
	tail -n 5 "$log" >&2
	rm -f "$log"
	return 1
}

# need_packages PACKAGE...: installs those that are missing; needs root only then. Services that
# packages bring along are not started: policy-rc.d says no while it is there.
need_packages() {
	local missing try guard=/usr/sbin/policy-rc.d ours=0 status=1
	mapfile -t missing < <(packages_missing "$@")
	((${#missing[@]})) || return 0
	((EUID == 0)) || die 2 "not installed: ${missing[*]} (run as root to have them installed)"
	note "installing ${#missing[@]} packages: ${missing[*]}"
	if [[ ! -e $guard ]]; then
		printf '#!/bin/sh\nexit 101\n' >"$guard"
		chmod 755 "$guard"
		ours=1
	fi
	for try in 1 2 3; do
		# apt-get update has a lock of its own that the timeout does not cover.
		if apt_get update && apt_get install --no-install-recommends "${missing[@]}"; then
			status=0
			break
		fi
		((try == 3)) || sleep 5
	done
	((ours)) && rm -f "$guard"
	((status == 0)) || die 1 "apt-get could not install: ${missing[*]}"
}

# --- Builds ---

# What build_tree builds; nothing named: everything.
BUILD_TARGETS=()

# build_tree FOLDER [MESON OPTION...]: set up if absent, then build. Its output goes to stderr,
# and only when it fails or takes part in a log of its own (DNSWEIR_VERBOSE=1).
build_tree() {
	local folder=$1 log
	shift
	log=$(mktemp)
	if { [[ -f $folder/build.ninja ]] || meson setup "$folder" "$TOP" "$@"; } >"$log" 2>&1 &&
		ninja -C "$folder" "${BUILD_TARGETS[@]}" >>"$log" 2>&1; then
		[[ -z ${DNSWEIR_VERBOSE:-} ]] || cat "$log" >&2
		rm -f "$log"
		return 0
	fi
	tail -n 60 "$log" >&2
	rm -f "$log"
	return 1
}

# --- CPUs ---

# lcores [WORKERS]: the --lcores argument: control and statistics share the first CPU this
# process may use; workers take the others in turn, or share the only one.
lcores() {
	local workers=${1:-1} cpus list w
	mapfile -t cpus < <(cpus_allowed)
	list="0@${cpus[0]},1@${cpus[0]}"
	for ((w = 0; w < workers; w++)); do
		if ((${#cpus[@]} > 1)); then
			list+=",$((w + 2))@${cpus[1 + w % (${#cpus[@]} - 1)]}"
		else
			list+=",$((w + 2))@${cpus[0]}"
		fi
	done
	echo "$list"
}

cpus_allowed() {
	local ranges range
	IFS=, read -ra ranges < <(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)
	for range in "${ranges[@]}"; do
		seq "${range%-*}" "${range#*-}"
	done
}

# --- Undoing at exit ---

UNDO=()

# undo COMMAND...: run at exit, last one first, whatever happened.
undo() {
	UNDO+=("$(printf '%q ' "$@")")
}

undo_all() {
	local i
	for ((i = ${#UNDO[@]} - 1; i >= 0; i--)); do
		eval "${UNDO[i]}" >/dev/null 2>&1 || true
	done
	UNDO=()
}

# Called once by a script that uses undo.
undo_at_exit() {
	trap 'status=$?; trap "" INT TERM; undo_all; exit $status' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
}

# stop_pid PID [SECONDS]: SIGTERM, and SIGKILL to one that does not end in time.
stop_pid() {
	local pid=$1 seconds=${2:-5} i
	kill -TERM "$pid" 2>/dev/null || return 0
	for ((i = 0; i < seconds * 20; i++)); do
		kill -0 "$pid" 2>/dev/null || return 0
		[[ $(process_state "$pid") != Z ]] || return 0
		sleep 0.05
	done
	kill -KILL "$pid" 2>/dev/null || true
}

process_state() {
	sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null || true
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	local tries=$(($1 * 20)) i
	shift
	for ((i = 0; i < tries; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	return 1
}
