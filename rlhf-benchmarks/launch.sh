# Sourced by the programs beside it: builds the benchmarks when they are missing or older than their sources, and sets
# `benchmarks`, `java`, `flags` and `classpath`.
#   RLHF_HEAP     largest Java heap (default 2g)
#   RLHF_MEMORY   largest native memory, where the tensors live (default 8g)
#   RLHF_MAVEN    options for the build, such as -o

benchmarks="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)"
home="$(dirname "$benchmarks")"
module=rlhf-benchmarks
modules=(rlhf-bom rlhf-core rlhf-transformer rlhf-reward rlhf-ppo rlhf-testkit rlhf-cli rlhf-benchmarks)
memory="${RLHF_MEMORY:-8g}"
physical=12g
source "$home/rlhf-cli/launch.sh"

classpath="$target/classes:$target/lib/*"
flags+=("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
