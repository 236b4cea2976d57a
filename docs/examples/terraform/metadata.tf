# SPDX-License-Identifier: LGPL-2.1-or-later
# A domain with a vGPU, for dmacvicar/libvirt from 0.9 on
terraform {
  required_providers {
    libvirt = {
      source  = "dmacvicar/libvirt"
      version = "~> 0.9.1"
    }
  }
}

provider "libvirt" {
  uri = "qemu:///system"
}

resource "libvirt_domain" "cad1" {
  name        = "cad1"
  type        = "kvm"
  memory      = 4096
  memory_unit = "MiB"
  vcpu        = 2

  os = {
    type         = "hvm"
    type_arch    = "x86_64"
    type_machine = "q35"
  }

  metadata = {
    xml = <<-XML
      <vgpu:devices xmlns:vgpu="urn:virt-vgpu:domain:1">
        <vgpu:device profile="NVIDIA A2-4Q"/>
      </vgpu:devices>
    XML
  }
}
