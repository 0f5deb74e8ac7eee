################################################################################
#
# fuelbox
#
################################################################################

# In a tree of Buildroot (2024.02 or newer): copy this folder to package/fuelbox, and name it in package/Config.in:
#   source "package/fuelbox/Config.in"

FUELBOX_VERSION = v0.1.0
# Where the sources are.
FUELBOX_SITE = REPOSITORY
FUELBOX_SITE_METHOD = git
FUELBOX_LICENSE = MIT
FUELBOX_LICENSE_FILES = LICENSE

# Without the text format, as static builds are.
FUELBOX_CARGO_BUILD_OPTS = \
	--no-default-features \
	--features cli,component,console,dwarf,examples,manual,openapi
FUELBOX_CARGO_INSTALL_OPTS = $(FUELBOX_CARGO_BUILD_OPTS)

define FUELBOX_INSTALL_INIT_SYSV
	$(INSTALL) -D -m 0755 $(FUELBOX_PKGDIR)/S90fuelbox \
		$(TARGET_DIR)/etc/init.d/S90fuelbox
endef

define FUELBOX_INSTALL_INIT_SYSTEMD
	$(INSTALL) -D -m 0644 $(@D)/scripts/fuelbox.socket \
		$(TARGET_DIR)/usr/lib/systemd/system/fuelbox.socket
	sed 's|/usr/local/bin|/usr/bin|' $(@D)/scripts/fuelbox.service \
		> $(TARGET_DIR)/usr/lib/systemd/system/fuelbox.service
endef

define FUELBOX_PLUGIN_FOLDER
	$(INSTALL) -d -m 0755 $(TARGET_DIR)/var/lib/fuelbox/plugins
endef
FUELBOX_POST_INSTALL_TARGET_HOOKS += FUELBOX_PLUGIN_FOLDER

define FUELBOX_USERS
	fuelbox -1 fuelbox -1 * - - - fuelbox
endef

$(eval $(cargo-package))
