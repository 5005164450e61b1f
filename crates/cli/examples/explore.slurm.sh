#!/bin/sh
# Explores a scenario on eight tasks of a Slurm array, and joins what they found:
#
#   sbatch explore.slurm.sh
#   sbatch --dependency=afterany:JOB --wrap='mxdrill merge results/*.jsonl'
#
# A task that was killed can be run again alone: sbatch --array=3 explore.slurm.sh
#SBATCH --job-name=mxdrill-explore
#SBATCH --array=1-8
#SBATCH --cpus-per-task=2
#SBATCH --time=01:00:00

# how many tasks the whole array has, also where only some of them are run again
export MXDRILL_SHARES="${MXDRILL_SHARES:-8}"
scenario="${SCENARIO:-primary-refused}"
results="${RESULTS:-results}"

mkdir -p "$results" || exit 2
"${MXDRILL:-mxdrill}" explore "$scenario" --seeds "${SEEDS:-100000}" --keep-going --partition auto \
    --jobs "${SLURM_CPUS_PER_TASK:-2}" --format jsonl >"$results/$SLURM_ARRAY_TASK_ID.jsonl"
status=$?

# a finding is a result, not a failure of the task: mxdrill merge gives the verdict
[ "$status" -eq 1 ] && exit 0
exit "$status"
