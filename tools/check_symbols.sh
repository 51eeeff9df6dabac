#!/usr/bin/env bash
# tools/check_symbols.sh PROGRAM: fails when a global symbol of ours is also defined in a library the
# program is linked with. Our names carry no prefix; a clash would silently replace one by the other.
set -euo pipefail
program=$1
libraries=$(ldd "$program" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p')
# what the C runtime puts into every program
runtime='^(_.*|main|data_start|completed\.0|deregister_tm_clones|register_tm_clones|frame_dummy|environ|std(in|out|err))$'

ours=$(nm -g --defined-only "$program" | awk '{ sub(/@.*/, "", $3); print $3 }' | grep -Ev "$runtime" | sort -u)
# shellcheck disable=SC2086
theirs=$(nm -D -g --defined-only $libraries | awk 'NF == 3 { sub(/@.*/, "", $3); print $3 }' | sort -u)
clashes=$(comm -12 <(echo "$ours") <(echo "$theirs"))
if [ -n "$clashes" ]; then
    for name in $clashes; do
        echo "$program:1: symbols: $name is also defined in a linked library"
    done
    exit 1
fi
