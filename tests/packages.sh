#!/usr/bin/env bash
# Installs the Debian packages that the tests need beside Rust, or those that are named; quick when
# they are there.
#
#   sudo bash tests/packages.sh [PACKAGE …]
#
# The program needs none of them to run over AF_XDP, and DPDK's own (libdpdk-dev, where it is built)
# to run over DPDK. Services that a package brings are not started.
set -euo pipefail

packages=(
    build-essential pkg-config libdpdk-dev dpdk         # ports over DPDK, and testpmd beside them
    iproute2 ethtool nftables libcap2-bin util-linux    # networks of the tests' own
    systemd systemd-container                           # the unit under a systemd of its own
    libclang-dev                                        # pipelines/capsule
    exim4-daemon-light swaks libnet-ssleay-perl libio-socket-inet6-perl openssl # mail over IPv4, IPv6, TLS
)
if [ $# -gt 0 ]; then
    packages=("$@")
fi

missing=()
for package in "${packages[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi

if [ "$(id -u)" -ne 0 ]; then
    echo "packages.sh: missing: ${missing[*]}" >&2
    echo "packages.sh: only root may install them: sudo bash tests/packages.sh $*" >&2
    exit 77
fi

# Debian starts what it installs unless a policy says no (invoke-rc.d reads it).
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive
echo "packages.sh: installing ${missing[*]}"
# --no-remove: a machine that has another mail server keeps it, and is told so.
install=(apt-get install --yes --quiet --quiet --no-install-recommends --no-remove "${missing[@]}")
"${install[@]}" || { apt-get update --quiet --quiet && "${install[@]}"; }
