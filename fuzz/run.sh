#!/bin/sh
# Runs fuzz targets until each has used a time of a processor, one after the other, and prints a
# line for each. Ends with 1 when one found something; then `fuzz/artifacts` has it.
#
#   fuzz/run.sh [CPU_SECONDS [TARGET...]]       (600 seconds, every target)
#
# What is found on the way is kept in `fuzz/found`, which is not in the repository, and read again
# by the next run.
set -eu
cd "$(dirname "$0")/.."

cpu_seconds=${1:-600}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- captures parse pipeline policy reply stages

# Puts into `cpu` the seconds of a processor that the children of this shell have used. No subshell: it
# would have children of its own, and none.
clock=$(mktemp)
trap 'rm -f "$clock"' EXIT
look_at_clock() {
    times >"$clock"
    cpu=$(tail -n 1 "$clock" | sed 's/\([0-9]*\)m\([0-9.]*\)s */\1 \2 /g' |
        awk '{ print int(60 * $1 + $2 + 60 * $3 + $4) }')
}

nice -n 19 cargo +nightly fuzz build
binaries=fuzz/target/$(rustc -vV | sed -n 's/^host: //p')/release
failed=0
for target in "$@"; do
    mkdir -p "fuzz/found/$target" "fuzz/artifacts/$target"
    case $target in
        captures) options="-max_len=4096 -timeout=10" ;;
        policy) options="-max_len=4096 -timeout=10 -dict=fuzz/policy.dict" ;;
        pipeline) options="-max_len=4096 -timeout=10 -dict=fuzz/pipeline.dict" ;;
        stages) options="-max_len=4096 -timeout=5" ;;
        *) options="-max_len=1024 -timeout=5" ;;
    esac
    look_at_clock
    before=$cpu
    spent=0 runs=0 slowest=0 status=ok
    while [ "$spent" -lt "$cpu_seconds" ] && [ "$status" = ok ]; do
        log=fuzz/found/$target.log
        # shellcheck disable=SC2086
        nice -n 19 "$binaries/$target" "fuzz/found/$target" "fuzz/corpus/$target" $options \
            -max_total_time=60 -rss_limit_mb=2048 -print_final_stats=1 \
            "-artifact_prefix=fuzz/artifacts/$target/" >"$log" 2>&1 || status=FAILED
        runs=$((runs + $(sed -n 's/^stat::number_of_executed_units: *//p' "$log")))
        slow=$(sed -n 's/^stat::slowest_unit_time_sec: *//p' "$log")
        [ "${slow:-0}" -le "$slowest" ] || slowest=$slow
        look_at_clock
        spent=$((cpu - before))
    done
    [ "$status" = ok ] || failed=1
    echo "$target: $status, $spent s of a processor, $runs inputs, slowest $slowest s"
done
exit $failed
