# Sourced by the launchers of the command line and of the benchmarks, which set `home`, `module`, the `modules` it is built
# from, and `memory` and `physical`, the limits of native memory and of the whole process. Builds the module when it is
# missing or older than its sources, and sets `target`, `java` and `flags`.

program="$(basename "$0")"

# A number of bytes, as both the JVM and the native memory read it.
require_size() {
  case "${2%[kKmMgGtT]}" in
    '' | *[!0-9]*)
      echo "$program: $1 must be a size such as $3 (digits, then k, m or g), got \"$2\"" >&2
      exit 2
      ;;
  esac
}
heap="${RLHF_HEAP:-2g}"
require_size RLHF_HEAP "$heap" 2g
require_size RLHF_MEMORY "$memory" 3g

target="$home/$module/target"
stamp="$target/.built"

java="${JAVA_HOME:+$JAVA_HOME/bin/}java"
if ! command -v "$java" > /dev/null; then
  echo "$program: no Java at $java; install Java 17 or newer, or point JAVA_HOME to it" >&2
  exit 1
fi
version="$("$java" -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java\.specification\.version = //p')"
if [ "${version%%.*}" -lt 17 ]; then
  echo "$program: needs Java 17 or newer, $java is $version; point JAVA_HOME to a newer one" >&2
  exit 1
fi

outdated() {
  [ ! -e "$stamp" ] && return 0
  local sources=("$home/pom.xml")
  local part
  for part in "${modules[@]}"; do
    sources+=("$home/$part/pom.xml")
    [ -d "$home/$part/src/main" ] && sources+=("$home/$part/src/main")
  done
  [ -n "$(find "${sources[@]}" -newer "$stamp" -print -quit)" ]
}

if outdated; then
  if ! command -v mvn > /dev/null; then
    echo "$program: needs Maven to build itself; install it (mvn)" >&2
    exit 1
  fi
  echo "$program: building (the first time Maven fetches what is needed)" >&2
  rm -rf "$target/lib"
  # shellcheck disable=SC2086
  (cd "$home" && mvn -q -B -DskipTests ${RLHF_MAVEN:-} -pl "$module" -am package) >&2
  touch "$stamp"
fi

flags=(
  "-Xmx$heap"
  "-Dorg.bytedeco.javacpp.maxbytes=$memory"
  "-Dorg.bytedeco.javacpp.maxphysicalbytes=$physical"
  "-Djava.awt.headless=true"
  "--add-modules=jdk.incubator.vector"
)
if [ "${version%%.*}" -ge 24 ]; then
  flags+=(--enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow)
fi
