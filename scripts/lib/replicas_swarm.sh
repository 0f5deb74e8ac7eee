# The Swarm stack, on this machine alone. Sourced by test-replicas.sh, which says what it needs.
# shellcheck shell=bash disable=SC2034,SC2154

daemon=
joined=
stack=fuelbox-test
target=x86_64-unknown-linux-musl

# have_daemon: the Docker daemon that answers, or one of our own.
have_daemon() {
    command -v docker >/dev/null || { note "swarm: skipped: docker is not installed"; return 3; }
    ! docker info >/dev/null 2>&1 || return 0
    if [[ $(id -u) != 0 ]] || ! command -v dockerd >/dev/null; then
        note "swarm: skipped: no Docker daemon answers, and none can be started"
        return 3
    fi
    # It touches neither the network of the machine nor the data of another daemon.
    dockerd --iptables=false --bridge=none --storage-driver vfs --data-root "$work/docker" --exec-root "$work/docker-run" \
        --pidfile "$work/docker.pid" -H "unix://$work/docker.sock" 2>"$work/docker.log" &
    daemon=$!
    export DOCKER_HOST=unix://$work/docker.sock
    for _ in {1..100}; do
        ! docker info >/dev/null 2>&1 || return 0
        sleep 0.2
    done
    note "swarm: skipped: dockerd does not start: $(tail -n 2 "$work/docker.log")"
    return 3
}

# image: that of $FUELBOX_IMAGE, or one of the binary that scripts/cross.sh makes.
image() {
    [[ -z ${FUELBOX_IMAGE:-} ]] || return 0
    [[ $(uname -m) == x86_64 ]] || { note "swarm: skipped: it makes an image for x86_64; set FUELBOX_IMAGE"; return 3; }
    need cargo
    "$root/scripts/cross.sh" "$target" >&2
    FUELBOX_IMAGE=fuelbox-replicas:test
    docker build -q --build-arg "TARGET=$target" -f "$root/deploy/Dockerfile.prebuilt" -t "$FUELBOX_IMAGE" "$root" >/dev/null ||
        fail "docker build"
}

# wait_replicas: until all of them are ready.
wait_replicas() {
    local port
    for port in "${ports[@]}"; do wait_ready "$port"; done
}

in_swarm() {
    local container
    command -v haproxy >/dev/null || { note "swarm: skipped: haproxy is not installed"; return 3; }
    have_daemon || return
    [[ $(docker info --format '{{.Swarm.LocalNodeState}}') == inactive ]] ||
        { note "swarm: skipped: this Docker daemon is in a swarm"; return 3; }
    free_ports swarm || return
    image || return
    docker swarm init --advertise-addr 127.0.0.1 >/dev/null || fail "docker swarm init"
    joined=yes
    FUELBOX_IMAGE=$FUELBOX_IMAGE docker stack deploy --detach=true --resolve-image never -c "$root/deploy/stack.yaml" \
        "$stack" >/dev/null || fail "docker stack deploy"
    wait_replicas
    start_haproxy

    # Of the container, not of the file: what it may do.
    container=$(docker ps -q --filter "name=${stack}_gateway" | head -n 1)
    [[ $(docker inspect --format '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.Config.User}}' "$container") == \
        'true [ALL] 65532:65532' ]] || fail "swarm: the container is not confined as the stack says"
    docker logs "$container" 2>&1 | grep -q 'guests run in processes, confined by a filter of system calls' ||
        fail "swarm: the guests are not confined: $(docker logs "$container" 2>&1 | head -n 3)"

    start_load GET POST
    docker service update --detach=false --quiet --force "${stack}_gateway" >/dev/null || fail "docker service update"
    end_load "swarm: rolling update, stop-first" GET POST
    wait_replicas

    start_load GET POST
    docker kill "$(docker ps -q --filter "name=${stack}_gateway.2" | head -n 1)" >/dev/null
    sleep 2
    wait_replicas
    sleep 2
    end_load "swarm: docker kill of one" GET
    end_proxy
    end_swarm
}

# end_swarm: leaves the swarm, and ends the daemon if it is ours.
end_swarm() {
    if [[ -n $joined ]]; then
        docker stack rm --detach=true "$stack" >/dev/null 2>&1 || true
        docker swarm leave --force >/dev/null || true
        # The containers drain first.
        for _ in {1..60}; do
            [[ -n $(docker ps -q --filter "name=${stack}_gateway") ]] || break
            sleep 0.5
        done
        docker ps -aq --filter "name=${stack}_gateway" | xargs -r docker rm -f >/dev/null || true
    fi
    joined=
    if [[ -n $daemon ]]; then
        kill -TERM "$daemon" 2>/dev/null || true
        wait "$daemon" || true
        # What it leaves mounted could not be removed.
        umount "$work"/docker-run/netns/* 2>/dev/null || true
    fi
    daemon=
}
