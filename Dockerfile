# fuelbox and nothing else: no shell, no libc, no package manager. It is built from the sources here:
#
#   docker build -t fuelbox .
#   docker run --rm --read-only --cap-drop ALL --security-opt no-new-privileges \
#       -p 127.0.0.1:8080:8080 -v "$PWD/plugins:/plugins:ro" fuelbox
#
# deploy/Dockerfile.prebuilt makes the same image of a binary that was built before, for any machine.
ARG RUST=rust:1.95-slim-bookworm
FROM ${RUST} AS build
WORKDIR /fuelbox
COPY . .
# For this machine. It fetches the target's std, and the crates that Cargo.lock names.
RUN target=$(uname -m)-unknown-linux-musl && scripts/cross.sh "$target" && cp "target/cross/$target/fuelbox" /fuelbox.bin

FROM scratch
COPY --from=build /fuelbox/LICENSE /LICENSE
COPY --from=build /fuelbox.bin /fuelbox

# Nobody: the number is what counts, as there is no /etc/passwd.
USER 65532:65532

# `serve` looks for ./plugins, so what is mounted at /plugins is served and followed. Without it the example guests
# are.
WORKDIR /
EXPOSE 8080

# The root may be read-only. To write, `serve` needs a folder in memory for the private sockets of its workers, and
# takes the first that it can of $RUNTIME_DIRECTORY, $XDG_RUNTIME_DIR, /tmp, /dev/shm and /run. Docker and
# Podman give each container a /dev/shm; where there is none, mount one: --tmpfs /tmp:mode=1777.
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s --retries=3 CMD ["/fuelbox", "health"]

# Inside a container, loopback would be the container's own; what -p publishes is up to whoever runs it.
ENTRYPOINT ["/fuelbox"]
CMD ["serve", "--listen", "0.0.0.0:8080"]
