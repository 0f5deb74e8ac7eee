# Whether the files of deploy/ are what their programs read. Sourced by test-replicas.sh, which says what it needs.
# shellcheck shell=bash disable=SC2154

# checked WHAT PATH: what replicas_files.py says; 3 if a package is missing.
checked() {
    local code=0
    "$python" "$root/scripts/lib/replicas_files.py" "$1" "$2" || code=$?
    [[ $code != 3 ]] || note "$1: skipped: see --help for the packages"
    return "$code"
}

files_of_kubernetes() {
    checked kubernetes "$root/deploy/kubernetes" || return
    command -v kustomize >/dev/null || { note "kubernetes: kustomize is not installed, so the patches are merged here only"; return 0; }
    local each
    for each in base image-volume bucket; do
        kustomize build "$root/deploy/kubernetes/$each" >/dev/null || fail "kustomize build $each"
    done
}

files_of_nomad() {
    checked nomad "$root/deploy/nomad/fuelbox.nomad.hcl" || return
    ! command -v nomad >/dev/null || nomad job validate "$root/deploy/nomad/fuelbox.nomad.hcl" || fail "nomad job validate"
}

files_of_compose() {
    local compose=() tried=3
    if docker compose version >/dev/null 2>&1; then compose=(docker compose); fi
    if [[ ${#compose[@]} == 0 ]] && command -v docker-compose >/dev/null; then compose=(docker-compose); fi
    if [[ ${#compose[@]} != 0 ]]; then
        "${compose[@]}" -f "$root/deploy/compose.yaml" config --quiet || fail "compose.yaml"
        echo "compose.yaml is valid for ${compose[*]}"
        tried=0
    else
        note "compose.yaml: skipped: docker compose is not installed"
    fi
    if docker stack config --help >/dev/null 2>&1; then
        docker stack config -c "$root/deploy/stack.yaml" >/dev/null || fail "stack.yaml"
        echo "stack.yaml is valid for docker stack"
        tried=0
    else
        note "stack.yaml: skipped: docker is not installed, or too old for \`docker stack config\`"
    fi
    return "$tried"
}

files_of_proxies() {
    local tried=3
    if command -v haproxy >/dev/null; then
        # A warning would be a setting that does not do what it says.
        haproxy -c -q -dW -f "$root/deploy/haproxy.cfg" || fail "haproxy.cfg"
        echo "haproxy.cfg is valid for $(haproxy -v | sed -n '1s/ [0-9/]* -.*//p')"
        tried=0
    fi
    if command -v nginx >/dev/null; then
        mkdir -p "$work/nginx"
        sed -e "s|^pid .*|pid $work/nginx/pid;|" "$root/deploy/nginx.conf" >"$work/nginx.conf"
        nginx -t -q -p "$work/nginx" -c "$work/nginx.conf" || fail "nginx.conf"
        echo "nginx.conf is valid for $(nginx -v 2>&1)"
        tried=0
    fi
    [[ $tried == 0 ]] || note "haproxy.cfg, nginx.conf: skipped: neither program is installed"
    return "$tried"
}
