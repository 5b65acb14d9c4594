#!/usr/bin/env bash
# The runs behind docs/results/paper.md, as a queue that anyone can continue, in the order of their worth.
#
#     benchmarks/evidence.sh            # every step picks up where the journals in docs/results/ end
#     JOBS=1 THREADS=2 benchmarks/evidence.sh
#
# Journals and tables are in the repository; weights and pictures of data that may not be shipped are not. A run
# that is continued without its weights first repeats its training with the journalled picks; on another processor
# that gives another network of the same kind, so finish a run where it was begun if you can. The precision is
# pinned, so that seeds of machines with and without bfloat16 belong together. After each step, commit docs/results/.
set -euo pipefail
cd "$(dirname "$0")/.."
JOBS=${JOBS:-2}
THREADS=${THREADS:-1}
PICKEM=${PICKEM:-.venv/bin/pickem}
ALL=random,random-foreground,entropy,least-confidence,bald-entropy,bald,k-means,core-set,full-matched

run() { # DATASET STRATEGIES SEEDS ROUNDS
  "$PICKEM" benchmark "$1" --profile fast --strategies "$2" --seeds "$3" --rounds "$4" \
    --precision fp32 --jobs "$JOBS" --threads "$THREADS" --out "docs/results/$1-fast"
  "$PICKEM" report "docs/results/$1-fast"
  .venv/bin/python -m benchmarks.evidence_tables
  .venv/bin/python -m benchmarks.test_runs
}

run vnc      "$ALL" 1 10
run lucchi++ "$ALL" 1 10
run vnc      "$ALL" 2 10
run lucchi++ "$ALL" 2 10
run vnc      full-converged 1 10
run lucchi++ full-converged 1 10
run vnc      random,random-foreground,entropy 5 10
run lucchi++ random,random-foreground,entropy 5 10
run vnc      random,random-foreground,entropy 5 25
run lucchi++ random,random-foreground,entropy 5 25
