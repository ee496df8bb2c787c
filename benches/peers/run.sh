#!/usr/bin/env bash
# Installs what the peers need on Debian, builds, and runs all of them side by side.
#
#   bash benches/peers/run.sh [--quick] [--markdown FILE] [--only PART] [--pages huge|small]
#
# It needs root. Exit status: 0 when everyone ran, 1 when someone could not.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
started_in=$OLDPWD

if [[ $EUID -ne 0 ]]; then
    echo "run.sh: not root: packages, huge pages and network namespaces need it" >&2
    exit 1
fi

packages=(build-essential ethtool iproute2 libdpdk-dev libpcap-dev nftables pkg-config procps)
missing=()
for package in "${packages[@]}"; do
    if ! dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed; then
        missing+=("$package")
    fi
done
if [[ ${#missing[@]} -gt 0 ]]; then
    apt-get update --quiet
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends "${missing[@]}"
fi

cargo build --release --locked

# --pages huge: huge pages are lent to DPDK and given back, however this ends; malloc asks for
# transparent ones.
if [[ " $* " == *"pages huge "* || " $* " == *"pages=huge "* ]]; then
    lent=1536
    before=$(</proc/sys/vm/nr_hugepages)
    trap 'echo "$before" >/proc/sys/vm/nr_hugepages' EXIT
    if [[ $before -lt $lent ]]; then
        echo 1 >/proc/sys/vm/compact_memory
        echo "$lent" >/proc/sys/vm/nr_hugepages
    fi
    export GLIBC_TUNABLES=glibc.malloc.hugetlb=1
fi

program=$PWD/target/release/sekisho-peers
cd "$started_in"
# The terminal's interrupt reaches the program as well; it clears its namespaces away, then this
# script goes on to its end.
trap : INT
"$program" "$@"
