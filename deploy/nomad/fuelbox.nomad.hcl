# Three gateways: nomad job run -var image=registry.example/fuelbox:0.1.0 deploy/nomad/fuelbox.nomad.hcl

variable "image" {
  type    = string
  default = "registry.example/fuelbox:0.1.0"
}

# An archive of modules and policies.
variable "plugins" {
  type    = string
  default = "s3::https://s3.example/plugins/plugins-1.tar.gz"
}

job "fuelbox" {
  type = "service"

  group "gateway" {
    count = 3

    spread {
      attribute = "${node.unique.id}"
    }

    network {
      port "http" {
        to = 8080
      }
    }

    update {
      max_parallel     = 1
      health_check     = "checks"
      min_healthy_time = "5s"
      healthy_deadline = "2m"
      auto_revert      = true
    }

    service {
      name     = "fuelbox"
      port     = "http"
      provider = "nomad"

      check {
        name     = "ready"
        type     = "http"
        path     = "/readyz"
        interval = "2s"
        timeout  = "1s"
      }

      check {
        name     = "alive"
        type     = "http"
        path     = "/healthz"
        interval = "5s"
        timeout  = "2s"

        check_restart {
          limit = 3
          grace = "10s"
        }
      }
    }

    task "fuelbox" {
      driver = "docker"

      # Out of the catalog first; the signal comes 5 s later, so there is no --shutdown-delay.
      shutdown_delay = "5s"

      # 2 s for requests that wait for a worker, --timeout, and a margin.
      kill_timeout = "15s"

      artifact {
        source      = var.plugins
        destination = "local/plugins"
      }

      config {
        image           = var.image
        ports           = ["http"]
        readonly_rootfs = true
        cap_drop        = ["all"]
        security_opt    = ["no-new-privileges"]
        pids_limit      = 256
        volumes         = ["local/plugins:/plugins:ro"]
        args = [
          "serve",
          "--listen=0.0.0.0:8080",
          "--plugins=/plugins",
          "--workers=4",
          "--timeout=5s",
          "--log-format=json",
          # The network of the proxy: without it, all clients share the limits of one.
          "--trust-forwarded=10.0.0.0/8",
        ]
      }

      resources {
        cpu    = 250
        memory = 256
      }
    }
  }
}
