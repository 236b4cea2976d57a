# SPDX-License-Identifier: LGPL-2.1-or-later
# A domain with a vGPU, for dmacvicar/libvirt up to 0.8. The provider runs xsltproc on the machine that runs terraform.
terraform {
  required_providers {
    libvirt = {
      source  = "dmacvicar/libvirt"
      version = "~> 0.8.0"
    }
  }
}

provider "libvirt" {
  uri = "qemu:///system"
}

variable "profile" {
  type    = string
  default = "NVIDIA A2-4Q"
}

variable "tenant" {
  type    = string
  default = ""
}

resource "libvirt_domain" "cad1" {
  name   = "cad1"
  memory = 4096
  vcpu   = 2

  graphics {
    type        = "vnc"
    listen_type = "address"
  }

  # replace() sets the parameters of the stylesheet.
  xml {
    xslt = replace(
      replace(file("${path.module}/vgpu.xsl"),
      "name=\"profile\" select=\"'NVIDIA A2-4Q'\"", "name=\"profile\" select=\"'${var.profile}'\""),
      "name=\"tenant\" select=\"''\"", "name=\"tenant\" select=\"'${var.tenant}'\"")
  }
}
