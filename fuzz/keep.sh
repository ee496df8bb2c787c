#!/bin/sh
# Keeps of what the fuzzer found (`fuzz/found`) the least that reaches, with the named inputs, every
# place that all of it reaches: in `fuzz/corpus/<target>/found`, in place of what was kept before.
#
#   fuzz/keep.sh [TARGET...]       (every target; `fuzz/run.sh` has built them)
set -eu
cd "$(dirname "$0")/.."

[ $# -gt 0 ] || set -- captures parse pipeline policy reply stages
binaries=fuzz/target/$(rustc -vV | sed -n 's/^host: //p')/release
for target in "$@"; do
    corpus=fuzz/corpus/$target
    kept=$(mktemp -d)
    mkdir -p "fuzz/found/$target" "$corpus/found"
    find "$corpus" -maxdepth 1 -type f -exec cp {} "$kept" \;
    nice -n 19 "$binaries/$target" -set_cover_merge=1 -use_counters=0 -max_len=4096 -timeout=10 \
        "$kept" "fuzz/found/$target" "$corpus/found" >"fuzz/found/$target.log" 2>&1
    rm -r "$corpus/found"
    mkdir "$corpus/found"
    # What it adds is named by 40 digits, the named inputs are not.
    find "$kept" -type f -name '????????????????????????????????????????' \
        -exec mv {} "$corpus/found" \;
    rm -r "$kept"
    echo "$target: $(find "$corpus/found" -type f | wc -l) inputs kept"
done
