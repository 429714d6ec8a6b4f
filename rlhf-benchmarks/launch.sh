# Sourced by the programs beside it: builds the benchmarks when they are missing or older than their sources, and sets
# `java`, `flags` and `classpath`.
#   RLHF_HEAP     largest Java heap (default 2g)
#   RLHF_MEMORY   largest native memory, where the tensors live (default 8g)
#   RLHF_MAVEN    options for the build, such as -o

benchmarks="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)"
home="$(dirname "$benchmarks")"
stamp="$benchmarks/target/.built"
modules=(rlhf-bom rlhf-core rlhf-transformer rlhf-reward rlhf-ppo rlhf-testkit rlhf-cli rlhf-benchmarks)

java="${JAVA_HOME:+$JAVA_HOME/bin/}java"
if ! command -v "$java" > /dev/null; then
  echo "no Java at $java; install Java 17 or newer, or point JAVA_HOME to it" >&2
  exit 1
fi
version="$("$java" -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java\.specification\.version = //p')"
if [ "${version%%.*}" -lt 17 ]; then
  echo "needs Java 17 or newer, $java is $version; point JAVA_HOME to a newer one" >&2
  exit 1
fi

outdated() {
  [ ! -e "$stamp" ] && return 0
  local sources=("$home/pom.xml")
  for module in "${modules[@]}"; do
    sources+=("$home/$module/pom.xml")
    [ -d "$home/$module/src/main/java" ] && sources+=("$home/$module/src/main/java")
  done
  [ -n "$(find "${sources[@]}" -newer "$stamp" -print -quit)" ]
}

if outdated; then
  if ! command -v mvn > /dev/null; then
    echo "needs Maven to build itself; install it (mvn)" >&2
    exit 1
  fi
  echo "building (the first time Maven fetches what is needed)" >&2
  rm -rf "$benchmarks/target/lib"
  # shellcheck disable=SC2086
  (cd "$home" && mvn -q -B -DskipTests ${RLHF_MAVEN:-} -pl rlhf-benchmarks -am package) >&2
  touch "$stamp"
fi

classpath="$benchmarks/target/classes:$benchmarks/target/lib/*"
flags=(
  "-Xmx${RLHF_HEAP:-2g}"
  "-Dorg.bytedeco.javacpp.maxbytes=${RLHF_MEMORY:-8g}"
  "-Dorg.bytedeco.javacpp.maxphysicalbytes=12g"
  "-Djava.awt.headless=true"
  "--add-modules=jdk.incubator.vector"
  "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
)
if [ "${version%%.*}" -ge 24 ]; then
  flags+=(--enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow)
fi
