#!/usr/bin/env bash
# Tries what deploy/ has for several gateways. First it validates the files; then three gateways serve behind HAProxy and
# nginx under load, while each is restarted, killed and stopped; then the same with Swarm's stack. It prints how many requests
# failed, and fails if one of GET did, or another in a rolling restart with a delay.
#
# usage: scripts/test-replicas.sh [FUELBOX]
#
# Takes about four minutes. Each part needs what it names, and is skipped without: python3 with PyYAML, kubernetes-validate and
# python-hcl2 (pip), docker and docker-compose for the files; kustomize, if it is there, puts those of Kubernetes together; python3,
# haproxy and nginx for gateways behind proxies; for Swarm a Docker daemon that is in no swarm, or root and dockerd (a daemon is
# then started for the script), and haproxy. PYTHON is the python3 that has the packages. It uses ports 8080 to 8083 of loopback.
# Exits 3 if no part could be tried.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
help_if_asked "$@"
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
python=${PYTHON:-python3}
need python3 curl
# shellcheck source=scripts/lib/gateway.sh
. "$root/scripts/lib/gateway.sh"
# shellcheck source=scripts/lib/replicas_files.sh
. "$root/scripts/lib/replicas_files.sh"
# shellcheck source=scripts/lib/replicas_run.sh
. "$root/scripts/lib/replicas_run.sh"
# shellcheck source=scripts/lib/replicas_swarm.sh
. "$root/scripts/lib/replicas_swarm.sh"
trap 'end_swarm; end_all; rm -rf "$work"' EXIT

given=${1:-}
try_parts files_of_kubernetes files_of_nomad files_of_compose files_of_proxies behind_haproxy behind_nginx without_proxy in_swarm
