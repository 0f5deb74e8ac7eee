#!/usr/bin/env bash
# Checks the package recipes for OpenWrt and Buildroot as far as it goes without their trees: make reads them with
# stand-ins for what those trees include, the features and files that they name exist, what they install is where it
# belongs, and their init scripts start a gateway that answers.
#
# usage: scripts/test-recipes.sh
#
# Needs cargo, make and curl; for Buildroot's init script root and start-stop-daemon (dpkg has one). The program is that of
# $FUELBOX, or else of a release build.
set -euo pipefail

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
help_if_asked "$@"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
port=18490
need cargo make curl
[[ -n ${FUELBOX:-} ]] || (cd "$root" && cargo build --quiet --release --locked)
fuelbox=$(realpath "${FUELBOX:-$root/target/release/fuelbox}")
work=$(mktemp -d)
started=
ended() {
    [[ -z $started ]] || kill "$started" 2>/dev/null || true
    rm -rf "$work"
}
trap ended EXIT

# A cargo that checks what it is told and gives the program that is there.
stand_in_for_cargo() {
    mkdir -p "$work/bin"
    cat >"$work/bin/cargo" <<SH
#!/usr/bin/env bash
set -euo pipefail
features=() into=target target=
for ((i = 1; i <= \$#; i++)); do
    next=\$((i + 1))
    case \${!i} in
    --no-default-features) features+=(--no-default-features) ;;
    --features) features+=(--features "\${!next}") ;;
    --target) target=\${!next} ;;
    --target-dir) into=\${!next} ;;
    esac
done
"$(command -v cargo)" tree --quiet --locked --offline --manifest-path "$root/Cargo.toml" "\${features[@]}" >/dev/null
install -D -m 755 "$fuelbox" "\$into/\$target/release/fuelbox"
SH
    chmod +x "$work/bin/cargo"
}

# Waits for a gateway on $port.
answers() {
    local i
    for ((i = 0; i < 100; i++)); do
        ! curl -fsS -m 2 "http://127.0.0.1:$port/healthz" >/dev/null 2>&1 || return 0
        sleep 0.1
    done
    fail "$1: no gateway answers"
}

openwrt() {
    local feed=$work/feeds/packages/utils/fuelbox include=$work/include
    mkdir -p "$feed" "$include" "$work/feeds/packages/lang/rust" "$work/build"
    cp -r "$root/deploy/openwrt/." "$feed"
    cat >"$work/rules.mk" <<'MK'
INSTALL_DIR = install -d -m 755
INSTALL_BIN = install -m 755
INSTALL_CONF = install -m 600
MK
    cat >"$include/package.mk" <<'MK'
define BuildPackage
compile:
	$(call Build/Compile)
install:
	$(call Package/$(1)/install,$(DESTDIR))
describe:
	@printf '%s\n' '$(PKG_NAME) $(PKG_VERSION) $(PKG_LICENSE)'
endef
MK
    echo 'RUST_ARCH_DEPENDS = @(aarch64||arm||i386||riscv64||x86_64)' >"$work/feeds/packages/lang/rust/rust-package.mk"
    local make=(make -s -C "$feed" "TOPDIR=$work" "INCLUDE_DIR=$include" "PKG_BUILD_DIR=$work/build"
        RUSTC_TARGET_ARCH=x86_64-unknown-linux-musl "DESTDIR=$work/openwrt")
    [[ $("${make[@]}" describe) == "fuelbox $(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -1) MIT" ]] ||
        fail "openwrt: the version is not that of Cargo.toml"
    PATH=$work/bin:$PATH "${make[@]}" compile
    "${make[@]}" install
    [[ -x $work/openwrt/usr/bin/fuelbox && -d $work/openwrt/etc/fuelbox/plugins ]] || fail "openwrt: files are missing"
    # rc.common and procd, which runs the command.
    cat >"$work/rc" <<'SH'
config_load() { config=$root/etc/config/$1; }
config_get() { eval "$1=\$(sed -n \"s/^[[:space:]]*option $3 '\\(.*\\)'/\\1/p\" \"\$config\")"; }
config_get_bool() { config_get "$@"; }
procd_open_instance() { :; }
procd_set_param() { if [ "$1" = command ]; then shift; command=$*; fi; }
procd_append_param() { shift; command="$command $*"; }
procd_close_instance() { echo "$command" >"$root/command"; }
procd_send_signal() { :; }
procd_add_reload_trigger() { :; }
SH
    local init=$work/openwrt/etc/init.d/fuelbox config=$work/openwrt/etc/config/fuelbox
    start() { (set -eu; root=$work/openwrt; . "$work/rc"; . "$init"; start_service); }
    start
    [[ ! -e $work/openwrt/command ]] || fail "openwrt: it starts though it is not enabled"
    sed -i -e "s/enabled '0'/enabled '1'/" -e "s/127.0.0.1:8080/127.0.0.1:$port/" "$config"
    start
    local command
    read -ra command <"$work/openwrt/command"
    "$work/openwrt${command[0]}" "${command[@]:1}" --plugins "$work/openwrt/etc/fuelbox/plugins" 2>"$work/log" &&
        fail "openwrt: a flag twice is taken"
    sed -i "s|option plugins '.*'|option plugins '$work/openwrt/etc/fuelbox/plugins'|" "$config"
    start
    read -ra command <"$work/openwrt/command"
    "$work/openwrt${command[0]}" "${command[@]:1}" 2>"$work/log" &
    started=$!
    answers openwrt
    kill "$started" && wait "$started" || true
    started=
    note "openwrt: the recipe installs, and its service answers: ${command[*]/#$work/}"
}

buildroot() {
    local package=$work/package/fuelbox target=$work/target
    mkdir -p "$package" "$target"
    cp -r "$root/deploy/buildroot/." "$package"
    cat >"$work/buildroot.mk" <<'MK'
INSTALL = install
define cargo-package
build:
	cargo build --release --locked --target x86_64-unknown-linux-musl --target-dir $(BUILD) $(FUELBOX_CARGO_BUILD_OPTS)
install: $(SOURCES)/.stamp_installed
$(SOURCES)/.stamp_installed:
	install -D -m 755 $(BUILD)/x86_64-unknown-linux-musl/release/fuelbox $(TARGET_DIR)/usr/bin/fuelbox
	$$(FUELBOX_INSTALL_INIT_SYSV)
	mkdir -p $(TARGET_DIR)/usr/lib/systemd/system
	$$(FUELBOX_INSTALL_INIT_SYSTEMD)
	$$(foreach hook,$$(FUELBOX_POST_INSTALL_TARGET_HOOKS),$$($$(hook)))
describe:
	@printf '%s\n' '$(FUELBOX_VERSION) $(FUELBOX_LICENSE)'
endef
include $(PKG)/fuelbox.mk
MK
    ln -s "$root" "$work/sources"
    local make=(make -s -f "$work/buildroot.mk" "PKG=$package" "FUELBOX_PKGDIR=$package" "TARGET_DIR=$target"
        "BUILD=$work/build-buildroot" "SOURCES=$work/sources")
    [[ $("${make[@]}" describe) == "v$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -1) MIT" ]] ||
        fail "buildroot: the version is not that of Cargo.toml"
    PATH=$work/bin:$PATH "${make[@]}" build
    "${make[@]}" install
    grep -q '^ExecStart=/usr/bin/fuelbox ' "$target/usr/lib/systemd/system/fuelbox.service" || fail "buildroot: the unit"
    [[ -d $target/var/lib/fuelbox/plugins && -x $target/etc/init.d/S90fuelbox ]] || fail "buildroot: files are missing"
    awk '/^config |^comment /{blocks++} END {exit blocks != 2}' "$package/Config.in" || fail "buildroot: Config.in"
    if [[ $(id -u) != 0 ]] || ! command -v start-stop-daemon >/dev/null; then
        note "buildroot: the recipe installs; its init script needs root and start-stop-daemon"
        return
    fi
    # Here, with this program and as nobody.
    printf 'listen = "127.0.0.1:%s"\nplugins = "%s"\n' "$port" "$target/var/lib/fuelbox/plugins" >"$work/fuelbox.toml"
    chmod 755 "$work"
    sed -i -e "s|/var/run|$work|" -e "s|/etc/fuelbox.toml|$work/fuelbox.toml|" -e "s|/usr/bin/fuelbox|$target/usr/bin/fuelbox|" \
        -e 's|fuelbox:fuelbox|nobody:nogroup|' "$target/etc/init.d/S90fuelbox"
    [[ $("$target/etc/init.d/S90fuelbox" start) == *OK ]] || fail "buildroot: it does not start"
    answers buildroot
    "$target/etc/init.d/S90fuelbox" reload
    answers buildroot
    [[ $("$target/etc/init.d/S90fuelbox" stop) == *OK ]] || fail "buildroot: it does not stop"
    ! curl -fsS -m 2 "http://127.0.0.1:$port/healthz" >/dev/null 2>&1 || fail "buildroot: it still runs"
    note "buildroot: the recipe installs, and its service starts, answers and stops"
}

for script in deploy/openwrt/files/fuelbox.init deploy/buildroot/S90fuelbox; do
    sh -n "$root/$script" || fail "$script"
done
stand_in_for_cargo
openwrt
buildroot
