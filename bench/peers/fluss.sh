#!/usr/bin/env bash
# A real Apache Fluss on 127.0.0.1: ZooKeeper, one coordinator, one tablet server, with the JVM and
# server defaults of its distribution.
#
#   fluss.sh jars            fetch the jars with Maven, once
#   fluss.sh start DIR PORT  coordinator at PORT, tablet server at PORT + 1, ZooKeeper at PORT + 100;
#                            returns when all three listen and prints their process ids
#   fluss.sh stop DIR        stops them by those ids; DIR stays
#
# PEER_JARS        folder of the jars (default .cache/fluss-VERSION)
# FLUSS_VERSION    (default 0.9.1-incubating)
# FLUSS_OPTS       further server options: -Dkey=value ...
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
version=${FLUSS_VERSION:-0.9.1-incubating}
jars=${PEER_JARS:-$root/.cache/fluss-$version}

die() { echo "fluss.sh: $*" >&2; exit 1; }

fetch_jars() {
    ls "$jars"/fluss-server-*.jar >/dev/null 2>&1 && return
    command -v mvn >/dev/null || die "Maven is missing"
    mkdir -p "$jars"
    cat > "$jars/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>bench</groupId><artifactId>peer</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.fluss</groupId><artifactId>fluss-server</artifactId><version>$version</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.17.1</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>2.17.1</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-1.2-api</artifactId><version>2.17.1</version></dependency>
  </dependencies>
</project>
POM
    (cd "$jars" && mvn -q -B dependency:copy-dependencies -DoutputDirectory=. -DincludeScope=runtime) >&2 \
        || die "Maven could not fetch the jars"
}

# launch NAME JVM_ARGUMENT... -- CLASS ARGUMENT...
launch() {
    local name=$1 jvm=()
    shift
    while [ "$1" != -- ]; do jvm+=("$1"); shift; done
    shift
    setsid java "${jvm[@]}" -XX:+IgnoreUnrecognizedVMOptions \
        --add-opens=java.base/java.nio=org.apache.arrow.memory.core,ALL-UNNAMED \
        -Dlog.file="$dir/log/$name.log" -Dlog4j.configurationFile="file:$dir/conf/log4j.properties" \
        -cp "$(printf '%s:' "$jars"/*.jar)" "$@" > "$dir/log/$name.out" 2>&1 < /dev/null &
    echo $! > "$dir/pid/$name"
}

await_port() { # NAME PORT
    local pid
    pid=$(cat "$dir/pid/$1")
    for _ in $(seq 1 2400); do
        (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null && return
        kill -0 "$pid" 2>/dev/null || { tail -20 "$dir/log/$1.out" >&2; die "$1 ended, see $dir/log"; }
        sleep 0.025
    done
    die "$1 does not listen on port $2"
}

write_configuration() {
    cat > "$dir/conf/log4j.properties" <<LOG
rootLogger.level=INFO
rootLogger.appenderRef.file.ref=file
appender.file.name=file
appender.file.type=File
appender.file.fileName=\${sys:log.file}
appender.file.layout.type=PatternLayout
appender.file.layout.pattern=%d %-5p %c - %m%n
LOG
    cat > "$dir/conf/zookeeper.properties" <<ZOO
dataDir=$dir/zookeeper
clientPort=$((port + 100))
clientPortAddress=127.0.0.1
maxClientCnxns=0
admin.enableServer=false
ZOO
    cat > "$dir/conf/server.yaml" <<YAML
zookeeper.address: 127.0.0.1:$((port + 100))
default.bucket.number: 1
default.replication.factor: 1
data.dir: $dir/data
remote.data.dir: $dir/remote
YAML
}

start() {
    fetch_jars
    mkdir -p "$dir"/{conf,log,pid,zookeeper,data,remote}
    write_configuration
    launch zookeeper -- org.apache.fluss.shaded.zookeeper3.org.apache.zookeeper.server.quorum.QuorumPeerMain \
        "$dir/conf/zookeeper.properties"
    await_port zookeeper $((port + 100))
    # shellcheck disable=SC2086  # several words
    launch coordinator -- org.apache.fluss.server.coordinator.CoordinatorServer --configDir "$dir/conf" \
        -Dbind.listeners="FLUSS://127.0.0.1:$port" ${FLUSS_OPTS:-}
    # shellcheck disable=SC2086
    launch tablet -XX:+UseG1GC -- org.apache.fluss.server.tablet.TabletServer --configDir "$dir/conf" \
        -Dtablet-server.id=0 -Dbind.listeners="FLUSS://127.0.0.1:$((port + 1))" ${FLUSS_OPTS:-}
    await_port coordinator "$port"
    await_port tablet $((port + 1))
    cat "$dir"/pid/* | paste -sd,
}

stop() {
    local name pid
    for name in tablet coordinator zookeeper; do
        pid=$(cat "$dir/pid/$name" 2>/dev/null) || continue
        grep -qs fluss "/proc/$pid/cmdline" && kill "$pid"
        for _ in $(seq 1 300); do
            [ -d "/proc/$pid" ] || break
            sleep 0.1
        done
        grep -qs fluss "/proc/$pid/cmdline" && kill -9 "$pid"
        rm -f "$dir/pid/$name"
    done
}

case ${1:-}:$# in
    jars:1) fetch_jars ;;
    start:3) dir=$2 port=$3; start ;;
    stop:2) dir=$2; stop ;;
    *) sed -n '2,13s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
