#!/usr/bin/env bash
# The runs on the test splits behind docs/results/fewer-labels.md, as a queue in the order of their worth.
#
#     benchmarks/fewer_labels.sh        # every step picks up where the journals in docs/results/ end
#
# Of the frozen profile `auto`; nothing is tuned on what comes out. Twenty to thirty minutes a run and core to
# 200 labels, an hour for each converged full supervision. What was said of continued runs in
# evidence.sh holds here too. After each step, commit docs/results/.
set -euo pipefail
cd "$(dirname "$0")/.."
JOBS=${JOBS:-2}
PICKEM=${PICKEM:-.venv/bin/pickem}

run() { # DATASET STRATEGIES SEEDS ROUNDS
  "$PICKEM" benchmark "$1" --profile auto --strategies "$2" --seeds "$3" --rounds "$4" \
    --precision bf16 --jobs "$JOBS" --threads 1 --out "docs/results/$1-auto"
  "$PICKEM" report "docs/results/$1-auto"
  .venv/bin/python -m benchmarks.fewer_labels_tables
  .venv/bin/python -m benchmarks.bars
  .venv/bin/python -m benchmarks.savings
  .venv/bin/python -m benchmarks.fewer_labels_figure
  .venv/bin/python -m benchmarks.test_runs
}

run vnc      auto 5 20
run lucchi++ auto 5 20
run vnc      auto,full-converged 1 20
run lucchi++ auto,full-converged 1 20
run vnc      auto,random 5 20
run lucchi++ auto,random 5 20
run vnc      auto,random,random-foreground 5 10
run lucchi++ auto,random,random-foreground 5 10

for dataset in vnc lucchi++; do # all labels, with half of each batch from patches that show foreground
  "$PICKEM" benchmark "$dataset" --profile benchmarks/profiles/auto-balanced.toml --strategies full-matched \
    --seeds 1 --rounds 20 --precision bf16 --threads 1 --out "docs/results/$dataset-auto-balanced"
done
"$PICKEM" benchmark vnc --profile auto --strategies auto --seeds 1 --rounds 20 --precision bf16 --threads 2 \
  --out docs/results/vnc-auto-two-cores # alone on the machine, against fifteen minutes
