#!/usr/bin/env bash
# Every check of the project, on a Debian machine with Rust, as root: the live tests make network
# namespaces, and what they need beside Rust is installed (tests/packages.sh).
# Real captures and tables are compared with when SEKISHO_SHARED names their folder, or when
# they lie beside the project as ../shared.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(id -u)" -ne 0 ]; then
    echo "all.sh: the live tests need root, for network namespaces and AF_XDP: sudo bash tests/all.sh" >&2
    exit 77
fi
if [ -z "${SEKISHO_SHARED:-}" ] && [ -d ../shared/pcaps ]; then
    SEKISHO_SHARED=$(cd ../shared && pwd)
    export SEKISHO_SHARED
fi
export CARGO_INCREMENTAL=0
# The property tests try the same cases each time: what fails here is the change, not chance. To
# search for more, name another seed: PROPTEST_RNG_SEED=$RANDOM bash tests/all.sh
export PROPTEST_RNG_SEED="${PROPTEST_RNG_SEED:-25}"

step() { printf '\n== %s\n' "$*"; "$@"; }

step bash tests/packages.sh
step cargo fmt --check
step cargo clippy --locked --all-targets --all-features -- -D warnings
RUSTDOCFLAGS="-D warnings" step cargo doc --locked --no-deps --document-private-items --all-features
step cargo test --locked --all-features

# Every order in which a writer and readers of a table may meet, as far as three preemptions go.
# Everything is compiled once more, in a folder of its own, so that the other builds stay.
RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom step cargo test --locked --lib -- lpm:: limit::

# The host for capsule, a package of its own; the live tests build and run it.
capsule=(--locked --manifest-path pipelines/capsule/Cargo.toml --workspace --profile live)
step cargo fmt --manifest-path pipelines/capsule/Cargo.toml --all --check
step cargo clippy "${capsule[@]}" --all-targets -- -D warnings
step cargo test "${capsule[@]}"

# Frames and mail through the program itself, optimised: it shares two processors with the hosts
# around it; and ten million sources under a rate. One test at a time.
step cargo test --locked --all-features --profile live --test live --test limit -- --include-ignored --test-threads=1
