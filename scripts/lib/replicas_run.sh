# Gateways and proxies on loopback, under load. Sourced by test-replicas.sh, which says what it needs.
# shellcheck shell=bash disable=SC2034,SC2154

ports=(8081 8082 8083)
pids=()
proxy=
load=

# start_replica NUMBER FLAG…: starts a gateway on the port of that number, and waits until it is ready.
start_replica() {
    local number=$1
    shift
    "$program" serve --listen "127.0.0.1:${ports[number]}" --plugins "$work/plugins" --workers 4 --trust-forwarded 127.0.0.1 \
        --client-share 100 "$@" 2>>"$work/replica-$number.log" &
    pids[number]=$!
    wait_ready "${ports[number]}"
}

# wait_ready PORT
wait_ready() {
    local i
    for ((i = 0; i < 200; i++)); do
        ! curl -fsS -m 1 "http://127.0.0.1:$1/readyz" >/dev/null 2>&1 || return 0
        sleep 0.1
    done
    fail "port $1: no gateway is ready"
}

# stop_replica NUMBER: SIGTERM, and waits for its end.
stop_replica() {
    kill -TERM "${pids[$1]}"
    wait "${pids[$1]}" || fail "gateway $1 ended with $?: $(tail -n 3 "$work/replica-$1.log")"
    pids[$1]=
}

# start_load KIND…: of clients of the proxy, see replicas_load.py.
start_load() {
    python3 "$root/scripts/lib/replicas_load.py" 127.0.0.1:8080 "$work/counts" "$@" &
    load=$!
    sleep 1
}

# end_load EVENT [KIND…]: prints what was counted, and fails if a request of one of these kinds failed.
end_load() {
    local event=$1 kind sent failed longest what
    shift
    kill -TERM "$load"
    wait "$load" || fail "the load ended with $?"
    load=
    while read -r kind sent failed longest what; do
        printf '%-50s %-6s %6d requests, %2d failed (%s), longest %5d ms\n' "$event" "$kind" "$sent" "$failed" "$what" "$longest"
        [[ $sent -ge 5 ]] || fail "$event: only $sent requests of $kind"
        [[ " $* " != *" $kind "* || $failed == 0 ]] || fail "$event: $failed requests of $kind failed"
    done <"$work/counts"
}

start_replicas() {
    local number
    for number in 0 1 2; do start_replica "$number" "$@"; done
}

end_replicas() {
    local number
    for number in 0 1 2; do [[ -z ${pids[number]:-} ]] || stop_replica "$number"; done
}

# end_all: whatever is left, when the script ends.
end_all() {
    local each
    for each in "${pids[@]}" "$proxy" "$load"; do
        [[ -z $each ]] || kill -KILL "$each" 2>/dev/null || true
    done
    wait 2>/dev/null || true
}

free_ports() {
    local port
    for port in 8080 "${ports[@]}"; do
        ! (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { note "$1: skipped: something listens on port $port"; return 3; }
    done
}

prepare() {
    [[ -n ${program:-} ]] || program_to_try "$given"
    mkdir -p "$work/plugins"
    cp "$root"/guests/prebuilt/{greet,hello-c,http-stream}.wasm "$work/plugins"
}

# start_haproxy: as deploy/haproxy.cfg says.
start_haproxy() {
    haproxy -db -f "$root/deploy/haproxy.cfg" 2>"$work/haproxy.log" &
    proxy=$!
    wait_ready 8080
}

# What needs no file of its own to be written, neither to run nor to stop.
start_nginx() {
    mkdir -p "$work/nginx"
    sed -e "s|^pid .*|pid $work/nginx/pid;|" "$root/deploy/nginx.conf" >"$work/nginx.conf"
    nginx -p "$work/nginx" -c "$work/nginx.conf" -g 'daemon off;' 2>"$work/nginx.log" &
    proxy=$!
    wait_ready 8080
}

end_proxy() {
    kill -TERM "$proxy"
    wait "$proxy" 2>/dev/null || true
    proxy=
}

# rolling: restarts each gateway, when the proxy knows the one before again.
rolling() {
    local number
    for number in 0 1 2; do
        stop_replica "$number"
        start_replica "$number" "$@"
        sleep 2
    done
}

# events PROXY: what happens to gateways behind it.
events() {
    start_replicas --shutdown-delay 3s
    start_load GET POST STREAM
    rolling --shutdown-delay 3s
    end_load "$1: rolling restart, --shutdown-delay 3s" GET POST STREAM
    start_load GET POST STREAM
    rolling
    end_load "$1: rolling restart, no delay" GET

    start_load GET POST STREAM
    kill -KILL "${pids[1]}"
    wait "${pids[1]}" 2>/dev/null || true
    sleep 3
    start_replica 1
    sleep 2
    end_load "$1: kill -9 of one" GET

    stop_and_continue 3 "$1"
    stop_and_continue 11 "$1"
    end_replicas
}

# stop_and_continue SECONDS PROXY: as if one machine did not answer for a while. 11 s is longer than the proxies wait.
stop_and_continue() {
    start_load GET POST
    kill -STOP "${pids[2]}"
    sleep "$1"
    kill -CONT "${pids[2]}"
    sleep 2
    end_load "$2: one stopped for $1 s (SIGSTOP)" GET
}

# Connections that the system completes while a gateway closes its socket.
without_proxy() {
    local i sum=0 lost=0 sent failed
    free_ports "no proxy" || return
    prepare
    for ((i = 0; i < 15; i++)); do
        start_replica 0
        python3 "$root/scripts/lib/replicas_load.py" "127.0.0.1:${ports[0]}" "$work/counts" DIRECT &
        load=$!
        sleep 0.6
        stop_replica 0
        wait "$load" || fail "the load ended with $?"
        load=
        read -r _ sent failed _ <"$work/counts"
        sum=$((sum + sent)) lost=$((lost + failed))
    done
    echo "no proxy: 15 stops, no delay, a connection for each request: $sum requests, $lost failed"
}

behind_haproxy() {
    command -v haproxy >/dev/null || { note "haproxy: skipped: it is not installed"; return 3; }
    free_ports haproxy || return
    prepare
    start_replicas
    start_haproxy
    end_replicas
    events haproxy
    end_proxy
}

behind_nginx() {
    command -v nginx >/dev/null || { note "nginx: skipped: it is not installed"; return 3; }
    free_ports nginx || return
    prepare
    start_replicas
    start_nginx
    end_replicas
    events nginx
    end_proxy
}
