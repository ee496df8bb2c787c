#!/usr/bin/env bash
# Every check of the project, on a fresh Debian machine with Rust. It needs no other package.
# Real captures and tables are compared with when SEKISHO_SHARED names their folder, or when
# they lie beside the project as ../shared.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -z "${SEKISHO_SHARED:-}" ] && [ -d ../shared/pcaps ]; then
    SEKISHO_SHARED=$(cd ../shared && pwd)
    export SEKISHO_SHARED
fi
export CARGO_INCREMENTAL=0

step() { printf '\n== %s\n' "$*"; "$@"; }

step cargo fmt --check
step cargo clippy --locked --all-targets --all-features -- -D warnings
RUSTDOCFLAGS="-D warnings" step cargo doc --locked --no-deps --document-private-items
step cargo test --locked --all-features

# Every order in which a writer and readers of a table may meet, as far as three preemptions go.
# Everything is compiled once more, in a folder of its own, so that the other builds stay.
RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom step cargo test --locked --lib lpm::
