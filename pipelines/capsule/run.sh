#!/usr/bin/env bash
# Builds the host for capsule on Debian, and runs it: with the arguments that are given, or on the
# capture of a day at an ISP, from one port over net_pcap to the other.
#
#   bash pipelines/capsule/run.sh [--file RUNTIME.toml --policy POLICY.yaml …]
#
# Root is needed where packages are to be installed, and for the cards of a runtime file that names some.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)

bash "$root/tests/packages.sh" build-essential pkg-config libdpdk-dev libclang-dev
package=$root/pipelines/capsule
cargo build --locked --release --manifest-path "$package/Cargo.toml" --target-dir "$package/target"
host=$package/target/release/sekisho-capsule

if [ $# -gt 0 ]; then
    exec "$host" "$@"
fi
cd "$root"
exec "$host" --file pipelines/capsule/replay.toml --policy config/alpha-web.yaml --at 2024-01-15T12:00:00+09:00
