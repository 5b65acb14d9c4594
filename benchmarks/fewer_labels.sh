#!/usr/bin/env bash
# The runs on the test splits behind docs/results/fewer-labels.md, as a queue in the order of their worth.
#
#     benchmarks/fewer_labels.sh        # every step picks up where the journals in docs/results/ end
#
# Of profiles frozen before; nothing is tuned on what comes out. Twenty to thirty minutes a run and core to
# 200 labels, on a slow core fifty; an hour for each converged full supervision. What was said of continued runs
# in evidence.sh holds here too. After each step, commit docs/results/.
set -euo pipefail
cd "$(dirname "$0")/.."
JOBS=${JOBS:-2}
PICKEM=${PICKEM:-.venv/bin/pickem}
PROFILES=benchmarks/profiles

run() { # FOLDER DATASET PROFILE STRATEGIES SEEDS ROUNDS
  "$PICKEM" benchmark "$2" --profile "$3" --strategies "$4" --seeds "$5" --rounds "$6" \
    --precision bf16 --jobs "$JOBS" --threads 1 --out "docs/results/$1"
  "$PICKEM" report "docs/results/$1"
  .venv/bin/python -m benchmarks.fewer_labels_tables
  .venv/bin/python -m benchmarks.bars
  .venv/bin/python -m benchmarks.savings
  .venv/bin/python -m benchmarks.fewer_labels_figure
  .venv/bin/python -m benchmarks.test_runs
}

# Batches drawn evenly. On Lucchi++ they are those of `auto` as well: benchmarks/carry_over.py.
evenly=(vnc-auto-unbalanced vnc $PROFILES/auto-unbalanced.toml)
run "${evenly[@]}" auto 5 20
run lucchi++-auto lucchi++ auto auto 5 20
run "${evenly[@]}" auto,full-converged 1 20
run lucchi++-auto lucchi++ auto auto,full-converged 1 20
run "${evenly[@]}" auto,random 5 20
run lucchi++-auto lucchi++ auto auto,random 5 20
run "${evenly[@]}" auto,random,random-foreground 5 10
run lucchi++-auto lucchi++ auto auto,random,random-foreground 5 10

for dataset in vnc lucchi++; do # all labels, with half of each batch from patches that show foreground
  run $dataset-auto-balanced $dataset $PROFILES/auto-balanced.toml full-matched 1 20
done
run vnc-auto-balanced vnc $PROFILES/auto-balanced.toml random 3 10
"$PICKEM" benchmark vnc --profile auto --strategies auto --seeds 1 --rounds 20 --precision bf16 --threads 2 \
  --out docs/results/vnc-auto-two-cores # alone on the machine, against fifteen minutes

# `auto` as it is on VNC; full supervision, and random-foreground of seeds 0 and 4, are carried over
run vnc-auto vnc auto auto 5 20
run vnc-auto vnc auto auto,full-matched 1 20
run vnc-auto vnc auto auto,random,random-foreground 5 10
run vnc-auto vnc auto auto,random 5 20
run vnc-auto-longer vnc auto full-matched 1 85 # all labels, four times the steps of a run
run lucchi++-auto-epyc lucchi++ auto auto 5 20 # again, on an AMD EPYC: is it the machine?
